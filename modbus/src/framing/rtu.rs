//! RTU framing (Serial Line V1.02, clause 2.5.1): unit id, PDU, CRC, and silence around it.
//!
//! Time is a poor witness: between the wire and this program there are drivers, USB and gateways
//! that make gaps and swallow them. So the lengths of frames are predicted, from the request or from
//! their own first bytes, and the CRC has the last word:
//!
//! - A frame comes out as soon as a predicted length is there and the CRC holds.
//! - Where no prediction holds, the line's silence ends the frame, whatever its function.
//! - Only when that is no frame either, a frame is looked for behind it, byte by byte. What lies
//!   inside a sound frame is never taken for one, nor what lies inside a damaged answer.
//!
//! Foreign traffic passes by on a bus: answers and requests of all units come out as frames. Which
//! is which is not told here.

use super::length::{self, Length};
use super::serial::{Defect, Due, Frame, Part, Pending};
use crate::pdu::{MAX_PDU, Request};

/// Bytes around the PDU: unit id (1) and CRC (2).
const OVERHEAD: usize = 3;

/// Smallest frame in bytes: a function code without data.
pub const MIN_FRAME: usize = OVERHEAD + 1;

/// Largest frame in bytes.
pub const MAX_FRAME: usize = OVERHEAD + MAX_PDU;

/// What bytes come to at the start of what is pending.
enum Look {
    /// A frame of so many bytes.
    Frame(usize),
    /// So many bytes of an answer that is due, not whole or not sound.
    Damaged(usize, Defect),
    /// No frame begins here.
    Nothing,
    /// That is all there was before the silence.
    End,
    /// More bytes, or silence, will tell.
    Wait,
}

/// What became of predicted lengths.
enum Tried {
    Holds(usize),
    Fails,
    /// Not all the bytes are here.
    Open,
}

/// Bytes to frames. See [`serial::Decoder`](super::serial::Decoder) for how to use it.
#[derive(Debug, Clone)]
pub struct Decoder {
    pending: Pending,
    /// How many of the pending bytes are known to be noise.
    noise: usize,
    /// Whether there was no frame where one should have begun. Silence, or a frame, ends it.
    lost: bool,
    side: Side,
}

/// What is looked for first.
#[derive(Debug, Clone, Copy)]
enum Side {
    Requests,
    Answers(Option<Due>),
}

impl Decoder {
    /// A decoder for the server's side: requests have precedence over what else could be meant.
    pub fn requests() -> Self {
        Self { pending: Pending::default(), noise: 0, lost: false, side: Side::Requests }
    }

    /// A decoder for the client's side: the answer that is [due](Self::expect) has precedence.
    pub fn answers() -> Self {
        Self { side: Side::Answers(None), ..Self::requests() }
    }

    /// From now on the answer to this request is due: its length follows from the request. It is
    /// due until another one is.
    pub fn expect(&mut self, unit: u8, request: &Request<'_>) {
        self.side = Side::Answers(Due::to(unit, request));
    }

