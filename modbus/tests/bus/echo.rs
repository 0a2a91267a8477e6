//! Lines that repeat what is sent.

use passline_modbus::{
    link::{Bus, LinkError, Malformed, Options},
    pdu::{Request, Response},
};

use super::bench::{Bench, SECOND, answer, holds, ms, read, rtu, slow, write};

fn echoing() -> Options {
    rtu(Bus { echo: true, ..slow() })
}

#[tokio::test(start_paused = true)]
async fn the_echo_is_removed_and_told() {
    let mut bench = Bench::new(echoing());
    let call = bench.start(7, read(0x10));
    let request = bench.hear(8).await;
    bench.say(1, &request[..3]).await;
    bench.say(1, &[&request[3..], &answer(5)].concat()).await;
    assert_eq!(call.await.unwrap().result, holds(5));
    let log = bench.log();
    assert_eq!(log[2], "6 < echo 7 01030010000185cf");
    assert!(log[3].contains("< answer 7 "), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn of_two_equal_frames_the_second_is_the_answer() {
    let mut bench = Bench::new(echoing());
    let call = bench.start(7, write(9, 5));
    let request = bench.hear(8).await;
    bench.say(1, &request).await;
    tokio::time::sleep(ms(500)).await;
    assert!(!call.is_finished());
    bench.say(0, &request).await;
    assert_eq!(call.await.unwrap().result, Ok(Ok(Response::WriteSingleRegister(9, 5))));
    // The device is dead: the echo alone is no answer.
    let call = bench.start(8, write(9, 6));
    let request = bench.hear(8).await;
    bench.say(1, &request).await;
    assert_eq!(call.await.unwrap().result, Err(LinkError::Timeout { after: SECOND }));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_repeated_as_it_was_sent_is_an_error() {
    let mut bench = Bench::new(echoing());
    let call = bench.start(7, read(0x10));
    let mut request = bench.hear(8).await;
    request[5] ^= 4;
    bench.say(1, &request).await;
    let error = LinkError::Frame(Malformed::NoEcho { matched: 5, sent: 8 });
    assert_eq!(call.await.unwrap().result, Err(error));
}

#[tokio::test(start_paused = true)]
async fn a_line_that_does_not_repeat_is_told_from_a_dead_device() {
    let mut bench = Bench::new(echoing());
    let call = bench.start(7, read(0x10));
    bench.hear(8).await;
    bench.say(30, &answer(5)).await;
    let error = LinkError::Frame(Malformed::NoEcho { matched: 2, sent: 8 });
    assert_eq!(call.await.unwrap().result, Err(error));
    let call = bench.start(8, read(0x10));
    bench.hear(8).await;
    let error = LinkError::Frame(Malformed::NoEcho { matched: 0, sent: 8 });
    assert_eq!(call.await.unwrap().result, Err(error));
}

#[tokio::test(start_paused = true)]
async fn a_line_that_should_not_repeat_is_caught() {
    let mut bench = Bench::new(rtu(slow()));
    let call = bench.start(7, read(0x10));
    let request = bench.hear(8).await;
    bench.say(1, &request).await;
    assert_eq!(call.await.unwrap().result, Err(LinkError::Frame(Malformed::Echoed)));
    // From then on an echo is not taken for the answer that it looks like.
    let call = bench.start(8, write(9, 5));
    let request = bench.hear(8).await;
    bench.say(1, &request).await;
    assert_eq!(call.await.unwrap().result, Err(LinkError::Frame(Malformed::Echoed)));
}

#[tokio::test(start_paused = true)]
async fn what_is_held_back_as_an_echo_is_looked_at_when_the_line_is_silent() {
    let mut bench = Bench::new(rtu(slow()));
    let call = bench.start(7, read(0x10));
    let request = bench.hear(8).await;
    bench.say(1, &request[..7]).await;
    assert_eq!(call.await.unwrap().result, Err(LinkError::Crc { bytes: 7 }));
    // The gap counts from when our own last byte left, at the earliest.
    assert!((62..=63).contains(&bench.now()), "{}", bench.now());
}

#[tokio::test(start_paused = true)]
async fn a_read_whose_bytes_could_be_its_answer_is_an_echo() {
    let mut bench = Bench::new(rtu(slow()));
    // Function 1, 3 bytes of bits; or 20 coils from 0x0302 on.
    let call = bench.start(1, Request::ReadCoils(0x0302, 20));
    let request = bench.hear(8).await;
    bench.say(1, &request).await;
    assert_eq!(call.await.unwrap().result, Err(LinkError::Frame(Malformed::Echoed)));
}
