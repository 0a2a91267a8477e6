//! Serial framings in memory, on a wire that takes no time.

use std::collections::BTreeMap;
use std::time::Duration;

use passline_modbus::framing::Framing;
use passline_modbus::pdu::counter::Counter;
use passline_modbus::point::{Location, Raw, Span, Table};
use passline_simulator::endpoint::{Endpoint, Wire};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, timeout};

use crate::support::{READ, ascii, device, late, line, listen, rtu, take, value};

/// Longer than the longest silence of any framing.
const QUIET: Duration = Duration::from_secs(5);

fn connect(line: &Endpoint) -> DuplexStream {
    line.connect_by(Wire::instant(Framing::Rtu))
}

fn holding(line: &Endpoint, unit: u8) -> u16 {
    let span = Span::new(Table::Holding, 0, 1).unwrap();
    line.with_device(unit, |device| device.image().words(span).unwrap()[0]).unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_unit_answers_for_itself_and_nobody_for_the_others() {
    let line = line(&[1, 2, 247]);
    let mut client = connect(&line);
    for unit in [1, 247, 2] {
        client.write_all(&rtu(unit, &READ)).await.unwrap();
        assert_eq!(listen(&mut client, QUIET).await, rtu(unit, &value(unit)));
    }
    client.write_all(&rtu(3, &READ)).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, []);
    client.write_all(&rtu(1, &[3, 0xFF, 0, 0, 1])).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, rtu(1, &[0x83, 2]));
}

