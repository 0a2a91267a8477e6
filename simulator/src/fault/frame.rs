//! The fourth stage: what becomes of a whole frame on its way out. Acts on bytes and their times,
//! in the order in which the faults are listed.

use std::sync::Arc;
use std::time::Duration;

use passline_modbus::framing::{Framing, rtu};

use super::chance::Dice;
use super::header::{Header, spoil_crc};
use super::wire::{End, Order, Received, Transmission};

/// A fault on the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameFault {
    /// The answer comes later.
    Delay {
        /// How much later.
        by: Duration,
    },
    /// The answer comes later, by chance.
    Jitter {
        /// How much later at most.
        by: Duration,
    },
    /// Silence in the middle of the answer; one of two segments.
    Gap {
        /// Behind so many bytes; in the middle if absent.
        at: Option<u16>,
        /// How long.
        by: Duration,
    },
    /// Silence behind each byte.
    Trickle {
        /// How long.
        by: Duration,
    },
    /// The answer follows its request at once, where a serial line would be silent first.
    NoSilence,
    /// The last bytes are missing.
    Truncate {
        /// How many.
        count: u16,
    },
    /// Bytes behind the answer.
    Trailing(Noise),
    /// Bytes before the answer.
    Noise(Noise),
    /// Another device talks at the same time: from somewhere on, the bytes are those of both.
    Collision,
    /// What the adapter of the client hears of its own request, before everything else.
    Echo,
    /// The frame of another unit, before the answer.
    Foreign {
        /// That unit's id; that of the unit behind the one asked if absent.
        unit_id: Option<u8>,
    },
    /// An answer that nobody asked for, before the answer. Modbus TCP.
    Unsolicited,
    /// The answer, twice.
    Duplicate,
    /// The answer waits for the next one of the connection, and goes out in one segment with it.
    Together,
    /// The answer waits for the next one of the connection, and goes out behind it.
    Reorder,
    /// The connection is closed.
    Close {
        /// How much of the answer is sent before.
        sent: Sent,
    },
    /// The connection is reset.
    Reset {
        /// How much of the answer is sent before.
        sent: Sent,
    },
}

/// Bytes that mean nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noise {
    /// So many, drawn from the seed.
    Drawn(u16),
    /// These.
    Given(Arc<[u8]>),
}

/// How much of an answer is sent before its connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The first so many bytes of all that would be sent.
    Bytes(u16),
    /// All of it.
    All,
}

/// What of an exchange matters to the way out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) received: &'a Received<'a>,
    /// What the device would say without faults in its answer.
    pub(super) sound: &'a [u8],
}

impl FrameFault {
    pub(super) fn act(&self, context: Context<'_>, dice: &mut Dice, sent: &mut Transmission) {
        match self {
            Self::Delay { by } => sent.delay = sent.delay.saturating_add(*by),
            Self::Jitter { by } => {
                let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
                let drawn = Duration::from_nanos(dice.below(nanos.saturating_add(1)));
                sent.delay = sent.delay.saturating_add(drawn);
            }
            Self::Gap { at, by } => {
                let at = at.map_or(sent.len() / 2, usize::from);
                sent.split(at, *by);
            }
            Self::Trickle { by } => (1..sent.len()).for_each(|at| sent.split(at, *by)),
            Self::NoSilence => sent.skips_silence = true,
            Self::Truncate { count } => sent.truncate(sent.len().saturating_sub((*count).into())),
            Self::Trailing(noise) => sent.append(&noise.bytes(dice)),
            Self::Noise(noise) => sent.prepend(noise.bytes(dice)),
            Self::Collision => collide(context.received.framing, sent, dice),
            Self::Echo => sent.echo = context.received.bytes.to_vec(),
            Self::Foreign { unit_id } => {
                let other = context.received.unit_id % 247 + 1;
                sent.prepend(context.stray(unit_id.unwrap_or(other)));
            }
            Self::Unsolicited => {
                if context.received.framing == Framing::Mbap {
                    sent.prepend(context.stray(context.received.unit_id));
                }
            }
            Self::Duplicate => sent.pieces.extend(sent.pieces.clone()),
            Self::Together => sent.order = Order::WithNext,
            Self::Reorder => sent.order = Order::AfterNext,
            Self::Close { sent: part } => sent.end_after(*part, End::Close),
            Self::Reset { sent: part } => sent.end_after(*part, End::Reset),
        }
    }
}

impl Noise {
    pub(super) fn bytes(&self, dice: &mut Dice) -> Vec<u8> {
        match self {
            Self::Drawn(count) => dice.bytes((*count).into()),
            Self::Given(bytes) => bytes.to_vec(),
        }
    }
}

impl Context<'_> {
    /// A frame that is no answer to this request: its data are not those of the answer, so that
    /// whoever takes it for one shows it.
    fn stray(&self, unit_id: u8) -> Vec<u8> {
        let mut pdu = self.sound.to_vec();
        pdu.iter_mut().skip(2).for_each(|byte| *byte = !*byte);
        Header::stray(self.received, unit_id).frame(&pdu)
    }
}

/// Every byte from a drawn one on is changed, and not into another sound frame.
fn collide(framing: Framing, sent: &mut Transmission, dice: &mut Dice) {
    let length = sent.len();
    let from = usize::try_from(dice.below(length as u64)).unwrap_or_default();
    // No character of 7 bits is left where there were only such.
    let least = if framing == Framing::Ascii { 0x80 } else { 1 };
    let bytes = sent.pieces.iter_mut().flat_map(|piece| &mut piece.bytes);
    for (byte, other) in bytes.zip(dice.bytes(length)).skip(from) {
        *byte ^= other | least;
    }
    let mixed: Vec<u8> = sent.pieces.iter().flat_map(|piece| &piece.bytes).copied().collect();
    // A frame with its CRC behind it has the CRC 0.
    if framing == Framing::Rtu
        && rtu::crc(&mixed) == 0
        && let Some(last) = sent.pieces.last_mut()
    {
        spoil_crc(&mut last.bytes);
    }
}
