//! ASCII framing (Serial Line V1.02, clause 2.5.2): a colon, two hexadecimal digits for each byte of
//! unit id, PDU and LRC, CR LF.
//!
//! Strict: the digits are `0` to `9` and `A` to `F`, the end is CR LF. A colon begins a frame wherever it stands,
//! whatever was before.

use super::serial::{Defect, Due, Frame, Part, Pending};
use crate::pdu::{MAX_PDU, Request};

/// Largest frame in characters (clause 2.5.2.1).
pub const MAX_FRAME: usize = 1 + 2 * (MAX_PDU + 2) + 2;

/// Fewest digits: unit id, function code, LRC.
const MIN_DIGITS: usize = 6;

/// Characters to frames. See [`serial::Decoder`](super::serial::Decoder) for how to use it.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    pending: Pending,
    /// Unit id, PDU and LRC of the last frame.
    decoded: Vec<u8>,
    due: Option<Due>,
}

impl Decoder {
    /// A decoder for the server's side.
    pub fn requests() -> Self {
        Self::default()
    }

    /// A decoder for the client's side.
    pub fn answers() -> Self {
        Self::default()
    }

    /// From now on the answer to this request is due: [`Part::Damaged`] is told by it. It is due
    /// until another one is.
    pub fn expect(&mut self, unit: u8, request: &Request<'_>) {
        self.due = Due::to(unit, request);
    }

    /// Takes the characters that follow.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.pending.feed(bytes);
    }

    /// The line was still after the characters fed so far, for as long as ends a frame (clause
    /// 2.5.2.1: more than a second).
    pub fn silence(&mut self) {
        self.pending.silence();
    }

    /// The characters that have not come out yet.
    pub fn pending(&self) -> &[u8] {
        self.pending.all()
    }

    /// The next part, if it can be told already.
    pub fn next_part(&mut self) -> Option<Part<'_>> {
        if let ([], true) = self.pending.burst() {
            self.pending.next_burst();
        }
        let (burst, still) = self.pending.burst();
        let (length, cut) = first(burst, still)?;
        let bytes = self.pending.take(length);
        let decoded = match cut {
            Some(defect) => Err(defect),
            None => decode(bytes, &mut self.decoded),
        };
        match (decoded, self.decoded.as_slice()) {
            (Ok(()), [unit, pdu @ .., _]) => Some(Part::Frame(Frame { unit: *unit, pdu, bytes })),
            (Err(defect), _) if self.due.is_some_and(|due| begins(bytes, due)) => {
                Some(Part::Damaged { bytes, defect })
            }
            (Err(defect), _) => Some(Part::Noise { bytes, defect }),
            (Ok(()), _) => None,
        }
    }
}

/// The length of the first part, and what cuts it off if it does not end as a frame does.
fn first(burst: &[u8], still: bool) -> Option<(usize, Option<Defect>)> {
    let window = burst.get(..MAX_FRAME).unwrap_or(burst);
    let inside = window.first()? == &b':';
    let mut rest = window.iter().enumerate().skip(1);
    let end = rest.find(|(_, byte)| **byte == b':' || inside && **byte == b'\n');
    match end {
        Some((at, b'\n')) => Some((at + 1, None)),
        Some((at, _)) => {
            Some((at, Some(if inside { Defect::Unfinished } else { Defect::Outside })))
        }
        None if !inside && (still || window.len() == MAX_FRAME) => {
            Some((window.len(), Some(Defect::Outside)))
        }
        None if window.len() == MAX_FRAME => {
            Some((MAX_FRAME, Some(Defect::TooLong { got: MAX_FRAME })))
        }
        None => still.then_some((window.len(), Some(Defect::Unfinished))),
    }
}

/// Reads a frame, from its colon to its line feed, into the bytes that it stands for.
fn decode(frame: &[u8], decoded: &mut Vec<u8>) -> Result<(), Defect> {
    decoded.clear();
    let [b':', digits @ .., b'\r', b'\n'] = frame else {
        return Err(Defect::Character { got: b'\n' });
    };
    if let Some(got) = digits.iter().find(|digit| value(**digit).is_none()) {
        return Err(Defect::Character { got: *got });
    }
    let (pairs, []) = digits.as_chunks::<2>() else {
        return Err(Defect::Digits { got: digits.len() });
    };
    if digits.len() < MIN_DIGITS {
        return Err(Defect::Digits { got: digits.len() });
    }
    decoded.extend(pairs.iter().copied().filter_map(byte));
    match decoded.split_last() {
        Some((got, body)) if *got != lrc(body) => {
            Err(Defect::Lrc { expected: lrc(body), got: *got })
        }
        _ => Ok(()),
    }
}

/// Whether the frame begins with the unit and the function that are due.
fn begins(frame: &[u8], due: Due) -> bool {
    let digits = frame.get(1..).unwrap_or_default();
    match digits.as_chunks::<2>().0 {
        [unit, function, ..] => byte(*unit)
            .zip(byte(*function))
            .is_some_and(|(unit, function)| due.begins(unit, function)),
        _ => false,
    }
}

fn byte([high, low]: [u8; 2]) -> Option<u8> {
    Some(value(high)? << 4 | value(low)?)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Appends one frame to `out`.
///
/// # Errors
///
/// [`Defect::Digits`] or [`Defect::TooLong`] if `pdu` is empty or longer than [`MAX_PDU`]; `out` is
/// then unchanged.
pub fn encode(unit: u8, pdu: &[u8], out: &mut Vec<u8>) -> Result<(), Defect> {
    match pdu.len() {
        0 => return Err(Defect::Digits { got: MIN_DIGITS - 2 }),
        1..=MAX_PDU => {}
        got => return Err(Defect::TooLong { got: 1 + 2 * (got + 2) + 2 }),
    }
    let sum = lrc(pdu).wrapping_sub(unit);
    out.push(b':');
    for byte in [&[unit], pdu, &[sum]].into_iter().flatten() {
        out.extend([digit(byte >> 4), digit(byte & 0x0F)]);
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

fn digit(value: u8) -> u8 {
    match value {
        ..10 => b'0' + value,
        _ => b'A' + (value - 10),
    }
}

/// The LRC of Modbus (Serial Line V1.02, clause 6.2.1): what makes the sum of all bytes 0.
pub fn lrc(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte))
}
