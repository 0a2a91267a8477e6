//! Cells that cannot be read or written: always, or until a password is written.

use std::time::Duration;

use passline_modbus::pdu::ExceptionCode;
use passline_modbus::point::Span;
use passline_modbus::value::Value;

use super::write::Touched;
use crate::image::Image;
use crate::program::{Held, is_same};

/// Cells, and what becomes of requests that touch them.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// The cells.
    pub cells: Vec<Span>,
    /// What a read is answered with. Without it, it is let through.
    pub read: Option<Unread>,
    /// What a write is answered with. Without it, it is let through.
    pub write: Option<Unwritten>,
    /// What opens them. Without it, nothing does.
    pub lock: Option<Lock>,
}

/// What a read of cells is answered with that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// This exception.
    Refused(ExceptionCode),
    /// Zeros in their place.
    Zeros,
}

/// What a write of cells is answered with that cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwritten {
    /// This exception.
    Refused(ExceptionCode),
    /// As if it were done, and nothing of it is.
    Ignored,
}

/// A password, and how long it opens.
#[derive(Debug, Clone, PartialEq)]
pub struct Lock {
    /// Where it is written.
    pub password: Held,
    /// What it is.
    pub value: Value,
    /// How long the cells are open then. Without it, until something else is written there.
    pub lasts: Option<Duration>,
    /// Whether the first request is the last that the password lets through.
    pub once: bool,
    /// What another value there is answered with. Without it, it is stored as any other.
    pub wrong: Option<ExceptionCode>,
}

impl Unread {
    pub(super) fn refusal(self) -> Result<(), ExceptionCode> {
        match self {
            Self::Refused(code) => Err(code),
            Self::Zeros => Ok(()),
        }
    }
}

impl Unwritten {
    pub(super) fn refusal(self) -> Result<(), ExceptionCode> {
        match self {
            Self::Refused(code) => Err(code),
            Self::Ignored => Ok(()),
        }
    }
}

impl Lock {
    pub(super) fn is_right(&self, value: Option<Value>) -> bool {
        value.is_some_and(|value| is_same(&value, &self.value))
    }
}

impl Guard {
    /// Whether it is about this read. That of a guard without an answer is let through.
    pub(super) fn refuses_read(&self, touched: Touched) -> bool {
        self.read.is_some() && touched.read.is_some_and(|read| self.has(read))
    }

    /// Whether it is about this write. That of a guard without an answer is let through.
    pub(super) fn refuses_write(&self, touched: Touched) -> bool {
        self.write.is_some() && touched.written.is_some_and(|written| self.has(written))
    }

    fn has(&self, span: Span) -> bool {
        self.cells.iter().any(|own| own.overlaps(span))
    }

    /// Takes its cells out of what was read.
    pub(super) fn blank<T: Default>(&self, read: Span, cells: &mut [T]) {
        for own in self.cells.iter().filter(|own| own.overlaps(read)) {
            let first = usize::from(own.address().saturating_sub(read.address()));
            let end = own.end().saturating_sub(read.address().into()) as usize;
            let hidden = cells.iter_mut().take(end).skip(first);
            hidden.for_each(|cell| *cell = T::default());
        }
    }
}

/// Whether the cells of a guard are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Guarded {
    /// Until when; `None`: they are not.
    until: Option<Duration>,
}

impl Guarded {
    pub(super) fn is_open(self, now: Duration) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// Opens and closes as a request wants that was carried out.
    pub(super) fn follow(
        &mut self,
        guard: &Guard,
        lock: &Lock,
        touched: Touched,
        (image, now): (&Image, Duration),
    ) {
        let password = lock.password.point.span();
        let is_told = touched.written.zip(password).is_some_and(|(one, two)| one.overlaps(two));
        if is_told {
            let lasts = lock.lasts.unwrap_or(Duration::MAX);
            let opens = lock.is_right(lock.password.read(image));
            self.until = opens.then(|| now.saturating_add(lasts));
        } else if lock.once && (guard.refuses_read(touched) || guard.refuses_write(touched)) {
            self.until = None;
        }
    }
}
