//! What happens on a line, told to an observer as it happens, and counted.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::time::Instant;

use super::{CloseReason, Oddities};

/// Something that happened on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// When, by a clock that never goes back.
    pub at: Instant,
    /// What.
    pub kind: EventKind<'a>,
}

/// What can happen on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind<'a> {
    /// A connection was opened.
    Connected,
    /// The connection ended. While no call is open this is normal: the next one reconnects.
    Closed(CloseReason),
    /// Bytes went over the line: a whole frame, except for [`What::Garbage`].
    Frame {
        /// Which way.
        direction: Direction,
        /// The bytes, header included.
        bytes: &'a [u8],
        /// The [`Call::id`](super::Call::id) of the call that they belong to.
        transaction: Option<u64>,
        /// What they are.
        what: What,
    },
}

/// Which way bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To the device.
    Out,
    /// From the device.
    In,
}

/// What bytes on the line are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// The request of a call; reported when its last byte is written.
    Request,
    /// The answer to an open call, well-formed or not.
    Answer,
    /// The answer to an open call, used although this is wrong with it: see
    /// [`Options::tolerance`](super::Options::tolerance).
    Tolerated(Oddities),
    /// An answer to a call that had already expired. Never used.
    Late,
    /// A frame of another unit or transaction, or another client's request. Never used.
    Foreign,
    /// One more answer to a call that had its answer. Never used.
    Duplicate,
    /// Bytes that are no frame: a bad header and what follows, or the part of a frame that was
    /// transferred before the connection ended.
    Garbage,
    /// What starts like the answer to the open call, but has a wrong checksum or is cut short.
    /// Never used.
    Damaged,
    /// Our own request, repeated by the line.
    Echo,
    /// It fits the open call, but an earlier request of the same unit and function still lacks its
    /// answer, and this could be it. Never used: the read is sent again.
    SetAside,
}

/// How often the line misbehaved since the link was made. The sum over all its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Answers to calls that had already expired.
    pub late: u64,
    /// Frames of another unit or transaction.
    pub foreign: u64,
    /// Further answers to calls that had theirs.
    pub duplicate: u64,
    /// Runs of bytes from the device that are no frame.
    pub garbage: u64,
    /// Answers that were damaged on the line.
    pub damaged: u64,
    /// Answers that were not used because they could have been those to earlier requests.
    pub set_aside: u64,
    /// Connections opened after the first one.
    pub reconnects: u64,
}

/// [`Counters`] while they count.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) late: AtomicU64,
    pub(super) foreign: AtomicU64,
    pub(super) duplicate: AtomicU64,
    pub(super) garbage: AtomicU64,
    pub(super) damaged: AtomicU64,
    pub(super) set_aside: AtomicU64,
    pub(super) reconnects: AtomicU64,
}

/// Tells the observer what happens, and counts what misbehaves.
pub(super) struct Reporter<O> {
    observer: O,
    tally: Arc<Tally>,
}

impl<O: FnMut(Event<'_>)> Reporter<O> {
    pub(super) fn new(observer: O, tally: Arc<Tally>) -> Self {
        Self { observer, tally }
    }

    pub(super) fn tally(&self) -> Counters {
        self.tally.read()
    }

    pub(super) fn report(&mut self, at: Instant, kind: EventKind<'_>) {
        (self.observer)(Event { at, kind });
    }

    pub(super) fn connected(&mut self, is_first: bool) {
        if !is_first {
            count(&self.tally.reconnects);
        }
        self.report(Instant::now(), EventKind::Connected);
    }

    /// Bytes went to the device.
    pub(super) fn went(&mut self, at: Instant, bytes: &[u8], call: u64, what: What) {
        let (direction, transaction) = (Direction::Out, Some(call));
        self.report(at, EventKind::Frame { direction, bytes, transaction, what });
    }

    /// Bytes came from the device.
    pub(super) fn came(&mut self, at: Instant, bytes: &[u8], transaction: Option<u64>, what: What) {
        match what {
            What::Late => count(&self.tally.late),
            What::Foreign => count(&self.tally.foreign),
            What::Duplicate => count(&self.tally.duplicate),
            What::Garbage => count(&self.tally.garbage),
            What::Damaged => count(&self.tally.damaged),
            What::SetAside => count(&self.tally.set_aside),
            What::Request | What::Answer | What::Tolerated(_) | What::Echo => {}
        }
        let direction = Direction::In;
        self.report(at, EventKind::Frame { direction, bytes, transaction, what });
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Tally {
    pub(super) fn read(&self) -> Counters {
        Counters {
            late: self.late.load(Ordering::Relaxed),
            foreign: self.foreign.load(Ordering::Relaxed),
            duplicate: self.duplicate.load(Ordering::Relaxed),
            garbage: self.garbage.load(Ordering::Relaxed),
            damaged: self.damaged.load(Ordering::Relaxed),
            set_aside: self.set_aside.load(Ordering::Relaxed),
            reconnects: self.reconnects.load(Ordering::Relaxed),
        }
    }
}
