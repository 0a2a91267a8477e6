//! From a link's observer to the record: which frames belong to which transaction.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use passline_modbus::link::{self, EventKind, What};
use tokio::time::Instant;

use super::Emit;
use crate::record::{Direction, Event, Frame, Hex, Note, Transaction};

/// The transactions of one line that are not yet in the record.
#[derive(Clone)]
pub(super) struct Frames {
    inner: Arc<Mutex<Inner>>,
    emit: Emit,
    /// When the run began.
    zero: Instant,
}

#[derive(Default)]
struct Inner {
    /// The open transactions and their frames so far, by call id.
    open: BTreeMap<u64, Transaction>,
    /// The call that ended last.
    last: Option<u64>,
    /// What came before there was any transaction to put it to.
    early: Vec<Frame>,
    /// Whether the records are finished: what comes now has no place any more.
    sealed: bool,
}

/// A transaction of a record as one number, as links carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CallId {
    pub(super) record: usize,
    pub(super) transaction: u64,
}

const TRANSACTION_BITS: u32 = 40;

impl CallId {
    pub(super) fn pack(self) -> u64 {
        (self.record as u64) << TRANSACTION_BITS | self.transaction
    }

    fn unpack(packed: u64) -> Self {
        let record = usize::try_from(packed >> TRANSACTION_BITS).unwrap_or(usize::MAX);
        Self { record, transaction: packed & ((1 << TRANSACTION_BITS) - 1) }
    }
}

impl Frames {
    pub(super) fn new(emit: Emit, zero: Instant) -> Self {
        Self { inner: Arc::default(), emit, zero }
    }

    /// A call begins. Its transaction has no frames of its own yet.
    pub(super) fn open(&self, call: u64, mut transaction: Transaction) {
        let mut inner = self.lock();
        transaction.frames.append(&mut inner.early);
        inner.open.insert(call, transaction);
    }

    /// A call ended: tells its transaction.
    pub(super) fn close(&self, call: u64) {
        let transaction = {
            let mut inner = self.lock();
            inner.last = Some(call);
            inner.open.remove(&call)
        };
        self.tell(call, transaction);
    }

    /// Tells what is still open; from then on nothing is told.
    pub(super) fn seal(&self) {
        let open = {
            let mut inner = self.lock();
            inner.sealed = true;
            std::mem::take(&mut inner.open)
        };
        for (call, transaction) in open {
            self.tell(call, Some(transaction));
        }
    }

    fn tell(&self, call: u64, transaction: Option<Transaction>) {
        if let Some(transaction) = transaction {
            (self.emit)(Event::Transaction { record: CallId::unpack(call).record, transaction });
        }
    }

    /// Takes what a link reports. A frame that belongs to no call is put to the oldest open one,
    /// else to the last that ended: that is where someone looks for it.
    pub(super) fn observe(&self, event: &link::Event<'_>) {
        let EventKind::Frame { direction, bytes, transaction, what } = event.kind else { return };
        let frame = Frame {
            at_us: micros(event.at, self.zero),
            dir: match direction {
                link::Direction::Out => Direction::Tx,
                link::Direction::In => Direction::Rx,
            },
            hex: Hex(bytes.to_vec()),
            note: note(what),
        };
        let mut inner = self.lock();
        let oldest = inner.open.first_key_value().map(|(call, _)| *call);
        let Some(call) = transaction.or(oldest).or(inner.last) else {
            inner.early.push(frame);
            return;
        };
        if let Some(open) = inner.open.get_mut(&call) {
            open.frames.push(frame);
            return;
        }
        let sealed = inner.sealed;
        drop(inner);
        if !sealed {
            let CallId { record, transaction } = CallId::unpack(call);
            (self.emit)(Event::LateFrame { record, transaction, frame });
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Nothing panics while it is held, and what is in it stays true if something did.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn note(what: What) -> Option<Note> {
    match what {
        What::Request | What::Answer => None,
        What::Tolerated(_) => Some(Note::Tolerated),
        What::Late => Some(Note::Late),
        What::Foreign => Some(Note::Foreign),
        What::Duplicate => Some(Note::Duplicate),
        What::Garbage => Some(Note::Garbage),
        What::Damaged => Some(Note::Damaged),
        What::Echo => Some(Note::Echo),
        What::SetAside => Some(Note::SetAside),
    }
}

fn micros(at: Instant, zero: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(zero).as_micros()).unwrap_or(u64::MAX)
}
