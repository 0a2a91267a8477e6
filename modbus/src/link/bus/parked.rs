//! Reads whose first answer was set aside, until the line has been listened to for long enough. Other
//! units are served meanwhile: a unit that comes back after a while holds nobody up. Pure.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::debts::{Debts, Kind};
use crate::link::queue::Waiting;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Parked {
    reads: Vec<Read>,
    /// Calls to the same units, in order.
    held: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Read {
    waiting: Waiting,
    kind: Kind,
    until: Instant,
}

impl Parked {
    pub(super) fn is_empty(&self) -> bool {
        self.reads.is_empty() && self.held.is_empty()
    }

    /// A read of this kind is to be sent again at `until`, or once nothing is missing any more.
    pub(super) fn park(&mut self, waiting: Waiting, kind: Kind, until: Instant) {
        self.reads.push(Read { waiting, kind, until });
    }

    /// When the next read is to be sent again at the latest.
    pub(super) fn until(&self) -> Option<Instant> {
        self.reads.iter().map(|read| read.until).min()
    }

    /// A read that is to be sent again now.
    pub(super) fn ready(&mut self, debts: &Debts, now: Instant) -> Option<Waiting> {
        self.reads.retain(|read| !read.waiting.is_given_up());
        let is_ready = |read: &Read| read.until <= now || !debts.owes(read.kind);
        let index = self.reads.iter().position(is_ready)?;
        Some(self.reads.remove(index).waiting)
    }

    /// Keeps a call back if a read of its unit is parked; else returns it.
    pub(super) fn hold(&mut self, waiting: Waiting) -> Option<Waiting> {
        if self.holds(&waiting) {
            self.held.push_back(waiting);
            return None;
        }
        Some(waiting)
    }

    /// A call that is kept back no longer.
    pub(super) fn release(&mut self) -> Option<Waiting> {
        let index = self.held.iter().position(|waiting| !self.holds(waiting))?;
        self.held.remove(index)
    }

    /// The connection is over. All of them have their turn on the next one: none is on the wire.
    pub(super) fn end(&mut self) -> VecDeque<Waiting> {
        let reads = self.reads.drain(..).map(|read| read.waiting);
        reads.chain(self.held.drain(..)).collect()
    }

    fn holds(&self, waiting: &Waiting) -> bool {
        self.reads.iter().any(|read| read.kind.unit == waiting.call.unit)
    }
}
