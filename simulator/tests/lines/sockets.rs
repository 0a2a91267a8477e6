//! Serial frames over TCP, and Modbus TCP in datagrams.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use passline_modbus::framing::Framing;
use passline_simulator::endpoint::{Endpoint, Listener, Wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::{Instant, timeout};

use crate::support::{PATIENCE, READ, ascii, device, late, line, mbap, rtu, take, value};

async fn serve_tcp(line: &Endpoint, framing: Framing) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(line.serve(Listener::Tcp(listener, Wire::network(framing)), pending()));
    address
}

#[tokio::test]
async fn serial_frames_travel_over_tcp() {
    let line = line(&[1, 2]);
    let rtu_address = serve_tcp(&line, Framing::Rtu).await;
    let ascii_address = serve_tcp(&line, Framing::Ascii).await;
    let mut first = TcpStream::connect(rtu_address).await.unwrap();
    let mut second = TcpStream::connect(rtu_address).await.unwrap();
    let mut third = TcpStream::connect(ascii_address).await.unwrap();
    for unit in [1, 2, 1] {
        for client in [&mut first, &mut second] {
            client.write_all(&rtu(unit, &READ)).await.unwrap();
            assert_eq!(take(client, 7).await, rtu(unit, &value(unit)));
        }
        third.write_all(&ascii(unit, &READ)).await.unwrap();
        let due = ascii(unit, &value(unit));
        assert_eq!(take(&mut third, due.len()).await, due);
    }
}

#[tokio::test]
async fn over_tcp_too_nobody_speaks_for_a_unit_that_is_not_there() {
    let line = line(&[1]);
    let address = serve_tcp(&line, Framing::Rtu).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    // What comes first is the answer to the request behind it.
    client.write_all(&rtu(9, &READ)).await.unwrap();
    client.write_all(&rtu(1, &READ)).await.unwrap();
    assert_eq!(take(&mut client, 7).await, rtu(1, &value(1)));
}

#[tokio::test]
async fn a_network_may_take_its_time_within_a_frame() {
    let line = line(&[1]);
    let address = serve_tcp(&line, Framing::Rtu).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.set_nodelay(true).unwrap();
    for byte in rtu(1, &READ) {
        client.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(take(&mut client, 7).await, rtu(1, &value(1)));
}

#[tokio::test]
async fn half_a_request_over_tcp_is_given_up_and_the_next_one_answered() {
    let line = line(&[1]);
    let address = serve_tcp(&line, Framing::Rtu).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(&rtu(1, &READ)[..6]).await.unwrap();
    // A client does not know when: it repeats until it is answered.
    let mut buffer = [0; 7];
    let asked = async {
        loop {
            client.write_all(&rtu(1, &READ)).await.unwrap();
            let answer = client.read_exact(&mut buffer);
            if timeout(Duration::from_millis(300), answer).await.is_ok() {
                return;
            }
        }
    };
    timeout(PATIENCE, asked).await.unwrap();
    assert_eq!(buffer, rtu(1, &value(1))[..]);
}

async fn udp(line: &Endpoint) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(line.serve(Listener::Udp(socket), pending()));
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client.connect(address).await.unwrap();
    client
}

async fn receive(client: &UdpSocket) -> Vec<u8> {
    let mut datagram = [0; 512];
    let count = timeout(PATIENCE, client.recv(&mut datagram)).await.unwrap().unwrap();
    datagram[..count].to_vec()
}

#[tokio::test]
async fn each_datagram_is_answered_to_where_it_came_from() {
    let line = line(&[1, 2]);
    let first = udp(&line).await;
    let second = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    second.connect(first.peer_addr().unwrap()).await.unwrap();
    first.send(&mbap(7, 1, &READ)).await.unwrap();
    second.send(&mbap(7, 2, &READ)).await.unwrap();
    assert_eq!(receive(&first).await, mbap(7, 1, &value(1)));
    assert_eq!(receive(&second).await, mbap(7, 2, &value(2)));
    // As Modbus TCP has it, a gateway speaks for who is not there.
    first.send(&mbap(8, 9, &READ)).await.unwrap();
    assert_eq!(receive(&first).await, mbap(8, 9, &[0x83, 0x0B]));
}

#[tokio::test]
async fn a_datagram_that_is_no_frame_is_ignored_and_two_in_one_are_two() {
    let line = line(&[1]);
    let client = udp(&line).await;
    for garbage in [&b"GET / HTTP/1.1"[..], &[], &[0, 1, 0, 0, 0], &mbap(3, 1, &READ)[..9]] {
        client.send(garbage).await.unwrap();
    }
    client.send(&[mbap(4, 1, &READ), mbap(5, 1, &READ)].concat()).await.unwrap();
    let mut answers = [receive(&client).await, receive(&client).await];
    answers.sort();
    assert_eq!(answers, [mbap(4, 1, &value(1)), mbap(5, 1, &value(1))]);
}

#[tokio::test]
async fn a_slow_unit_keeps_no_datagram_of_another_waiting() {
    let units =
        BTreeMap::from([(1, device(1, &[late(Duration::from_millis(500))])), (2, device(2, &[]))]);
    let line = Endpoint::new(units, Instant::now());
    let client = udp(&line).await;
    client.send(&mbap(1, 1, &READ)).await.unwrap();
    client.send(&mbap(2, 2, &READ)).await.unwrap();
    assert_eq!(receive(&client).await, mbap(2, 2, &value(2)));
    assert_eq!(receive(&client).await, mbap(1, 1, &value(1)));
}
