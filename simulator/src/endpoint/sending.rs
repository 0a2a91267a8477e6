//! A transmission on its way out over a wire: which bytes, and when. Pure: the time is told to it.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::wire::Wire;
use crate::fault::Piece;

/// What goes out, piece by piece.
#[derive(Debug)]
pub(super) struct Sending {
    pieces: VecDeque<Piece>,
    /// When the first of the pieces begins; when there are none left, when the last one was over.
    begin: Instant,
    /// How many bytes of the first piece are sent.
    sent: usize,
}

impl Sending {
    /// Nothing, which was over at `end`.
    pub(super) fn none(end: Instant) -> Self {
        Self { pieces: VecDeque::new(), begin: end, sent: 0 }
    }

    /// These pieces, from `begin` on.
    pub(super) fn new(pieces: impl IntoIterator<Item = Piece>, begin: Instant) -> Self {
        let pieces = pieces.into_iter().filter(|piece| !piece.bytes.is_empty());
        let mut sending = Self { pieces: pieces.collect(), begin, sent: 0 };
        sending.pause();
        sending
    }

    /// The silence before the first piece.
    fn pause(&mut self) {
        let Some(piece) = self.pieces.front() else { return };
        match self.begin.checked_add(piece.pause) {
            Some(begin) => self.begin = begin,
            // A time that no clock will ever show does not come.
            None => self.pieces.clear(),
        }
    }

    /// What is to be sent next, and when the last of it is due. Counted from the beginning of its
    /// piece, so that errors do not add up.
    pub(super) fn next(&self, wire: &Wire) -> Option<(Instant, &[u8])> {
        let rest = self.pieces.front()?.bytes.get(self.sent..)?;
        let chunk = rest.get(..wire.chunk()).unwrap_or(rest);
        Some((self.begin + wire.time(self.sent + chunk.len()), chunk))
    }

    /// So many bytes of [`Self::next`] have been sent.
    pub(super) fn sent(&mut self, count: usize, wire: &Wire) {
        self.sent += count;
        let Some(length) = self.pieces.front().map(|piece| piece.bytes.len()) else { return };
        if self.sent >= length {
            self.pieces.pop_front();
            self.begin += wire.time(length);
            self.sent = 0;
            self.pause();
        }
    }

    /// When all of it is through, once it is.
    pub(super) fn end(&self) -> Option<Instant> {
        self.pieces.is_empty().then_some(self.begin)
    }

    /// Whether all of it is through.
    pub(super) fn is_over(&self) -> bool {
        self.pieces.is_empty()
    }
}
