//! Serial frames over TCP: `rtu+tcp://` and `ascii+tcp://`.

use passline_modbus::link::{ConnectError, LinkError};
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
