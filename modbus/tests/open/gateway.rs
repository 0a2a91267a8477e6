//! Serial frames over TCP: `rtu+tcp://` and `ascii+tcp://`.

use std::{io::Write as _, sync::mpsc, thread::sleep, time::Duration};

use passline_modbus::{
    address::Address,
    link::{ConnectError, EventKind, Link, LinkError, Options, What},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{ANSWER, PATIENCE, REQUEST, holds, open, read};

/// Answers `request` with `answer`, connection after connection, once on each.
async fn gateway(request: &'static [u8], answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; request.len()];
            stream.read_exact(&mut bytes).await.unwrap();
            assert_eq!(bytes, request);
            stream.write_all(answer).await.unwrap();
        }
    });
    port
}

#[tokio::test]
async fn serial_frames_travel_over_tcp() {
    let port = gateway(&REQUEST, &ANSWER).await;
    let link = open(&format!("rtu+tcp://127.0.0.1:{port}"));
    for _ in 0..3 {
        // The gateway closes after each answer: the next read finds a new connection.
        assert_eq!(read(&link, 0, PATIENCE).await, holds(7));
    }
    let port = gateway(b":010300000001FB\r\n", b":0103020007F3\r\n").await;
    let link = open(&format!("ascii+tcp://127.0.0.1:{port}"));
    assert_eq!(read(&link, 0, PATIENCE).await, holds(7));
}

#[tokio::test]
async fn a_gateway_that_is_not_there_is_a_refusal() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let link = open(&format!("rtu+tcp://127.0.0.1:{port}"));
    let error = read(&link, 0, PATIENCE).await.unwrap_err();
    assert_eq!(error, LinkError::Connect(ConnectError::Refused));
}

/// A frame of another unit, and behind it the beginning of the answer. The observer sits on the
/// first for longer than a gap may be; meanwhile the rest comes. All on one thread: until the observer
/// is done nobody looks at the stream.
#[tokio::test]
async fn a_stall_of_this_program_is_no_gap_in_an_answer() {
    const FOREIGN: [u8; 7] = [2, 3, 2, 0, 7, 0xbd, 0x86];
    const STALL: Duration = Duration::from_millis(100);
    let (begin, rest) = ANSWER.split_at(4);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address: Address = format!("rtu+tcp://127.0.0.1:{port}?gap=50ms").parse().unwrap();
    let (connected, device) = mpsc::channel::<std::net::TcpStream>();
    let link = Link::open(&address, Options::of(&address), move |event| {
        if matches!(event.kind, EventKind::Frame { what: What::Foreign, .. }) {
            sleep(STALL);
            device.recv().unwrap().write_all(rest).unwrap();
        }
    });
    let gateway = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = REQUEST;
        stream.read_exact(&mut request).await.unwrap();
        let mut stream = stream.into_std().unwrap();
        connected.send(stream.try_clone().unwrap()).unwrap();
        stream.write_all(&[&FOREIGN, begin].concat()).unwrap();
        stream
    };
    let (result, _open) = tokio::join!(read(&link, 0, PATIENCE), gateway);
    assert_eq!(result, holds(7));
    assert_eq!(link.counters().foreign, 1);
}
