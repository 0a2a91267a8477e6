//! One connection from its beginning to its end: reads while it writes, in batches, on one timer.
//! Knows when bytes move; whose they are is decided in `exchange`.

use std::{
    future::poll_fn,
    mem::{self, MaybeUninit},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::{Instant, Sleep, sleep, timeout},
};

use super::{
    CloseReason, Discipline, Event,
    exchange::{Exchange, after},
    line::{Exchanging, Line},
};
use crate::framing::mbap::{self, Decoder};

/// Bytes per read: more than a full window of the longest answers, so that a read that does not
/// fill it has emptied the socket.
const READ: usize = 8192;

/// After so many response timeouts one after the other without a byte the connection is renewed. It
/// may be half open: the device was switched off, a gateway lost it. Two, so that the last of three
/// attempts goes over a new one.
const SILENCES: u32 = 2;

/// After so much silence the rest of a frame does not come any more: its header is wrong.
const STALLED: Duration = Duration::from_millis(100);

/// After so much silence an answer is whole although its header promises one byte more, where that
/// is put up with.
const SHORT: Duration = Duration::from_millis(20);

/// What a read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    /// Nothing is here.
    Nothing,
    /// Answers, and calls are completed.
    Answers,
    /// Anything else.
    Other,
}

/// See the module.
pub(super) struct Connection<'l, S, O> {
    stream: S,
    line: &'l mut Line<Exchange<O>>,
    decoder: Decoder,
    /// The frames that are being written; the next ones wait until these are.
    batch: Vec<u8>,
    written: usize,
    write_by: Option<Instant>,
    /// No request begins before this.
    silent_until: Option<Instant>,
    /// Set once and left alone until it fires: hardly any request expires, so moving it with each
    /// would be wasted.
    timer: Pin<Box<Sleep>>,
    armed: Option<Instant>,
    is_rearmed: bool,
    /// A call has been answered on it.
    is_proven: bool,
    /// It was idle when the open calls were sent, and no byte has come since: if it ends like this
    /// then the device had closed it while idle.
    may_be_stale: bool,
    /// How many calls had no answer one after the other, and not a byte came.
    silences: u32,
    /// When the last of those was given up, or the last byte came.
    silent_since: Option<Instant>,
    /// When what is here will be taken for the answer, although its header promises more.
    short_at: Option<Instant>,
    /// When the last call ended, while none is open. Only where the device closes idle connections.
    idle_since: Option<Instant>,
}

impl<O: FnMut(Event<'_>) + Send> Exchanging for Exchange<O> {
    fn connected(&mut self, is_first: bool) {
        Exchange::connected(self, is_first);
    }

    async fn serve<S>(line: &mut Line<Self>, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        Connection::new(stream, line).run().await;
    }
}

