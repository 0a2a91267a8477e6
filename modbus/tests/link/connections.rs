//! Connections come and go.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use passline_modbus::address::Address;
use passline_modbus::link::{
    CloseReason, ConnectError, Counters, InFlight, Link, LinkError, Options,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream, DuplexStream, ReadBuf},
    task::yield_now,
};

use super::bench::{Bench, SECOND, answer, call, holds, ms, read, request, serve_one, write};

/// A connection on which one call has been answered, and which is idle now.
async fn proven(bench: &mut Bench) -> DuplexStream {
    let done = bench.start(0, read(1));
    let mut device = bench.accept().await;
    serve_one(&mut device).await;
    assert_eq!(done.await.unwrap().result, holds(10));
    bench.log();
    device
}

fn closed(reason: CloseReason) -> LinkError {
    LinkError::Closed(reason)
}

#[tokio::test(start_paused = true)]
async fn an_idle_close_is_normal() {
    let mut bench = Bench::new(Options::default());
    let device = proven(&mut bench).await;
    drop(device);
    tokio::time::sleep(SECOND).await;
    assert_eq!(bench.log(), ["0 closed: closed by the device"]);
    let done = bench.start(1, write(1, 2));
    let mut device = bench.accept().await;
    let mut bytes = [0; 12];
    device.read_exact(&mut bytes).await.unwrap();
    device.write_all(&bytes).await.unwrap();
    assert!(done.await.unwrap().result.is_ok());
    assert_eq!(bench.link.counters(), Counters { reconnects: 1, ..Counters::default() });
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_reconnected_finishes_what_was_asked_before() {
    let mut bench = Bench::new(Options::default());
    let before = bench.start(0, read(1));
    let mut first = bench.accept().await;
    let link = bench.link.clone();
    let reconnected = tokio::spawn(async move { link.reconnect().await });
    yield_now().await;
    let after = bench.start(1, read(2));
    serve_one(&mut first).await;
    assert_eq!(before.await.unwrap().result, holds(10));
    let mut second = bench.accept().await;
    assert_eq!(reconnected.await.unwrap(), Ok(()));
    serve_one(&mut second).await;
    assert_eq!(after.await.unwrap().result, holds(20));
    assert_eq!(first.read(&mut [0; 1]).await.unwrap(), 0, "the first connection is closed");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_cannot_be_reconnected_says_so_and_goes_on() {
    let mut bench = Bench::new(Options::default());
    let _first = proven(&mut bench).await;
    bench.refuse(io::ErrorKind::ConnectionRefused);
    assert!(matches!(bench.link.reconnect().await, Err(LinkError::Connect(_))));
    bench.accept().await;
    let done = bench.start(1, read(2));
    serve_one(&mut bench.accept().await).await;
    assert_eq!(done.await.unwrap().result, holds(20));
}

#[tokio::test(start_paused = true)]
async fn a_read_on_a_stale_connection_is_sent_once_more() {
    let mut bench = Bench::new(Options::default());
    let mut device = proven(&mut bench).await;
    let done = bench.start(5, read(2));
    request(&mut device).await;
    drop(device);
    let mut device = bench.accept().await;
    tokio::time::sleep(ms(10)).await;
    serve_one(&mut device).await;
    let done = done.await.unwrap();
    assert_eq!(done.result, holds(20));
    assert_eq!(
        bench.log(),
        [
            "0 > request 5 000200000006010300020001",
            "0 closed: closed by the device",
            "0 connected",
            "0 > request 5 000300000006010300020001",
            "10 < answer 5 0003000000050103020014",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_read_is_not_sent_a_third_time() {
    let mut bench = Bench::new(Options::default());
    let mut device = proven(&mut bench).await;
    let done = bench.start(5, read(2));
    request(&mut device).await;
    drop(device);
    let mut device = bench.accept().await;
    request(&mut device).await;
    drop(device);
    let done = done.await.unwrap();
    assert_eq!(done.result, Err(closed(CloseReason::Eof)));
    assert!(done.sent.is_some());
    assert_eq!(bench.connections(), 0);
}

/// Two reads go down with a stale connection; the first makes the next connection a proven one,
/// which is idle again when the second is sent, and ends.
#[tokio::test(start_paused = true)]
async fn not_even_on_a_second_stale_connection() {
    let in_flight = InFlight::new(2).unwrap();
    let mut bench = Bench::new(Options { in_flight, pause: ms(100), ..Options::default() });
    let mut device = proven(&mut bench).await;
    let first = bench.start(5, read(2));
    let second = bench.start(6, read(3));
    request(&mut device).await;
    request(&mut device).await;
    drop(device);
    let mut device = bench.accept().await;
    serve_one(&mut device).await;
    assert_eq!(first.await.unwrap().result, holds(20));
    request(&mut device).await;
    drop(device);
    assert_eq!(second.await.unwrap().result, Err(closed(CloseReason::Eof)));
    assert_eq!(bench.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_write_is_never_sent_twice() {
    let mut bench = Bench::new(Options::default());
    let mut device = proven(&mut bench).await;
    let done = bench.start(5, write(2, 3));
    request(&mut device).await;
    drop(device);
    assert_eq!(done.await.unwrap().result, Err(closed(CloseReason::Eof)));
    tokio::time::sleep(SECOND).await;
    assert_eq!(bench.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_write_of_which_no_byte_was_taken_goes_on_the_next_connection() {
    let two = Options { in_flight: InFlight::new(2).unwrap(), ..Options::default() };
    // Room for the read, and for half of the write or for nothing of it.
    for (buffer, is_touched) in [(12, false), (18, true)] {
        let mut bench = Bench::with_buffer(two, buffer);
        let device = proven(&mut bench).await;
        let reading = bench.start(5, read(2));
        let writing = bench.start(6, write(3, 4));
        tokio::time::sleep(ms(1)).await;
        drop(device);
        let mut device = bench.accept().await;
        serve_one(&mut device).await;
        assert_eq!(reading.await.unwrap().result, holds(20));
        if is_touched {
            assert_eq!(writing.await.unwrap().result, Err(closed(CloseReason::Eof)));
            assert_eq!(bench.log()[1], "1 > garbage 6 000300000006");
        } else {
            let mut bytes = [0; 12];
            device.read_exact(&mut bytes).await.unwrap();
            assert_eq!(bytes[7..], [6, 0, 3, 0, 4]);
            device.write_all(&bytes).await.unwrap();
            assert!(writing.await.unwrap().result.is_ok());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn on_a_connection_without_earlier_success_nothing_is_repeated() {
    let mut bench = Bench::new(Options::default());
    let done = bench.start(1, read(2));
    let mut device = bench.accept().await;
    request(&mut device).await;
    drop(device);
    assert_eq!(done.await.unwrap().result, Err(closed(CloseReason::Eof)));
    assert_eq!(bench.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_inside_an_answer_is_not_stale() {
    let mut bench = Bench::new(Options::default());
    let mut device = proven(&mut bench).await;
    let done = bench.start(5, read(2));
    request(&mut device).await;
    device.write_all(&answer(2, 20)[..10]).await.unwrap();
    drop(device);
    assert_eq!(done.await.unwrap().result, Err(closed(CloseReason::Eof)));
    assert_eq!(
        bench.log()[1..],
        ["0 < garbage - 00020000000501030200", "0 closed: closed by the device"]
    );
    assert_eq!(bench.link.counters(), Counters { garbage: 1, ..Counters::default() });
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_fails_its_call_and_the_next_one_tries_again() {
    let mut bench = Bench::new(Options::default());
    bench.refuse(io::ErrorKind::ConnectionRefused);
    bench.refuse(io::ErrorKind::HostUnreachable);
    bench.refuse(io::ErrorKind::NotFound);
    for expected in [
        ConnectError::Refused,
        ConnectError::Unreachable,
        ConnectError::NotFound { text: io::Error::from(io::ErrorKind::NotFound).to_string() },
    ] {
        let done = bench.link.call(call(1, read(0))).await;
        assert_eq!((done.sent, done.result), (None, Err(LinkError::Connect(expected))));
        bench.accept().await;
    }
    assert_eq!(bench.log(), [""; 0]);
    let done = bench.start(2, read(3));
    let mut device = bench.accept().await;
    serve_one(&mut device).await;
    assert_eq!(done.await.unwrap().result, holds(30));
    assert_eq!(bench.link.counters().reconnects, 0, "it is the first connection");
}

#[tokio::test(start_paused = true)]
async fn what_the_system_gave_up_is_a_timeout_too() {
    let bench = Bench::new(Options::default());
    bench.refuse(io::ErrorKind::TimedOut);
    let error = LinkError::Connect(ConnectError::TimedOut { after: ms(0) });
    assert_eq!(bench.link.call(call(1, read(0))).await.result, Err(error));
}

/// A gateway that accepts and never answers, or a connection that is half open since the device was
/// switched off and on.
#[tokio::test(start_paused = true)]
async fn after_two_timeouts_without_a_byte_the_connection_is_renewed() {
    let mut bench = Bench::new(Options::default());
    let timeout = Err(LinkError::Timeout { after: SECOND });
    let mut device = proven(&mut bench).await;
    tokio::time::sleep(ms(1)).await;
    for n in 1..=2 {
        let done = bench.start(n, read(2));
        request(&mut device).await;
        assert_eq!(done.await.unwrap().result, timeout);
    }
    // What the device still says there, or does with it, is nobody's business any more.
    let done = bench.start(3, read(3));
    let mut renewed = bench.accept().await;
    let _ = device.write_all(&answer(2, 20)).await;
    serve_one(&mut renewed).await;
    assert_eq!(done.await.unwrap().result, holds(30));
    assert_eq!(bench.link.counters(), Counters { reconnects: 1, ..Counters::default() });
    let log = bench.log();
    let reason = "closed: not a byte came within 2 response timeouts one after the other";
    assert!(log.iter().any(|line| line.ends_with(reason)), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn any_byte_between_two_timeouts_keeps_the_connection() {
    let mut bench = Bench::new(Options::default());
    let mut device = proven(&mut bench).await;
    for n in 1..=4 {
        let done = bench.start(n, read(2));
        let (transaction, _) = request(&mut device).await;
        assert_eq!(done.await.unwrap().result, Err(LinkError::Timeout { after: SECOND }));
        device.write_all(&answer(transaction, 20)).await.unwrap();
    }
    yield_now().await;
    assert_eq!(bench.connections(), 0);
    assert_eq!(bench.link.counters(), Counters { late: 4, ..Counters::default() });
}

/// Calls that wait at the same time are one silence, not many.
#[tokio::test(start_paused = true)]
async fn calls_that_wait_together_count_as_one_timeout() {
    let in_flight = InFlight::new(4).unwrap();
    let mut bench = Bench::new(Options { in_flight, pause: ms(10), ..Options::default() });
    let calls: Vec<_> = (0..4).map(|n| bench.start(n, read(2))).collect();
    let mut device = bench.accept().await;
    for done in calls {
        assert_eq!(done.await.unwrap().result, Err(LinkError::Timeout { after: SECOND }));
    }
    for _ in 0..4 {
        request(&mut device).await;
    }
    let done = bench.start(9, read(3));
    serve_one(&mut device).await;
    assert_eq!(done.await.unwrap().result, holds(30), "on the same connection");
}

/// The device closes after ten seconds: a write that meets a closed connection would be lost.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_before_the_device_does() {
    let idle_close = Some(10 * SECOND);
    let mut bench = Bench::new(Options { idle_close, ..Options::default() });
    let mut device = proven(&mut bench).await;
    for n in 1..=3 {
        tokio::time::sleep(ms(7400)).await;
        let done = bench.start(n, read(2));
        serve_one(&mut device).await;
        assert_eq!(done.await.unwrap().result, holds(20));
    }
    bench.log();
    let mut rest = Vec::new();
    device.read_to_end(&mut rest).await.unwrap();
    assert_eq!(bench.log(), ["29700 closed: idle: closed before the device does"]);
    let done = bench.start(9, write(1, 2));
    let mut device = bench.accept().await;
    let mut bytes = [0; 12];
    device.read_exact(&mut bytes).await.unwrap();
    device.write_all(&bytes).await.unwrap();
    assert!(done.await.unwrap().result.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_must_not_be_idle_is_closed_as_soon_as_nothing_is_asked() {
    let idle_close = Some(ms(0));
    let mut bench = Bench::new(Options { idle_close, ..Options::default() });
    for round in 1..=2 {
        let calls: Vec<_> = (0..5).map(|n| bench.start(n, read(2))).collect();
        let mut device = bench.accept().await;
        for done in calls {
            serve_one(&mut device).await;
            assert_eq!(done.await.unwrap().result, holds(20), "all over one connection");
        }
        let mut rest = Vec::new();
        device.read_to_end(&mut rest).await.unwrap();
        assert_eq!((rest.len(), bench.link.counters().reconnects), (0, round - 1));
    }
    assert_eq!(bench.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_dead_device_costs_the_waiting_calls_one_connect_timeout() {
    let options = Options { connect_timeout: SECOND, ..Options::default() };
    let bench = Bench::new(options);
    bench.refuse(io::ErrorKind::WouldBlock);
    let calls: Vec<_> = (0..50).map(|n| bench.start(n, read(0))).collect();
    for done in calls {
        let error = LinkError::Connect(ConnectError::TimedOut { after: SECOND });
        assert_eq!(done.await.unwrap().result, Err(error));
    }
    assert_eq!(bench.now(), 1000);
}

#[tokio::test(start_paused = true)]
async fn connecting_ahead() {
    let mut bench = Bench::new(Options::default());
    bench.refuse(io::ErrorKind::ConnectionRefused);
    let refused = Err(LinkError::Connect(ConnectError::Refused));
    assert_eq!(bench.link.connect().await, refused);
    bench.accept().await;
    assert_eq!(bench.link.connect().await, Ok(()));
    assert_eq!(bench.link.connect().await, Ok(()));
    bench.accept().await;
    assert_eq!(bench.connections(), 0, "connected once");
}

#[tokio::test(start_paused = true)]
async fn closing_finishes_what_was_asked_before() {
    let mut bench = Bench::new(Options::default());
    let first = bench.start(1, read(1));
    let second = bench.start(2, read(2));
    let silent = bench.start(3, read(3));
    let mut device = bench.accept().await;
    let link = bench.link.clone();
    let closing = tokio::spawn(async move { link.close().await });
    yield_now().await;
    let after = bench.start(4, read(4));
    serve_one(&mut device).await;
    serve_one(&mut device).await;
    assert_eq!(first.await.unwrap().result, holds(10));
    assert_eq!(second.await.unwrap().result, holds(20));
    assert_eq!(silent.await.unwrap().result, Err(LinkError::Timeout { after: SECOND }));
    closing.await.unwrap();
    assert_eq!(after.await.unwrap().result, Err(closed(CloseReason::Link)));
    assert_eq!(bench.link.connect().await, Err(closed(CloseReason::Link)));
    bench.link.close().await;
    let mut rest = Vec::new();
    device.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest.len(), 12, "the silent one, then the end");
    let log = bench.log();
    assert_eq!(log.last().unwrap(), "1000 closed: the link was closed by its user");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_closes_the_connection() {
    for is_open in [false, true] {
        let (near, mut device) = tokio::io::duplex(100);
        let mut near = Some(near);
        let connect = move || std::future::ready(near.take().ok_or(io::Error::other("once")));
        let two = Options { in_flight: InFlight::new(2).unwrap(), ..Options::default() };
        let link = Link::spawn(connect, two, |_| {});
        link.connect().await.unwrap();
        if is_open {
            let forever = tokio::time::timeout(ms(5), link.call(call(1, read(0)))).await;
            assert!(forever.is_err());
        }
        drop(link);
        let mut rest = Vec::new();
        device.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest.len(), if is_open { 12 } else { 0 });
    }
}

/// As a TLS stream does: what is written stays in its buffer until it is flushed.
#[tokio::test(start_paused = true)]
async fn a_stream_that_buffers_is_flushed() {
    let (near, mut device) = tokio::io::duplex(100);
    let mut near = Some(BufStream::new(near));
    let connect = move || std::future::ready(near.take().ok_or(io::Error::other("once")));
    let link = Link::spawn(connect, Options::default(), |_| {});
    let serving = tokio::spawn(async move { serve_one(&mut device).await });
    assert_eq!(link.call(call(1, read(3))).await.result, holds(30));
    serving.await.unwrap();
}

/// It takes every byte, and fails when they are to go on.
struct Swallows;

impl AsyncRead for Swallows {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Swallows {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Who asks whether a write may have been done must not hear that it never left.
#[tokio::test(start_paused = true)]
async fn a_request_that_left_us_in_full_may_have_arrived() {
    for url in ["tcp://127.0.0.1:502", "rtu+tcp://127.0.0.1:502", "ascii+tcp://127.0.0.1:502"] {
        let address: Address = url.parse().unwrap();
        let open = || std::future::ready(Ok::<_, io::Error>(Swallows));
        let link = Link::spawn(open, Options::of(&address), |_| {});
        let completed = link.call(call(1, write(0, 1))).await;
        assert!(completed.result.is_err(), "{url}");
        assert!(completed.sent.is_some(), "{url}: {completed:?}");
    }
}
