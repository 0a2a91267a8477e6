//! Which answers are missing: nothing in an answer on a bus says which request it belongs to, so
//! what is owed decides what an answer can be. Pure: no I/O, no clock.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use crate::pdu::{Request, decode_answer};

/// An answer that is missing for so long, and for so many times its response timeout, is lost.
const LOST_AFTER: Duration = Duration::from_mins(1);
const LOST_TIMEOUTS: u32 = 10;

/// What every answer on a bus says of its request; only the data can tell more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// A request without an answer.
#[derive(Debug)]
pub(super) struct Debt {
    pub(super) asker: Asker,
    pub(super) request: Request<'static>,
    pub(super) sent: Instant,
    /// How long its answer was waited for.
    pub(super) timeout: Duration,
}

impl Debt {
    fn is_lost(&self, now: Instant) -> bool {
        let life = self.timeout.saturating_mul(LOST_TIMEOUTS).max(LOST_AFTER);
        now.saturating_duration_since(self.sent) >= life
    }

    fn is_paid_by(&self, pdu: &[u8]) -> bool {
        decode_answer(pdu, &self.request).is_ok()
    }
}

/// The missing answers of each kind, in the order of their requests.
#[derive(Debug, Default)]
pub(super) struct Debts {
    open: HashMap<Kind, VecDeque<Debt>>,
}

impl Debts {
    /// An answer is missing.
    pub(super) fn owe(&mut self, kind: Kind, debt: Debt) {
        self.open.entry(kind).or_default().push_back(debt);
    }

    /// Whether an answer of this kind is missing.
    pub(super) fn owes(&self, kind: Kind) -> bool {
        self.open.contains_key(&kind)
    }

    /// When the request was sent whose answer of this kind is missing longest.
    pub(super) fn oldest(&self, kind: Kind) -> Option<Instant> {
        self.open.get(&kind)?.front().map(|debt| debt.sent)
    }

    /// Whether this could be a missing answer.
    pub(super) fn could_be(&self, kind: Kind, pdu: &[u8]) -> bool {
        self.open.get(&kind).is_some_and(|debts| debts.iter().any(|debt| debt.is_paid_by(pdu)))
    }

    /// An answer of this kind came. Returns to whom it is put: to the oldest request that it fits;
    /// `None` if there is none.
    pub(super) fn pay(&mut self, kind: Kind, pdu: &[u8]) -> Option<Asker> {
        let debts = self.open.get_mut(&kind)?;
        let index = debts.iter().position(|debt| debt.is_paid_by(pdu))?;
        let debt = debts.remove(index)?;
        if debts.is_empty() {
            self.open.remove(&kind);
        }
        Some(debt.asker)
    }

    /// None of this kind will come any more.
    pub(super) fn clear(&mut self, kind: Kind) {
        self.open.remove(&kind);
    }

    /// Gives up what is missing for too long.
    pub(super) fn forget(&mut self, now: Instant) {
        self.open.retain(|_, debts| {
            debts.retain(|debt| !debt.is_lost(now));
            !debts.is_empty()
        });
    }
}
