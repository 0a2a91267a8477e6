//! Whose answer is it?

use passline_modbus::{
    framing::mbap,
    link::{CloseReason, Counters, InFlight, LinkError, Malformed, Options},
    pdu::{ExceptionCode, Request},
};
use tokio::{io::AsyncWriteExt, task::yield_now};

use super::bench::{Bench, SECOND, answer, call, frame, holds, ms, read, request, serve_one};

fn four() -> Options {
    Options { in_flight: InFlight::new(4).unwrap(), ..Options::default() }
}

#[tokio::test(start_paused = true)]
async fn an_answer_and_its_frames() {
    let mut bench = Bench::new(Options::default());
    let done = bench.start(7, Request::ReadHoldingRegisters(0x6B, 3));
    let mut device = bench.accept().await;
    assert_eq!(request(&mut device).await, (1, 0x6B));
    tokio::time::sleep(ms(20)).await;
    let bytes = frame(1, 1, &[3, 6, 0x02, 0x2B, 0x00, 0x00, 0x00, 0x64]);
    // Byte by byte: the answer is taken once its last byte is here.
    for byte in bytes.chunks(1) {
        device.write_all(byte).await.unwrap();
        tokio::time::sleep(ms(1)).await;
    }
    let done = done.await.unwrap();
    let words = vec![0x022B, 0, 0x64];
    assert_eq!(done.result, Ok(Ok(passline_modbus::pdu::Response::ReadHoldingRegisters(words))));
    assert_eq!(done.ended - done.sent.unwrap(), ms(34));
    assert_eq!(
        bench.log(),
        [
            "0 connected",
            "0 > request 7 0001000000060103006b0003",
            "34 < answer 7 000100000009010306022b00000064",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_exception_is_an_answer() {
    let mut bench = Bench::new(Options::default());
    let done = bench.start(1, read(0));
    let mut device = bench.accept().await;
    let (transaction, _) = request(&mut device).await;
    device.write_all(&frame(transaction, 1, &[0x83, 2])).await.unwrap();
    assert_eq!(done.await.unwrap().result, Ok(Err(ExceptionCode::IllegalDataAddress)));
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_never_the_next_one() {
    let mut bench = Bench::new(Options::default());
    let first = bench.start(1, read(5));
    let mut device = bench.accept().await;
    assert_eq!(request(&mut device).await, (1, 5));
    let first = first.await.unwrap();
    assert_eq!(first.result, Err(LinkError::Timeout { after: SECOND }));
    assert_eq!(first.ended - first.sent.unwrap(), SECOND);

    let second = bench.start(2, read(6));
    assert_eq!(request(&mut device).await, (2, 6));
    device.write_all(&answer(1, 50)).await.unwrap();
    yield_now().await;
    assert!(!second.is_finished());
    device.write_all(&answer(2, 60)).await.unwrap();
    assert_eq!(second.await.unwrap().result, holds(60));
    assert_eq!(bench.link.counters(), Counters { late: 1, ..Counters::default() });
    let log = bench.log();
    assert!(log.contains(&"1000 < late 1 0001000000050103020032".to_owned()), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn silence_is_classed_by_what_came_instead() {
    let mut bench = Bench::new(Options::default());
    let done = bench.start(1, read(0));
    let mut device = bench.accept().await;
    request(&mut device).await;
    assert_eq!(done.await.unwrap().result, Err(LinkError::Timeout { after: SECOND }));

    // Another transaction, and the right one of another unit: foreign, and the call waits on.
    let done = bench.start(2, read(0));
    let (transaction, _) = request(&mut device).await;
    device.write_all(&answer(transaction + 1, 9)).await.unwrap();
    device.write_all(&frame(transaction, 2, &[3, 2, 0, 9])).await.unwrap();
    let foreign = LinkError::Foreign { after: SECOND, frames: 2 };
    assert_eq!(done.await.unwrap().result, Err(foreign));

    // A late answer beside a foreign frame.
    let done = bench.start(3, read(0));
    let (transaction, _) = request(&mut device).await;
    device.write_all(&answer(transaction + 1, 9)).await.unwrap();
    device.write_all(&answer(1, 9)).await.unwrap();
    let late = LinkError::Late { after: SECOND, answers: 1 };
    assert_eq!(done.await.unwrap().result, Err(late));

    // A late answer and nothing else.
    let done = bench.start(4, read(0));
    request(&mut device).await;
    device.write_all(&answer(2, 9)).await.unwrap();
    let late = LinkError::Late { after: SECOND, answers: 1 };
    assert_eq!(done.await.unwrap().result, Err(late));

    // The id of an expired call, of another unit: not that call's answer.
    let done = bench.start(5, read(0));
    request(&mut device).await;
    device.write_all(&frame(3, 2, &[3, 2, 0, 9])).await.unwrap();
    let foreign = LinkError::Foreign { after: SECOND, frames: 1 };
    assert_eq!(done.await.unwrap().result, Err(foreign));

    // What came before the call waited is not held against it.
    device.write_all(&answer(3, 9)).await.unwrap();
    yield_now().await;
    let done = bench.start(6, read(0));
    request(&mut device).await;
    assert_eq!(done.await.unwrap().result, Err(LinkError::Timeout { after: SECOND }));
    assert_eq!(bench.link.counters(), Counters { late: 3, foreign: 4, ..Counters::default() });
}

#[tokio::test(start_paused = true)]
async fn foreign_frames_do_not_disturb_the_answer() {
    let mut bench = Bench::new(Options::default());
    let done = bench.start(1, read(0));
    let mut device = bench.accept().await;
    request(&mut device).await;
    let mut bytes = frame(1, 2, &[3, 2, 0, 9]);
    bytes.extend(frame(0x0100, 1, &[3, 2, 0, 9]));
    bytes.extend(answer(1, 7));
    device.write_all(&bytes).await.unwrap();
    assert_eq!(done.await.unwrap().result, holds(7));
    assert_eq!(bench.link.counters().foreign, 2);
}

#[tokio::test(start_paused = true)]
async fn a_second_answer_is_a_duplicate_and_no_excuse() {
    let mut bench = Bench::new(Options::default());
    let done = bench.start(1, read(0));
    let mut device = bench.accept().await;
    request(&mut device).await;
    device.write_all(&[answer(1, 7), answer(1, 8)].concat()).await.unwrap();
    assert_eq!(done.await.unwrap().result, holds(7));
    let done = bench.start(2, read(0));
    request(&mut device).await;
    device.write_all(&answer(1, 9)).await.unwrap();
    assert_eq!(done.await.unwrap().result, Err(LinkError::Timeout { after: SECOND }));
    assert_eq!(bench.link.counters(), Counters { duplicate: 2, ..Counters::default() });
    let log = bench.log();
    let duplicates = log.iter().filter(|line| line.contains("< duplicate 1 0001"));
    assert_eq!(duplicates.count(), 2, "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn what_came_before_the_request_cannot_be_its_answer() {
    let mut bench = Bench::new(Options::default());
    bench.link.connect().await.unwrap();
    let mut device = bench.accept().await;
    // The id and the unit of the next request, guessed right.
    device.write_all(&answer(1, 666)).await.unwrap();
    let done = bench.start(1, read(0));
    assert_eq!(request(&mut device).await.0, 1);
    device.write_all(&answer(1, 7)).await.unwrap();
    assert_eq!(done.await.unwrap().result, holds(7));
    assert_eq!(bench.link.counters().foreign, 1);
}

#[tokio::test(start_paused = true)]
async fn a_half_written_request_has_no_answer_yet() {
    let mut bench = Bench::with_buffer(Options::default(), 11);
    let done = bench.start(1, read(0));
    let mut device = bench.accept().await;
    yield_now().await;
    // Eleven of its twelve bytes are under way.
    device.write_all(&answer(1, 666)).await.unwrap();
    yield_now().await;
    assert_eq!(bench.link.counters().foreign, 1);
    serve_one(&mut device).await;
    assert_eq!(done.await.unwrap().result, holds(0));
}

#[tokio::test(start_paused = true)]
async fn a_malformed_answer_ends_its_call_at_once_and_only_that() {
    let mut bench = Bench::new(four());
    let first = bench.start(1, read(1));
    let second = bench.start(2, read(2));
    let mut device = bench.accept().await;
    assert_eq!(request(&mut device).await, (1, 1));
    assert_eq!(request(&mut device).await, (2, 2));
    // Two registers where one was asked for.
    device.write_all(&frame(1, 1, &[3, 4, 0, 1, 0, 2])).await.unwrap();
    let first = first.await.unwrap();
    let Err(LinkError::Frame(Malformed::Pdu(defect))) = first.result else {
        panic!("{:?}", first.result)
    };
    assert_eq!(defect.label(), "quantity-mismatch");
    assert_eq!(first.ended, first.sent.unwrap());
    // The true answer after all: too late to be used.
    device.write_all(&answer(1, 10)).await.unwrap();
    device.write_all(&answer(2, 20)).await.unwrap();
    assert_eq!(second.await.unwrap().result, holds(20));
    assert_eq!(bench.link.counters(), Counters { duplicate: 1, ..Counters::default() });
}

#[tokio::test(start_paused = true)]
async fn answers_in_any_order() {
    let mut bench = Bench::new(four());
    let calls: Vec<_> = (0..4_u16).map(|n| bench.start(n.into(), read(n))).collect();
    let mut device = bench.accept().await;
    let mut requests = Vec::new();
    for _ in 0..4 {
        requests.push(request(&mut device).await);
    }
    for (transaction, address) in [requests[2], requests[0], requests[3], requests[1]] {
        device.write_all(&answer(transaction, address * 10)).await.unwrap();
    }
    for (n, done) in (0..).zip(calls) {
        assert_eq!(done.await.unwrap().result, holds(n * 10));
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_header_ends_the_connection_and_every_open_call() {
    for (header, defect) in [
        (vec![0, 1, 0, 1], mbap::Defect::ProtocolId { got: 1 }),
        (vec![0, 1, 0, 0, 0, 1], mbap::Defect::LengthTooSmall { got: 1 }),
        (vec![0, 1, 0, 0, 255, 255], mbap::Defect::LengthTooLarge { got: 65535 }),
    ] {
        let mut bench = Bench::new(four());
        let calls: Vec<_> = (0..3).map(|n| bench.start(n, read(0))).collect();
        let mut device = bench.accept().await;
        for _ in 0..3 {
            request(&mut device).await;
        }
        device.write_all(&header).await.unwrap();
        for done in calls {
            let done = done.await.unwrap();
            assert_eq!(done.result, Err(LinkError::Frame(Malformed::Header(defect))));
            assert_eq!(done.ended, done.sent.unwrap(), "at once");
        }
        let log = bench.log();
        let garbage = format!("0 < garbage - {}", super::bench::hex(&header));
        assert_eq!(log[4..], [garbage, format!("0 closed: {}", CloseReason::Malformed(defect))]);
        assert_eq!(bench.link.counters().garbage, 1);

        let done = bench.start(9, read(4));
        let mut device = bench.accept().await;
        // Ids go on: what a gateway still sends from the last connection fits nobody.
        assert_eq!(request(&mut device).await, (4, 4));
        device.write_all(&answer(4, 40)).await.unwrap();
        assert_eq!(done.await.unwrap().result, holds(40));
        assert_eq!(bench.link.counters().reconnects, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_the_callers_mistake() {
    let bench = Bench::new(Options::default());
    let too_long = Request::Custom(0x41, vec![0; 253].into());
    let done = bench.link.call(call(1, too_long)).await;
    let error = done.result.unwrap_err();
    assert!(matches!(error, LinkError::Request(_)), "{error:?}");
    assert_eq!((done.sent, error.class()), (None, "internal"));
}

#[tokio::test(start_paused = true)]
async fn when_half_of_the_ids_are_kept_back_the_connection_is_renewed() {
    let sixteen = Options { in_flight: InFlight::MAX, ..Options::default() };
    let mut bench = Bench::new(sixteen);
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..32_768 + 16 {
        let link = bench.link.clone();
        calls.spawn(async move { link.call(call(n, read(0))).await.result });
    }
    let mut device = bench.accept().await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..32_768 {
        assert!(seen.insert(request(&mut device).await.0), "an id that is kept back");
        // A sign of life: a connection on which nothing comes is renewed much earlier.
        device.write_all(&frame(0, 9, &[3])).await.unwrap();
    }
    // The next sixteen come on another connection.
    let mut device = bench.accept().await;
    for _ in 0..16 {
        request(&mut device).await;
    }
    while let Some(result) = calls.join_next().await {
        let result = result.unwrap();
        let is_silence =
            matches!(result, Err(LinkError::Timeout { .. } | LinkError::Foreign { .. }));
        assert!(is_silence, "{result:?}");
    }
    let log = bench.log();
    let closed: Vec<_> = log.iter().filter(|line| line.contains("closed")).collect();
    assert_eq!(closed, [&format!("2048000 closed: {}", CloseReason::Exhausted)]);
}
