//! What one assignment of the command line writes, and how it is shown. Pure.

use std::fmt;

use passline_modbus::change::{Change, Manner, Part, Way, WriteBits, WriteFunction};
use passline_modbus::point::Point;

use crate::cli::terminal;

/// One request, and what it is for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Write {
    change: Change,
    /// At least one, each right behind the one before.
    parts: Vec<Part>,
}

impl Write {
    /// # Errors
    /// Why no request writes this.
    pub(super) fn new(parts: Vec<Part>, manner: Manner) -> Result<Self, String> {
        let of_bits = parts.iter().any(|part| part.point().field().is_some());
        if of_bits && manner.bits == WriteBits::Mask && manner.function != WriteFunction::Auto {
            return Err("bits of a register are written with function 16 alone".to_owned());
        }
        let change = Change::new(&parts, manner).map_err(|error| error.to_string())?;
        Ok(Self { change, parts })
    }

    pub(super) fn way(&self) -> &Way {
        self.change.way()
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(super) fn points(&self) -> Vec<Point> {
        self.parts.iter().map(|part| Point::clone(part.point())).collect()
    }

    /// Where it writes.
    pub(super) fn place(&self) -> String {
        self.change.to_string()
    }
}

impl fmt::Display for Write {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.parts.iter().map(text).collect();
        write!(formatter, "{} = {}", self.place(), texts.join(", "))
    }
}

/// A value as it is shown.
pub(super) fn text(part: &Part) -> String {
    part.value().map(|value| terminal::printable(&value.to_string())).unwrap_or_default()
}
