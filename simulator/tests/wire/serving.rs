//! Connections: who is on the line, in which order answers come, and what ends.

use std::collections::BTreeMap;
use std::time::Duration;

use passline_modbus::point::{Span, Table};
use passline_simulator::device::Device;
use passline_simulator::endpoint::Endpoint;
use passline_simulator::fault::{Fault, FrameFault, Scope, Seed, Trigger};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, advance, timeout};

use crate::support::{ask, frame, hex, image, line, listen, receive};

const READ: &str = "03 0000 0001";
const ANSWER: &str = "03 02 0100";

/// A line whose unit 1 delays the requests that begin at these addresses.
fn slow(delays: &[(u16, Duration)]) -> Endpoint {
    let fault = |&(start, by): &(u16, Duration)| Fault {
        kind: FrameFault::Delay { by }.into(),
        scope: Scope { start: Some(start), ..Scope::default() },
        trigger: Trigger::default(),
    };
    let seed = Seed::of_device(0, "slow");
    line(Device::new(image()).with_faults(delays.iter().map(fault), seed))
}

fn read_at(transaction: u16, address: u8) -> Vec<u8> {
    frame(transaction, 1, &[3, 0, address, 0, 1])
}

/// Waits until as many tasks are alive as before, for ten real seconds at most.
async fn settle(tasks: usize) {
    let wait = async {
        while Handle::current().metrics().num_alive_tasks() > tasks {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), wait).await.unwrap();
}

#[tokio::test]
async fn each_unit_answers_for_itself_and_none_for_the_others() {
    let device = |word| {
        let mut image = image();
        image.set_words(Table::Holding, 0, &[word]).unwrap();
        Device::new(image)
    };
    let devices = BTreeMap::from([(0, device(0xA0)), (1, device(0xA1)), (247, device(0xA7))]);
    let line = Endpoint::new(devices, Instant::now());
    let mut client = line.connect();
    for (unit_id, answer) in
        [(1, "03 02 00A1"), (247, "03 02 00A7"), (0, "03 02 00A0"), (2, "83 0B"), (255, "83 0B")]
    {
        client.write_all(&frame(500, unit_id, &hex(READ))).await.unwrap();
        assert_eq!(receive(&mut client).await, Some((500, unit_id, hex(answer))));
    }
    assert!(line.with_device(2, |_| ()).is_none());
    assert_eq!(line.with_device(1, |device| device.statistics().requests), Some(1));
}

#[tokio::test]
async fn all_connections_share_the_devices() {
    let line = line(Device::new(image()));
    let (listener, address) = listen().await;
    tokio::spawn(line.serve(listener, std::future::pending()));
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let mut duplex = line.connect();
    ask(&mut duplex, &hex("06 0000 4242")).await;
    assert_eq!(ask(&mut tcp, &hex(READ)).await, hex("03 02 4242"));
    let set = |device: &mut Device| device.image_mut().set_words(Table::Holding, 0, &[0x5151]);
    line.with_device(1, set).unwrap().unwrap();
    assert_eq!(ask(&mut tcp, &hex(READ)).await, hex("03 02 5151"));
    let span = Span::new(Table::Holding, 0, 1).unwrap();
    let stored = line.with_device(1, |device| device.image().words(span) == Some(&[0x5151]));
    assert_eq!(stored, Some(true));
}

#[tokio::test(start_paused = true)]
async fn an_answer_does_not_wait_for_a_slower_one() {
    let millis = Duration::from_millis;
    let line = slow(&[(1, millis(100)), (2, millis(50)), (3, millis(100))]);
    let mut client = line.connect();
    let sent = Instant::now();
    let requests = [(10, 1), (11, 2), (12, 0), (13, 3), (14, 0)];
    let bytes: Vec<u8> = requests.iter().flat_map(|&(id, at)| read_at(id, at)).collect();
    client.write_all(&bytes).await.unwrap();
    // Those without a delay at once; those due together in the order of the requests.
    for (transaction, after) in [(12, 0), (14, 0), (11, 50), (10, 100), (13, 100)] {
        let (answered, ..) = receive(&mut client).await.unwrap();
        assert_eq!((answered, sent.elapsed()), (transaction, millis(after)));
    }
}

#[tokio::test(start_paused = true)]
async fn answers_due_at_the_same_time_keep_the_order_of_the_requests() {
    let line = slow(&[(1, Duration::from_millis(10))]);
    let mut client = line.connect();
    client.write_all(&read_at(1, 1)).await.unwrap();
    // The server has taken the request before the time passes at which it answers.
    tokio::task::yield_now().await;
    advance(Duration::from_millis(10)).await;
    client.write_all(&read_at(2, 0)).await.unwrap();
    assert_eq!(receive(&mut client).await.unwrap().0, 1);
    assert_eq!(receive(&mut client).await.unwrap().0, 2);
}

