//! One connection of a bus from its beginning to its end: who may speak when. One call after the
//! other, each at its time; whose a frame is, the exchange says.

use std::{collections::VecDeque, convert::Infallible, future::poll_fn, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    select,
    time::Instant,
};

use super::{
    debts::Kind,
    exchange::{Asked, Exchange, Outcome},
    parked::Parked,
    wire::{Heard, Wire},
};
use crate::{
    framing::serial::Mode,
    link::{
        BROADCAST, Bus, Call, CloseReason, Event, LinkError, Malformed, What,
        exchange::after,
        line::{Exchanging, Line},
        queue::{Waiting, is_read},
    },
    pdu::{self, Answer, decode_answer, encode_request},
};

/// After so many timeouts one after the other without a byte the stream of a gateway is renewed: it
/// may be half open.
const SILENCES: u32 = 2;

/// Whose turn it is.
struct Turn {
    waiting: Waiting,
    /// It was sent before, and the line has been listened to since.
    is_listened: bool,
}

/// See the module.
pub(super) struct Connection<'l, S, O> {
    wire: Wire<S>,
    line: &'l mut Line<Exchange<O>>,
    bus: Bus,
    mode: Mode,
    /// The call whose turn it is.
    waiting: Option<Waiting>,
    parked: Parked,
    pdu: Vec<u8>,
    frame: Vec<u8>,
    /// No request begins before this.
    free: Instant,
    /// Nor before this, as long as an answer of this kind is missing.
    settle: Option<(Kind, Instant)>,
    /// A call has been answered on it.
    is_proven: bool,
    /// It was idle when the open call was sent, at this count of bytes received.
    stale_at: Option<u64>,
    silences: u32,
}

