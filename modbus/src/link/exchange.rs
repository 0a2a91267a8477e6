//! The calls that are on the wire: matches frames with them, expires them, completes them, and
//! reports and counts what happens. No I/O; the time is told.

use std::{collections::VecDeque, ops::Range, time::Duration};

use tokio::time::Instant;

use super::{
    CloseReason, Event, EventKind, InFlight, LinkError, Malformed, Oddities, Oddity, Options,
    Tolerance, What,
    event::Reporter,
    queue::Waiting,
    tolerance::answer_length,
    window::{self, Fate, Owner, Window},
};
use crate::{
    framing::mbap::{self, Frame},
    pdu::{decode_answer, encode_request},
};

/// A call that has a place in the window.
#[derive(Debug)]
struct Open {
    waiting: Waiting,
    /// Where its frame is in the batch that is being written.
    frame: Range<usize>,
    /// Known once its last byte is written. Until then nothing can be its answer.
    deadline: Option<Instant>,
    late_before: u64,
    foreign_before: u64,
}

/// See the module.
pub(super) struct Exchange<O> {
    window: Window<Open>,
    reporter: Reporter<O>,
    tolerance: Tolerance,
    /// Until when an answer may still come that nothing would tell from the next one.
    owed_until: Option<Instant>,
    /// Where a request is encoded before its frame is.
    pdu: Vec<u8>,
}

