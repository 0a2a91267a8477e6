//! Faults of connections, and ends of connections: who is let in, and how it ends.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use passline_modbus::framing::Framing;
use passline_modbus::pdu::ExceptionCode;
use passline_simulator::device::Device;
use passline_simulator::endpoint::{Endpoint, Wire};
use passline_simulator::fault::{
    Beyond, ConnectionFault, Fault, FrameFault, Kind, Noise, RequestFault, Scope, Seed, Sent,
    Trigger,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{ask, frame, hex, image, listen, receive};

const READ: &str = "03 0000 0001";
const ANSWER: &str = "03 02 0100";
const SECOND: Duration = Duration::from_secs(1);

fn fault(kind: impl Into<Kind>) -> Fault {
    Fault { kind: kind.into(), scope: Scope::default(), trigger: Trigger::default() }
}

fn first(count: u64, kind: impl Into<Kind>) -> Fault {
    Fault { trigger: Trigger { first: Some(count), ..Trigger::default() }, ..fault(kind) }
}

fn line(faults: impl IntoIterator<Item = Fault>) -> Endpoint {
    let device = Device::new(image()).with_faults(faults, Seed::of_device(7, "meter"));
    Endpoint::new(BTreeMap::from([(1, device)]), Instant::now())
}

fn by_mbap(line: &Endpoint) -> io::Result<tokio::io::DuplexStream> {
    line.try_connect_by(Wire::instant(Framing::Mbap))
}

#[tokio::test(start_paused = true)]
async fn connections_are_refused_as_the_trigger_counts_them() {
    let line = line([first(2, ConnectionFault::Refuse)]);
    for _ in 0..2 {
        let refused = by_mbap(&line).err().map(|error| error.kind());
        assert_eq!(refused, Some(io::ErrorKind::ConnectionRefused));
    }
    // Requests are no connections.
    let mut client = by_mbap(&line).unwrap();
    assert_eq!(ask(&mut client, &hex(READ)).await, hex(ANSWER));
    let of_requests =
        self::line([first(1, RequestFault::Exception { code: ExceptionCode::ServerDeviceBusy })]);
    drop(by_mbap(&of_requests).unwrap());
    assert_eq!(ask(&mut by_mbap(&of_requests).unwrap(), &hex(READ)).await, hex("83 06"));
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_connections_is_of_the_line_whichever_device_has_it() {
    let faulty = Device::new(image())
        .with_faults([fault(ConnectionFault::Refuse)], Seed::of_device(7, "other"));
    let devices = BTreeMap::from([(1, Device::new(image())), (2, faulty)]);
    let line = Endpoint::new(devices, Instant::now());
    assert!(by_mbap(&line).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_mute_line_takes_everything_and_hears_nothing() {
    let line = line([first(1, ConnectionFault::Mute)]);
    let mut client = by_mbap(&line).unwrap();
    let write = frame(1, 1, &hex("06 0000 AAAA"));
    client.write_all(&write.repeat(10_000)).await.unwrap();
    assert!(timeout(100 * SECOND, client.read_u8()).await.is_err());
    let mut other = by_mbap(&line).unwrap();
    assert_eq!(ask(&mut other, &hex(READ)).await, hex(ANSWER), "what was written was not heard");
}

#[tokio::test(start_paused = true)]
async fn noise_comes_as_soon_as_a_port_opens_and_not_again() {
    for framing in [Framing::Mbap, Framing::Rtu, Framing::Ascii] {
        let line = line([fault(ConnectionFault::NoiseAtOpen(Noise::Given([0, 0xFF].into())))]);
        for _ in 0..2 {
            let mut client = line.connect_by(Wire::instant(framing));
            let mut noise = [1; 2];
            client.read_exact(&mut noise).await.unwrap();
            assert_eq!(noise, [0, 0xFF]);
            assert!(timeout(SECOND, client.read_u8()).await.is_err());
        }
    }
    let drawn = line([fault(ConnectionFault::NoiseAtOpen(Noise::Drawn(40)))]);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let mut noise = vec![0; 40];
        drawn.connect().read_exact(&mut noise).await.unwrap();
        seen.push(noise);
    }
    assert_ne!(seen[0], seen[1], "each connection draws its own");
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_closed_when_it_was_idle_for_so_long() {
    let line = line([
        fault(ConnectionFault::IdleClose { by: 5 * SECOND }),
        fault(ConnectionFault::IdleClose { by: 9 * SECOND }),
    ]);
    let mut client = line.connect();
    for _ in 0..3 {
        sleep(4 * SECOND).await;
        assert_eq!(ask(&mut client, &hex(READ)).await, hex(ANSWER));
    }
    let idle = Instant::now();
    assert_eq!(receive(&mut client).await, None);
    assert_eq!(idle.elapsed(), 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn there_are_no_more_clients_than_there_may_be() {
    let limit = |beyond| line([fault(ConnectionFault::MaxClients { count: 2, beyond })]);
    let refusing = limit(Beyond::Refuse);
    let (mut one, two) = (by_mbap(&refusing).unwrap(), by_mbap(&refusing).unwrap());
    assert!(by_mbap(&refusing).is_err());
    assert_eq!(ask(&mut one, &hex(READ)).await, hex(ANSWER));
    // One leaves: there is room for another, and no more.
    drop(two);
    sleep(SECOND).await;
    let _three = by_mbap(&refusing).unwrap();
    assert!(by_mbap(&refusing).is_err());

    let deaf = limit(Beyond::Mute);
    let clients: Vec<_> = (0..2).map(|_| by_mbap(&deaf).unwrap()).collect();
    let mut third = by_mbap(&deaf).unwrap();
    third.write_all(&frame(1, 1, &hex(READ))).await.unwrap();
    assert!(timeout(100 * SECOND, third.read_u8()).await.is_err());
    drop((clients, third));
    sleep(SECOND).await;
    assert_eq!(ask(&mut by_mbap(&deaf).unwrap(), &hex(READ)).await, hex(ANSWER));
}

/// A client of a line with these faults over TCP, and what it hears of a request until the end.
async fn over_tcp(faults: impl IntoIterator<Item = Fault>, requests: &[u8]) -> io::Result<Vec<u8>> {
    let line = line(faults);
    let (listener, address) = listen().await;
    tokio::spawn(line.serve(listener, std::future::pending()));
    let mut client = TcpStream::connect(address).await.unwrap();
    // A connection that is reset may not be there to write to.
    let _ = client.write_all(requests).await;
    let mut heard = Vec::new();
    timeout(10 * SECOND, client.read_to_end(&mut heard)).await.expect("it ends").map(|_| heard)
}

#[tokio::test]
async fn a_reset_connection_is_reset_and_a_closed_one_is_closed() {
    let read = frame(7, 1, &hex(READ));
    let sound = frame(7, 1, &hex(ANSWER));
    let reset = FrameFault::Reset { sent: Sent::Bytes(0) };
    let ended = over_tcp([fault(reset)], &read).await;
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    let refused = over_tcp([fault(ConnectionFault::Refuse)], &read).await;
    assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    let closed = |sent| FrameFault::Close { sent };
    assert_eq!(over_tcp([fault(closed(Sent::Bytes(3)))], &read).await.unwrap(), sound[..3]);
    // Requests behind the end are not answered, and do not cost what was sent before.
    let many = read.repeat(1000);
    assert_eq!(over_tcp([fault(closed(Sent::All))], &many).await.unwrap(), sound);
    let third = Trigger { after: Some(2), ..Trigger::default() };
    let after = Fault { trigger: third, ..fault(closed(Sent::All)) };
    assert_eq!(over_tcp([after], &many).await.unwrap(), sound.repeat(3));
}
