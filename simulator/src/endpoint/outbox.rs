//! The frames of one connection that are still to be sent: those that wait for their time, and
//! those whose time has come. Bounded, so that a client which never reads costs no memory.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Duration;

use tokio::time::Instant;

/// From this many bytes on, no more requests are taken.
const FULL: usize = 64 * 1024;

/// What a waiting frame costs beside its bytes.
const WAITING: usize = size_of::<Waiting>();

/// Frames on their way out.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    ready: Vec<u8>,
    waiting: BinaryHeap<Waiting>,
    /// What the waiting frames cost.
    held: usize,
    /// Frames ever put in to wait.
    order: u64,
}

#[derive(Debug, PartialEq, Eq)]
struct Waiting {
    due: Instant,
    order: u64,
    frame: Vec<u8>,
}

impl Outbox {
    /// Takes a frame to be sent after `delay`.
    pub(super) fn put(&mut self, now: Instant, delay: Duration, frame: Vec<u8>) {
        if delay.is_zero() {
            self.ready.extend_from_slice(&frame);
            return;
        }
        // A time that no clock will ever show does not come.
        let Some(due) = now.checked_add(delay) else { return };
        self.held += frame.len() + WAITING;
        self.order += 1;
        self.waiting.push(Waiting { due, order: self.order, frame });
    }

    /// Makes ready what is due, in the order of the due times and then of the requests.
    pub(super) fn release(&mut self, now: Instant) {
        while self.next_due().is_some_and(|due| due <= now) {
            let Some(waiting) = self.waiting.pop() else { return };
            self.held -= waiting.frame.len() + WAITING;
            self.ready.extend_from_slice(&waiting.frame);
        }
    }

    /// When the next waiting frame is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.peek().map(|waiting| waiting.due)
    }

    /// The bytes to send now.
    pub(super) fn ready(&self) -> &[u8] {
        &self.ready
    }

    /// The first `count` bytes of [`Self::ready`] have been sent.
    pub(super) fn sent(&mut self, count: usize) {
        self.ready.drain(..count.min(self.ready.len()));
    }

    /// Whether the answer to one more request may be put in.
    pub(super) fn has_room(&self) -> bool {
        self.ready.len() + self.held < FULL
    }
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
