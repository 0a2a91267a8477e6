//! Answers that are missing, and what may be taken for what.

use passline_modbus::{
    link::{Bus, Call, LinkError},
    pdu::{Request, Response},
};

use super::bench::{Bench, SECOND, answer, frame, holds, ms, read, rtu, slow, write};

/// A call to unit 1 that has no answer in time. Ends when it does.
async fn without_answer(bench: &mut Bench, id: u64, request: Request<'static>) {
    let call = bench.start(id, request);
    bench.hear(8).await;
    assert!(call.await.unwrap().result.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_pays() {
    let mut bench = Bench::new(rtu(slow()));
    without_answer(&mut bench, 1, read(0x10)).await;
    let call = bench.start(2, read(0x11));
    bench.say(300, &answer(1)).await;
    // The line need not be listened to any longer, nor anything be asked twice.
    bench.hear(8).await;
    assert!(bench.now() < 1330, "{}", bench.now());
    bench.say(30, &answer(2)).await;
    assert_eq!(call.await.unwrap().result, holds(2));
    let log = bench.log();
    assert!(log[2].contains("< late 1 "), "{log:?}");
    assert_eq!(log.iter().filter(|line| line.contains("> request 2")).count(), 1);
    assert_eq!(bench.link.counters().late, 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_timeout_nobody_is_asked_until_the_line_has_settled() {
    let mut bench = Bench::new(rtu(slow()));
    without_answer(&mut bench, 1, read(0x10)).await;
    let ended = bench.now();
    let call = bench.start_to(2, 2, read(0x10));
    bench.hear(8).await;
    assert!((1000..1010).contains(&(bench.now() - ended)), "{} {ended}", bench.now());
    bench.say(30, &frame(&[2, 3, 2, 0, 9])).await;
    // Unit 2 owes nothing: it is asked once.
    assert_eq!(call.await.unwrap().result, holds(9));
}

#[tokio::test(start_paused = true)]
async fn the_line_settles_as_long_as_it_is_told_to() {
    let mut bench = Bench::new(rtu(Bus { settle: Some(ms(200)), ..slow() }));
    without_answer(&mut bench, 1, read(0x10)).await;
    let ended = bench.now();
    let _call = bench.start_to(2, 2, read(0x10));
    bench.hear(8).await;
    assert!((200..210).contains(&(bench.now() - ended)), "{} {ended}", bench.now());
}

#[tokio::test(start_paused = true)]
async fn the_first_read_after_a_timeout_is_asked_twice() {
    let mut bench = Bench::new(rtu(slow()));
    without_answer(&mut bench, 1, read(0x10)).await;
    let call = bench.start(2, read(0x11));
    bench.hear(8).await;
    let asked = bench.now();
    bench.say(30, &answer(7)).await;
    bench.hear(8).await;
    // Listened to for as long as the first had been missing, and a timeout more.
    let listened = bench.now() - asked - 30;
    assert!((3000..3040).contains(&listened), "{listened}");
    bench.say(30, &answer(2)).await;
    assert_eq!(call.await.unwrap().result, holds(2));
    let log = bench.log();
    assert!(log.iter().any(|line| line.contains("< setaside 2 ")), "{log:?}");
    // Now nothing is missing any more.
    let call = bench.start(3, read(0x12));
    bench.hear(8).await;
    bench.say(30, &answer(3)).await;
    assert_eq!(call.await.unwrap().result, holds(3));
}

/// Every answer comes so much later, in milliseconds: none is ever given to another call.
async fn constantly_late(by: u64) {
    let mut bench = Bench::new(rtu(slow()));
    let mut line = tokio::io::split(std::mem::replace(
        {
            bench.link.connect().await.unwrap();
            bench.line().await
        },
        tokio::io::duplex(1).0,
    ));
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (requests, mut answers) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut request = [0; 8];
            while line.0.read_exact(&mut request).await.is_ok() {
                let due = tokio::time::Instant::now() + ms(by);
                requests.send((due, answer(u16::from(request[3]) + 100))).unwrap();
            }
        });
        while let Some((due, bytes)) = answers.recv().await {
            tokio::time::sleep_until(due).await;
            let _ = line.1.write_all(&bytes).await;
        }
    });
    let mut answered = 0;
    for n in 0..40_u16 {
        let done = bench.start(n.into(), read(n)).await.unwrap();
        if done.result.is_ok() {
            assert_eq!(done.result, holds(n + 100), "{by} ms late");
            answered += 1;
        }
    }
    assert!(answered == 0 || by < 1000, "{answered} answers in time, {by} ms late");
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_always_late_answers_no_other_call() {
    for by in (100..12_000).step_by(370) {
        constantly_late(by).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_owed_is_taken_at_once() {
    let mut bench = Bench::new(rtu(slow()));
    without_answer(&mut bench, 1, Request::ReadHoldingRegisters(0, 2)).await;
    let call = bench.start(2, read(0x11));
    bench.hear(8).await;
    // Two registers are owed; one is asked for. Each is known by its length.
    bench.say(30, &frame(&[1, 3, 4, 0, 1, 0, 2])).await;
    bench.say(30, &answer(7)).await;
    assert_eq!(call.await.unwrap().result, holds(7));
    assert_eq!(bench.link.counters().late, 1);
    // Nor is another function's answer owed.
    without_answer(&mut bench, 3, Request::ReadInputRegisters(0, 1)).await;
    let call = bench.start(4, read(0x11));
    bench.hear(8).await;
    bench.say(30, &frame(&[1, 4, 2, 0, 1])).await;
    bench.say(30, &answer(8)).await;
    assert_eq!(call.await.unwrap().result, holds(8));
    assert_eq!(bench.link.counters().late, 2);
}

#[tokio::test(start_paused = true)]
async fn a_second_copy_of_a_late_answer_pays_nothing() {
    let mut bench = Bench::new(rtu(slow()));
    without_answer(&mut bench, 1, read(0x10)).await;
    tokio::time::sleep(SECOND).await;
    without_answer(&mut bench, 2, read(0x11)).await;
    // The answer to call 1, twice. That to call 2 is still missing.
    bench.say(300, &[answer(1), answer(1)].concat()).await;
    let call = bench.start(3, read(0x12));
    bench.hear(8).await;
    bench.say(30, &answer(2)).await;
    bench.say(100, &answer(3)).await;
    bench.hear(8).await;
    bench.say(30, &answer(3)).await;
    assert_eq!(call.await.unwrap().result, holds(3));
}

#[tokio::test(start_paused = true)]
async fn a_write_is_sent_once_whatever_is_owed() {
    let mut bench = Bench::new(rtu(slow()));
    let several = |value: u16| Request::WriteMultipleRegisters(4, vec![value].into());
    let call = bench.start(1, several(1));
    bench.hear(11).await;
    assert_eq!(call.await.unwrap().result, Err(LinkError::Timeout { after: SECOND }));
    let call = bench.start(2, several(2));
    bench.hear(11).await;
    // The answer to the first, then that of the second: a refusal.
    bench.say(30, &frame(&[1, 0x10, 0, 4, 0, 1])).await;
    tokio::time::sleep(ms(500)).await;
    assert!(!call.is_finished());
    bench.say(0, &frame(&[1, 0x90, 4])).await;
    let done = call.await.unwrap();
    assert_eq!(done.result, Ok(Err(passline_modbus::pdu::ExceptionCode::ServerDeviceFailure)));
    let log = bench.log();
    assert_eq!(log.iter().filter(|line| line.contains("> request 2")).count(), 1, "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn of_two_answers_at_once_the_last_is_that_to_the_write() {
    let mut bench = Bench::new(rtu(slow()));
    without_answer(&mut bench, 1, write(9, 5)).await;
    let call = bench.start(2, write(9, 6));
    bench.hear(8).await;
    bench.say(30, &[frame(&[1, 0x86, 4]), frame(&[1, 6, 0, 9, 0, 6])].concat()).await;
    assert_eq!(call.await.unwrap().result, Ok(Ok(Response::WriteSingleRegister(9, 6))));
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_own_answer_is_damaged_has_none() {
    let mut bench = Bench::new(rtu(slow()));
    without_answer(&mut bench, 1, write(9, 5)).await;
    let call = bench.start(2, write(9, 6));
    bench.hear(8).await;
    // A refusal of the first; then the answer to the second, cut short.
    bench.say(30, &frame(&[1, 0x86, 4])).await;
    bench.say(300, &frame(&[1, 6, 0, 9, 0, 6])[..5]).await;
    assert!(matches!(call.await.unwrap().result, Err(LinkError::Frame(_))));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_alone_is_answered_stands_after_listening() {
    let mut bench = Bench::new(rtu(slow()));
    without_answer(&mut bench, 1, write(9, 5)).await;
    let call = bench.start(2, write(9, 5));
    bench.hear(8).await;
    bench.say(30, &frame(&[1, 6, 0, 9, 0, 5])).await;
    assert_eq!(call.await.unwrap().result, Ok(Ok(Response::WriteSingleRegister(9, 5))));
    assert!(bench.now() > 5000, "{}", bench.now());
    // Another value cannot be mistaken.
    without_answer(&mut bench, 3, write(9, 5)).await;
    let call = bench.start(4, write(9, 6));
    bench.hear(8).await;
    let asked = bench.now();
    bench.say(30, &frame(&[1, 6, 0, 9, 0, 6])).await;
    assert_eq!(call.await.unwrap().result, Ok(Ok(Response::WriteSingleRegister(9, 6))));
    assert_eq!(bench.now() - asked, 30);
}

#[tokio::test(start_paused = true)]
async fn a_dead_unit_costs_the_others_two_timeouts_at_a_time() {
    let mut bench = Bench::new(rtu(slow()));
    for round in 0..5_u16 {
        without_answer(&mut bench, 1, read(0x10)).await;
        let begun = bench.now();
        let call = bench.start_to(2, 2, read(round));
        bench.hear(8).await;
        bench.say(30, &frame(&[2, 3, 2, 0, 9])).await;
        assert_eq!(call.await.unwrap().result, holds(9));
        assert!(bench.now() - begun < 1100, "{} {begun}", bench.now());
    }
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_comes_back_holds_nobody_up() {
    let mut bench = Bench::new(rtu(slow()));
    without_answer(&mut bench, 1, read(0x10)).await;
    tokio::time::sleep(SECOND * 30).await;
    let back = bench.start(2, read(0x11));
    bench.hear(8).await;
    bench.say(30, &answer(7)).await;
    let begun = bench.now();
    // Its line is listened to for half a minute; meanwhile others are asked, and it is not.
    let behind = bench.start(3, read(0x12));
    for n in 0..100_u16 {
        let call = bench.start_to(2, 4, read(n));
        assert_eq!(bench.hear(8).await[0], 2);
        bench.say(30, &frame(&[2, 3, 2, 0, n.to_be_bytes()[1]])).await;
        assert_eq!(call.await.unwrap().result, holds(n));
    }
    assert!(bench.now() - begun < 5000, "{} {begun}", bench.now());
    assert!(!back.is_finished());
    for (call, value) in [(back, 2), (behind, 3)] {
        assert_eq!(bench.hear(8).await[3], 0x0F + u8::try_from(value).unwrap());
        bench.say(30, &answer(value)).await;
        assert_eq!(call.await.unwrap().result, holds(value));
    }
    assert!(bench.now() - begun > 30_000, "{} {begun}", bench.now());
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_for_a_minute_is_lost() {
    let mut bench = Bench::new(rtu(slow()));
    without_answer(&mut bench, 1, read(0x10)).await;
    tokio::time::sleep(SECOND * 61).await;
    let call = bench.start(2, read(0x11));
    bench.hear(8).await;
    bench.say(30, &answer(7)).await;
    assert_eq!(call.await.unwrap().result, holds(7));
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_for_ten_timeouts_is_lost_if_these_are_longer() {
    let mut bench = Bench::new(rtu(slow()));
    let link = bench.link.clone();
    let call = Call { id: 1, unit: 1, request: read(0x10), timeout: SECOND * 10 };
    let first = tokio::spawn(async move { link.call(call).await });
    bench.hear(8).await;
    assert!(first.await.unwrap().result.is_err());
    tokio::time::sleep(SECOND * 60).await;
    let call = bench.start(2, read(0x11));
    bench.hear(8).await;
    bench.say(30, &answer(1)).await;
    bench.hear(8).await;
    bench.say(30, &answer(2)).await;
    assert_eq!(call.await.unwrap().result, holds(2));
}

#[tokio::test(start_paused = true)]
async fn what_was_cut_short_may_come_whole_when_something_else_is_asked() {
    let mut bench = Bench::new(rtu(slow()));
    let call = bench.start(1, read(0x10));
    bench.hear(8).await;
    bench.say(30, &answer(1)[..4]).await;
    assert!(matches!(call.await.unwrap().result, Err(LinkError::Frame(_))));
    let call = bench.start(2, read(0x11));
    bench.hear(8).await;
    bench.say(30, &answer(1)).await;
    tokio::time::sleep(ms(300)).await;
    assert!(!call.is_finished());
    bench.hear(8).await;
    bench.say(30, &answer(2)).await;
    assert_eq!(call.await.unwrap().result, holds(2));
}

/// The answer of unit 1 to [`read`], with a wrong checksum.
fn damaged(value: u16) -> Vec<u8> {
    let mut bytes = answer(value);
    bytes[4] ^= 1;
    bytes
}

#[tokio::test(start_paused = true)]
async fn behind_a_damaged_answer_none_is_missing() {
    let mut bench = Bench::new(rtu(slow()));
    let call = bench.start(1, read(0x10));
    bench.hear(8).await;
    bench.say(30, &damaged(1)).await;
    assert_eq!(call.await.unwrap().result, Err(LinkError::Crc { bytes: 7 }));
    let call = bench.start(2, read(0x11));
    bench.hear(8).await;
    bench.say(30, &answer(2)).await;
    assert_eq!(call.await.unwrap().result, holds(2));
}

#[tokio::test(start_paused = true)]
async fn a_damaged_answer_may_be_the_missing_one_and_the_other_still_come() {
    let mut bench = Bench::new(rtu(slow()));
    without_answer(&mut bench, 1, read(0x10)).await;
    let call = bench.start(2, read(0x11));
    bench.hear(8).await;
    bench.say(30, &damaged(1)).await;
    assert_eq!(call.await.unwrap().result, Err(LinkError::Crc { bytes: 7 }));
    // That to the second, which is put to the first: as many as are missing may come.
    bench.say(100, &answer(2)).await;
    let call = bench.start(3, read(0x12));
    bench.hear(8).await;
    bench.say(30, &answer(9)).await;
    tokio::time::sleep(ms(300)).await;
    assert!(!call.is_finished());
    bench.hear(8).await;
    bench.say(30, &answer(3)).await;
    assert_eq!(call.await.unwrap().result, holds(3));
}