    /// Takes the bytes that follow.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.pending.feed(bytes);
    }

    /// The line was still after the bytes fed so far, for as long as ends a frame.
    pub fn silence(&mut self) {
        self.pending.silence();
    }

    /// The bytes that have not come out yet.
    pub fn pending(&self) -> &[u8] {
        self.pending.all()
    }

    /// Whether silence now would leave a frame at the end of what is pending, and none unfinished:
    /// then the least silence that parts frames is enough, and no gap inside a frame.
    pub fn is_whole(&self) -> bool {
        if matches!(self.predicted(self.begun(), false), Tried::Open) {
            return false;
        }
        let mut silent = self.clone();
        silent.silence();
        let mut is_frame = false;
        while let Some(part) = silent.next_part() {
            is_frame = matches!(part, Part::Frame(_));
        }
        is_frame
    }

    /// The next part, if it can be told already.
    pub fn next_part(&mut self) -> Option<Part<'_>> {
        let (length, damage) = loop {
            match self.look() {
                Look::Frame(length) if self.noise == 0 => break (length, None),
                Look::Damaged(length, defect) if self.noise == 0 => break (length, Some(defect)),
                Look::Nothing if self.noise < MAX_FRAME => {
                    self.noise += 1;
                    self.lost = true;
                }
                Look::End if self.noise == 0 => {
                    self.lost = false;
                    self.pending.next_burst();
                    if self.pending.all().is_empty() {
                        return None;
                    }
                }
                Look::Wait => return None,
                // Noise comes out in one piece, before what follows it.
                _ => return Some(self.take_noise()),
            }
        };
        self.lost = damage.is_some();
        let bytes = self.pending.take(length);
        match damage {
            Some(defect) => Some(Part::Damaged { bytes, defect }),
            None => frame(bytes).map(Part::Frame),
        }
    }

    fn take_noise(&mut self) -> Part<'_> {
        let bytes = self.pending.take(std::mem::take(&mut self.noise));
        let defect = defect(bytes);
        match (self.side, bytes) {
            (Side::Answers(Some(due)), [unit, function, ..]) if due.begins(*unit, *function) => {
                Part::Damaged { bytes, defect }
            }
            _ => Part::Noise { bytes, defect },
        }
    }

    /// What is pending behind the noise.
    fn begun(&self) -> &[u8] {
        let (burst, _) = self.pending.burst();
        burst.get(self.noise..).unwrap_or_default()
    }

    /// What begins behind the noise.
    fn look(&self) -> Look {
        let (_, still) = self.pending.burst();
        let burst = self.begun();
        if burst.is_empty() {
            return if still { Look::End } else { Look::Wait };
        }
        let window = burst.get(..MAX_FRAME).unwrap_or(burst);
        let whole = still && window.len() == burst.len();
        let ended = still || window.len() < burst.len();
        match self.predicted(window, ended) {
            Tried::Holds(length) => return Look::Frame(length),
            Tried::Open => return Look::Wait,
            Tried::Fails => {}
        }
        if whole && self.can_be_odd(window) && is_sound(window) {
            return Look::Frame(window.len());
        }
        if !self.lost || self.is_endless(window) {
            if !ended {
                return Look::Wait;
            }
            if let Some(length) = self.followed(window, whole) {
                return Look::Frame(length);
            }
        }
        self.damaged(window).unwrap_or(Look::Nothing)
    }

    /// The length of a frame that begins here, if one of the predictions holds. `ended`: there will
    /// not be more bytes.
    fn predicted(&self, bytes: &[u8], ended: bool) -> Tried {
        // Alone, as long as it can hold: by chance a shorter prediction holds for one in 65536.
        match tried(bytes, self.preferred(bytes)) {
            Tried::Holds(length) => return Tried::Holds(length),
            Tried::Open if !ended => return Tried::Open,
            Tried::Open | Tried::Fails => {}
        }
        let pdu = bytes.get(1..).unwrap_or_default();
        let mut others = [length::of_answer(pdu), length::of_request(pdu), self.told(bytes)];
        others.sort_unstable();
        let mut open = false;
        for length in others {
            match tried(bytes, length) {
                Tried::Holds(length) => return Tried::Holds(length),
                Tried::Open => open = true,
                Tried::Fails => {}
            }
        }
        if open && !ended { Tried::Open } else { Tried::Fails }
    }

    /// The length of what is looked for first, if it begins here.
    fn preferred(&self, bytes: &[u8]) -> Length {
        let pdu = bytes.get(1..).unwrap_or_default();
        match (self.side, bytes) {
            (Side::Requests, _) if length::is_coherent(pdu) => length::of_request(pdu),
            (Side::Answers(Some(due)), [unit]) if *unit == due.unit => Length::Open,
            (Side::Answers(Some(due)), [unit, function, ..]) if due.begins(*unit, *function) => {
                let counted = *function == due.function && length::is_counted(*function);
                match (self.told(bytes), pdu.get(1)) {
                    (Length::Exact(_), None) if counted => Length::Open,
                    (Length::Exact(length), Some(count)) if counted => {
                        if usize::from(*count) + 2 == length {
                            Length::Exact(length)
                        } else {
                            Length::Unknown
                        }
                    }
                    (Length::Exact(length), _) => Length::Exact(length),
                    _ => length::of_answer(pdu),
                }
            }
            _ => Length::Unknown,
        }
    }

    /// The length that the request tells, if it is its answer that begins here.
    fn told(&self, bytes: &[u8]) -> Length {
        match (self.side, bytes) {
            (
                Side::Answers(Some(Due { unit, function, length: Some(length) })),
                [first, second, ..],
            ) if (*first, *second) == (unit, function) => Length::Exact(length),
            _ => Length::Unknown,
        }
    }

    /// The length of a frame that no prediction holds for, but that another frame follows directly:
    /// a CRC that holds where a frame begins is no chance.
    fn followed(&self, bytes: &[u8], whole: bool) -> Option<usize> {
        let mut sum = CRC_START;
        let ends = bytes.iter().enumerate().filter_map(|(at, byte)| {
            sum = crc_step(sum, *byte);
            (sum == 0 && at + 1 >= MIN_FRAME).then_some(at + 1)
        });
        ends.into_iter().find(|end| {
            let rest = bytes.get(*end..).unwrap_or_default();
            matches!(self.predicted(rest, true), Tried::Holds(_)) || (whole && is_sound(rest))
        })
    }

    /// The answer that is due, if it begins here. Nothing inside it is looked at: it could hold
    /// what reads like an answer.
    fn damaged(&self, bytes: &[u8]) -> Option<Look> {
        let (Side::Answers(Some(_)), [_, _, ..]) = (self.side, bytes) else { return None };
        let got = bytes.len();
        let defect = match self.preferred(bytes) {
            Length::Exact(length) => match bytes.get(..length + OVERHEAD) {
                Some(bytes) => return Some(Look::Damaged(bytes.len(), defect(bytes))),
                None => Defect::Short { got, least: length + OVERHEAD },
            },
            Length::Open => Defect::Short { got, least: got + 1 },
            Length::Unknown if self.is_endless(bytes) => defect(bytes),
            Length::Unknown => return None,
        };
        Some(Look::Damaged(got, defect))
    }

    /// Whether a frame that only silence ends could begin here. In noise one place in 65536 makes one
    /// together with the answer behind it.
    fn can_be_odd(&self, bytes: &[u8]) -> bool {
        match (self.side, bytes) {
            (Side::Answers(Some(due)), [unit, function, ..]) if self.lost => {
                due.begins(*unit, *function)
            }
            _ => true,
        }
    }

    /// Whether the answer that is due begins here, and only silence can tell where it ends.
    fn is_endless(&self, bytes: &[u8]) -> bool {
        let Side::Answers(Some(due)) = self.side else { return false };
        let Some((unit, pdu @ [function, ..])) = bytes.split_first() else { return false };
        due.length.is_none()
            && due.begins(*unit, *function)
            && length::of_answer(pdu) == Length::Unknown
    }
}

