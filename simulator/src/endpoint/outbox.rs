//! What is still to be sent over one connection: what waits for its time, and what goes out now.
//! Bounded, so that a client which never reads costs no memory.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::fault::{End, Order, Piece, Transmission};

/// From this many bytes on, no more requests are taken.
const FULL: usize = 64 * 1024;

/// Bytes that are held for answers to come.
const KEPT: usize = 4096;

/// Longer than anything is served.
const NEVER: Duration = Duration::from_hours(24 * 365 * 30);

/// What a transmission costs beside its bytes.
const COST: usize = size_of::<Waiting>();

/// Transmissions on their way out.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// What is sent now.
    ready: Vec<u8>,
    /// What is not due yet.
    waiting: BinaryHeap<Waiting>,
    /// What is due but waits for the next answer.
    held: Option<Transmission>,
    /// What is due, in its order. Only the first one may have gone out in part.
    line: VecDeque<Transmission>,
    /// When the next piece of the first in line goes out, if a pause is before it.
    resumes: Option<Instant>,
    /// How the connection ends once all that is ready was sent.
    end: Option<End>,
    /// What all but the bytes that are ready costs.
    cost: usize,
    /// Transmissions ever put in to wait.
    order: u64,
}

#[derive(Debug, PartialEq, Eq)]
struct Waiting {
    due: Instant,
    order: u64,
    sent: Transmission,
}

impl Outbox {
    /// Takes what `write` appends, to be sent at once.
    pub(super) fn put_now(&mut self, now: Instant, write: impl FnOnce(&mut Vec<u8>)) {
        if self.held.is_none() && self.line.is_empty() {
            write(&mut self.ready);
            return;
        }
        let mut frame = Vec::new();
        write(&mut frame);
        self.put(now, Transmission::frame(frame));
    }

    /// Takes a transmission, to be sent when it is due.
    pub(super) fn put(&mut self, now: Instant, mut sent: Transmission) {
        if !sent.echo.is_empty() {
            let bytes = std::mem::take(&mut sent.echo);
            self.put(now, Transmission::frame(bytes));
        }
        if sent.is_empty() && sent.end.is_none() {
            return;
        }
        self.cost += cost(&sent);
        if sent.delay.is_zero() {
            self.line_up(now, sent);
            return;
        }
        let due = after(now, sent.delay);
        self.order += 1;
        self.waiting.push(Waiting { due, order: self.order, sent });
    }

    /// Makes ready what is due, in the order of the due times and then of the requests.
    pub(super) fn release(&mut self, now: Instant) {
        while self.waiting.peek().is_some_and(|waiting| waiting.due <= now) {
            let Some(waiting) = self.waiting.pop() else { break };
            self.line_up(now, waiting.sent);
        }
        self.advance(now);
    }

    /// Gives a transmission that is due its place among the others.
    fn line_up(&mut self, now: Instant, sent: Transmission) {
        match (self.held.take(), sent.order) {
            (None, Order::InTurn) => self.line.push_back(sent),
            (None, Order::WithNext | Order::AfterNext) => self.held = Some(sent),
            (Some(held), _) if held.order == Order::WithNext => self.line.extend([held, sent]),
            (Some(held), _) => self.line.extend([sent, held]),
        }
        self.advance(now);
    }

    /// Moves what may go out from the line to what is ready.
    fn advance(&mut self, now: Instant) {
        while self.end.is_none() && self.resumes.is_none_or(|at| at <= now) {
            let Some(sent) = self.line.front_mut() else { return };
            // The pause before the very first piece is over: `resumes` was its end.
            let paused = self.resumes.take().is_some();
            let pause = sent.pieces.first().map(|piece| piece.pause).filter(|_| !paused);
            if let Some(pause) = pause.filter(|pause| !pause.is_zero()) {
                self.resumes = Some(after(now, pause));
                return;
            }
            if sent.pieces.is_empty() {
                self.end = sent.end;
                self.cost -= cost(sent);
                self.line.pop_front();
                continue;
            }
            let Piece { bytes, .. } = sent.pieces.remove(0);
            self.cost -= bytes.len();
            self.ready.extend(bytes);
        }
    }

    /// When the next transmission or piece is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let waiting = self.waiting.peek().map(|waiting| waiting.due);
        waiting.into_iter().chain(self.resumes).min()
    }

    /// The bytes to send now.
    pub(super) fn ready(&self) -> &[u8] {
        &self.ready
    }

    /// The first `count` bytes of [`Self::ready`] have been sent.
    pub(super) fn sent(&mut self, count: usize) {
        self.ready.drain(..count.min(self.ready.len()));
        if self.ready.is_empty() {
            // What a client once asked for at once is not held while it asks for nothing.
            self.ready.shrink_to(KEPT);
        }
    }

    /// How the connection ends now: everything before was sent.
    pub(super) fn end(&self) -> Option<End> {
        self.end.filter(|_| self.ready.is_empty())
    }

    /// Whether an answer is still to be sent, in part or whole.
    pub(super) fn is_busy(&self) -> bool {
        !self.ready.is_empty()
            || !self.waiting.is_empty()
            || !self.line.is_empty()
            || self.held.is_some()
    }

    /// Whether the answer to one more request may be put in.
    pub(super) fn has_room(&self) -> bool {
        self.ready.len() + self.cost < FULL
    }
}

/// A time that no clock can show is one that does not come.
fn after(now: Instant, pause: Duration) -> Instant {
    now.checked_add(pause).unwrap_or_else(|| now + NEVER)
}

fn cost(sent: &Transmission) -> usize {
    COST + sent.len()
}

impl Ord for Waiting {
    /// What is to be sent first is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due, other.order).cmp(&(self.due, self.order))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
