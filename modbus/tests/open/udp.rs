//! Datagrams: one is one frame.

use std::time::Duration;

use passline_modbus::link::{ConnectError, LinkError, What};
use tokio::net::UdpSocket;

use crate::{PATIENCE, holds, open, read, watched};

async fn socket() -> (UdpSocket, u16) {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

/// The next datagram, which must be one request: its transaction id, and who sent it.
async fn request(socket: &UdpSocket) -> ([u8; 2], std::net::SocketAddr) {
    let mut bytes = [0; 300];
    let (count, peer) = socket.recv_from(&mut bytes).await.unwrap();
    assert_eq!(count, 12, "one request in a datagram");
    ([bytes[0], bytes[1]], peer)
}

fn answer([high, low]: [u8; 2], value: u8) -> [u8; 11] {
    [high, low, 0, 0, 0, 5, 1, 3, 2, 0, value]
}

#[tokio::test]
async fn each_request_is_a_datagram_of_its_own() {
    let (device, port) = socket().await;
    let link = open(&format!("udp://127.0.0.1:{port}?in_flight=4"));
    let device = async {
        let mut requests = Vec::new();
        for _ in 0..4 {
            requests.push(request(&device).await);
        }
        // Datagrams may overtake each other.
        for ((id, peer), value) in requests.into_iter().zip([1, 2, 3, 4]).rev() {
            device.send_to(&answer(id, value), peer).await.unwrap();
        }
    };
    let read = |register| read(&link, register, PATIENCE);
    let (one, two, three, four, ()) = tokio::join!(read(0), read(1), read(2), read(3), device);
    assert_eq!([one, two, three, four], [holds(1), holds(2), holds(3), holds(4)]);
}

/// Whatever else comes in datagrams, the answer in its own counts, and no connection is lost.
#[tokio::test]
async fn what_is_no_frame_spoils_nothing() {
    let (device, port) = socket().await;
    let (link, seen) = watched(&format!("udp://127.0.0.1:{port}"));
    let good = answer([0, 0], 9);
    let garbage: [&[u8]; 6] = [
        // The beginning of a frame; a length that promises more; another protocol; a length that
        // no frame has; one byte; nothing at all.
        &good[..8],
        &[0, 0, 0, 0, 0, 9, 1, 3, 2, 0, 9],
        &[0, 0, 0, 1, 0, 5, 1, 3, 2, 0, 9],
        &[0, 0, 0, 0, 0xff, 0xff, 1, 3, 2, 0, 9],
        &[0],
        &[],
    ];
    for bytes in garbage {
        let device = async {
            let (id, peer) = request(&device).await;
            device.send_to(bytes, peer).await.unwrap();
            device.send_to(&answer(id, 7), peer).await.unwrap();
        };
        let (result, ()) = tokio::join!(read(&link, 0, PATIENCE), device);
        assert_eq!(result, holds(7), "{bytes:02x?}");
    }
    let seen = seen.lock().unwrap();
    let told: Vec<&[u8]> = seen
        .iter()
        .filter(|(what, _)| *what == What::Garbage)
        .map(|(_, bytes)| bytes.as_slice())
        .collect();
    // Of an empty datagram there is nothing to tell.
    assert_eq!(told, garbage[..5]);
    assert_eq!(link.counters().garbage, 5);
    assert_eq!(link.counters().reconnects, 0);
}

#[tokio::test]
async fn an_answer_with_more_behind_it_is_an_answer_and_garbage() {
    let (device, port) = socket().await;
    let link = open(&format!("udp://127.0.0.1:{port}"));
    let device = async {
        let (id, peer) = request(&device).await;
        device.send_to(&[answer(id, 7).as_slice(), &[1, 2, 3]].concat(), peer).await.unwrap();
        let (id, peer) = request(&device).await;
        device.send_to(&answer(id, 8), peer).await.unwrap();
    };
    let reads = async { (read(&link, 0, PATIENCE).await, read(&link, 0, PATIENCE).await) };
    let (results, ()) = tokio::join!(reads, device);
    assert_eq!(results, (holds(7), holds(8)));
    assert_eq!(link.counters().garbage, 1);
}

#[tokio::test]
async fn a_stranger_is_not_heard() {
    let (device, port) = socket().await;
    let (stranger, _) = socket().await;
    let link = open(&format!("udp://127.0.0.1:{port}"));
    let device = async {
        let (id, peer) = request(&device).await;
        stranger.send_to(&answer(id, 6), peer).await.unwrap();
        device.send_to(&answer(id, 7), peer).await.unwrap();
    };
    let (result, ()) = tokio::join!(read(&link, 0, PATIENCE), device);
    assert_eq!(result, holds(7));
    assert_eq!(link.counters().foreign, 0);
}

#[tokio::test]
async fn a_device_that_is_not_there_is_a_refusal() {
    let (device, port) = socket().await;
    drop(device);
    let link = open(&format!("udp://127.0.0.1:{port}"));
    for _ in 0..2 {
        let error = read(&link, 0, Duration::from_millis(100)).await.unwrap_err();
        assert_eq!(error, LinkError::Connect(ConnectError::Refused));
    }
}

#[tokio::test]
async fn a_datagram_that_is_lost_is_a_timeout_and_its_late_answer_is_never_used() {
    let (device, port) = socket().await;
    let link = open(&format!("udp://127.0.0.1:{port}"));
    let timeout = Duration::from_millis(50);
    let (result, (id, peer)) = tokio::join!(read(&link, 0, timeout), request(&device));
    assert_eq!(result, Err(LinkError::Timeout { after: timeout }));
    let device = async {
        let (next, _) = request(&device).await;
        device.send_to(&answer(id, 6), peer).await.unwrap();
        device.send_to(&answer(next, 7), peer).await.unwrap();
    };
    let (result, ()) = tokio::join!(read(&link, 0, PATIENCE), device);
    assert_eq!(result, holds(7));
    assert_eq!(link.counters().late, 1);
}

/// A datagram is whole, whatever its header says: nothing has to be waited for.
#[tokio::test]
async fn what_a_datagram_has_wrong_is_put_up_with_where_the_address_says_so() {
    let wrong = [0, 0, 0, 0, 0, 6, 9, 3, 2, 0, 7];
    for (tolerate, is_enough) in
        [("transaction_id,unit_id,length", true), ("transaction_id,unit_id", false)]
    {
        let (device, port) = socket().await;
        let link = open(&format!("udp://127.0.0.1:{port}?tolerate={tolerate}"));
        let device = async {
            let (_, peer) = request(&device).await;
            device.send_to(&wrong, peer).await.unwrap();
        };
        let patience = if is_enough { PATIENCE } else { Duration::from_millis(50) };
        let (answer, ()) = tokio::join!(read(&link, 0, patience), device);
        if is_enough {
            assert_eq!(answer, holds(7));
        } else {
            assert!(matches!(answer, Err(LinkError::Timeout { .. })), "{answer:?}");
        }
    }
}
