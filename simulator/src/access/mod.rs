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

use passline_modbus::pdu::{
    Answer, ExceptionCode, MAX_READ_BITS, MAX_READ_REGISTERS, Request, Response,
};
use passline_modbus::point::{Span, Table};

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
    /// The most registers that one read may ask for; more are exception 3.
    pub max_registers: u16,
    /// The most bits that one read may ask for; more are exception 3.
    pub max_bits: u16,
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
            max_registers: MAX_READ_REGISTERS,
            max_bits: MAX_READ_BITS,
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
    /// The most that one read of this table may ask for.
    fn most(&self, table: Table) -> u16 {
        if table.is_bits() { self.max_bits } else { self.max_registers }
    }

    /// Whether what a request writes as the password of a lock opens it, or another lock that has
    /// its password in the same place.
    fn opens(&self, lock: &Lock, request: &Request<'_>, image: &Image) -> bool {
        let place = lock.password.point.span();
        let locks = self.guards.iter().filter_map(|guard| guard.lock.as_ref());
        let mut locks = locks.filter(|other| other.password.point.span() == place);
        locks.any(|other| other.is_right(write::value_after(&other.password, request, image)))
    }

    /// The answer to requests that are answered whatever the memory holds.
    fn fixed(&self, pdu: &[u8]) -> Option<Answer> {
        self.overrides.iter().find_map(|fixed| fixed.answer(pdu))
    }
}

/// How a request that may be is carried out. By default as it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Admission {
    /// It reads cells that do not exist, and this word is shown there.
    pub(crate) filler: Option<u16>,
    /// Nothing is done; it is answered as if it were.
    pub(crate) ignored: bool,
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
        if touched.read.is_some_and(|read| read.count() > self.access.most(read.table())) {
            return Err(ExceptionCode::IllegalDataValue);
        }
        let mut admission = Admission { filler: self.exist(touched, image)?, ignored: false };
        for (guard, state) in self.access.guards.iter().zip(&self.guards) {
            if state.is_open(self.now) {
                continue;
            }
            if guard.refuses_read(touched) {
                guard.read.map_or(Ok(()), Unread::refusal)?;
            }
            if guard.refuses_write(touched) {
                guard.write.map_or(Ok(()), Unwritten::refusal)?;
                admission.ignored = true;
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
            let is_wrong = || !self.access.opens(lock, request, image);
            if let Some(code) = lock.wrong.filter(|_| is_wrong()) {
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
