//! What of its memory a device lets its clients read and write, and how it refuses the rest: decided
//! before anything is touched, so that what is refused has changed nothing.
//!
//! Checked in the order of the specification (V1.1b3, clause 7): function and quantity come before
//! it, then the addresses (there, locked, writable, written together), then the values. A request
//! is refused as a whole, whatever part of it is.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `guard` | cells that cannot be read or written, always or until a password comes |
//! | `whole` | stretches that make sense only as a whole |
//! | `write` | what the memory would be after a write |
//! | `fixed` | requests that are answered whatever the memory holds |
//! | `unit` | the unit ids that a device answers for |
//!
//! Knows nothing of clocks: the time is told to it.

mod fixed;
mod guard;
mod unit;
mod whole;
mod write;

use std::time::Duration;

use passline_modbus::pdu::{Answer, ExceptionCode, Request, Response};
use passline_modbus::point::Span;

use crate::image::Image;
use crate::program::Held;
pub use fixed::{Override, Says};
use guard::Guarded;
pub use guard::{Guard, Lock, Unread, Unwritten};
pub use unit::{UnitIds, strangers};
pub use whole::Whole;
pub(crate) use write::Touched;

/// What a device lets be read and written. By default all that is there.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// Cells that cannot be read, or not written; the first that refuses decides.
    pub guards: Vec<Guard>,
    /// Stretches that are read or written as a whole or not at all.
    pub together: Vec<Whole>,
    /// Points with a range: what is written there has to be within.
    pub ranges: Vec<Held>,
    /// What a value out of its range is answered with.
    pub out_of_range: ExceptionCode,
    /// What a request is answered with that touches an address that does not exist.
    pub undeclared: ExceptionCode,
    /// What reads show instead at addresses that do not exist.
    pub filler: Option<u16>,
    /// Requests that are answered whatever the memory holds; the first that fits does.
    pub overrides: Vec<Override>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            guards: Vec::new(),
            together: Vec::new(),
            ranges: Vec::new(),
            out_of_range: ExceptionCode::IllegalDataValue,
            undeclared: ExceptionCode::IllegalDataAddress,
            filler: None,
            overrides: Vec::new(),
        }
    }
}

impl Access {
    /// The answer to requests that are answered whatever the memory holds.
    fn fixed(&self, pdu: &[u8]) -> Option<Answer> {
        self.overrides.iter().find_map(|fixed| fixed.answer(pdu))
    }
}

/// What is to be done about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// What it asks for.
    Do,
    /// A read of cells that do not exist shows this word there.
    Fill(u16),
    /// Nothing; it is answered as if it were done.
    Ignore,
}

/// The access to a device, and which of its locks are open.
#[derive(Debug)]
pub(crate) struct Gate {
    access: Access,
    guards: Vec<Guarded>,
    now: Duration,
}

impl Gate {
    pub(crate) fn new(access: Access) -> Self {
        let guards = access.guards.iter().map(|_| Guarded::default()).collect();
        Self { access, guards, now: Duration::ZERO }
    }

    /// It is this time of the simulation.
    pub(crate) fn advance(&mut self, elapsed: Duration) {
        self.now = self.now.max(elapsed);
    }

    /// The device begins anew: its locks are locked.
    pub(crate) fn begin(&mut self) {
        self.guards.fill_with(Guarded::default);
    }

    /// The answer to requests that are answered whatever the memory holds.
    pub(crate) fn fixed(&self, pdu: &[u8]) -> Option<Answer> {
        self.access.fixed(pdu)
    }

    /// Whether a request is carried out. Its quantities are in order.
    pub(crate) fn admit(
        &mut self,
        request: &Request<'_>,
        touched: Touched,
        image: &Image,
    ) -> Result<Admission, ExceptionCode> {
        let fill = self.exist(touched, image)?;
        let mut admission = fill.map_or(Admission::Do, Admission::Fill);
        for (guard, state) in self.access.guards.iter().zip(&self.guards) {
            if state.is_open(self.now) {
                continue;
            }
            if guard.refuses_read(touched) {
                guard.read.map_or(Ok(()), Unread::refusal)?;
            }
            if guard.refuses_write(touched) {
                guard.write.map_or(Ok(()), Unwritten::refusal)?;
                admission = Admission::Ignore;
            }
        }
        for whole in &self.access.together {
            whole.check(request, touched)?;
        }
        if let Some(written) = touched.written {
            self.values(request, written, image)?;
        }
        Ok(admission)
    }

    /// Whether every cell is there, or which word is read where none is.
    fn exist(&self, touched: Touched, image: &Image) -> Result<Option<u16>, ExceptionCode> {
        let is_there = |span| image.words(span).is_some() || image.bits(span).is_some();
        if !touched.written.is_none_or(is_there) {
            return Err(self.access.undeclared);
        }
        match self.access.filler {
            _ if touched.read.is_none_or(is_there) => Ok(None),
            Some(filler) => Ok(Some(filler)),
            None => Err(self.access.undeclared),
        }
    }

    /// Whether the values written are among those that may be.
    fn values(
        &mut self,
        request: &Request<'_>,
        written: Span,
        image: &Image,
    ) -> Result<(), ExceptionCode> {
        let touches = |held: &&Held| held.point.span().is_some_and(|span| span.overlaps(written));
        for held in self.access.ranges.iter().filter(touches) {
            let value = write::value_after(held, request, image);
            if !value.is_some_and(|value| held.point.permits(&value)) {
                return Err(self.access.out_of_range);
            }
        }
        for (guard, state) in self.access.guards.iter().zip(&mut self.guards) {
            let Some(lock) = guard.lock.as_ref().filter(|lock| touches(&&lock.password)) else {
                continue;
            };
            if let Some(code) = lock.wrong
                && !lock.is_right(write::value_after(&lock.password, request, image))
            {
                *state = Guarded::default();
                return Err(code);
            }
        }
        Ok(())
    }

    /// A request was carried out: what it opens and closes.
    pub(crate) fn done(&mut self, touched: Touched, image: &Image) {
        for (guard, state) in self.access.guards.iter().zip(&mut self.guards) {
            if let Some(lock) = &guard.lock {
                state.follow(guard, lock, touched, (image, self.now));
            }
        }
    }

    /// Puts zeros into an answer where it would show what is not to be read.
    pub(crate) fn hide(&self, touched: Touched, answer: &mut Answer) {
        let (Some(read), Ok(response)) = (touched.read, answer) else { return };
        for (guard, state) in self.access.guards.iter().zip(&self.guards) {
            if guard.read == Some(Unread::Zeros) && !state.is_open(self.now) {
                match response {
                    Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => {
                        guard.blank(read, bits);
                    }
                    Response::ReadHoldingRegisters(words)
                    | Response::ReadInputRegisters(words)
                    | Response::ReadWriteMultipleRegisters(words) => guard.blank(read, words),
                    _ => {}
                }
            }
        }
    }
}
