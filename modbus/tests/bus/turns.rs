//! Who may speak when; connections; and lines that are never still.

use passline_modbus::{
    link::{Bus, Call, CloseReason, Discipline, Event, Link, LinkError, Malformed, Options},
    pdu::Request,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, sleep},
};

use super::bench::{Bench, SECOND, answer, frame, holds, ms, read, rtu, slow, write};

async fn answered(bench: &mut Bench, id: u64) {
    let call = bench.start(id, read(0x10));
    bench.hear(8).await;
    bench.say(30, &answer(5)).await;
    assert_eq!(call.await.unwrap().result, holds(5));
}

#[tokio::test(start_paused = true)]
async fn the_line_is_silent_before_each_request() {
    let mut bench = Bench::new(rtu(slow()));
    answered(&mut bench, 1).await;
    let heard = bench.now();
    let _call = bench.start(2, read(0x10));
    bench.hear(8).await;
    assert_eq!(bench.now() - heard, 4);
}

#[tokio::test(start_paused = true)]
async fn what_comes_unasked_is_told_and_puts_the_request_off() {
    let mut bench = Bench::new(rtu(slow()));
    answered(&mut bench, 1).await;
    let call = bench.start(2, read(0x10));
    bench.say(3, &frame(&[9, 3, 2, 0, 1])).await;
    let heard = bench.now();
    bench.hear(8).await;
    assert_eq!(bench.now() - heard, 4);
    bench.say(30, &answer(6)).await;
    assert_eq!(call.await.unwrap().result, holds(6));
    assert_eq!(bench.link.counters().foreign, 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_came_before_the_request_is_none() {
    let mut bench = Bench::new(rtu(slow()));
    answered(&mut bench, 1).await;
    bench.say(0, &answer(77)).await;
    let call = bench.start(2, read(0x10));
    bench.hear(8).await;
    bench.say(30, &answer(6)).await;
    assert_eq!(call.await.unwrap().result, holds(6));
}

#[tokio::test(start_paused = true)]
async fn pauses_are_kept() {
    let options = Options { pause: ms(100), pause_after_connect: ms(300), ..rtu(slow()) };
    let mut bench = Bench::new(options);
    let call = bench.start(1, read(0x10));
    bench.hear(8).await;
    assert_eq!(bench.now(), 300);
    bench.say(30, &answer(5)).await;
    call.await.unwrap();
    let _call = bench.start(2, read(0x10));
    bench.hear(8).await;
    assert_eq!(bench.now(), 300 + 30 + 100);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_sent_when_its_last_byte_leaves() {
    let mut bench = Bench::new(rtu(slow()));
    let begin = Instant::now();
    let call = bench.start(1, read(0x10));
    bench.hear(8).await;
    bench.say(500, &answer(5)).await;
    let done = call.await.unwrap();
    assert_eq!(done.sent.unwrap() - begin, ms(12));
    assert_eq!(done.ended - begin, ms(504));
    // A line that keeps no pace answers before that.
    let call = bench.start(2, read(0x10));
    bench.hear(8).await;
    bench.say(1, &answer(5)).await;
    let done = call.await.unwrap();
    assert!(done.sent.unwrap() <= done.ended);
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_each_other() {
    let mut bench = Bench::new(rtu(slow()));
    let calls: Vec<_> = (1..=3).map(|id| bench.start(id, read(id.try_into().unwrap()))).collect();
    for (n, call) in calls.into_iter().enumerate() {
        let request = bench.hear(8).await;
        assert_eq!(usize::from(request[3]), n + 1);
        sleep(ms(200)).await;
        assert!(!call.is_finished());
        bench.say(0, &answer(u16::from(request[3]))).await;
        assert!(call.await.unwrap().result.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_waits_for_no_answer() {
    let mut bench = Bench::new(rtu(slow()));
    let link = bench.link.clone();
    let call = |request| Call { id: 1, unit: 0, request, timeout: SECOND };
    let (begin, write) = (Instant::now(), write(9, 5));
    let sent = tokio::spawn({
        let (link, call) = (link.clone(), call(write.clone()));
        async move { link.broadcast(call).await }
    });
    assert_eq!(bench.hear(8).await, frame(&[0, 6, 0, 9, 0, 5]));
    assert_eq!(sent.await.unwrap().unwrap() - begin, ms(12));
    // The turnaround of 100 ms from its last byte on.
    let _call = bench.start(2, read(0x10));
    bench.hear(8).await;
    assert_eq!(bench.now(), 112);
    let refused = |reason| LinkError::Request(reason);
    assert_eq!(link.broadcast(call(read(1))).await, Err(refused(Malformed::BroadcastRead)));
    assert_eq!(link.call(call(write.clone())).await.result, Err(refused(Malformed::Broadcast)));
    assert_eq!(link.call(call(read(1))).await.result, Err(refused(Malformed::Broadcast)));
    let mbap = Bench::new(Options::default()).link;
    assert_eq!(mbap.broadcast(call(write)).await, Err(refused(Malformed::NoBroadcast)));
}

#[tokio::test(start_paused = true)]
async fn a_port_that_goes_away_is_opened_again_by_the_next_call() {
    let mut bench = Bench::new(rtu(slow()));
    answered(&mut bench, 1).await;
    let call = bench.start(2, read(0x10));
    bench.hear(8).await;
    bench.say(0, &answer(5)[..3]).await;
    bench.unplug();
    assert_eq!(call.await.unwrap().result, Err(LinkError::Closed(CloseReason::Eof)));
    let call = bench.start(3, write(9, 5));
    bench.hear(8).await;
    bench.say(30, &frame(&[1, 6, 0, 9, 0, 5])).await;
    assert!(call.await.unwrap().result.is_ok());
    assert_eq!(bench.link.counters().reconnects, 1);
    // On a serial port nothing is asked again by itself.
    let call = bench.start(4, read(0x10));
    bench.hear(8).await;
    bench.unplug();
    assert_eq!(call.await.unwrap().result, Err(LinkError::Closed(CloseReason::Eof)));
}

#[tokio::test(start_paused = true)]
async fn a_gateway_may_close_an_idle_connection() {
    let mut bench = Bench::new(rtu(Bus::rtu(None)));
    answered(&mut bench, 1).await;
    let call = bench.start(2, read(0x10));
    bench.hear(8).await;
    bench.unplug();
    bench.hear(8).await;
    bench.say(30, &answer(6)).await;
    assert_eq!(call.await.unwrap().result, holds(6));
    // A write is not.
    let call = bench.start(3, write(9, 5));
    bench.hear(8).await;
    bench.unplug();
    assert_eq!(call.await.unwrap().result, Err(LinkError::Closed(CloseReason::Eof)));
}

/// A call to a unit that is silent.
async fn in_vain(bench: &mut Bench, unit: u8) {
    let call = bench.start_to(unit, 7, read(0x10));
    bench.hear(8).await;
    assert_eq!(call.await.unwrap().result, Err(LinkError::Timeout { after: SECOND }));
    tokio::task::yield_now().await;
}

fn is_closed(bench: &Bench) -> bool {
    bench.log().iter().any(|line| line.contains("closed"))
}

#[tokio::test(start_paused = true)]
async fn the_stream_of_a_gateway_is_renewed_after_two_timeouts_without_a_byte() {
    let mut bench = Bench::new(rtu(Bus::rtu(None)));
    in_vain(&mut bench, 2).await;
    assert!(!is_closed(&bench));
    in_vain(&mut bench, 2).await;
    assert!(is_closed(&bench));
    bench.unplug();
    answered(&mut bench, 3).await;
    // A byte in between says that the stream is whole.
    in_vain(&mut bench, 2).await;
    answered(&mut bench, 4).await;
    in_vain(&mut bench, 2).await;
    assert!(!is_closed(&bench));
    // A serial port is never renewed.
    let mut bench = Bench::new(rtu(slow()));
    for _ in 0..5 {
        in_vain(&mut bench, 1).await;
    }
    assert!(!is_closed(&bench));
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_not_renewed_while_a_unit_is_listened_for_on_it() {
    let mut bench = Bench::new(rtu(Bus::rtu(None)));
    in_vain(&mut bench, 1).await;
    sleep(SECOND * 20).await;
    let back = bench.start(2, read(0x11));
    bench.hear(8).await;
    bench.say(30, &answer(7)).await;
    for _ in 0..3 {
        in_vain(&mut bench, 2).await;
        assert!(!is_closed(&bench));
    }
    bench.hear(8).await;
    bench.say(30, &answer(2)).await;
    assert_eq!(back.await.unwrap().result, holds(2));
}

#[tokio::test(start_paused = true)]
async fn what_is_set_aside_says_that_a_stream_is_whole() {
    let mut bench = Bench::new(rtu(Bus::rtu(None)));
    in_vain(&mut bench, 1).await;
    let back = bench.start(2, read(0x11));
    bench.hear(8).await;
    bench.say(30, &answer(7)).await;
    bench.hear(8).await;
    assert!(back.await.unwrap().result.is_err());
    assert!(!is_closed(&bench));
}

#[tokio::test(start_paused = true)]
async fn an_idle_stream_is_closed_before_the_gateway_does() {
    let idle = |bus| Options { idle_close: Some(SECOND * 10), ..rtu(bus) };
    let mut bench = Bench::new(idle(Bus::rtu(None)));
    answered(&mut bench, 1).await;
    sleep(ms(7400)).await;
    assert!(!is_closed(&bench));
    sleep(ms(200)).await;
    assert!(is_closed(&bench));
    bench.unplug();
    answered(&mut bench, 2).await;
    // A serial port stays open.
    let mut bench = Bench::new(idle(slow()));
    answered(&mut bench, 1).await;
    sleep(SECOND * 60).await;
    assert!(!is_closed(&bench));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_noise_ends_each_call_and_then_all_is_well() {
    let mut bench = Bench::new(rtu(slow()));
    answered(&mut bench, 1).await;
    let link = bench.link.clone();
    let calls = tokio::spawn(async move {
        let mut ends = Vec::new();
        for id in 0..5 {
            let call = Call { id, unit: 1, request: read(0x10), timeout: SECOND };
            ends.push(link.call(call).await);
        }
        ends
    });
    // Ten seconds at a byte each millisecond.
    for n in 0..10_000_u32 {
        bench.say(1, &[n.wrapping_mul(0x9E37_79B9).to_be_bytes()[0]]).await;
        if calls.is_finished() {
            break;
        }
    }
    for done in calls.await.unwrap() {
        assert!(
            matches!(done.result, Err(LinkError::Babble { bytes: 900.., .. }))
                && done.sent.is_none(),
            "{done:?}"
        );
        assert_eq!(done.result.unwrap_err().class(), "crc");
    }
    sleep(ms(100)).await;
    answered(&mut bench, 9).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_full_of_other_clients_is_theirs() {
    let mut bench = Bench::new(rtu(slow()));
    answered(&mut bench, 1).await;
    let call = bench.start(2, read(0x10));
    for _ in 0..1000 {
        bench.say(3, &frame(&[9, 3, 2, 0, 1])).await;
        if call.is_finished() {
            break;
        }
    }
    let done = call.await.unwrap();
    assert!(matches!(done.result, Err(LinkError::Foreign { frames: 100.., .. })), "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_leaves_the_line_in_step() {
    let mut bench = Bench::new(rtu(slow()));
    let call = bench.start(1, read(0x10));
    bench.hear(8).await;
    call.abort();
    bench.say(30, &answer(1)).await;
    let call = bench.start(2, read(0x11));
    bench.hear(8).await;
    bench.say(30, &answer(2)).await;
    assert_eq!(call.await.unwrap().result, holds(2));
}

#[tokio::test(start_paused = true)]
async fn closing_ends_what_was_asked_before() {
    let mut bench = Bench::new(rtu(slow()));
    let call = bench.start(1, read(0x10));
    bench.hear(8).await;
    let link = bench.link.clone();
    let closed = tokio::spawn(async move { link.close().await });
    bench.say(30, &answer(5)).await;
    assert_eq!(call.await.unwrap().result, holds(5));
    closed.await.unwrap();
    let late = bench.start(2, Request::ReadCoils(0, 1)).await.unwrap();
    assert_eq!(late.result, Err(LinkError::Closed(CloseReason::Link)));
}

/// In real time: a line that always has something to read leaves a paused clock where it is.
#[tokio::test]
async fn a_line_that_never_falls_silent_ends_no_call_late() {
    let lines = [(Discipline::Rtu(Bus::rtu(None)), 8), (Discipline::Ascii(Bus::ascii(None)), 17)];
    for (discipline, request) in lines {
        let connect = move || {
            let (near, mut far) = tokio::io::duplex(65_536);
            tokio::spawn(async move {
                far.read_exact(&mut vec![0; request]).await.unwrap();
                while far.write_all(&[0x55; 4096]).await.is_ok() {}
            });
            async move { std::io::Result::Ok(near) }
        };
        let options = Options { discipline, ..Options::default() };
        let link = Link::spawn(connect, options, |_: Event<'_>| {});
        let call = |id| link.call(Call { id, unit: 1, request: read(0), timeout: ms(200) });
        let asked = tokio::time::timeout(SECOND * 5, call(1)).await.unwrap();
        assert!(matches!(asked.result, Err(LinkError::Crc { .. })), "{asked:?}");
        let next = tokio::time::timeout(SECOND * 5, call(2)).await.unwrap();
        // Whether the line seems silent for a moment is up to the scheduler; there is no answer.
        let error = next.result.unwrap_err();
        assert_eq!(error.class(), "crc", "{error}");
    }
}
