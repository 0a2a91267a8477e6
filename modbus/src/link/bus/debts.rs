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

    /// An answer of this kind came. Returns what it is put to: the oldest request that it fits;
    /// `None` if there is none.
    pub(super) fn pay(&mut self, kind: Kind, pdu: &[u8]) -> Option<Debt> {
        let debts = self.open.get_mut(&kind)?;
        let index = debts.iter().position(|debt| debt.is_paid_by(pdu))?;
        let debt = debts.remove(index)?;
        if debts.is_empty() {
            self.open.remove(&kind);
        }
        Some(debt)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A read of one or two registers of unit 1 or 2 goes out, or an answer of one of these or an
    /// exception comes.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Owe { unit: u8, count: u16 },
        Pay { unit: u8, count: Option<u16> },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1..3_u8, 1..3_u16).prop_map(|(unit, count)| Step::Owe { unit, count }),
            (1..3_u8, proptest::option::of(1..3_u16))
                .prop_map(|(unit, count)| Step::Pay { unit, count }),
        ]
    }

    /// `None`: an exception.
    fn answer(count: Option<u16>) -> Vec<u8> {
        match count {
            None => vec![0x83, 2],
            Some(1) => vec![3, 2, 0, 7],
            Some(_) => vec![3, 4, 0, 7, 0, 8],
        }
    }

    proptest! {
        /// Each answer pays the oldest request that it fits, and no other; nothing is lost or
        /// made up.
        #[test]
        fn the_oldest_that_fits_is_paid(steps in proptest::collection::vec(step(), 0..60)) {
            let begin = Instant::now();
            let (mut debts, mut model) = (Debts::default(), Vec::new());
            for (id, step) in (0_u64..).zip(steps) {
                match step {
                    Step::Owe { unit, count } => {
                        debts.owe(Kind::new(unit, 3), Debt {
                            asker: Asker::Call(id),
                            request: Request::ReadHoldingRegisters(0, count),
                            sent: begin + Duration::from_millis(id),
                            timeout: Duration::from_secs(1),
                        });
                        model.push((id, unit, count));
                    }
                    Step::Pay { unit, count } => {
                        let fits = |debt: &(u64, u8, u16)| {
                            debt.1 == unit && count.is_none_or(|count| count == debt.2)
                        };
                        let due = model.iter().position(fits).map(|at| model.remove(at));
                        let (kind, pdu) = (Kind::new(unit, 0x83), answer(count));
                        prop_assert_eq!(debts.could_be(kind, &pdu), due.is_some());
                        let paid = debts.pay(kind, &pdu);
                        prop_assert_eq!(paid.map(|debt| debt.asker), due.map(|(id, _, _)| Asker::Call(id)));
                    }
                }
                for unit in 1..3 {
                    let oldest = model.iter().find(|debt| debt.1 == unit);
                    let oldest = oldest.map(|debt| begin + Duration::from_millis(debt.0));
                    prop_assert_eq!(debts.oldest(Kind::new(unit, 3)), oldest);
                    prop_assert_eq!(debts.owes(Kind::new(unit, 3)), oldest.is_some());
                }
            }
            debts.forget(begin + Duration::from_secs(59));
            prop_assert_eq!(debts.owes(Kind::new(1, 3)), model.iter().any(|debt| debt.1 == 1));
            debts.forget(begin + Duration::from_mins(2));
            prop_assert!(!debts.owes(Kind::new(1, 3)));
        }
    }
}
