//! Deadlines, pauses, a device that does not read, and calls that are given up.

use passline_modbus::link::{Call, CloseReason, InFlight, LinkError, Options};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::yield_now,
    time::{sleep, timeout},
};

use super::bench::{Bench, SECOND, answer, call, frame, holds, ms, read, request, serve_one};

#[tokio::test(start_paused = true)]
async fn time_in_the_queue_does_not_count() {
    let mut bench = Bench::new(Options::default());
    let calls: Vec<_> = (0..5).map(|n| bench.start(n, read(1))).collect();
    let mut device = bench.accept().await;
    for _ in 0..5 {
        let (transaction, _) = request(&mut device).await;
        sleep(ms(900)).await;
        device.write_all(&answer(transaction, 7)).await.unwrap();
    }
    for done in calls {
        let done = done.await.unwrap();
        assert_eq!(done.result, holds(7));
        assert_eq!(done.ended - done.sent.unwrap(), ms(900));
    }
    assert_eq!(bench.now(), 4500);
}

#[tokio::test(start_paused = true)]
async fn writing_does_not_count_either() {
    let mut bench = Bench::with_buffer(Options::default(), 11);
    let done = bench.start(1, read(2));
    let mut device = bench.accept().await;
    sleep(ms(2000)).await;
    let (transaction, _) = request(&mut device).await;
    sleep(ms(900)).await;
    // Longer than the buffer: it is read in two pieces.
    device.write_all(&answer(transaction, 7)).await.unwrap();
    let done = done.await.unwrap();
    assert_eq!(done.result, holds(7));
    assert_eq!(done.ended - done.sent.unwrap(), ms(900));
}

