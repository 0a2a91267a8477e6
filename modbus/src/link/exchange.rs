//! The calls that are on the wire: matches frames with them, expires them, completes them, and
//! reports and counts what happens. No I/O; the time is told.

use std::{collections::VecDeque, ops::Range, time::Duration};

use tokio::time::Instant;

use super::{
    CloseReason, Event, EventKind, InFlight, LinkError, Malformed, What,
    event::Reporter,
    queue::Waiting,
    window::{Fate, Owner, Window},
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
    /// Where a request is encoded before its frame is.
    pdu: Vec<u8>,
}

impl<O: FnMut(Event<'_>)> Exchange<O> {
    pub(super) fn new(in_flight: InFlight, reporter: Reporter<O>) -> Self {
        Self { window: Window::new(in_flight), reporter, pdu: Vec::new() }
    }

    pub(super) fn connected(&mut self, is_first: bool) {
        self.window.start_over();
        self.reporter.connected(is_first);
    }

    pub(super) fn has_room(&self) -> bool {
        self.window.has_room() && !self.window.is_exhausted()
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.window.is_exhausted()
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
                self.reporter.came(now, frame.bytes, Some(call), What::Late);
                false
            }
            Owner::Duplicate(call) => {
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
        match self.window.owner(frame.transaction, frame.unit) {
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
        let (id, decoded) = (call.id, decode_answer(frame.pdu, &call.request));
        self.reporter.came(now, frame.bytes, Some(id), What::Answer);
        let open = match &decoded {
            Ok(_) => self.window.complete(index),
            Err(_) => self.window.retire(index, Fate::Malformed),
        };
        if let Some(open) = open {
            let result = decoded.map_err(|defect| LinkError::Frame(Malformed::Pdu(defect)));
            open.waiting.finish(now, result);
        }
        true
    }

    /// Gives up the calls whose time is over. Returns when the last of them was sent.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Instant> {
        let mut last = None;
        while let Some(index) = self.overdue(now) {
            let Some(open) = self.window.retire(index, Fate::Expired) else { break };
            let error = self.silence(&open);
            last = last.max(open.waiting.sent);
            open.waiting.finish(now, Err(error));
        }
        last
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
