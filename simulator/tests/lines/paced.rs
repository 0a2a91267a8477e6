//! What a paced wire does to time. In paused time: tokio's timers tell no less than a millisecond,
//! so each moment is asserted as due, or up to a millisecond later.

use std::collections::BTreeMap;
use std::time::Duration;

use passline_modbus::framing::Framing;
use passline_modbus::serial::{Baud, Parity, Settings, StopBits};
use passline_simulator::endpoint::{Endpoint, Wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{READ, ascii, device, late, line, listen, rtu, take, value};

const QUIET: Duration = Duration::from_secs(5);

const TICK: Duration = Duration::from_millis(1);

/// Eight data bits, no parity, one stop bit.
fn settings(baud: u32) -> Settings {
    let baud = Baud::new(baud).unwrap();
    Settings { baud, parity: Parity::None, stop: StopBits::One, ..Settings::default() }
}

fn connect(line: &Endpoint, baud: u32) -> DuplexStream {
    line.connect_by(Wire::paced(Framing::Rtu, settings(baud)))
}

/// So many characters of ten bits.
fn characters(count: f64, baud: u32) -> Duration {
    Duration::from_secs_f64(count * 10.0 / f64::from(baud))
}

/// Each byte that comes, and when.
async fn moments(client: &mut DuplexStream, since: Instant) -> Vec<(Duration, u8)> {
    let mut moments = Vec::new();
    while let Ok(Ok(byte)) = timeout(QUIET, client.read_u8()).await {
        moments.push((since.elapsed(), byte));
    }
    moments
}

#[track_caller]
fn assert_moment(at: Duration, due: Duration, what: &str) {
    // A character is rounded up to a nanosecond.
    let slack = TICK + Duration::from_micros(1);
    assert!(
        at + Duration::from_micros(1) >= due && at <= due + slack,
        "{what}: {at:?} for {due:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn every_byte_comes_when_the_wire_brings_it() {
    for baud in [1200, 9600] {
        let line = line(&[1]);
        let mut client = connect(&line, baud);
        let sent = Instant::now();
        client.write_all(&rtu(1, &READ)).await.unwrap();
        let moments = moments(&mut client, sent).await;
        let bytes: Vec<u8> = moments.iter().map(|(_, byte)| *byte).collect();
        assert_eq!(bytes, rtu(1, &value(1)));
        for (count, (at, _)) in (1u32..).zip(moments) {
            // Eight of the request, the silence, and so many of the answer.
            let due = characters(8.0 + 3.5 + f64::from(count), baud);
            assert_moment(at, due, &format!("byte {count} at {baud} baud"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_fast_wire_is_as_exact_at_the_end_of_a_frame() {
    let line = line(&[1]);
    let mut client = connect(&line, 115_200);
    let sent = Instant::now();
    client.write_all(&rtu(1, &[3, 0, 0, 0, 10])).await.unwrap();
    let moments = moments(&mut client, sent).await;
    assert_eq!(moments.len(), 25);
    let silence = Duration::from_micros(1750);
    let (first, _) = moments[0];
    let (last, _) = moments[24];
    assert!(first >= characters(8.0 + 1.0, 115_200) + silence, "{first:?}");
    assert_moment(last, characters(8.0 + 25.0, 115_200) + silence, "the last byte");
    for pair in moments.windows(2) {
        assert!(pair[1].0 <= pair[0].0 + TICK, "a gap within the frame: {moments:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_in_pieces_arrives_as_one_in_one_piece() {
    let line = line(&[1]);
    let mut client = connect(&line, 9600);
    let sent = Instant::now();
    for byte in rtu(1, &READ) {
        client.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    take(&mut client, 7).await;
    assert_moment(sent.elapsed(), characters(8.0 + 3.5 + 7.0, 9600), "the last byte");
}

#[tokio::test(start_paused = true)]
async fn a_request_is_over_when_its_last_piece_is() {
    let line = line(&[1]);
    let mut client = connect(&line, 9600);
    let request = rtu(1, &READ);
    let (first, rest) = request.split_at(5);
    client.write_all(first).await.unwrap();
    // Less than 3.5 characters after the fifth is through: it is one frame.
    sleep(Duration::from_millis(8)).await;
    let sent = Instant::now();
    client.write_all(rest).await.unwrap();
    take(&mut client, 7).await;
    assert_moment(sent.elapsed(), characters(3.0 + 3.5 + 7.0, 9600), "the last byte");
    // More than that: it is none.
    client.write_all(first).await.unwrap();
    sleep(Duration::from_millis(20)).await;
    client.write_all(rest).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, []);
}

/// A line whose unit 1 takes its time.
fn slow(by: Duration) -> Endpoint {
    let units = BTreeMap::from([(1, device(1, &[late(by)])), (2, device(2, &[]))]);
    Endpoint::new(units, Instant::now())
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_device_comes_on_top() {
    let line = slow(Duration::from_millis(30));
    let mut client = connect(&line, 9600);
    let sent = Instant::now();
    client.write_all(&rtu(1, &READ)).await.unwrap();
    take(&mut client, 7).await;
    let due = characters(8.0 + 3.5 + 7.0, 9600) + Duration::from_millis(30);
    assert_moment(sent.elapsed(), due, "the last byte");
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_waits_until_the_line_is_free_and_then_goes_first() {
    // Due while the request to the other unit is on its way.
    let line = slow(Duration::from_millis(50));
    let mut client = connect(&line, 9600);
    client.write_all(&rtu(1, &READ)).await.unwrap();
    sleep(Duration::from_millis(60)).await;
    let sent = Instant::now();
    client.write_all(&rtu(2, &READ)).await.unwrap();
    assert_eq!(take(&mut client, 7).await, rtu(1, &value(1)));
    assert_moment(sent.elapsed(), characters(8.0 + 3.5 + 7.0, 9600), "the late answer");
    assert_eq!(take(&mut client, 7).await, rtu(2, &value(2)));
    assert_moment(sent.elapsed(), characters(8.0 + 2.0 * (3.5 + 7.0), 9600), "the other answer");
}

#[tokio::test(start_paused = true)]
async fn what_is_said_while_another_speaks_is_lost_and_the_line_goes_on() {
    let line = line(&[1, 2]);
    let mut client = connect(&line, 9600);
    client.write_all(&rtu(1, &READ)).await.unwrap();
    // A second client, in the middle of the answer.
    assert_eq!(take(&mut client, 3).await, rtu(1, &value(1))[..3]);
    client.write_all(&rtu(2, &READ)).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, rtu(1, &value(1))[3..]);
    client.write_all(&rtu(2, &READ)).await.unwrap();
    assert_eq!(listen(&mut client, QUIET).await, rtu(2, &value(2)));
    assert_eq!(line.with_device(2, |device| device.statistics().requests), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_in_the_middle_of_a_frame_leaves_the_line_whole() {
    let line = line(&[1]);
    for count in 0..7 {
        let mut client = connect(&line, 9600);
        client.write_all(&rtu(1, &READ)).await.unwrap();
        take(&mut client, count).await;
        drop(client);
        let mut next = connect(&line, 9600);
        next.write_all(&rtu(1, &READ)).await.unwrap();
        assert_eq!(listen(&mut next, QUIET).await, rtu(1, &value(1)));
    }
}

#[tokio::test(start_paused = true)]
async fn noise_is_taken_no_faster_than_the_wire_brings_it() {
    let line = line(&[1]);
    let mut client = connect(&line, 9600);
    let begun = Instant::now();
    // More than the stream holds: the rest is only taken when what is before it has arrived.
    client.write_all(&vec![0x5A; 20_000]).await.unwrap();
    client.write_all(&rtu(1, &READ)).await.unwrap();
    let mut answer = [0; 7];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, rtu(1, &value(1))[..]);
    assert!(begun.elapsed() > characters(20_000.0, 9600));
}

#[tokio::test(start_paused = true)]
async fn ascii_has_no_silence_to_keep() {
    let line = line(&[1]);
    let mut client = line.connect_by(Wire::paced(Framing::Ascii, settings(9600)));
    let [request, answer] = [ascii(1, &READ), ascii(1, &value(1))];
    let sent = Instant::now();
    client.write_all(&request).await.unwrap();
    assert_eq!(take(&mut client, answer.len()).await, answer);
    let count = u32::try_from(request.len() + answer.len()).unwrap();
    assert_moment(sent.elapsed(), characters(f64::from(count), 9600), "the last byte");
}