impl<O: FnMut(Event<'_>) + Send> Exchanging for Exchange<O> {
    fn connected(&mut self, is_first: bool) {
        self.reporter.connected(is_first);
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
    S: AsyncRead + AsyncWrite + Unpin + Send,
    O: FnMut(Event<'_>) + Send,
{
    pub(super) fn new(stream: S, line: &'l mut Line<Exchange<O>>) -> Self {
        let (bus, mode) = line.exchange.bus;
        let now = Instant::now();
        let free = after(now, line.options.pause_after_connect);
        Self {
            wire: Wire::new(stream, bus, mode),
            line,
            bus,
            mode,
            waiting: None,
            parked: Parked::default(),
            pdu: Vec::new(),
            frame: Vec::new(),
            free,
            settle: None,
            is_proven: false,
            stale_at: None,
            silences: 0,
        }
    }

    /// Serves the line until the connection ends.
    pub(super) async fn run(mut self) {
        let reason = match self.talk().await {
            Ok(never) => match never {},
            Err(reason) => reason,
        };
        self.end(&reason);
        if matches!(reason, CloseReason::Link | CloseReason::Idle | CloseReason::Silent { .. }) {
            self.wire.shutdown(self.line.options.write_timeout).await;
        }
    }

    async fn talk(&mut self) -> Result<Infallible, CloseReason> {
        loop {
            let Turn { waiting, is_listened } = self.next().await?;
            let call = waiting.call.clone();
            self.waiting = Some(waiting);
            let result = match self.encode(&call) {
                Err(defect) => Err(LinkError::Request(defect)),
                Ok(()) if call.unit == BROADCAST => match self.broadcast(&call).await? {
                    None => continue,
                    Some(error) => Err(error),
                },
                Ok(()) => match self.transact(&call, is_listened).await? {
                    None => continue,
                    Some(result) => result,
                },
            };
            self.finish(result);
            let is_spent = self.silences >= SILENCES && self.parked.is_empty();
            if self.bus.pace.is_none() && is_spent {
                return Err(CloseReason::Silent { timeouts: self.silences });
            }
        }
    }

    /// Whose turn is next. The line is listened to meanwhile.
    async fn next(&mut self) -> Result<Turn, CloseReason> {
        let rest = self.line.options.idle_close.filter(|_| self.bus.pace.is_none());
        let rest = rest.map(|limit| after(Instant::now(), limit / 4 * 3));
        let Line { queue, exchange, .. } = &mut *self.line;
        let (mut is_closing, mut has_heard) = (false, false);
        loop {
            if let Some(waiting) = self.parked.ready(&exchange.debts, Instant::now()) {
                return Ok(Turn { waiting, is_listened: true });
            }
            if let Some(waiting) = self.parked.release() {
                return Ok(Turn { waiting, is_listened: false });
            }
            if is_closing && self.parked.is_empty() {
                return Err(CloseReason::Link);
            }
            select! {
                biased;
                heard = self.wire.hear(exchange, self.parked.until().or(rest)), if !has_heard => {
                    let heard = heard?;
                    if matches!(heard, Heard::Time) && self.parked.is_empty() {
                        return Err(CloseReason::Idle);
                    }
                    has_heard = !matches!(heard, Heard::Time);
                }
                next = poll_fn(|context| queue.poll_next(context)), if !is_closing => match next {
                    None => is_closing = true,
                    Some(waiting) => if let Some(waiting) = self.parked.hold(waiting) {
                        return Ok(Turn { waiting, is_listened: false });
                    },
                },
                // Who waits has a turn although the line never falls silent.
                () = std::future::ready(()), if has_heard => has_heard = false,
            }
        }
    }

    fn encode(&mut self, call: &Call) -> Result<(), Malformed> {
        self.pdu.clear();
        self.frame.clear();
        encode_request(&call.request, &mut self.pdu).map_err(Malformed::Pdu)?;
        // The one thing that can be wrong with a PDU here; and it is not.
        let too_long = |_| Malformed::Pdu(pdu::Defect::TooLong { got: self.pdu.len() });
        self.mode.encode(call.unit, &self.pdu, &mut self.frame).map_err(too_long)
    }

    /// Nobody answers; everybody needs time to do it.
    async fn broadcast(&mut self, call: &Call) -> Result<Option<LinkError>, CloseReason> {
        if let Some(error) = self.hush(call.timeout).await? {
            return Ok(Some(error));
        }
        let sent = self.send(call, true).await?;
        self.free = after(sent, self.bus.turnaround.max(self.line.options.pause));
        if let Some(waiting) = self.waiting.take() {
            waiting.finish_broadcast(sent);
        }
        Ok(None)
    }

    /// Asks. `None` if it is not decided yet: the read has another turn.
    async fn transact(
        &mut self,
        call: &Call,
        is_listened: bool,
    ) -> Result<Option<Result<Answer, LinkError>>, CloseReason> {
        let kind = Kind::new(call.unit, call.request.function_code().value());
        self.line.exchange.debts.forget(Instant::now());
        let oldest = self.line.exchange.debts.oldest(kind);
        let answer = match self.ask(call, kind, is_listened).await? {
            Outcome::Answer(answer) => return Ok(Some(Ok(answer))),
            Outcome::Failed(error) => return Ok(Some(Err(error))),
            Outcome::SetAside(answer) => answer,
        };
        self.silences = 0;
        let sent = self.waiting.as_ref().and_then(|waiting| waiting.sent);
        let age = sent.zip(oldest).map_or(Duration::ZERO, |(sent, at)| sent - at);
        // A device is not late by the same amount to the microsecond.
        let until = after(Instant::now(), age.saturating_add(call.timeout));
        if is_read(&call.request) {
            if let Some(waiting) = self.waiting.take() {
                self.parked.park(waiting, kind, until);
            }
            return Ok(None);
        }
        let result = self.listen(kind, answer, until).await?;
        self.line.exchange.settled(kind, result.is_ok());
        Ok(Some(result))
    }

    /// Sends the request and waits for what becomes of it.
    async fn ask(
        &mut self,
        call: &Call,
        kind: Kind,
        is_listened: bool,
    ) -> Result<Outcome, CloseReason> {
        if let Some(error) = self.hush(call.timeout).await? {
            return Ok(Outcome::Failed(error));
        }
        let received = self.wire.received();
        self.stale_at = (self.is_proven && self.bus.pace.is_none()).then_some(received);
        self.wire.expect(call.unit, &call.request);
        // The bytes of some reads could be their own answer as well; none is.
        let answers_itself =
            !is_read(&call.request) && decode_answer(&self.pdu, &call.request).is_ok();
        let sent = self.send(call, answers_itself).await?;
        self.line.exchange.asked = Some(Asked::new(call, kind, is_listened, sent));
        let deadline = after(sent, call.timeout);
        loop {
            let until = self.line.exchange.listens_until(deadline);
            match self.wire.hear(&mut self.line.exchange, Some(until)).await? {
                Heard::Outcome(outcome) => return Ok(outcome),
                // A line that never falls silent has something to read whenever it is looked at.
                Heard::Something if Instant::now() < self.line.exchange.listens_until(deadline) => {
                }
                Heard::Something | Heard::Time => break,
            }
        }
        if let Some(answer) = self.line.exchange.believe() {
            return Ok(Outcome::Answer(answer));
        }
        let settle = after(Instant::now(), self.bus.settle.unwrap_or(call.timeout));
        self.settle = Some((kind, settle));
        let is_silent = self.wire.received() == received;
        self.silences = if is_silent { self.silences + 1 } else { 0 };
        let silence = Outcome::Failed(LinkError::Timeout { after: call.timeout });
        Ok(self.wire.expire(&mut self.line.exchange).unwrap_or(silence))
    }

    /// Waits until it is our turn: for the pauses, and for silence. What comes meanwhile is nobody's.
    /// Returns why nothing can be sent.
    async fn hush(&mut self, limit: Duration) -> Result<Option<LinkError>, CloseReason> {
        let (before, received) = (self.line.exchange.reporter.tally(), self.wire.received());
        let begin = Instant::now();
        loop {
            let debts = &self.line.exchange.debts;
            let settle = self.settle.filter(|(kind, _)| debts.owes(*kind)).map(|(_, at)| at);
            let due = settle.map_or(self.free, |settle| self.free.max(settle));
            let at = due.max(self.wire.silent_at());
            match self.wire.hear(&mut self.line.exchange, Some(at)).await? {
                Heard::Time => break,
                _ if Instant::now() > after(begin.max(due), limit) => {
                    let frames = self.line.exchange.reporter.tally().foreign - before.foreign;
                    let bytes = self.wire.received() - received;
                    return Ok(Some(match frames {
                        0 => LinkError::Babble { after: limit, bytes },
                        frames => LinkError::Foreign { after: limit, frames },
                    }));
                }
                _ => {}
            }
        }
        self.settle = None;
        Ok(None)
    }

    async fn send(&mut self, call: &Call, answers_itself: bool) -> Result<Instant, CloseReason> {
        let limit = self.line.options.write_timeout;
        let sent = self.wire.send(&self.frame, limit, answers_itself).await;
        // Its last byte has left us, if perhaps not this machine: it may have arrived.
        if let (Err(_), Some(waiting)) = (&sent, &mut self.waiting)
            && self.wire.written() >= self.frame.len()
        {
            waiting.sent = Some(Instant::now());
        }
        let sent = sent?;
        self.line.exchange.reporter.went(sent, &self.frame, call.id, What::Request);
        if let Some(waiting) = &mut self.waiting {
            waiting.sent = Some(sent);
        }
        self.free = after(sent, self.line.options.pause);
        Ok(sent)
    }

    /// Listens as long as what is owed to an earlier write may come. Returns what came last:
    /// if that is damaged, then what came before was the answer to the earlier one.
    async fn listen(
        &mut self,
        kind: Kind,
        mut answer: Answer,
        until: Instant,
    ) -> Result<Result<Answer, LinkError>, CloseReason> {
        while self.line.exchange.debts.owes(kind) {
            match self.wire.hear(&mut self.line.exchange, Some(until)).await? {
                Heard::Outcome(Outcome::Answer(next) | Outcome::SetAside(next)) => answer = next,
                Heard::Outcome(Outcome::Failed(error)) => return Ok(Err(error)),
                Heard::Something if Instant::now() < until => {}
                Heard::Something | Heard::Time => break,
            }
        }
        Ok(Ok(answer))
    }

    fn finish(&mut self, result: Result<Answer, LinkError>) {
        let now = Instant::now();
        if result.is_ok() {
            self.is_proven = true;
            self.silences = 0;
        }
        self.stale_at = None;
        self.free = self.free.max(after(now, self.line.options.pause));
        if let Some(mut waiting) = self.waiting.take() {
            // A line that keeps no pace may answer before the last byte should have left.
            waiting.sent = waiting.sent.map(|sent| sent.min(now));
            waiting.finish(now, result);
        }
    }

    /// The connection is over.
    fn end(&mut self, reason: &CloseReason) {
        let now = Instant::now();
        let lost =
            matches!(reason, CloseReason::Eof | CloseReason::Reset | CloseReason::Other { .. });
        let is_stale = lost && self.stale_at == Some(self.wire.received());
        let exchange = &mut self.line.exchange;
        if is_stale {
            exchange.asked = None;
        }
        exchange.fail(reason.to_error());
        self.wire.flush(exchange, now);
        let written = self.wire.written();
        if let (Some(waiting), Some(part @ [_, ..])) = (&self.waiting, self.frame.get(..written))
            && written < self.frame.len()
        {
            exchange.reporter.went(now, part, waiting.call.id, What::Garbage);
        }
        exchange.closed(reason, now);
        self.line.queue.put_back(self.parked.end());
        match self.waiting.take() {
            Some(mut waiting) if is_stale && !waiting.again && waiting.is_read() => {
                waiting.again = true;
                self.line.queue.put_back(VecDeque::from([waiting]));
            }
            Some(waiting) => waiting.finish(now, Err(reason.to_error())),
            None => {}
        }
    }
}