fn tried(bytes: &[u8], length: Length) -> Tried {
    match length {
        Length::Exact(length) => match bytes.get(..length + OVERHEAD) {
            None => Tried::Open,
            Some(bytes) if is_sound(bytes) => Tried::Holds(bytes.len()),
            Some(_) => Tried::Fails,
        },
        Length::Open => Tried::Open,
        Length::Unknown => Tried::Fails,
    }
}

fn is_sound(bytes: &[u8]) -> bool {
    // The CRC of bytes that end with their CRC is 0.
    (MIN_FRAME..=MAX_FRAME).contains(&bytes.len()) && crc(bytes) == 0
}

fn frame(bytes: &[u8]) -> Option<Frame<'_>> {
    let (body, _) = bytes.split_last_chunk::<2>()?;
    let (unit, pdu) = body.split_first()?;
    Some(Frame { unit: *unit, pdu, bytes })
}

/// What is wrong with bytes that are no frame.
fn defect(bytes: &[u8]) -> Defect {
    match bytes.split_last_chunk::<2>() {
        Some((body, sum)) if bytes.len() >= MIN_FRAME => {
            Defect::Crc { expected: crc(body), got: u16::from_le_bytes(*sum) }
        }
        _ => Defect::Short { got: bytes.len(), least: MIN_FRAME },
    }
}

/// Appends one frame to `out`.
///
/// # Errors
///
/// [`Defect::Short`] or [`Defect::TooLong`] if `pdu` is empty or longer than [`MAX_PDU`]; `out` is
/// then unchanged.
pub fn encode(unit: u8, pdu: &[u8], out: &mut Vec<u8>) -> Result<(), Defect> {
    match pdu.len() + OVERHEAD {
        got @ ..MIN_FRAME => return Err(Defect::Short { got, least: MIN_FRAME }),
        MIN_FRAME..=MAX_FRAME => {}
        got => return Err(Defect::TooLong { got }),
    }
    let sum = pdu.iter().fold(crc_step(CRC_START, unit), |sum, byte| crc_step(sum, *byte));
    out.push(unit);
    out.extend_from_slice(pdu);
    out.extend_from_slice(&sum.to_le_bytes());
    Ok(())
}

/// The CRC-16 of Modbus (Serial Line V1.02, clause 6.2.2). On the wire its low byte comes first.
pub fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(CRC_START, |sum, byte| crc_step(sum, *byte))
}

const CRC_START: u16 = 0xFFFF;

/// What a byte adds, by its lowest bits first.
static CRC_TABLE: [u16; 256] = crc_table();

const fn crc_table() -> [u16; 256] {
    const POLYNOMIAL: u16 = 0xA001;
    let mut table = [0; 256];
    let mut index = 0_u16;
    while index < 256 {
        let mut sum = index;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ POLYNOMIAL } else { sum >> 1 };
            bit += 1;
        }
        table[index as usize] = sum;
        index += 1;
    }
    table
}

fn crc_step(sum: u16, byte: u8) -> u16 {
    let [low, _] = sum.to_le_bytes();
    sum >> 8 ^ CRC_TABLE[usize::from(low ^ byte)]
}
