//! The bytes of a bus: reads and cuts them into parts, writes, removes the echo, and knows when the
//! line was last in use. Whose a part is, the exchange says.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    select,
    task::yield_now,
    time::{Instant, timeout},
};

use super::{
    echo::{self, Echo},
    exchange::{Exchange, Outcome},
};
use crate::{
    framing::serial::{Decoder, Mode},
    link::{Bus, CloseReason, Event, LinkError, Malformed, exchange::after},
    pdu::Request,
    wait::Alarm,
};

/// Bytes per read: more than the longest frame.
const READ: usize = 1024;

/// Looking at the clock so much too late means that this program was held up.
const STALL: Duration = Duration::from_millis(1);

/// What was heard.
#[derive(Debug)]
pub(super) enum Heard {
    /// This became of the request that is on the wire.
    Outcome(Outcome),
    /// Anything else came, or a frame was cut off by silence.
    Something,
    /// Nothing, until the time came.
    Time,
}

/// See the module.
pub(super) struct Wire<S> {
    stream: S,
    bus: Bus,
    decoder: Decoder,
    echo: Echo,
    /// The line was caught repeating what was sent, though it is not said to.
    is_echoing: bool,
    alarm: Alarm,
    space: Box<[u8; READ]>,
    /// When the last byte came, or ours left.
    active: Instant,
    /// How many bytes came.
    received: u64,
    /// How much of the frame that is being sent is written.
    written: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S, bus: Bus, mode: Mode) -> Self {
        Self {
            stream,
            bus,
            decoder: mode.answers(),
            echo: Echo::default(),
            is_echoing: false,
            alarm: Alarm::new(),
            space: Box::new([0; READ]),
            active: Instant::now(),
            received: 0,
            written: 0,
        }
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    pub(super) fn written(&self) -> usize {
        self.written
    }

    /// From when on the line counts as silent.
    pub(super) fn silent_at(&self) -> Instant {
        let silence = self.bus.pace.map_or(Duration::ZERO, |pace| pace.silence);
        let gap = if self.is_inside() { self.gap() } else { Duration::ZERO };
        after(self.active, silence.max(gap))
    }

    /// How long silence ends what is here. Inside of what could be a frame it may be a gap; where
    /// the frame would be whole, only a gateway's stream can still have one.
    fn gap(&self) -> Duration {
        match self.bus.pace {
            Some(pace) if self.echo.held().is_empty() && self.decoder.is_whole() => pace.silence,
            _ => self.bus.gap,
        }
    }

    fn is_inside(&self) -> bool {
        !self.decoder.pending().is_empty() || !self.echo.held().is_empty()
    }

    /// Listens until something comes, or until the time comes.
    pub(super) async fn hear<O: FnMut(Event<'_>)>(
        &mut self,
        exchange: &mut Exchange<O>,
        until: Option<Instant>,
    ) -> Result<Heard, CloseReason> {
        let gap_ends = self.is_inside().then(|| after(self.active, self.gap()));
        let at = [until, gap_ends].into_iter().flatten().min();
        let count = self.read(at).await?;
        let now = Instant::now();
        let outcome = if let Some(count) = count {
            self.active = self.active.max(now);
            self.received += count as u64;
            self.bytes(exchange, count, now)
        } else if gap_ends.is_some_and(|end| end <= now) {
            self.flush(exchange, now)
        } else {
            None
        };
        Ok(match outcome {
            Some(outcome) => Heard::Outcome(outcome),
            None if count.is_none() && until.is_some_and(|until| until <= now) => Heard::Time,
            None => Heard::Something,
        })
    }

    /// How many bytes came; `None` if none did before the time came. That this program stalls is not
    /// held against a device: what is here when the clock is looked at has come in time.
    async fn read(&mut self, until: Option<Instant>) -> Result<Option<usize>, CloseReason> {
        let read = self.stream.read(&mut self.space[..]);
        let read = match until {
            None => read.await,
            Some(at) => {
                let time = async {
                    self.alarm.until(at).await;
                    if at.elapsed() > STALL {
                        // What came meanwhile is here, but the runtime has not looked yet.
                        yield_now().await;
                    }
                };
                select! {
                    biased;
                    read = read => read,
                    () = time => return Ok(None),
                }
            }
        };
        match read {
            Ok(0) => Err(CloseReason::Eof),
            Ok(count) => Ok(Some(count)),
            Err(error) => Err(CloseReason::new(&error)),
        }
    }

    fn bytes<O: FnMut(Event<'_>)>(
        &mut self,
        exchange: &mut Exchange<O>,
        count: usize,
        now: Instant,
    ) -> Option<Outcome> {
        let bytes = self.space.get(..count).unwrap_or_default();
        let mut outcome = None;
        if self.echo.is_open() {
            match self.echo.hear(bytes) {
                echo::Heard::Part => return None,
                echo::Heard::Whole(rest) => {
                    exchange.echoed(self.echo.request(), now);
                    if !self.bus.echo {
                        self.is_echoing = true;
                        outcome = exchange.fail(LinkError::Frame(Malformed::Echoed));
                    }
                    self.decoder.feed(rest);
                }
                echo::Heard::Not { more } => {
                    if self.bus.echo {
                        outcome = exchange.fail(self.echo.missing(more));
                    }
                    self.decoder.feed(self.echo.held());
                    self.decoder.feed(bytes);
                    self.echo.end();
                }
            }
        } else {
            self.decoder.feed(bytes);
        }
        outcome.or(self.parts(exchange, now))
    }

    /// All parts that are there. What comes behind the one that decides is nobody's; what is set
    /// aside decides nothing.
    fn parts<O: FnMut(Event<'_>)>(
        &mut self,
        exchange: &mut Exchange<O>,
        now: Instant,
    ) -> Option<Outcome> {
        let mut outcome = None;
        while let Some(part) = self.decoder.next_part() {
            outcome = exchange.take(&part, now).or(outcome);
        }
        outcome
    }

    /// The line is silent: what is here is all there is.
    pub(super) fn flush<O: FnMut(Event<'_>)>(
        &mut self,
        exchange: &mut Exchange<O>,
        now: Instant,
    ) -> Option<Outcome> {
        let mut outcome = None;
        if self.echo.is_open() && !self.echo.held().is_empty() {
            if self.bus.echo {
                outcome = exchange.fail(self.echo.missing(0));
            }
            self.decoder.feed(self.echo.held());
            self.echo.end();
        }
        self.decoder.silence();
        outcome.or(self.parts(exchange, now))
    }

    /// The time of the request is over. What came of its echo is no echo.
    pub(super) fn expire<O: FnMut(Event<'_>)>(
        &mut self,
        exchange: &mut Exchange<O>,
    ) -> Option<Outcome> {
        let is_missing = self.bus.echo && self.echo.is_open();
        let missing = is_missing.then(|| self.echo.missing(0));
        if self.echo.is_open() {
            self.decoder.feed(self.echo.held());
            self.echo.end();
        }
        exchange.expire(missing)
    }

    /// Whatever comes from now on is measured against this request.
    pub(super) fn expect(&mut self, unit: u8, request: &Request<'_>) {
        self.decoder.expect(unit, request);
    }

    /// Sends a frame. Returns when its last byte leaves: the system takes all of them at once.
    /// `answers_itself`: its answer could be the same bytes.
    pub(super) async fn send(
        &mut self,
        frame: &[u8],
        limit: Duration,
        answers_itself: bool,
    ) -> Result<Instant, CloseReason> {
        let begin = Instant::now();
        self.written = 0;
        match timeout(limit, self.write(frame)).await {
            Ok(written) => written?,
            Err(_) => return Err(CloseReason::Stalled { after: limit }),
        }
        let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let character = self.bus.pace.map_or(Duration::ZERO, |pace| pace.character);
        let sent = after(begin, character.saturating_mul(length)).max(Instant::now());
        self.active = sent;
        if self.bus.echo || self.is_echoing || !answers_itself {
            self.echo.begin(frame);
        } else {
            self.echo.end();
        }
        Ok(sent)
    }

    async fn write(&mut self, frame: &[u8]) -> Result<(), CloseReason> {
        while let Some(left @ [_, ..]) = frame.get(self.written..) {
            match self.stream.write(left).await {
                Ok(0) => return Err(CloseReason::Reset),
                Ok(count) => self.written += count,
                Err(error) => return Err(CloseReason::new(&error)),
            }
        }
        // Flushing a serial port holds the whole thread up until the last byte has left.
        if self.bus.pace.is_none() {
            self.stream.flush().await.map_err(|error| CloseReason::new(&error))?;
        }
        Ok(())
    }

    pub(super) async fn shutdown(&mut self, limit: Duration) {
        if self.bus.pace.is_none() {
            // Whatever the device makes of it, the connection is dropped next.
            let _ = timeout(limit, self.stream.shutdown()).await;
        }
    }
}