#[tokio::test(start_paused = true)]
async fn an_answer_takes_no_time() {
    let line = line(&[1]);
    let mut client = connect(&line);
    let sent = Instant::now();
    client.write_all(&rtu(1, &READ)).await.unwrap();
    take(&mut client, 7).await;
    assert_eq!(sent.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_is_done_by_all_and_answered_by_none() {
    let line = line(&[1, 2, 31]);
    let mut client = connect(&line);
    client.write_all(&rtu(0, &[6, 0, 0, 0x12, 0x34])).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, []);
    for unit in [1, 2, 31] {
        assert_eq!(holding(&line, unit), 0x1234);
    }
    // Nobody can read from all.
    client.write_all(&rtu(0, &READ)).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, []);
    let requests = line.with_device(1, |device| device.statistics().requests);
    assert_eq!(requests, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_request_may_come_in_any_pieces_without_silence_between_them() {
    let line = line(&[1]);
    let request = rtu(1, &READ);
    for size in 1..request.len() {
        let mut client = connect(&line);
        for piece in request.chunks(size) {
            client.write_all(piece).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(listen(&mut client, QUIET).await, rtu(1, &value(1)), "pieces of {size}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_half_or_noise_ends_with_silence() {
    let line = line(&[1]);
    let request = rtu(1, &READ);
    let broken = {
        let mut bytes = request.clone();
        bytes[3] ^= 1;
        bytes
    };
    for garbage in [&request[..5], &request[1..], &[0xFF; 40], &[0], &broken, &[0x55; 300]] {
        let mut client = connect(&line);
        client.write_all(garbage).await.unwrap();
        assert_eq!(listen(&mut client, QUIET).await, [], "{garbage:02X?}");
        client.write_all(&request).await.unwrap();
        assert_eq!(listen(&mut client, QUIET).await, rtu(1, &value(1)), "after {garbage:02X?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_of_unknown_length_ends_with_silence() {
    let line = line(&[1]);
    let mut client = connect(&line);
    client.write_all(&rtu(1, &[0x41, 1, 2, 3, 4, 5, 6, 7, 8, 9])).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, rtu(1, &[0xC1, 1]));
}

#[tokio::test(start_paused = true)]
async fn answers_of_other_devices_are_no_requests() {
    let line = line(&[1]);
    let mut client = connect(&line);
    // Unit 9 is real, and on the same line.
    let [asked, answered] = [rtu(9, &READ), rtu(9, &[3, 2, 0xAB, 0xCD])];
    for frame in [asked, answered, rtu(9, &[6, 0, 1, 0, 2]), rtu(9, &[0x83, 2])] {
        client.write_all(&frame).await.unwrap();
        assert_eq!(listen(&mut client, QUIET).await, []);
    }
    client.write_all(&rtu(1, &READ)).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, rtu(1, &value(1)));
}

/// Units 1, which answers after a second, and 2, which answers at once.
fn slow_and_quick() -> Endpoint {
    let late = late(Duration::from_secs(1));
    let units = BTreeMap::from([(1, device(1, &[late])), (2, device(2, &[]))]);
    Endpoint::new(units, Instant::now())
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_comes_all_the_same_and_whole() {
    let line = slow_and_quick();
    let mut client = connect(&line);
    let sent = Instant::now();
    client.write_all(&rtu(1, &READ)).await.unwrap();
    // The client gives up, and asks another.
    assert_eq!(listen(&mut client, Duration::from_millis(200)).await, []);
    client.write_all(&rtu(2, &READ)).await.unwrap();
    assert_eq!(take(&mut client, 7).await, rtu(2, &value(2)));
    assert_eq!(take(&mut client, 7).await, rtu(1, &value(1)));
    assert_eq!(sent.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn two_requests_in_one_go_are_answered_one_after_the_other() {
    let line = line(&[1, 2]);
    let mut client = connect(&line);
    client.write_all(&[rtu(1, &READ), rtu(2, &READ)].concat()).await.unwrap();
    let answers = [rtu(1, &value(1)), rtu(2, &value(2))].concat();
    assert_eq!(listen(&mut client, QUIET).await, answers);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_or_floods_with_noise_breaks_nothing() {
    let line = line(&[1]);
    let mut stuck = connect(&line);
    let mut sent = 0u64;
    while timeout(QUIET, stuck.write_all(&rtu(1, &READ))).await.is_ok() {
        sent += 1;
        assert!(sent < 100_000, "no end of requests is taken");
    }
    let mut noisy = connect(&line);
    for _ in 0..1000 {
        noisy.write_all(&[0xA5; 251]).await.unwrap();
    }
    assert_eq!(listen(&mut noisy, QUIET).await, []);
    noisy.write_all(&rtu(1, &READ)).await.unwrap();
    assert_eq!(listen(&mut noisy, QUIET).await, rtu(1, &value(1)));
    // As soon as it reads, everything is answered.
    for _ in 0..sent {
        assert_eq!(take(&mut stuck, 7).await, rtu(1, &value(1)));
    }
}

#[tokio::test(start_paused = true)]
async fn ascii_frames_are_answered_in_ascii() {
    let line = line(&[1]);
    let mut client = line.connect_by(Wire::instant(Framing::Ascii));
    let request = ascii(1, &READ);
    client.write_all(&request).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, ascii(1, &value(1)));
    // Up to a second may pass between two characters.
    for byte in &request {
        client.write_all(&[*byte]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(900)).await;
    }
    assert_eq!(listen(&mut client, QUIET).await, ascii(1, &value(1)));
    client.write_all(&request[..9]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    client.write_all(&request[9..]).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, []);
    client.write_all(&[b"noise", &request[..]].concat()).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, ascii(1, &value(1)));
    client.write_all(&ascii(0, &[6, 0, 0, 0, 7])).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, []);
    assert_eq!(holding(&line, 1), 7);
}

/// What the diagnostics of unit 1 count of its line, read behind its back.
fn counted(line: &Endpoint, counter: Counter) -> u16 {
    let raw = line.with_device(1, |device| {
        device.image().raw(Location::Diagnostic(counter)).map(Raw::into_owned)
    });
    let count = raw.flatten().and_then(|raw| match raw {
        Raw::Registers(count) => count.first().copied(),
        _ => None,
    });
    count.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_device_counts_what_it_hears_of_others_and_what_is_corrupt() {
    let line = line(&[1, 2]);
    line.with_device(1, |device| device.image_mut().set_counter(Counter::BusMessages, 0));
    let mut client = connect(&line);
    client.write_all(&rtu(2, &READ)).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, rtu(2, &value(2)));
    client.write_all(&rtu(1, &READ)).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, rtu(1, &value(1)));
    // Nobody's, a read and a write for all, and one whose check value is wrong.
    for frame in [rtu(9, &READ), rtu(0, &READ), rtu(0, &[6, 0, 0, 0x12, 0x34])] {
        client.write_all(&frame).await.unwrap();
        assert_eq!(listen(&mut client, QUIET).await, []);
    }
    let mut corrupt = rtu(1, &READ);
    corrupt[4] ^= 1;
    client.write_all(&corrupt).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, []);
    assert_eq!(counted(&line, Counter::BusMessages), 6);
    assert_eq!(counted(&line, Counter::BusErrors), 1);
    assert_eq!(counted(&line, Counter::Messages), 2, "its own and the write for all");
    assert_eq!(counted(&line, Counter::NoResponse), 1, "the write for all");
}
