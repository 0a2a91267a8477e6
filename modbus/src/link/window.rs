//! Whose answer is it? The transaction ids of one connection: which are open, which must not be
//! used again, which frame belongs to which call. Pure: no I/O, no clock.

use std::collections::{HashMap, VecDeque};

use super::InFlight;

/// How many completed calls are remembered to tell a second answer from a foreign frame.
const RECENT: usize = 64;

/// From so many retired ids on, the connection should be renewed. Half of all ids: the other half
/// keeps the distance between two uses of an id long.
const MAX_RETIRED: usize = 32_768;

/// The open calls of a connection, oldest first, and the ids of those that are over.
#[derive(Debug)]
pub(super) struct Window<T> {
    open: VecDeque<Open<T>>,
    limit: usize,
    next: u16,
    /// Ids that are not used again on this connection, because an answer may still come.
    retired: HashMap<u16, Retired>,
    /// A ring of the calls completed last.
    recent: [Option<Done>; RECENT],
    oldest: usize,
}

/// An open call.
#[derive(Debug)]
pub(super) struct Open<T> {
    transaction: u16,
    unit: u8,
    call: u64,
    /// Whatever the caller keeps with it.
    pub(super) item: T,
}

/// Why an id is retired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its deadline passed: its answer is still due.
    Expired,
    /// It was answered with something malformed: the true answer may still follow.
    Malformed,
}

/// Whose a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The open call at this index.
    Open(usize),
    /// The expired call with this caller's id.
    Late(u64),
    /// The answered call with this caller's id.
    Duplicate(u64),
    /// Nobody's.
    Foreign,
}

#[derive(Debug, Clone, Copy)]
struct Retired {
    unit: u8,
    call: u64,
    fate: Fate,
}

impl Retired {
    fn owner(&self) -> Owner {
        match self.fate {
            Fate::Expired => Owner::Late(self.call),
            Fate::Malformed => Owner::Duplicate(self.call),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Done {
    transaction: u16,
    unit: u8,
    call: u64,
}

impl<T> Open<T> {
    /// Its transaction id and its unit id.
    pub(super) fn header(&self) -> (u16, u8) {
        (self.transaction, self.unit)
    }
}

impl<T> Window<T> {
    pub(super) fn new(in_flight: InFlight) -> Self {
        let limit = usize::from(in_flight.get());
        Self {
            open: VecDeque::with_capacity(limit),
            limit,
            next: 1,
            retired: HashMap::new(),
            recent: [None; RECENT],
            oldest: 0,
        }
    }

    /// Forgets what only concerned the last connection. Ids go on where they were: some gateways
    /// answer a request of the last connection on the next one.
    pub(super) fn start_over(&mut self) {
        self.open.clear();
        self.retired.clear();
        self.recent = [None; RECENT];
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.open.len() < self.limit
    }

    /// Whether too many ids are retired to go on with this connection.
    pub(super) fn is_exhausted(&self) -> bool {
        self.retired.len() >= MAX_RETIRED
    }

    /// The id for the next request: the one whose last use is longest ago, of those that may be
    /// used.
    pub(super) fn reserve(&mut self) -> u16 {
        // Ends: at most MAX_RETIRED + 16 ids are retired or open.
        loop {
            let transaction = self.next;
            self.next = self.next.wrapping_add(1);
            if !self.retired.contains_key(&transaction) && self.find(transaction).is_none() {
                return transaction;
            }
        }
    }

    /// Adds a call under an id from [`reserve`](Self::reserve).
    pub(super) fn open(&mut self, transaction: u16, unit: u8, call: u64, item: T) {
        self.open.push_back(Open { transaction, unit, call, item });
    }

    /// The open calls, oldest first.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Open<T>> {
        self.open.iter_mut()
    }

    /// The open calls, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Open<T>> {
        self.open.iter()
    }

    /// Whose a frame with this transaction id is. Both must fit, it and the unit id: `admits` tells
    /// of the unit of a request whether the frame can be its answer.
    pub(super) fn owner(&self, transaction: u16, admits: impl Fn(u8) -> bool) -> Owner {
        if let Some(index) = self.find(transaction) {
            let fits = self.open.get(index).is_some_and(|open| admits(open.unit));
            return if fits { Owner::Open(index) } else { Owner::Foreign };
        }
        if let Some(retired) = self.retired.get(&transaction) {
            return if admits(retired.unit) { retired.owner() } else { Owner::Foreign };
        }
        let same = |done: &&Done| done.transaction == transaction && admits(done.unit);
        let done = self.recent.iter().flatten().find(same);
        done.map_or(Owner::Foreign, |done| Owner::Duplicate(done.call))
    }

    /// Whose a frame is where transaction ids mean nothing: that of the oldest open call, else of one
    /// that is over without its answer.
    pub(super) fn oldest(&self, admits: impl Fn(u8) -> bool) -> Owner {
        if let Some(open) = self.open.front() {
            return if admits(open.unit) { Owner::Open(0) } else { Owner::Foreign };
        }
        let retired = self.retired.values().find(|retired| admits(retired.unit));
        retired.map_or(Owner::Foreign, Retired::owner)
    }

    /// Nothing is owed any more: what was retired has its answer.
    pub(super) fn pay(&mut self) {
        self.retired.clear();
    }

    /// The call at `index`, as [`owner`](Self::owner) told it.
    pub(super) fn get(&self, index: usize) -> Option<&Open<T>> {
        self.open.get(index)
    }

    /// Takes out a call that has its answer: its id may be used again, last of all.
    pub(super) fn complete(&mut self, index: usize) -> Option<T> {
        let Open { transaction, unit, call, item } = self.open.remove(index)?;
        if let Some(slot) = self.recent.get_mut(self.oldest) {
            *slot = Some(Done { transaction, unit, call });
        }
        self.oldest = (self.oldest + 1) % RECENT;
        Some(item)
    }

    /// Takes out a call without a usable answer: its id is not used again on this connection.
    pub(super) fn retire(&mut self, index: usize, fate: Fate) -> Option<T> {
        let Open { transaction, unit, call, item } = self.open.remove(index)?;
        self.retired.insert(transaction, Retired { unit, call, fate });
        Some(item)
    }

    /// Takes out a call because the connection is over.
    pub(super) fn pop(&mut self) -> Option<T> {
        self.open.pop_front().map(|open| open.item)
    }

    fn find(&self, transaction: u16) -> Option<usize> {
        self.open.iter().position(|open| open.transaction == transaction)
    }
}
