//! What comes while a call waits, and what the call makes of it.

use passline_modbus::{
    link::{LinkError, Malformed},
    pdu::{Defect, ExceptionCode, Request},
};

use super::bench::{Bench, SECOND, answer, frame, hex, holds, ms, read, rtu, slow, write};

/// Whatever comes at these times, in milliseconds from the request on, the call ends like this.
async fn ends(
    parts: &[(u64, Vec<u8>)],
) -> (Result<passline_modbus::pdu::Answer, LinkError>, Bench) {
    let mut bench = Bench::new(rtu(slow()));
    let call = bench.start(7, read(0x10));
    bench.hear(8).await;
    for (after, bytes) in parts {
        bench.say(*after, bytes).await;
    }
    let done = call.await.unwrap();
    (done.result, bench)
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_taken_at_once() {
    let mut bench = Bench::new(rtu(slow()));
    let call = bench.start(7, read(0x10));
    // Written out: unit 1, function 3, address 0x0010, 1 register, CRC.
    assert_eq!(hex(&bench.hear(8).await), "01030010000185cf");
    bench.say(30, &answer(0x1234)).await;
    let done = call.await.unwrap();
    assert_eq!(done.result, holds(0x1234));
    assert_eq!(bench.now(), 34);
    assert_eq!(
        bench.log(),
        [
            "0 connected",
            // 4 ms of silence, 8 characters of 1 ms.
            "12 > request 7 01030010000185cf",
            "34 < answer 7 0103021234b533",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_exception_is_an_answer() {
    let (result, _) = ends(&[(30, frame(&[1, 0x83, 2]))]).await;
    assert_eq!(result, Ok(Err(ExceptionCode::IllegalDataAddress)));
}

#[tokio::test(start_paused = true)]
async fn gaps_inside_a_frame_do_no_harm() {
    let answer = answer(5);
    let parts: Vec<_> = answer.iter().map(|byte| (40, vec![*byte])).collect();
    assert_eq!(ends(&parts).await.0, holds(5));
}

#[tokio::test(start_paused = true)]
async fn other_units_are_not_meant() {
    let (result, bench) = ends(&[(30, frame(&[2, 3, 2, 0, 1])), (30, answer(5))]).await;
    assert_eq!(result, holds(5));
    assert_eq!(bench.link.counters().foreign, 1);
    let (result, bench) = ends(&[(30, frame(&[2, 3, 2, 0, 1]))]).await;
    assert_eq!(result, Err(LinkError::Foreign { after: SECOND, frames: 1 }));
    assert_eq!(bench.log()[2], "34 < foreign - 02030200013d84");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_the_request_ends_the_call_at_once() {
    let (result, bench) = ends(&[(30, frame(&[1, 4, 2, 0, 1]))]).await;
    let defect = Defect::Function { expected: 3, got: 4 };
    assert_eq!(result, Err(LinkError::Frame(Malformed::Pdu(defect))));
    assert_eq!(bench.now(), 34);
    let (result, bench) = ends(&[(30, frame(&[1, 3, 4, 0, 1, 0, 2]))]).await;
    let defect = Defect::AnswerQuantity { asked: 1, got: 2 };
    assert_eq!(result, Err(LinkError::Frame(Malformed::Pdu(defect))));
    // No longer than it takes to see that no more of it comes.
    assert!(bench.now() <= 34 + 51, "{}", bench.now());
}

#[tokio::test(start_paused = true)]
async fn a_wrong_echo_of_a_write_ends_the_call() {
    let mut bench = Bench::new(rtu(slow()));
    let call = bench.start(1, write(9, 5));
    bench.hear(8).await;
    bench.say(30, &frame(&[1, 6, 0, 9, 0, 6])).await;
    let defect = Defect::Echo { field: "value", sent: 5, got: 6 };
    assert_eq!(call.await.unwrap().result, Err(LinkError::Frame(Malformed::Pdu(defect))));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_checksum_is_told_at_once() {
    let mut bytes = answer(5);
    bytes[4] ^= 1;
    let (result, bench) = ends(&[(30, bytes)]).await;
    assert_eq!(result, Err(LinkError::Crc { bytes: 7 }));
    assert!(bench.now() <= 34 + 51, "{}", bench.now());
    assert!(bench.log()[2].contains("< damaged 7 01030200047847"), "{:?}", bench.log());
    assert_eq!(bench.link.counters().damaged, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_cut_short_is_told_after_the_gap() {
    let (result, bench) = ends(&[(30, answer(5)[..4].to_vec())]).await;
    assert_eq!(result, Err(LinkError::Frame(Malformed::Short { bytes: 4 })));
    assert!((84..=86).contains(&bench.now()), "{}", bench.now());
}

#[tokio::test(start_paused = true)]
async fn noise_is_waited_through() {
    let glitch = [&[0xFF, 0x00, 0x55][..], &answer(5)].concat();
    assert_eq!(ends(&[(30, glitch)]).await.0, holds(5));
    let (result, _) = ends(&[(30, vec![0xFF, 0x00, 0x55]), (100, answer(5))]).await;
    assert_eq!(result, holds(5));
}

#[tokio::test(start_paused = true)]
async fn nothing_but_noise_is_damage_and_not_silence() {
    let (result, bench) = ends(&[(30, vec![0xFF; 3]), (100, vec![0x55; 2])]).await;
    assert_eq!(result, Err(LinkError::Crc { bytes: 5 }));
    assert!(bench.now() >= 1012);
}

#[tokio::test(start_paused = true)]
async fn silence_is_a_timeout_from_the_last_byte_sent_on() {
    let (result, bench) = ends(&[]).await;
    assert_eq!(result, Err(LinkError::Timeout { after: SECOND }));
    // Silence, eight characters, the timeout.
    assert_eq!(bench.now(), 4 + 8 + 1000);
}

#[tokio::test(start_paused = true)]
async fn with_two_clients_an_answer_is_nobodys() {
    // The other client asks the same unit for another register while we wait.
    let rival = frame(&[1, 3, 0, 0x20, 0, 1]);
    let (result, bench) = ends(&[(5, rival), (20, answer(1)), (20, answer(5))]).await;
    assert_eq!(result, Err(LinkError::Foreign { after: SECOND, frames: 3 }));
    assert_eq!(bench.link.counters().foreign, 3);
}

#[tokio::test(start_paused = true)]
async fn with_two_clients_a_damaged_answer_is_nobodys() {
    let rival = frame(&[1, 3, 0, 0x20, 0, 1]);
    let mut damaged = answer(5);
    damaged[4] ^= 1;
    let (result, bench) = ends(&[(5, rival), (20, damaged)]).await;
    assert_eq!(result, Err(LinkError::Foreign { after: SECOND, frames: 1 }));
    assert!(bench.now() >= 1012, "{}", bench.now());
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_another_client_that_asked_first_is_not_ours() {
    let mut bench = Bench::new(rtu(slow()));
    bench.link.connect().await.unwrap();
    bench.say(0, &frame(&[1, 3, 0, 0x20, 0, 1])).await;
    tokio::time::sleep(ms(1)).await;
    let call = bench.start(7, read(0x10));
    bench.hear(8).await;
    bench.say(10, &answer(1)).await;
    bench.say(20, &answer(5)).await;
    // Asked again, for what came could be the other's.
    bench.hear(8).await;
    bench.say(20, &answer(5)).await;
    assert_eq!(call.await.unwrap().result, holds(5));
}

#[tokio::test(start_paused = true)]
async fn a_second_copy_is_told_and_ignored() {
    let (result, mut bench) = ends(&[(30, [answer(5), answer(5)].concat())]).await;
    assert_eq!(result, holds(5));
    let call = bench.start(8, read(0x11));
    bench.hear(8).await;
    bench.say(30, &answer(6)).await;
    assert_eq!(call.await.unwrap().result, holds(6));
    let log = bench.log();
    assert_eq!(log[3], "34 < duplicate 7 01030200057847");
    assert_eq!(bench.link.counters().duplicate, 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_fits_no_frame_is_not_sent() {
    let bench = Bench::new(rtu(slow()));
    let done = bench.start(1, Request::Custom(0x41, vec![0; 300].into())).await.unwrap();
    assert!(matches!(done.result, Err(LinkError::Request(Malformed::Pdu(Defect::TooLong { .. })))));
    assert_eq!(done.sent, None);
}
