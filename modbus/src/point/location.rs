//! Where a point is: in one of the four tables, or beyond them.

use std::fmt;

use super::{Span, Table};
use crate::pdu::counter::Counter;
use crate::pdu::file::Section;

/// Where a point is. What is read to get it may hold more than the point: see [`super::Point::at`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// Registers or bits of a table (functions 1 to 4).
    Table(Span),
    /// An object of the device identification, by its id (function 43/14).
    DeviceId(u8),
    /// The server id, whose content is the vendor's (function 17).
    ServerId,
    /// A counter or the diagnostic register (function 8).
    Diagnostic(Counter),
    /// The eight exception status outputs (function 7).
    ExceptionStatus,
    /// Registers of a file (function 20).
    File(Section),
    /// The queue of registers at an address (function 24).
    Fifo(u16),
}

impl Location {
    /// The names of the first objects of a device identification, by id (V1.1b3, clause 6.21).
    pub const OBJECTS: &'static [&'static str] = &[
        "vendor_name",
        "product_code",
        "major_minor_revision",
        "vendor_url",
        "product_name",
        "model_name",
        "user_application_name",
    ];

    /// Its registers or bits, if it is in a table.
    pub const fn span(self) -> Option<Span> {
        match self {
            Self::Table(span) => Some(span),
            _ => None,
        }
    }
}

impl From<Span> for Location {
    fn from(span: Span) -> Self {
        Self::Table(span)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(span) => span.fmt(formatter),
            Self::DeviceId(object) => write!(formatter, "device_id:{object}"),
            Self::ServerId => formatter.write_str("server_id"),
            Self::Diagnostic(counter) => write!(formatter, "diagnostic:{}", counter.sub_function()),
            Self::ExceptionStatus => formatter.write_str("exception_status"),
            Self::File(Section { file, first, length }) => {
                write!(formatter, "file:{file}:{first}")?;
                let last = u32::from(*first) + u32::from(*length);
                if *length > 1 { write!(formatter, "..{}", last.saturating_sub(1)) } else { Ok(()) }
            }
            Self::Fifo(address) => write!(formatter, "fifo:{address}"),
        }
    }
}

/// Where a declaration says that a point is: as a [`Location`], its length and its end unchecked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// A table, and the protocol address of the first register or bit.
    Table(Table, u32),
    /// An object of the device identification.
    DeviceId(u8),
    /// The server id.
    ServerId,
    /// A counter or the diagnostic register.
    Diagnostic(Counter),
    /// The exception status.
    ExceptionStatus,
    /// The number of a file, and of the first record.
    File(u16, u16),
    /// The protocol address of a queue.
    Fifo(u32),
}

/// What a point is made of, where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Medium {
    /// One bit.
    Bit,
    /// As many registers as the type has.
    Registers,
    /// One unsigned number up to this one, whatever the type says.
    Number(u16),
    /// Some of up to so many registers, which come as they are.
    Queue(u16),
    /// Some of up to so many bytes, which come as they are.
    Bytes(u16),
}

impl Site {
    /// The most bytes of an object: 253 of the PDU without what is around it.
    const OBJECT_BYTES: u16 = 244;
    /// The most bytes of a server id: 253 of the PDU without function and byte count.
    const SERVER_ID_BYTES: u16 = 251;
    /// The most values of a queue (V1.1b3, clause 6.18).
    const QUEUE_VALUES: u16 = 31;

    /// What a point there is made of; `part` says whether it names its place in the content.
    pub(super) const fn medium(self, part: bool) -> Medium {
        match self {
            Self::Table(table, _) if table.is_bits() => Medium::Bit,
            Self::Table(..) | Self::File(..) => Medium::Registers,
            Self::DeviceId(_) => Medium::Bytes(Self::OBJECT_BYTES),
            Self::ServerId => Medium::Bytes(Self::SERVER_ID_BYTES),
            Self::Diagnostic(_) => Medium::Number(u16::MAX),
            Self::ExceptionStatus => Medium::Number(0xFF),
            Self::Fifo(_) if part => Medium::Queue(Self::QUEUE_VALUES),
            Self::Fifo(_) => Medium::Number(Self::QUEUE_VALUES),
        }
    }

    /// Whether what is there can hold more than one point, so that `at` says where one begins.
    pub(super) const fn has_parts(self) -> bool {
        matches!(self, Self::DeviceId(_) | Self::ServerId | Self::Fifo(_))
    }

    /// Whether the protocol can write it.
    pub(super) const fn is_writable(self) -> bool {
        matches!(self, Self::Table(table, _) if table.is_writable())
    }

    /// Whether registers are there, in the order of the profile.
    pub(super) const fn has_profile_order(self) -> bool {
        match self {
            Self::Table(table, _) => !table.is_bits(),
            Self::File(..) | Self::Fifo(_) => true,
            _ => false,
        }
    }
}
