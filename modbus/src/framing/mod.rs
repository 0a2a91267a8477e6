//! Bytes to frames: pure state machines, shared by client and simulator. No I/O, no clock.
//!
//! Of a PDU they know how long it is, and nothing else.

pub(crate) mod length;

pub mod ascii;
pub mod mbap;
pub mod rtu;
pub mod serial;

/// How PDUs travel on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Framing {
    /// Modbus TCP (TCP guide V1.0b, clause 3.1.3): a header with a transaction id.
    #[default]
    Mbap,
    /// RTU (Serial Line V1.02, clause 2.5.1): binary, told apart by silence, with a CRC.
    Rtu,
    /// ASCII (Serial Line V1.02, clause 2.5.2): hexadecimal digits between `:` and line end.
    Ascii,
}

impl Framing {
    /// The transmission mode of a serial line; `None` for [`Framing::Mbap`].
    pub fn mode(self) -> Option<serial::Mode> {
        match self {
            Self::Mbap => None,
            Self::Rtu => Some(serial::Mode::Rtu),
            Self::Ascii => Some(serial::Mode::Ascii),
        }
    }
}
