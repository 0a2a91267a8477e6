//! What RTU and ASCII frames have in common (Serial Line V1.02, clause 2): a unit id, a PDU, and
//! that the bytes around a frame can be anything.
//!
//! A line is shared and bytes get lost on it, so decoders of this kind never give up. They cut what
//! comes into [`Part`]s: every byte fed comes out once, in order, in a frame or as something else.

use super::{ascii, rtu};
use crate::pdu::Request;

/// The transmission mode of a serial line (clause 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Bytes as they are; silence between frames.
    Rtu,
    /// Two hexadecimal digits to the byte; a colon before and CR LF behind.
    Ascii,
}

impl Mode {
    /// A decoder for the client's side.
    pub fn answers(self) -> Decoder {
        match self {
            Self::Rtu => Decoder::Rtu(rtu::Decoder::answers()),
            Self::Ascii => Decoder::Ascii(ascii::Decoder::answers()),
        }
    }

    /// A decoder for the server's side.
    pub fn requests(self) -> Decoder {
        match self {
            Self::Rtu => Decoder::Rtu(rtu::Decoder::requests()),
            Self::Ascii => Decoder::Ascii(ascii::Decoder::requests()),
        }
    }

    /// Appends one frame to `out`.
    ///
    /// # Errors
    ///
    /// [`Defect::Short`] or [`Defect::TooLong`] if `pdu` is empty or longer than
    /// [`MAX_PDU`](crate::pdu::MAX_PDU); `out` is then unchanged.
    pub fn encode(self, unit: u8, pdu: &[u8], out: &mut Vec<u8>) -> Result<(), Defect> {
        match self {
            Self::Rtu => rtu::encode(unit, pdu, out),
            Self::Ascii => ascii::encode(unit, pdu, out),
        }
    }
}

/// One frame, borrowed from the decoder it came out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Unit id.
    pub unit: u8,
    /// Function code and data: 1 to [`MAX_PDU`](crate::pdu::MAX_PDU) bytes.
    pub pdu: &'a [u8],
    /// The whole frame as it was on the wire.
    pub bytes: &'a [u8],
}

/// A piece of what came over the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// A frame whose checksum holds: of any unit, an answer or a request.
    Frame(Frame<'a>),
    /// Begins with the unit and the function (or its exception) of the answer that is
    /// [due](Decoder::expect), but is no sound frame.
    Damaged {
        /// The bytes.
        bytes: &'a [u8],
        /// What is wrong.
        defect: Defect,
    },
    /// Anything else.
    Noise {
        /// The bytes.
        bytes: &'a [u8],
        /// What is wrong with them as a frame.
        defect: Defect,
    },
}

/// Why bytes are not a frame. `Display` is a sentence; [`Defect::label`] is the short stable word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The line was still before the frame was whole.
    #[error("the frame ends after {got} bytes of at least {least}")]
    Short {
        /// Bytes present.
        got: usize,
        /// How many it should have at the least.
        least: usize,
    },
    /// More bytes or characters than a frame can have.
    #[error("{got} bytes or more: too long for a frame")]
    TooLong {
        /// Bytes present so far.
        got: usize,
    },
    /// The CRC of an RTU frame is not that of its bytes.
    #[error("CRC {got:04X} instead of {expected:04X}")]
    Crc {
        /// The CRC of the bytes.
        expected: u16,
        /// The CRC received.
        got: u16,
    },
    /// The LRC of an ASCII frame is not that of its bytes.
    #[error("LRC {got:02X} instead of {expected:02X}")]
    Lrc {
        /// The LRC of the bytes.
        expected: u8,
        /// The LRC received.
        got: u8,
    },
    /// An ASCII frame with an odd number of digits, or with fewer than six.
    #[error("{got} hexadecimal digits: an even number, at least 6, is due")]
    Digits {
        /// Digits between the colon and CR LF.
        got: usize,
    },
    /// A character of an ASCII frame that is none of `0` to `9` and `A` to `F`.
    #[error("the character {got:#04x} in an ASCII frame")]
    Character {
        /// The character.
        got: u8,
    },
    /// An ASCII frame that another one, or silence, cuts off before its CR LF.
    #[error("an ASCII frame without its end")]
    Unfinished,
    /// Characters outside of any ASCII frame.
    #[error("characters that no colon precedes")]
    Outside,
}