impl<O: FnMut(Event<'_>)> Exchange<O> {
    pub(super) fn new(options: &Options, reporter: Reporter<O>) -> Self {
        let tolerance = options.tolerance;
        let is_one = tolerance.is_one_at_a_time();
        let window = Window::new(if is_one { InFlight::ONE } else { options.in_flight });
        Self { window, reporter, tolerance, owed_until: None, pdu: Vec::new() }
    }

    pub(super) fn connected(&mut self, is_first: bool) {
        self.window.start_over();
        self.owed_until = None;
        self.reporter.connected(is_first);
    }

    pub(super) fn has_room(&self) -> bool {
        self.window.has_room() && !self.window.is_exhausted()
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.window.is_exhausted()
    }

    /// Until when to listen for an answer that nothing would tell from the next one.
    pub(super) fn owed_until(&self) -> Option<Instant> {
        self.owed_until
    }

    /// Whether nothing is on the wire.
    pub(super) fn is_idle(&self) -> bool {
        self.window.is_empty()
    }

    /// Whether nobody waits for what is on the wire.
    pub(super) fn is_given_up(&self) -> bool {
        self.window.iter().all(|open| open.item.waiting.is_given_up())
    }

    /// When the next call expires, of those that are written.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.window.iter().filter_map(|open| open.item.deadline).min()
    }

    /// Appends the frame of a call to `batch`.
    pub(super) fn open(&mut self, waiting: Waiting, batch: &mut Vec<u8>) {
        let begin = batch.len();
        let (unit, id) = (waiting.call.unit, waiting.call.id);
        let transaction = self.window.reserve();
        self.pdu.clear();
        let encoded =
            encode_request(&waiting.call.request, &mut self.pdu).map_err(Malformed::Pdu).and_then(
                |()| mbap::encode(transaction, unit, &self.pdu, batch).map_err(Malformed::Header),
            );
        if let Err(defect) = encoded {
            waiting.finish(Instant::now(), Err(LinkError::Request(defect)));
            return;
        }
        let tally = self.reporter.tally();
        let open = Open {
            waiting,
            frame: begin..batch.len(),
            deadline: None,
            late_before: tally.late,
            foreign_before: tally.foreign,
        };
        self.window.open(transaction, unit, id, open);
    }

    /// The first `written` bytes of `batch` are on the wire. Returns the earliest new deadline.
    pub(super) fn written(
        &mut self,
        batch: &[u8],
        written: usize,
        now: Instant,
    ) -> Option<Instant> {
        let mut earliest: Option<Instant> = None;
        for open in self.window.iter_mut().map(|open| &mut open.item) {
            if open.deadline.is_some() || open.frame.end > written {
                continue;
            }
            let deadline = after(now, open.waiting.call.timeout);
            open.waiting.sent = Some(now);
            open.deadline = Some(deadline);
            earliest = Some(earliest.map_or(deadline, |earliest| earliest.min(deadline)));
            let bytes = batch.get(open.frame.clone()).unwrap_or_default();
            self.reporter.went(now, bytes, open.waiting.call.id, What::Request);
        }
        earliest
    }

    /// Takes a frame. Returns whether it was the answer to a call, which is thereby completed.
    pub(super) fn take(&mut self, frame: &Frame<'_>, now: Instant) -> bool {
        match self.owner(frame) {
            Owner::Open(index) => self.answer(index, frame, now),
            Owner::Late(call) => {
                self.pay();
                self.reporter.came(now, frame.bytes, Some(call), What::Late);
                false
            }
            Owner::Duplicate(call) => {
                self.pay();
                self.reporter.came(now, frame.bytes, Some(call), What::Duplicate);
                false
            }
            Owner::Foreign => {
                self.reporter.came(now, frame.bytes, None, What::Foreign);
                false
            }
        }
    }

    fn owner(&self, frame: &Frame<'_>) -> Owner {
        let admits = |asked| self.tolerance.admits(asked, frame.unit);
        let owner = match self.window.owner(frame.transaction, admits) {
            Owner::Open(index) => Owner::Open(index),
            _ if self.tolerance.ignores_transactions() => self.window.oldest(admits),
            owner => owner,
        };
        match owner {
            Owner::Open(index) if !self.is_written(index) => Owner::Foreign,
            owner => owner,
        }
    }

    fn is_written(&self, index: usize) -> bool {
        self.window.get(index).is_some_and(|open| open.item.deadline.is_some())
    }

    fn answer(&mut self, index: usize, frame: &Frame<'_>, now: Instant) -> bool {
        let Some(open) = self.window.get(index) else { return false };
        let call = &open.item.waiting.call;
        let id = call.id;
        let (decoded, tolerated) = match decode_answer(frame.pdu, &call.request) {
            Ok(answer) => (Ok(answer), self.header_oddities(open, frame)),
            Err(defect) => match self.tolerance.shortened(frame.pdu, &call.request) {
                Some(answer) => {
                    (Ok(answer), self.header_oddities(open, frame).with(Oddity::Trailing))
                }
                None => (Err(defect), Oddities::NONE),
            },
        };
        let is_strict = tolerated.is_empty();
        let what = if is_strict { What::Answer } else { What::Tolerated(tolerated) };
        self.reporter.came(now, frame.bytes, Some(id), what);
        let open = match &decoded {
            Ok(_) => self.window.complete(index),
            Err(_) => self.window.retire(index, Fate::Malformed),
        };
        if let Some(mut open) = open {
            if decoded.is_err() {
                self.owe(now, &open);
            }
            open.waiting.tolerated = tolerated;
            let result = decoded.map_err(|defect| LinkError::Frame(Malformed::Pdu(defect)));
            open.waiting.finish(now, result);
        }
        true
    }

    /// What of the header of an answer is put up with.
    fn header_oddities(&self, open: &window::Open<Open>, frame: &Frame<'_>) -> Oddities {
        if self.tolerance == Tolerance::default() {
            return Oddities::NONE;
        }
        let (transaction, unit) = open.header();
        let is_short = mbap::overstated(frame.bytes).is_some();
        [
            (transaction != frame.transaction, Oddity::TransactionId),
            (unit != frame.unit, Oddity::UnitId),
            (is_short, Oddity::Length),
        ]
        .into_iter()
        .filter_map(|(is_odd, oddity)| is_odd.then_some(oddity))
        .collect()
    }

    /// The answer to an open call in bytes that are a whole frame but for its header, which
    /// promises one byte more, where that is put up with.
    pub(super) fn overstated<'b>(&self, bytes: &'b [u8]) -> Option<Frame<'b>> {
        if !self.tolerance.oddities.contains(Oddity::Length) {
            return None;
        }
        let frame = mbap::overstated(bytes)?;
        let Owner::Open(index) = self.owner(&frame) else { return None };
        let request = &self.window.get(index)?.item.waiting.call.request;
        (answer_length(frame.pdu, request) == Some(frame.pdu.len())).then_some(frame)
    }

    /// A call ended without its answer. Where nothing would tell that from the next one, it is
    /// listened for as long as the call waited.
    fn owe(&mut self, now: Instant, open: &Open) {
        if self.tolerance.ignores_transactions() {
            self.owed_until = Some(after(now, open.waiting.call.timeout));
        }
    }

    fn pay(&mut self) {
        if self.tolerance.ignores_transactions() {
            self.window.pay();
            self.owed_until = None;
        }
    }

    /// Gives up the calls whose time is over. Returns when the last of them was sent.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Instant> {
        let mut last = None;
        while let Some(index) = self.overdue(now) {
            let Some(open) = self.window.retire(index, Fate::Expired) else { break };
            self.owe(now, &open);
            let error = self.silence(&open);
            last = last.max(open.waiting.sent);
            open.waiting.finish(now, Err(error));
        }
        last
    }

    /// Whether the time of a call is over.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.overdue(now).is_some()
    }

    fn overdue(&self, now: Instant) -> Option<usize> {
        self.window.iter().position(|open| open.item.deadline.is_some_and(|at| at <= now))
    }

    /// What the silence of the device means, by what came instead.
    fn silence(&self, open: &Open) -> LinkError {
        let after = open.waiting.call.timeout;
        let tally = self.reporter.tally();
        let answers = tally.late - open.late_before;
        let frames = tally.foreign - open.foreign_before;
        match (answers, frames) {
            (0, 0) => LinkError::Timeout { after },
            (0, _) => LinkError::Foreign { after, frames },
            _ => LinkError::Late { after, answers },
        }
    }

    /// Bytes from the device that are no frame.
    pub(super) fn garbage(&mut self, bytes: &[u8], now: Instant) {
        if !bytes.is_empty() {
            self.reporter.came(now, bytes, None, What::Garbage);
        }
    }

    /// The connection is over, `written` bytes of `batch` were taken. Completes the open calls,
    /// except those that go again on the next connection if `was_stale`: reads, and requests of
    /// which no byte was taken.
    pub(super) fn end(
        &mut self,
        reason: &CloseReason,
        (batch, written): (&[u8], usize),
        was_stale: bool,
    ) -> VecDeque<Waiting> {
        let now = Instant::now();
        let mut again = VecDeque::new();
        while let Some(Open { mut waiting, frame, deadline, .. }) = self.window.pop() {
            if deadline.is_none() && frame.start < written {
                let bytes = batch.get(frame.start..written).unwrap_or_default();
                self.reporter.went(now, bytes, waiting.call.id, What::Garbage);
            }
            // Its last byte has left us, if perhaps not this machine: it may have arrived.
            if deadline.is_none() && frame.end <= written {
                waiting.sent = Some(now);
            }
            let is_untouched = deadline.is_none() && frame.start >= written;
            if was_stale && !waiting.again && (waiting.is_read() || is_untouched) {
                waiting.again = true;
                again.push_back(waiting);
            } else {
                waiting.finish(now, Err(reason.to_error()));
            }
        }
        self.reporter.report(now, EventKind::Closed(reason.clone()));
        again
    }
}

/// `duration` after `now`; a moment that nobody lives to see if that cannot be told.
pub(super) fn after(now: Instant, duration: Duration) -> Instant {
    const THIRTY_YEARS: Duration = Duration::from_hours(30 * 365 * 24);
    now.checked_add(duration).unwrap_or_else(|| now + THIRTY_YEARS)
}
