//! Whether the line repeats what we send. Pure: bytes in, bytes out.

use crate::link::{LinkError, Malformed};

/// The request that was sent, while what comes could still be it.
#[derive(Debug, Default)]
pub(super) struct Echo {
    request: Vec<u8>,
    matched: usize,
    is_over: bool,
}

/// What came, as far as it concerns the echo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard<'a> {
    /// All of it could be the echo; more is to come.
    Part,
    /// The echo is whole; this came behind it.
    Whole(&'a [u8]),
    /// It is no echo, nor is what was [held](Echo::held) back. So many bytes of this would have
    /// fit.
    Not { more: usize },
}

impl Echo {
    /// `request` begins to leave.
    pub(super) fn begin(&mut self, request: &[u8]) {
        self.request.clear();
        self.request.extend_from_slice(request);
        self.matched = 0;
        self.is_over = false;
    }

    /// Whether what comes could be the echo.
    pub(super) fn is_open(&self) -> bool {
        !self.is_over
    }

    /// What was sent.
    pub(super) fn request(&self) -> &[u8] {
        &self.request
    }

    /// The bytes held back.
    pub(super) fn held(&self) -> &[u8] {
        self.request.get(..self.matched).unwrap_or_default()
    }

    /// What it means that it did not come as it was sent: `more` bytes behind those held back were.
    pub(super) fn missing(&self, more: usize) -> LinkError {
        let (matched, sent) = (self.matched + more, self.request.len());
        LinkError::Frame(Malformed::NoEcho { matched, sent })
    }

    /// No echo is waited for any longer.
    pub(super) fn end(&mut self) {
        self.is_over = true;
        self.matched = 0;
    }

    /// Takes what came. After [`Heard::Whole`] and [`Heard::Not`] it is over.
    pub(super) fn hear<'a>(&mut self, bytes: &'a [u8]) -> Heard<'a> {
        let due = self.request.get(self.matched..).unwrap_or_default();
        let same = due.iter().zip(bytes).take_while(|(due, byte)| due == byte).count();
        if same == due.len() {
            self.end();
            return Heard::Whole(bytes.get(same..).unwrap_or_default());
        }
        if same == bytes.len() {
            self.matched += same;
            return Heard::Part;
        }
        self.is_over = true;
        Heard::Not { more: same }
    }
}