#[tokio::test]
async fn frames_may_come_in_any_pieces() {
    let line = line(Device::new(image()));
    let mut client = line.connect();
    let frames = [read_at(1, 0), read_at(2, 1)].concat();
    for piece in 1..frames.len() {
        for part in frames.chunks(piece) {
            client.write_all(part).await.unwrap();
            tokio::task::yield_now().await;
        }
        assert_eq!(receive(&mut client).await, Some((1, 1, hex("03 02 0100"))));
        assert_eq!(receive(&mut client).await, Some((2, 1, hex("03 02 0101"))));
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_request_is_waited_for() {
    let line = line(Device::new(image()));
    let mut client = line.connect();
    let request = read_at(1, 0);
    let (half, rest) = request.split_at(8);
    client.write_all(half).await.unwrap();
    assert!(timeout(Duration::from_hours(1), client.read_u8()).await.is_err());
    client.write_all(rest).await.unwrap();
    assert_eq!(receive(&mut client).await, Some((1, 1, hex(ANSWER))));
}

#[tokio::test]
async fn a_bad_header_ends_its_connection_after_what_came_before_it() {
    let line = line(Device::new(image()));
    let mut other = line.connect();
    for garbage in [
        "0001 0001 0006 01 03 0000 0001",
        "0001 0000 0001 01",
        "0001 0000 0000",
        "0001 0000 00FF 01 03 0000 0001",
        "0001 0000 FFFF",
        "4745 5420 2F20 4854 5450 2F31 2E31",
    ] {
        let mut client = line.connect();
        let bytes = [read_at(7, 0), hex(garbage), read_at(8, 0)].concat();
        client.write_all(&bytes).await.unwrap();
        assert_eq!(receive(&mut client).await, Some((7, 1, hex(ANSWER))), "{garbage}");
        assert_eq!(receive(&mut client).await, None, "{garbage}");
        assert_eq!(ask(&mut other, &hex(READ)).await, hex(ANSWER));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_ended_its_side_gets_what_is_due_and_then_the_end() {
    let line = slow(&[(1, Duration::from_mins(1))]);
    let mut client = line.connect();
    client.write_all(&[read_at(1, 1), read_at(2, 0)].concat()).await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(receive(&mut client).await.unwrap().0, 2);
    assert_eq!(receive(&mut client).await, None);
}

/// Sends reads of ten registers until the line takes no more; how many it was sent.
async fn flood(client: &mut DuplexStream, start: u8) -> u64 {
    let request = frame(1, 1, &[3, 0, start, 0, 5]);
    let mut sent = 0;
    // Under paused time the deadline passes as soon as nothing else can happen.
    while timeout(Duration::from_secs(1), client.write_all(&request)).await.is_ok() {
        sent += 1;
        assert!(sent < 100_000, "no end of requests is taken");
    }
    sent
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_not_read_from_for_ever() {
    let line = line(Device::new(image()));
    let mut stuck = line.connect();
    let sent = flood(&mut stuck, 0).await;
    let taken = line.with_device(1, |device| device.statistics().requests).unwrap();
    // 19 bytes for every answer: 16 KiB in the stream, 64 KiB in the outbox.
    assert!((1000..5000).contains(&taken), "{taken} of {sent}");
    assert_eq!(ask(&mut line.connect(), &hex(READ)).await, hex(ANSWER));
    // As soon as it reads, everything is answered, in its order.
    for _ in 0..sent {
        assert_eq!(receive(&mut stuck).await.unwrap().2[..2], [3, 10]);
    }
    let taken = line.with_device(1, |device| device.statistics().requests).unwrap();
    assert_eq!(taken, sent + 1);
}

#[tokio::test(start_paused = true)]
async fn answers_that_wait_are_bounded_too() {
    let line = slow(&[(0, Duration::from_hours(24))]);
    let mut client = line.connect();
    flood(&mut client, 0).await;
    let taken = line.with_device(1, |device| device.statistics().requests).unwrap();
    assert!((400..5000).contains(&taken), "{taken}");
}

#[tokio::test(start_paused = true)]
async fn answers_that_have_waited_make_room_for_others() {
    let line = slow(&[(1, Duration::from_millis(1))]);
    let mut client = line.connect();
    for transaction in 0..5000 {
        client.write_all(&read_at(transaction, 1)).await.unwrap();
        assert_eq!(receive(&mut client).await, Some((transaction, 1, hex("03 02 0101"))));
    }
}

#[tokio::test]
async fn connections_that_are_dropped_leave_nothing_behind() {
    let line = slow(&[(1, Duration::from_mins(1))]);
    let (listener, address) = listen().await;
    tokio::spawn(line.serve(listener, std::future::pending()));
    let before = Handle::current().metrics().num_alive_tasks();
    for round in 0..20 {
        let mut clients = Vec::new();
        for _ in 0..100 {
            let mut client = TcpStream::connect(address).await.unwrap();
            // Some leave silently, some in the middle of a request, some with an answer due.
            client.write_all(&read_at(1, round % 3)[..usize::from(round % 13)]).await.unwrap();
            clients.push(client);
        }
        let last = clients.last_mut().unwrap();
        if round % 13 == 0 {
            assert_eq!(ask(last, &hex(READ)).await, hex(ANSWER));
        }
    }
    settle(before).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut client, &hex(READ)).await, hex(ANSWER));
}

#[tokio::test]
async fn serving_ends_when_it_is_told_to() {
    let line = line(Device::new(image()));
    let (listener, address) = listen().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(line.serve(listener, async {
        let _ = stopped.await;
    }));
    let mut client = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut client, &hex(READ)).await, hex(ANSWER));
    stop.send(()).unwrap();
    serving.await.unwrap();
    assert_eq!(receive(&mut client).await, None);
    assert!(TcpStream::connect(address).await.is_err());
    // The line itself goes on.
    assert_eq!(ask(&mut line.connect(), &hex(READ)).await, hex(ANSWER));
}

#[tokio::test]
async fn nothing_outlives_the_endpoint() {
    let before = Handle::current().metrics().num_alive_tasks();
    let line = line(Device::new(image()));
    let (listener, address) = listen().await;
    tokio::spawn(line.serve(listener, std::future::pending()));
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let mut duplex = line.connect();
    assert_eq!(ask(&mut tcp, &hex(READ)).await, hex(ANSWER));
    assert_eq!(ask(&mut duplex, &hex(READ)).await, hex(ANSWER));
    drop(line);
    assert_eq!(receive(&mut tcp).await, None);
    assert_eq!(receive(&mut duplex).await, None);
    settle(before).await;
}