#[tokio::test(start_paused = true)]
async fn each_call_has_its_own_deadline() {
    let sixteen = Options { in_flight: InFlight::MAX, ..Options::default() };
    let mut bench = Bench::new(sixteen);
    let waits = [5000, 3000, 10, 4000, 20, 3001];
    let mut calls = Vec::new();
    for wait in waits {
        let link = bench.link.clone();
        let call = Call { timeout: ms(wait), ..call(wait, read(0)) };
        calls.push(tokio::spawn(async move { link.call(call).await }));
        // On the wire before the next one: the one timer must be brought forward.
        sleep(ms(1)).await;
    }
    let _device = bench.accept().await;
    for (wait, done) in waits.into_iter().zip(calls) {
        let done = done.await.unwrap();
        assert_eq!(done.result, Err(LinkError::Timeout { after: ms(wait) }));
        assert_eq!(done.ended - done.sent.unwrap(), ms(wait));
    }
    // And once more after a quiet time, when the timer is at rest.
    sleep(ms(60_000)).await;
    let done = bench.link.call(call(1, read(0))).await;
    assert_eq!(done.ended - done.sent.unwrap(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_here_when_the_deadline_is_looked_at_counts() {
    let mut bench = Bench::new(Options::default());
    let done = bench.start(1, read(2));
    let mut device = bench.accept().await;
    let (transaction, _) = request(&mut device).await;
    // This program stalls: when the link runs again, both are due.
    device.write_all(&answer(transaction, 7)).await.unwrap();
    tokio::time::advance(ms(1500)).await;
    assert_eq!(done.await.unwrap().result, holds(7));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_without_end_is_no_panic() {
    let mut bench = Bench::new(Options::default());
    let link = bench.link.clone();
    let endless = Call { timeout: std::time::Duration::MAX, ..call(1, read(4)) };
    let done = tokio::spawn(async move { link.call(endless).await });
    let mut device = bench.accept().await;
    sleep(ms(100_000)).await;
    serve_one(&mut device).await;
    assert_eq!(done.await.unwrap().result, holds(40));
}

#[tokio::test(start_paused = true)]
async fn pauses_are_kept() {
    let options = Options {
        in_flight: InFlight::new(4).unwrap(),
        pause: ms(100),
        pause_after_connect: ms(500),
        ..Options::default()
    };
    let mut bench = Bench::new(options);
    let calls: Vec<_> = (0..4).map(|n| bench.start(n, read(0))).collect();
    let mut device = bench.accept().await;
    let first = request(&mut device).await;
    assert_eq!(bench.now(), 500);
    let second = request(&mut device).await;
    assert_eq!(bench.now(), 600, "after the request before");
    sleep(ms(30)).await;
    device.write_all(&answer(first.0, 1)).await.unwrap();
    let third = request(&mut device).await;
    assert_eq!(bench.now(), 730, "after the answer before");
    device.write_all(&answer(third.0, 1)).await.unwrap();
    let fourth = request(&mut device).await;
    assert_eq!(bench.now(), 830);
    device.write_all(&answer(fourth.0, 1)).await.unwrap();
    device.write_all(&answer(second.0, 1)).await.unwrap();
    for done in calls {
        assert_eq!(done.await.unwrap().result, holds(1));
    }
}

#[tokio::test(start_paused = true)]
async fn sixteen_calls_are_one_write() {
    let sixteen = Options { in_flight: InFlight::MAX, ..Options::default() };
    let mut bench = Bench::new(sixteen);
    bench.link.connect().await.unwrap();
    let mut device = bench.accept().await;
    let calls: Vec<_> = (0..20).map(|n| bench.start(n, read(0))).collect();
    let mut bytes = [0; 1000];
    assert_eq!(device.read(&mut bytes).await.unwrap(), 16 * 12);
    let answers: Vec<u8> = (1..=16).flat_map(|transaction| answer(transaction, 5)).collect();
    device.write_all(&answers).await.unwrap();
    assert_eq!(device.read(&mut bytes).await.unwrap(), 4 * 12);
    let answers: Vec<u8> = (17..=20).flat_map(|transaction| answer(transaction, 5)).collect();
    device.write_all(&answers).await.unwrap();
    for done in calls {
        assert_eq!(done.await.unwrap().result, holds(5));
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_does_not_read_is_given_up() {
    let options = Options { write_timeout: ms(700), ..Options::default() };
    let mut bench = Bench::with_buffer(options, 11);
    let done = bench.start(1, read(0));
    let _device = bench.accept().await;
    let done = done.await.unwrap();
    assert_eq!(done.result, Err(LinkError::Closed(CloseReason::Stalled { after: ms(700) })));
    assert_eq!(done.sent, None);
    assert_eq!(
        bench.log(),
        [
            "0 connected",
            "700 > garbage 1 0001000000060103000000",
            "700 closed: the device read nothing for 700ms",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_device_that_floods_us_and_does_not_read_is_no_deadlock() {
    let options = Options { write_timeout: ms(700), ..Options::default() };
    let mut bench = Bench::with_buffer(options, 11);
    let done = bench.start(1, read(0));
    let (mut hear, mut say) = tokio::io::split(bench.accept().await);
    let flood = tokio::spawn(async move {
        let nonsense = frame(0xFFFF, 9, &[0x2B; 200]);
        for _ in 0..5000 {
            say.write_all(&nonsense).await.unwrap();
        }
        sleep(ms(500)).await;
        say
    });
    // All of the flood is taken although not one byte of ours is.
    let mut say = flood.await.unwrap();
    assert_eq!(bench.link.counters().foreign, 5000);
    let mut bytes = [0; 12];
    hear.read_exact(&mut bytes).await.unwrap();
    say.write_all(&answer(1, 3)).await.unwrap();
    assert_eq!(done.await.unwrap().result, holds(3));
}

#[tokio::test(start_paused = true)]
async fn a_flood_does_not_hold_up_deadlines() {
    let mut bench = Bench::with_buffer(Options::default(), 1000);
    let done = bench.start(1, read(0));
    let mut device = bench.accept().await;
    request(&mut device).await;
    let flood = tokio::spawn(async move {
        let nonsense = frame(0xFFFF, 9, &[0x2B; 200]).repeat(4);
        while device.write_all(&nonsense).await.is_ok() {
            sleep(ms(1)).await;
        }
    });
    let done = done.await.unwrap();
    assert!(matches!(done.result, Err(LinkError::Foreign { .. })), "{:?}", done.result);
    assert_eq!(done.ended - done.sent.unwrap(), SECOND);
    flood.abort();
}

#[tokio::test(start_paused = true)]
async fn a_call_given_up_in_the_queue_is_never_sent() {
    let mut bench = Bench::new(Options::default());
    let first = bench.start(1, read(1));
    let mut device = bench.accept().await;
    let (transaction, _) = request(&mut device).await;
    let given_up = timeout(ms(10), bench.link.call(call(2, read(2)))).await;
    assert!(given_up.is_err());
    let third = bench.start(3, read(3));
    device.write_all(&answer(transaction, 10)).await.unwrap();
    assert_eq!(request(&mut device).await.1, 3);
    device.write_all(&answer(2, 30)).await.unwrap();
    assert_eq!(first.await.unwrap().result, holds(10));
    assert_eq!(third.await.unwrap().result, holds(30));
}

#[tokio::test(start_paused = true)]
async fn a_call_given_up_on_the_wire_keeps_its_place_and_harms_nobody() {
    let mut bench = Bench::new(Options::default());
    let link = bench.link.clone();
    let given_up = tokio::spawn(async move { timeout(ms(10), link.call(call(1, read(1)))).await });
    let mut device = bench.accept().await;
    let (first, _) = request(&mut device).await;
    assert!(given_up.await.unwrap().is_err());
    let second = bench.start(2, read(2));
    sleep(ms(500)).await;
    device.write_all(&answer(first, 10)).await.unwrap();
    serve_one(&mut device).await;
    assert_eq!(bench.now(), 510, "one in flight: it waited for the answer to the first");
    assert_eq!(second.await.unwrap().result, holds(20));

    // Without an answer, until it expires.
    let link = bench.link.clone();
    let given_up = tokio::spawn(async move { timeout(ms(10), link.call(call(3, read(3)))).await });
    let (third, _) = request(&mut device).await;
    assert!(given_up.await.unwrap().is_err());
    let fourth = bench.start(4, read(4));
    let (transaction, _) = request(&mut device).await;
    assert_eq!(bench.now(), 1510);
    device.write_all(&answer(third, 666)).await.unwrap();
    device.write_all(&answer(transaction, 40)).await.unwrap();
    assert_eq!(fourth.await.unwrap().result, holds(40));
    assert_eq!(bench.link.counters().late, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_given_up_does_not_even_connect() {
    let bench = Bench::new(Options::default());
    {
        let call = bench.link.call(call(1, read(1)));
        tokio::pin!(call);
        // Polled once: it is in the queue, and dropped before the link looks at it.
        assert!(
            std::future::poll_fn(|context| std::task::Poll::Ready(
                call.as_mut().poll(context).is_pending()
            ))
            .await
        );
    }
    yield_now().await;
    sleep(SECOND).await;
    assert_eq!(bench.connections(), 0);
}
