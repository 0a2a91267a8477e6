//! Real sockets, at ports that the system picks.

use std::time::Duration;

use passline_modbus::link::{Call, CloseReason, ConnectError, Link, LinkError, Options, tcp};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::bench::{answer, call, frame, holds, read};

fn link(host: &str, port: u16) -> Link {
    let host = host.to_owned();
    Link::spawn(move || tcp::connect(host.clone(), port), Options::default(), |_| {})
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn an_answer_then_an_idle_close_then_another() {
    let (listener, port) = listen().await;
    let device = tokio::spawn(async move {
        for value in [7, 8] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = [0; 12];
            stream.read_exact(&mut bytes).await.unwrap();
            let transaction = u16::from_be_bytes([bytes[0], bytes[1]]);
            stream.write_all(&answer(transaction, value)).await.unwrap();
        }
    });
    let link = link("127.0.0.1", port);
    assert_eq!(link.call(call(1, read(0))).await.result, holds(7));
    assert_eq!(link.call(call(2, read(0))).await.result, holds(8));
    device.await.unwrap();
    link.close().await;
}

#[tokio::test]
async fn nobody_listens() {
    let (listener, port) = listen().await;
    drop(listener);
    let done = link("127.0.0.1", port).call(call(1, read(0))).await;
    assert_eq!(done.result, Err(LinkError::Connect(ConnectError::Refused)));
}

#[tokio::test]
async fn no_such_name() {
    // Longer than a name can be, so that no name server needs to be asked.
    let done = link(&"x".repeat(300), 502).call(call(1, read(0))).await;
    let Err(LinkError::Connect(ConnectError::NotFound { text })) = done.result else {
        panic!("{:?}", done.result)
    };
    assert!(text.starts_with("xxx"), "{text}");
}

#[tokio::test]
async fn a_reset_is_told_from_a_close() {
    let (listener, port) = listen().await;
    let device = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_exact(&mut [0; 12]).await.unwrap();
        stream.set_zero_linger().unwrap();
    });
    let done = link("127.0.0.1", port).call(call(1, read(0))).await;
    assert_eq!(done.result, Err(LinkError::Closed(CloseReason::Reset)));
    device.await.unwrap();
}

/// More than any socket buffer holds: an idle link goes on reading, or the device would block.
#[tokio::test]
async fn a_flood_is_taken_while_idle() {
    let (listener, port) = listen().await;
    let link = link("127.0.0.1", port);
    link.connect().await.unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.write_all(&frame(0xFFFF, 9, &[0x41; 200]).repeat(60_000)).await.unwrap();
    let call = Call { timeout: Duration::from_mins(1), ..call(1, read(0)) };
    let flooded = link.clone();
    let done = tokio::spawn(async move { flooded.call(call).await });
    stream.read_exact(&mut [0; 12]).await.unwrap();
    stream.write_all(&answer(1, 5)).await.unwrap();
    assert_eq!(done.await.unwrap().result, holds(5));
    assert_eq!(link.counters().foreign, 60_000);
}
