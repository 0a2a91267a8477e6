//! Devices that do not keep to the standard: refused unless the line puts up with it, and told when
//! it did. Each does what a device in the field was seen to do.

use std::{
    collections::BTreeMap,
    future::ready,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
};

use passline_modbus::{
    framing::mbap,
    link::{
        Call, CloseReason, Completed, InFlight, Link, LinkError, Malformed, Oddities, Oddity,
        Options, Tolerance,
    },
    pdu::{Request, Response},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    task::JoinSet,
    time::sleep,
};

use super::bench::{
    Bench, SECOND, answer, call, frame, holds, ms, read, request, serve_one, write,
};

fn tolerating(oddities: impl IntoIterator<Item = Oddity>) -> Options {
    let oddities = oddities.into_iter().collect();
    Options { tolerance: Tolerance { oddities, ..Tolerance::default() }, ..Options::default() }
}

fn answering_as(unit: u8) -> Options {
    let tolerance = Tolerance { answer_unit_id: Some(unit), ..Tolerance::default() };
    Options { tolerance, ..Options::default() }
}

fn only(oddity: Oddity) -> Oddities {
    Oddities::NONE.with(oddity)
}

/// What comes of a read of one register that is answered with these bytes.
async fn answered(options: Options, bytes: &[u8]) -> Completed {
    let mut bench = Bench::new(options);
    let done = bench.start(1, read(7));
    let mut device = bench.accept().await;
    request(&mut device).await;
    device.write_all(bytes).await.unwrap();
    done.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_oddity_is_an_error_unless_it_is_put_up_with_and_told_if_it_is() {
    let word = [3, 2, 0, 70];
    let short = [0, 1, 0, 0, 0, 6, 1, 3, 2, 0, 70].to_vec();
    for (oddity, bytes, class) in [
        (Oddity::TransactionId, frame(9, 1, &word), "foreign"),
        (Oddity::TransactionId, frame(0, 1, &word), "foreign"),
        (Oddity::UnitId, frame(1, 0, &word), "foreign"),
        (Oddity::UnitId, frame(1, 255, &word), "foreign"),
        (Oddity::Length, short, "frame"),
        // Bytes behind the data, more registers than were asked for, a byte count that is too high.
        (Oddity::Trailing, frame(1, 1, &[3, 2, 0, 70, 0xFF]), "frame"),
        (Oddity::Trailing, frame(1, 1, &[3, 4, 0, 70, 0, 71]), "frame"),
        (Oddity::Trailing, frame(1, 1, &[3, 74, 0, 70, 0, 71]), "frame"),
    ] {
        for others in [None, Some(oddity)] {
            let options = tolerating(Oddity::ALL.into_iter().filter(|one| Some(*one) != others));
            let is_strict = others.is_some();
            let done = answered(options, &bytes).await;
            if is_strict {
                assert_eq!(done.result.unwrap_err().class(), class, "{oddity} {bytes:x?}");
                assert_eq!(done.tolerated, Oddities::NONE);
            } else {
                assert_eq!(done.result, holds(70), "{oddity} {bytes:x?}");
                assert_eq!(done.tolerated, only(oddity));
            }
        }
        let strict = answered(Options::default(), &bytes).await;
        assert_eq!(strict.result.unwrap_err().class(), class, "{oddity} {bytes:x?}");
    }
    let done = answered(tolerating(Oddity::ALL), &answer(1, 70)).await;
    assert_eq!((done.result, done.tolerated), (holds(70), Oddities::NONE), "used only if needed");
}

#[tokio::test(start_paused = true)]
async fn what_is_too_short_or_of_another_function_is_never_put_up_with() {
    for pdu in [
        &[3, 2, 0][..],
        &[3, 1, 0, 70],
        &[3, 0, 0, 70],
        &[4, 2, 0, 70],
        &[3],
        &[0x83],
        &[0x84, 2],
        &[3, 2],
    ] {
        let done = answered(tolerating(Oddity::ALL), &frame(1, 1, pdu)).await;
        assert_eq!(done.result.unwrap_err().class(), "frame", "{pdu:x?}");
    }
    // An exception has no room for more either, but is one.
    let done = answered(tolerating(Oddity::ALL), &frame(1, 1, &[0x83, 2, 0])).await;
    assert!(matches!(done.result, Ok(Err(_))), "{done:?}");
    assert_eq!(done.tolerated, only(Oddity::Trailing));
}

#[tokio::test(start_paused = true)]
async fn one_other_unit_id_is_put_up_with_and_no_third() {
    for (unit, expected) in
        [(1, Some(Oddities::NONE)), (255, Some(only(Oddity::UnitId))), (0, None)]
    {
        let done = answered(answering_as(255), &frame(1, unit, &[3, 2, 0, 70])).await;
        assert_eq!(done.result.is_ok(), expected.is_some(), "{unit}");
        assert_eq!(done.tolerated, expected.unwrap_or_default(), "{unit}");
    }
}

/// Transaction ids still tell answers apart: many may be open, and a late one is late.
#[tokio::test(start_paused = true)]
async fn unit_ids_are_put_up_with_at_any_number_in_flight() {
    let options = Options { in_flight: InFlight::MAX, ..tolerating([Oddity::UnitId]) };
    let mut bench = Bench::new(options);
    let calls: Vec<_> = (0..16_u16).map(|n| bench.start(n.into(), read(n))).collect();
    let mut device = bench.accept().await;
    let mut asked = Vec::new();
    for _ in 0..16 {
        asked.push(request(&mut device).await);
    }
    for (transaction, address) in asked.iter().rev().take(15) {
        let value = u8::try_from(*address).unwrap();
        device.write_all(&frame(*transaction, 77, &[3, 2, 0, value])).await.unwrap();
    }
    for (n, done) in (0..).zip(calls) {
        let expected = if n == 0 { Err(LinkError::Timeout { after: SECOND }) } else { holds(n) };
        assert_eq!(done.await.unwrap().result, expected, "{n}");
    }
    device.write_all(&frame(asked[0].0, 77, &[3, 2, 0, 0])).await.unwrap();
    sleep(ms(1)).await;
    assert_eq!(bench.link.counters().late, 1);
}

#[tokio::test(start_paused = true)]
async fn without_transaction_ids_there_is_one_request_at_a_time() {
    for oddity in [Oddity::TransactionId, Oddity::Length] {
        let options = Options { in_flight: InFlight::MAX, ..tolerating([oddity]) };
        let mut bench = Bench::new(options);
        let calls: Vec<_> = (0..3).map(|n| bench.start(n, read(2))).collect();
        let mut device = bench.accept().await;
        for done in calls {
            let (transaction, _) = request(&mut device).await;
            sleep(ms(5)).await;
            device.write_all(&answer(transaction, 20)).await.unwrap();
            assert_eq!(done.await.unwrap().result, holds(20));
        }
    }
}

/// The answer comes while it is listened for: it is late, and the connection goes on.
#[tokio::test(start_paused = true)]
async fn a_late_answer_without_an_id_of_its_own_is_waited_for() {
    let mut bench = Bench::new(tolerating([Oddity::TransactionId]));
    let first = bench.start(1, read(1));
    let second = bench.start(2, read(2));
    let mut device = bench.accept().await;
    request(&mut device).await;
    sleep(ms(1500)).await;
    assert_eq!(first.await.unwrap().result, Err(LinkError::Timeout { after: SECOND }));
    device.write_all(&answer(0, 10)).await.unwrap();
    request(&mut device).await;
    assert_eq!(bench.now(), 1500, "nothing was sent before");
    device.write_all(&answer(0, 20)).await.unwrap();
    let second = second.await.unwrap();
    assert_eq!((second.result, second.tolerated), (holds(20), only(Oddity::TransactionId)));
    let log = bench.log();
    assert_eq!(log[2], "1500 < late 1 000000000005010302000a");
    assert_eq!(bench.link.counters().reconnects, 0);
}

/// It does not come: what comes later still belongs to a connection that is over.
#[tokio::test(start_paused = true)]
async fn a_connection_that_owes_an_answer_without_an_id_is_over() {
    for answered_wrong in [false, true] {
        let mut bench = Bench::new(tolerating([Oddity::TransactionId]));
        let first = bench.start(1, read(1));
        let mut device = bench.accept().await;
        request(&mut device).await;
        if answered_wrong {
            device.write_all(&frame(0, 1, &[4, 2, 0, 10])).await.unwrap();
        }
        assert!(first.await.unwrap().result.is_err());
        let second = bench.start(2, write(2, 3));
        sleep(ms(1500)).await;
        let _ = device.write_all(&answer(0, 10)).await;
        let mut device = bench.accept().await;
        let mut bytes = [0; 12];
        device.read_exact(&mut bytes).await.unwrap();
        device.write_all(&bytes).await.unwrap();
        assert!(second.await.unwrap().result.is_ok());
        assert_eq!(bench.link.counters().reconnects, 1);
        let log = bench.log();
        let closed = format!("closed: {}", CloseReason::Owed);
        assert!(log.iter().any(|line| line.ends_with(&closed)), "{log:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_promises_too_much_costs_a_moment_and_no_more() {
    let mut bench = Bench::new(tolerating([Oddity::Length]));
    let short = |transaction: u16, value: u8| {
        let [high, low] = transaction.to_be_bytes();
        [high, low, 0, 0, 0, 6, 1, 3, 2, 0, value]
    };
    let done = bench.start(1, read(1));
    let mut device = bench.accept().await;
    // In pieces: it is whole when nothing more comes.
    let (transaction, _) = request(&mut device).await;
    for byte in short(transaction, 5) {
        device.write_all(&[byte]).await.unwrap();
        sleep(ms(3)).await;
    }
    let done = done.await.unwrap();
    assert_eq!((done.result, done.tolerated), (holds(5), only(Oddity::Length)));
    assert_eq!(bench.now(), 10 * 3 + 20);
    // At the deadline there is no time left to wait.
    let done = bench.start(2, read(1));
    let (transaction, _) = request(&mut device).await;
    sleep(ms(995)).await;
    device.write_all(&short(transaction, 6)).await.unwrap();
    assert_eq!(done.await.unwrap().result, holds(6));
    // The byte came after all: nothing is taken for what it is not.
    device.write_all(&[0]).await.unwrap();
    let done = bench.start(3, read(1));
    let (transaction, _) = request(&mut device).await;
    device.write_all(&short(transaction, 7)).await.unwrap();
    let error = done.await.unwrap().result.unwrap_err();
    assert_eq!(error.class(), "frame", "{error}");
    let done = bench.start(4, read(8));
    let mut device = bench.accept().await;
    serve_one(&mut device).await;
    assert_eq!(done.await.unwrap().result, holds(80));
}

/// Nothing says how long the answer to a function of the user's own is.
#[tokio::test(start_paused = true)]
async fn an_answer_of_unknown_length_is_not_whole_before_its_header_says_so() {
    let mut bench = Bench::new(tolerating([Oddity::Length]));
    let done = bench.start(1, Request::Custom(0x41, [].as_slice().into()));
    let mut device = bench.accept().await;
    let mut bytes = [0; 8];
    device.read_exact(&mut bytes).await.unwrap();
    device.write_all(&[0, 1, 0, 0, 0, 4, 1, 0x41, 7]).await.unwrap();
    sleep(ms(500)).await;
    device.write_all(&[8]).await.unwrap();
    let expected = Response::Custom(0x41, [7, 8].as_slice().to_vec().into());
    assert_eq!(done.await.unwrap().result, Ok(Ok(expected)));
}

/// Whatever the header promises, one response timeout decides, and the next call is served.
#[tokio::test(start_paused = true)]
async fn a_wrong_length_never_stalls() {
    for length in [6, 7, 100, 254] {
        let mut bench = Bench::new(Options::default());
        let done = bench.start(1, read(1));
        let mut device = bench.accept().await;
        let (transaction, _) = request(&mut device).await;
        let mut bytes = answer(transaction, 10);
        bytes[5] = length;
        device.write_all(&bytes).await.unwrap();
        let done = done.await.unwrap();
        let defect = mbap::Defect::Unfinished { got: 11 };
        assert_eq!(done.result, Err(LinkError::Frame(Malformed::Header(defect))), "{length}");
        assert_eq!(bench.now(), 1000);
        let done = bench.start(2, read(8));
        let mut device = bench.accept().await;
        serve_one(&mut device).await;
        assert_eq!(done.await.unwrap().result, holds(80), "{length}");
        assert_eq!(bench.now(), 1000);
    }
}

/// A slow gateway is no broken one: what comes drop by drop is waited for, and late at worst.
#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_drop_by_drop_is_not_stalled() {
    let mut bench = Bench::new(Options::default());
    let done = bench.start(1, read(1));
    let mut device = bench.accept().await;
    let (transaction, _) = request(&mut device).await;
    for byte in answer(transaction, 10) {
        sleep(ms(95)).await;
        device.write_all(&[byte]).await.unwrap();
    }
    sleep(ms(1)).await;
    assert_eq!(done.await.unwrap().result, Err(LinkError::Timeout { after: SECOND }));
    let done = bench.start(2, read(8));
    serve_one(&mut device).await;
    assert_eq!(done.await.unwrap().result, holds(80));
    assert_eq!(bench.link.counters().late, 1);
}

/// A gateway with ids of its own, at random in time, late, silent, malformed: with a value for
/// every address, no value ever goes to another request.
#[tokio::test(start_paused = true)]
async fn without_ids_no_late_answer_is_taken_for_another() {
    for gateway in [Ids::Constant, Ids::Counted] {
        let tally = Arc::new(Mutex::new(BTreeMap::<&str, u32>::new()));
        let options = Options { in_flight: InFlight::MAX, ..tolerating(Oddity::ALL) };
        let mut seed = 0;
        let connect = move || {
            let (near, far) = tokio::io::duplex(1000);
            seed += 1;
            tokio::spawn(gateway.serve(far, seed));
            ready(io::Result::Ok(near))
        };
        let link = Link::spawn(connect, options, |_| {});
        let next = Arc::new(AtomicU16::new(0));
        let mut callers = JoinSet::new();
        for _ in 0..4 {
            let (link, next, tally) = (link.clone(), Arc::clone(&next), Arc::clone(&tally));
            callers.spawn(async move {
                loop {
                    let address = next.fetch_add(1, Ordering::Relaxed);
                    if address >= 20_000 {
                        return;
                    }
                    let call = Call { timeout: ms(100), ..call(address.into(), read(address)) };
                    let done = link.call(call).await;
                    let what = match &done.result {
                        Ok(_) => "answer",
                        Err(error) => error.class(),
                    };
                    if what == "answer" {
                        assert_eq!(done.result, holds(!address), "{address}");
                        assert!(done.tolerated.contains(Oddity::TransactionId));
                    }
                    *tally.lock().unwrap().entry(what).or_default() += 1;
                }
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended.unwrap();
        }
        let tally = tally.lock().unwrap();
        assert!(tally["answer"] > 10_000 && tally["timeout"] > 2000, "{tally:?}");
        assert!(link.counters().late > 1000, "{:?}", link.counters());
    }
}

#[derive(Debug, Clone, Copy)]
enum Ids {
    Constant,
    Counted,
}

impl Ids {
    /// Answers each request once, when it pleases: in time, late, much later, or never.
    async fn serve(self, device: DuplexStream, seed: u64) {
        let (mut hear, say) = tokio::io::split(device);
        let say = Arc::new(tokio::sync::Mutex::new(say));
        let mut chance = seed;
        let mut bytes = [0; 12];
        let mut count = 0_u16;
        while hear.read_exact(&mut bytes).await.is_ok() {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            count = count.wrapping_add(1);
            let [t1, t2, .., a1, a2, _, _] = bytes;
            // Never the id of the request.
            let id = match self {
                Self::Constant => 0,
                Self::Counted => u16::from_be_bytes([t1, t2]).wrapping_add(count),
            };
            let after = match chance >> 33 & 7 {
                0 => 150,
                1 => 350,
                2 => continue,
                other => other,
            };
            let answer = frame(id, 1, &[3, 2, !a1, !a2]);
            let say = Arc::clone(&say);
            tokio::spawn(async move {
                sleep(ms(after)).await;
                let _ = say.lock().await.write_all(&answer).await;
            });
        }
    }
}