impl<'l, S, O> Connection<'l, S, O>
where
    S: AsyncRead + AsyncWrite + Unpin,
    O: FnMut(Event<'_>),
{
    pub(super) fn new(stream: S, line: &'l mut Line<Exchange<O>>) -> Self {
        let pause = line.options.pause_after_connect;
        let silent_until = (!pause.is_zero()).then(|| after(Instant::now(), pause));
        Self {
            stream,
            line,
            decoder: Decoder::new(),
            batch: Vec::new(),
            written: 0,
            write_by: None,
            silent_until,
            timer: Box::pin(sleep(Duration::ZERO)),
            armed: None,
            is_rearmed: false,
            is_proven: false,
            may_be_stale: false,
            silences: 0,
            silent_since: None,
            short_at: None,
            idle_since: None,
        }
    }

    /// Serves the line until the connection ends.
    pub(super) async fn run(mut self) {
        let reason = poll_fn(|context| self.poll(context)).await;
        self.line.exchange.garbage(self.decoder.rest(), Instant::now());
        let was_stale = self.may_be_stale
            && matches!(reason, CloseReason::Eof | CloseReason::Reset | CloseReason::Other { .. });
        let again = self.line.exchange.end(&reason, (&self.batch, self.written), was_stale);
        self.line.queue.put_back(again);
        if matches!(reason, CloseReason::Link | CloseReason::Exhausted | CloseReason::Idle) {
            // Whatever the device makes of it, the connection is dropped next.
            let _ = timeout(self.line.options.write_timeout, self.stream.shutdown()).await;
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<CloseReason> {
        loop {
            match self.turn(context) {
                Ok(true) => {}
                Ok(false) => return Poll::Pending,
                Err(reason) => return Poll::Ready(reason),
            }
        }
    }

    /// Does what can be done now; returns whether to look again. Reading comes first: what is
    /// already here cannot be an answer to what is only now written, and is no reason to time out.
    fn turn(&mut self, context: &mut Context<'_>) -> Result<bool, CloseReason> {
        let heard = self.read(context)?;
        if heard == Heard::Answers {
            // Those who have their answers go first: what they ask next then goes out in one write.
            context.waker().wake_by_ref();
            return Ok(false);
        }
        let has_fired = self.expire(context)?;
        self.fill(context)?;
        self.write(context)?;
        Ok(heard == Heard::Other || has_fired || mem::take(&mut self.is_rearmed))
    }

    fn read(&mut self, context: &mut Context<'_>) -> Result<Heard, CloseReason> {
        let mut space = [MaybeUninit::uninit(); READ];
        let mut buffer = ReadBuf::uninit(&mut space);
        match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
            Poll::Pending => return Ok(Heard::Nothing),
            Poll::Ready(Err(error)) => return Err(CloseReason::new(&error)),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => return Err(CloseReason::Eof),
            Poll::Ready(Ok(())) => {}
        }
        let now = Instant::now();
        self.may_be_stale = false;
        self.silences = 0;
        self.silent_since = Some(now);
        self.decoder.feed(buffer.filled());
        let is_datagram = self.line.options.discipline == Discipline::Datagrams;
        let mut heard = Heard::Other;
        while let Some(frame) = self.decoder.next_frame() {
            match frame {
                Ok(frame) if self.line.exchange.take(&frame, now) => heard = Heard::Answers,
                Ok(_) => {}
                Err(_) if is_datagram => break,
                Err(defect) => return Err(CloseReason::Malformed(defect)),
            }
        }
        if is_datagram {
            // A datagram is whole, whatever its header says.
            match self.line.exchange.overstated(self.decoder.rest()) {
                Some(frame) if self.line.exchange.take(&frame, now) => heard = Heard::Answers,
                _ => self.line.exchange.garbage(self.decoder.rest(), now),
            }
            self.decoder = Decoder::new();
        }
        if heard == Heard::Answers {
            self.is_proven = true;
            self.pause(now);
        }
        self.short_at = None;
        if self.line.exchange.overstated(self.decoder.rest()).is_some() {
            let at = after(now, SHORT);
            self.short_at = Some(at);
            self.wake_at(at);
        }
        Ok(heard)
    }

    fn expire(&mut self, context: &mut Context<'_>) -> Result<bool, CloseReason> {
        if self.armed.is_none() || self.timer.as_mut().poll(context).is_pending() {
            return Ok(false);
        }
        self.armed = None;
        let now = Instant::now();
        if self.write_by.is_some_and(|by| by <= now) {
            return Err(CloseReason::Stalled { after: self.line.options.write_timeout });
        }
        if self.short_at.is_some_and(|at| at <= now || self.line.exchange.is_overdue(now)) {
            self.take_short(now);
        }
        if self.line.exchange.is_overdue(now) {
            self.is_whole(now)?;
        }
        if let Some(sent) = self.line.exchange.expire(now) {
            self.unanswered(sent, now);
            self.pause(now);
        }
        let deadline = self.line.exchange.next_deadline();
        let silent_until = self.silent_until.filter(|at| *at > now);
        for at in [deadline, self.write_by, silent_until, self.short_at].into_iter().flatten() {
            self.wake_at(at);
        }
        Ok(true)
    }

    /// Takes what is here for an answer, although its header promises more.
    fn take_short(&mut self, now: Instant) {
        self.short_at = None;
        if let Some(frame) = self.line.exchange.overstated(self.decoder.rest()) {
            self.line.exchange.take(&frame, now);
            self.decoder.skip();
            self.is_proven = true;
            self.pause(now);
        }
    }

    /// Ends a connection on which a frame began and does not go on: a call has waited for that in
    /// vain, and where the next frame begins cannot be known.
    fn is_whole(&self, now: Instant) -> Result<(), CloseReason> {
        let got = self.decoder.rest().len();
        let is_still = self.silent_since.is_some_and(|since| after(since, STALLED) <= now);
        if got > 0 && is_still {
            return Err(CloseReason::Malformed(mbap::Defect::Unfinished { got }));
        }
        Ok(())
    }

    /// Makes the next batch once the last one is written.
    fn fill(&mut self, context: &mut Context<'_>) -> Result<(), CloseReason> {
        if !self.batch.is_empty() || self.is_silent() {
            return Ok(());
        }
        if self.line.exchange.is_idle() {
            self.is_spent()?;
            if let Some(until) = self.line.exchange.owed_until() {
                self.wake_at(until);
                return Ok(());
            }
        }
        while self.line.exchange.has_room() && self.silences < SILENCES {
            match self.line.queue.poll_next(context) {
                Poll::Ready(Some(waiting)) => {
                    if self.line.exchange.is_idle() {
                        self.may_be_stale = self.is_proven;
                    }
                    self.line.exchange.open(waiting, &mut self.batch);
                }
                Poll::Ready(None) if self.line.exchange.is_given_up() => {
                    return Err(CloseReason::Link);
                }
                Poll::Ready(None) | Poll::Pending => break,
            }
            if !self.line.options.pause.is_zero() && !self.batch.is_empty() {
                break;
            }
        }
        self.rest()
    }

    /// Whether it is better to go on with another connection, now that no call is open.
    fn is_spent(&self) -> Result<(), CloseReason> {
        if self.line.exchange.owed_until().is_some_and(|until| until <= Instant::now()) {
            return Err(CloseReason::Owed);
        }
        if self.line.exchange.is_exhausted() {
            return Err(CloseReason::Exhausted);
        }
        if self.silences >= SILENCES {
            return Err(CloseReason::Silent { timeouts: self.silences });
        }
        Ok(())
    }

    /// Ends a connection that the device would soon end because it is idle.
    fn rest(&mut self) -> Result<(), CloseReason> {
        let Some(limit) = self.line.options.idle_close else { return Ok(()) };
        if !self.line.exchange.is_idle() {
            self.idle_since = None;
            return Ok(());
        }
        let now = Instant::now();
        let at = after(*self.idle_since.get_or_insert(now), limit / 4 * 3);
        if at <= now {
            return Err(CloseReason::Idle);
        }
        self.wake_at(at);
        Ok(())
    }

    fn write(&mut self, context: &mut Context<'_>) -> Result<(), CloseReason> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let mut stream = Pin::new(&mut self.stream);
        let mut is_blocked = false;
        while let (false, Some(left @ [_, ..])) = (is_blocked, self.batch.get(self.written..)) {
            match stream.as_mut().poll_write(context, left) {
                Poll::Pending => is_blocked = true,
                Poll::Ready(Ok(0)) => return Err(CloseReason::Reset),
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(error)) => return Err(CloseReason::new(&error)),
            }
        }
        match stream.poll_flush(context) {
            Poll::Pending => is_blocked = true,
            Poll::Ready(Ok(())) => self.sent(),
            Poll::Ready(Err(error)) => return Err(CloseReason::new(&error)),
        }
        if !is_blocked {
            self.batch.clear();
            self.written = 0;
            self.write_by = None;
        } else if self.write_by.is_none() {
            let by = after(Instant::now(), self.line.options.write_timeout);
            self.write_by = Some(by);
            self.wake_at(by);
        }
        Ok(())
    }

    fn sent(&mut self) {
        let now = Instant::now();
        if let Some(deadline) = self.line.exchange.written(&self.batch, self.written, now) {
            self.wake_at(deadline);
            self.pause(now);
        }
    }

    /// A call that was `sent` then had no answer. Calls that waited at the same time count once, and
    /// not at all if anything came meanwhile.
    fn unanswered(&mut self, sent: Instant, now: Instant) {
        let is_next = |since| if self.silences == 0 { since < sent } else { since <= sent };
        if self.silent_since.is_none_or(is_next) {
            self.silences += 1;
            self.silent_since = Some(now);
        }
    }

    fn pause(&mut self, now: Instant) {
        let pause = self.line.options.pause;
        if !pause.is_zero() {
            self.silent_until = Some(after(now, pause));
        }
    }

    fn is_silent(&mut self) -> bool {
        match self.silent_until {
            Some(at) if Instant::now() < at => {
                self.wake_at(at);
                true
            }
            Some(_) | None => {
                self.silent_until = None;
                false
            }
        }
    }

    fn wake_at(&mut self, at: Instant) {
        if self.armed.is_none_or(|armed| at < armed) {
            self.timer.as_mut().reset(at);
            self.armed = Some(at);
            self.is_rearmed = true;
        }
    }
}
