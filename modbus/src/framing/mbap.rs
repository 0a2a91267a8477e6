//! Modbus TCP framing (TCP guide V1.0b, clause 3.1.3): transaction id, protocol id 0, length, unit id.
//!
//! Frames follow each other without any mark between them: only the length says where the next one
//! begins. So a bad header loses the stream for good. There is no byte to look for, and whatever
//! comes next could be the middle of a frame that reads like an answer: the connection must be
//! closed. Knows nothing of what a PDU means.

use crate::pdu::MAX_PDU;

/// Bytes before the PDU: transaction id (2), protocol id (2), length (2), unit id (1).
pub const HEADER: usize = 7;

/// Largest frame in bytes.
pub const MAX_FRAME: usize = HEADER + MAX_PDU;

/// Least value of the length field: the unit id and a function code.
const MIN_LENGTH: u16 = 2;

/// Largest value of the length field: the unit id and [`MAX_PDU`].
const MAX_LENGTH: u16 = 254;

/// One frame, borrowed from the bytes it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Transaction id: chosen by the client, echoed by the server.
    pub transaction: u16,
    /// Unit id.
    pub unit: u8,
    /// Function code and data: 1 to [`MAX_PDU`] bytes.
    pub pdu: &'a [u8],
    /// The whole frame, header included, as it was on the wire.
    pub bytes: &'a [u8],
}

/// Why bytes are not a Modbus TCP frame. `Display` is a sentence; [`Defect::label`] is the short
/// stable word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// The protocol id is not 0: this is not Modbus, or the stream is out of step.
    #[error("protocol id {got:#06x} instead of 0")]
    ProtocolId {
        /// The protocol id received.
        got: u16,
    },
    /// The length leaves no room for a unit id and a function code.
    #[error("MBAP length {got}: at least 2 (unit id and function code)")]
    LengthTooSmall {
        /// The length received.
        got: u16,
    },
    /// The length is above what a PDU may fill.
    #[error("MBAP length {got}: at most 254 (unit id and a PDU of 253 bytes)")]
    LengthTooLarge {
        /// The length received, or the length of what was to be sent (at most 65535).
        got: u16,
    },
    /// A frame began, and its end does not come. Nothing in the bytes says so: time does.
    #[error("only {got} bytes of a frame came")]
    Unfinished {
        /// The bytes that came, header included.
        got: usize,
    },
}

impl Defect {
    /// A short stable word for the kind of defect.
    pub fn label(&self) -> &'static str {
        match self {
            Self::ProtocolId { .. } => "protocol-id-nonzero",
            Self::LengthTooSmall { .. } => "mbap-length-too-small",
            Self::LengthTooLarge { .. } => "mbap-length-too-large",
            Self::Unfinished { .. } => "mbap-unfinished",
        }
    }
}

/// Bytes to frames. Whatever way the bytes are cut into pieces, the frames are the same.
///
/// Call [`next_frame`](Self::next_frame) until it returns `None` after each [`feed`](Self::feed): then never
/// more than [`MAX_FRAME`] - 1 bytes are kept between two feeds.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
    lost: bool,
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the bytes that follow. After a [`Defect`] they are ignored: see [`Self::is_lost`].
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.lost {
            return;
        }
        // Moving the rest to the front only once half is consumed keeps the cost linear even for
        // a caller who takes one frame per feed.
        if self.start * 2 >= self.buffer.len() {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, if all of it is here. A bad header is reported as soon as the field
    /// is here, once; from then on there is only `None`.
    ///
    /// # Errors
    ///
    /// [`Defect`]: the stream is lost, the connection must be closed.
    pub fn next_frame(&mut self) -> Option<Result<Frame<'_>, Defect>> {
        if self.lost {
            return None;
        }
        let pending = self.buffer.get(self.start..)?;
        let length = match length(pending)? {
            Ok(length) => length,
            Err(defect) => {
                self.lost = true;
                return Some(Err(defect));
            }
        };
        let bytes = pending.get(..HEADER - 1 + length)?;
        let (&[high, low, _, _, _, _, unit], pdu) = bytes.split_first_chunk::<HEADER>()?;
        self.start += bytes.len();
        Some(Ok(Frame { transaction: u16::from_be_bytes([high, low]), unit, pdu, bytes }))
    }

    /// The bytes that did not become a frame: the beginning of one, or everything from the bad
    /// header on that had been fed by then.
    pub fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Gives up the bytes of [`rest`](Self::rest): the next ones begin a frame.
    pub fn skip(&mut self) {
        self.start = self.buffer.len();
    }

    /// Whether a [`Defect`] has ended this stream.
    pub fn is_lost(&self) -> bool {
        self.lost
    }
}

/// The frame that `bytes` are if its header promises one byte more than there is.
pub fn overstated(bytes: &[u8]) -> Option<Frame<'_>> {
    let length = length(bytes)?.ok()?;
    let (&[high, low, _, _, _, _, unit], pdu) = bytes.split_first_chunk::<HEADER>()?;
    let is_one_short = HEADER - 1 + length == bytes.len() + 1;
    let transaction = u16::from_be_bytes([high, low]);
    is_one_short.then_some(Frame { transaction, unit, pdu, bytes })
}

/// The length field of the header at the start of `bytes`, once it is there and sound.
fn length(bytes: &[u8]) -> Option<Result<usize, Defect>> {
    let &[_, _, high, low] = bytes.first_chunk()?;
    let protocol = u16::from_be_bytes([high, low]);
    if protocol != 0 {
        return Some(Err(Defect::ProtocolId { got: protocol }));
    }
    let &[_, _, _, _, high, low] = bytes.first_chunk()?;
    let length = u16::from_be_bytes([high, low]);
    Some(checked(length).map(usize::from))
}

fn checked(length: u16) -> Result<u16, Defect> {
    match length {
        ..MIN_LENGTH => Err(Defect::LengthTooSmall { got: length }),
        MIN_LENGTH..=MAX_LENGTH => Ok(length),
        _ => Err(Defect::LengthTooLarge { got: length }),
    }
}

/// Appends one frame to `out`.
///
/// # Errors
///
/// [`Defect`] if `pdu` is empty or longer than [`MAX_PDU`]; `out` is then unchanged.
pub fn encode(transaction: u16, unit: u8, pdu: &[u8], out: &mut Vec<u8>) -> Result<(), Defect> {
    let length = checked(u16::try_from(pdu.len() + 1).unwrap_or(u16::MAX))?;
    out.extend_from_slice(&transaction.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&length.to_be_bytes());
    out.push(unit);
    out.extend_from_slice(pdu);
    Ok(())
}