impl Defect {
    /// A short stable word for the kind of defect.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Short { .. } => "short-frame",
            Self::TooLong { .. } => "frame-too-long",
            Self::Crc { .. } => "bad-crc",
            Self::Lrc { .. } => "bad-lrc",
            Self::Digits { .. } => "ascii-short-or-odd",
            Self::Character { .. } => "ascii-not-hex",
            Self::Unfinished => "ascii-unfinished",
            Self::Outside => "outside-frame",
        }
    }
}

/// A decoder of either mode.
///
/// After each [`feed`](Self::feed) and each [`silence`](Self::silence), call
/// [`next_part`](Self::next_part) until it returns `None`. Then the parts are the same whatever way
/// the bytes are cut into pieces, and no more than two of the longest frames are kept.
#[derive(Debug, Clone)]
pub enum Decoder {
    /// Of RTU frames.
    Rtu(rtu::Decoder),
    /// Of ASCII frames.
    Ascii(ascii::Decoder),
}

impl Decoder {
    /// From now on the answer to this request is due: its length follows from the request. It is
    /// due until another one is.
    pub fn expect(&mut self, unit: u8, request: &Request<'_>) {
        match self {
            Self::Rtu(decoder) => decoder.expect(unit, request),
            Self::Ascii(decoder) => decoder.expect(unit, request),
        }
    }

    /// Takes the bytes that follow.
    pub fn feed(&mut self, bytes: &[u8]) {
        match self {
            Self::Rtu(decoder) => decoder.feed(bytes),
            Self::Ascii(decoder) => decoder.feed(bytes),
        }
    }

    /// The line was still after the bytes fed so far, for as long as ends a frame: those of them
    /// that are pending come out as they are.
    pub fn silence(&mut self) {
        match self {
            Self::Rtu(decoder) => decoder.silence(),
            Self::Ascii(decoder) => decoder.silence(),
        }
    }

    /// The next part, if it can be told already.
    pub fn next_part(&mut self) -> Option<Part<'_>> {
        match self {
            Self::Rtu(decoder) => decoder.next_part(),
            Self::Ascii(decoder) => decoder.next_part(),
        }
    }

    /// Whether silence now would leave a frame at the end of what is pending, and none unfinished:
    /// then the least silence that parts frames is enough, and no gap inside a frame. ASCII frames
    /// never need silence.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Rtu(decoder) => decoder.is_whole(),
            Self::Ascii(_) => false,
        }
    }

    /// The bytes that have not come out yet.
    pub fn pending(&self) -> &[u8] {
        match self {
            Self::Rtu(decoder) => decoder.pending(),
            Self::Ascii(decoder) => decoder.pending(),
        }
    }
}

/// The unit and function of the answer that is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) unit: u8,
    pub(super) function: u8,
    /// Length of its PDU, if the request tells.
    pub(super) length: Option<usize>,
}

impl Due {
    /// `None` for a request that no frame can carry.
    pub(super) fn to(unit: u8, request: &Request<'_>) -> Option<Self> {
        let mut pdu = Vec::new();
        crate::pdu::encode_request(request, &mut pdu).ok()?;
        let function = *pdu.first()?;
        Some(Self { unit, function, length: super::length::of_answer_to(&pdu) })
    }

    /// Whether a frame that begins so is of this unit and function, exceptions included.
    pub(super) fn begins(&self, unit: u8, function: u8) -> bool {
        unit == self.unit && function & 0x7F == self.function & 0x7F
    }
}

/// The bytes that have not come out yet, and how far they had come when the line was still.
#[derive(Debug, Clone, Default)]
pub(super) struct Pending {
    buffer: Vec<u8>,
    start: usize,
    still: Option<usize>,
}

impl Pending {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        // Moving the rest to the front only once half is consumed keeps the cost linear even for
        // a caller who takes one part per feed.
        if self.start * 2 >= self.buffer.len() {
            self.buffer.drain(..self.start);
            self.still = self.still.map(|end| end.saturating_sub(self.start));
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    pub(super) fn silence(&mut self) {
        self.still = Some(self.buffer.len());
    }

    pub(super) fn all(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// The bytes up to the silence, or all; and whether silence ends them.
    pub(super) fn burst(&self) -> (&[u8], bool) {
        let end = self.still.unwrap_or(self.buffer.len());
        (self.buffer.get(self.start..end).unwrap_or_default(), self.still.is_some())
    }

    /// The burst has come out whole: what follows is another one.
    pub(super) fn next_burst(&mut self) {
        self.still = None;
    }

    pub(super) fn take(&mut self, length: usize) -> &[u8] {
        let start = self.start;
        self.start = self.buffer.len().min(start + length);
        self.buffer.get(start..self.start).unwrap_or_default()
    }
}
