//! Which answers are missing: nothing in an answer on a bus says which request it belongs to, so
//! what is owed decides what an answer can be. Pure: no I/O, no clock.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

/// More than so many missing answers of one kind are not told apart by their calls.
const TOLD_APART: usize = 64;

/// An answer that is missing for so long, and for so many times its response timeout, is lost.
const LOST_AFTER: Duration = Duration::from_mins(1);
const LOST_TIMEOUTS: u32 = 10;

/// What tells answers apart on a bus: nothing else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) unit: u8,
    /// Without the bit that marks an exception.
    pub(super) function: u8,
}

impl Kind {
    pub(super) fn new(unit: u8, function: u8) -> Self {
        Self { unit, function: function & 0x7F }
    }
}

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// That of this call.
    Call(u64),
    /// Another client's.
    Another,
}

/// The missing answers of each kind, in the order of their requests.
#[derive(Debug, Default)]
pub(super) struct Debts {
    open: HashMap<Kind, VecDeque<Debt>>,
}

#[derive(Debug)]
struct Debt {
    asker: Asker,
    sent: Instant,
    lost: Option<Instant>,
    answers: u64,
}

impl Debts {
    /// A request went out at `sent` and has no answer within `timeout`.
    pub(super) fn owe(&mut self, kind: Kind, asker: Asker, (sent, timeout): (Instant, Duration)) {
        let life = timeout.saturating_mul(LOST_TIMEOUTS).max(LOST_AFTER);
        let debts = self.open.entry(kind).or_default();
        let is_full = debts.len() >= TOLD_APART;
        if let Some(last) = debts.back_mut().filter(|_| is_full) {
            last.answers += 1;
        } else {
            debts.push_back(Debt { asker, sent, lost: sent.checked_add(life), answers: 1 });
        }
    }

    /// Whether an answer of this kind is missing.
    pub(super) fn owes(&self, kind: Kind) -> bool {
        self.open.contains_key(&kind)
    }

    /// When the request was sent whose answer of this kind is missing longest.
    pub(super) fn oldest(&self, kind: Kind) -> Option<Instant> {
        self.open.get(&kind)?.front().map(|debt| debt.sent)
    }

    /// An answer of this kind came. Returns to whom, as far as can be told; `None`
    /// if none is missing.
    pub(super) fn pay(&mut self, kind: Kind) -> Option<Asker> {
        let debts = self.open.get_mut(&kind)?;
        let oldest = debts.front_mut()?;
        let asker = oldest.asker;
        oldest.answers -= 1;
        if oldest.answers == 0 {
            debts.pop_front();
        }
        if debts.is_empty() {
            self.open.remove(&kind);
        }
        Some(asker)
    }

    /// None of this kind will come any more.
    pub(super) fn clear(&mut self, kind: Kind) {
        self.open.remove(&kind);
    }

    /// Gives up what is missing for too long.
    pub(super) fn forget(&mut self, now: Instant) {
        self.open.retain(|_, debts| {
            debts.retain(|debt| debt.lost.is_none_or(|lost| now < lost));
            !debts.is_empty()
        });
    }
}
