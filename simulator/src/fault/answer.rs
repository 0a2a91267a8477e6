//! The second stage: what the device says, as a PDU. Its frame is sound.

use std::sync::Arc;

use passline_modbus::pdu::{MAX_PDU, Request};
use passline_modbus::point::Span;

use super::chance::Dice;
use super::scope;
use crate::image::Image;

/// A fault in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerFault {
    /// No answer. What was asked is done all the same: for a client, which cannot tell, that is
    /// the harder case.
    Silent,
    /// The answer is that of the next function code.
    Function,
    /// The byte count of a read's answer is wrong; the data are not.
    ByteCount {
        /// Added to it, modulo 256.
        add: i8,
    },
    /// A read's answer has more or fewer registers than were asked for, or bytes of bits, under a
    /// byte count that says so.
    Registers {
        /// Added to their number. Those that are too many are 0.
        add: i8,
    },
    /// The answer is the one to the request before.
    Stale,
    /// What is read is as it was when the fault first showed: the scope's span, or all.
    Frozen,
    /// What is read is this, whatever the device holds.
    Value {
        /// The cells that it is about, and what they say.
        cells: Arc<Image>,
    },
    /// One bit of the data is the other way round: of the scope's span, or of all.
    BitFlip {
        /// Of the first register in scope, from its least significant bit; or so many coils
        /// behind the first one. Drawn from all that is in scope if absent.
        bit: Option<u8>,
    },
    /// The answer to a write of one register or coil repeats what was stored before.
    OldEcho,
}

/// What an answer is spoilt with.
#[derive(Debug)]
pub(super) struct Context<'a> {
    /// What was asked, if it was understood.
    pub(super) request: Option<&'a Request<'a>>,
    /// The span of the fault's scope.
    pub(super) span: Option<Span>,
    /// What the device held when the fault first showed.
    pub(super) frozen: Option<&'a Image>,
    /// The PDU of the answer before.
    pub(super) previous: Option<&'a [u8]>,
    /// What a write of one register or coil replaced, as it is on the wire.
    pub(super) replaced: Option<u16>,
}

/// Set in the function code of an exception.
const EXCEPTION: u8 = 0x80;

/// Of the answer to a read: function code and byte count.
const HEAD: usize = 2;

impl AnswerFault {
    /// Changes what is said; `None` is silence.
    pub(super) fn act(&self, context: &Context<'_>, dice: &mut Dice, answer: &mut Option<Vec<u8>>) {
        let Some(pdu) = answer else { return };
        match self {
            Self::Silent => *answer = None,
            Self::Function => function(pdu),
            Self::ByteCount { add } => {
                if let (Some(_), [_, count, ..]) = (context.read(pdu), pdu.as_mut_slice()) {
                    *count = count.wrapping_add_signed(*add);
                }
            }
            Self::Registers { add } => {
                if let Some(span) = context.read(pdu) {
                    registers(span, *add, pdu);
                }
            }
            Self::Stale => {
                if let Some(previous) = context.previous {
                    *pdu = previous.to_vec();
                }
            }
            Self::Frozen => {
                if let Some(frozen) = context.frozen {
                    context.overlay(frozen, pdu);
                }
            }
            Self::Value { cells } => context.overlay(cells, pdu),
            Self::BitFlip { bit } => context.flip(*bit, dice, pdu),
            Self::OldEcho => {
                if let (Some(replaced), [_, _, _, high, low]) =
                    (context.replaced, pdu.as_mut_slice())
                {
                    [*high, *low] = replaced.to_be_bytes();
                }
            }
        }
    }
}

fn function(pdu: &mut [u8]) {
    if let Some(function) = pdu.first_mut() {
        *function = (*function & EXCEPTION) | ((*function & !EXCEPTION) % 0x7F + 1);
    }
}

fn registers(read: Span, add: i8, pdu: &mut Vec<u8>) {
    let size = if read.table().is_bits() { 1 } else { 2 };
    let most = (MAX_PDU - HEAD) / size;
    let count = ((pdu.len() - HEAD) / size).saturating_add_signed(add.into()).min(most);
    pdu.resize(HEAD + count * size, 0);
    if let (Some(announced), Ok(count)) = (pdu.get_mut(1), u8::try_from(count * size)) {
        *announced = count;
    }
}

impl Context<'_> {
    /// What the answer was read from, if it is an answer with data to a read.
    fn read(&self, pdu: &[u8]) -> Option<Span> {
        let request = self.request?;
        let is_whole = pdu.first() == Some(&request.function_code().value())
            && pdu.get(1).is_some_and(|&count| pdu.len() == HEAD + usize::from(count));
        scope::read(request).filter(|_| is_whole)
    }

    /// Puts those cells of the image into the answer that were read and are in scope.
    fn overlay(&self, image: &Image, pdu: &mut [u8]) {
        let Some(read) = self.read(pdu) else { return };
        let scope = self.span.unwrap_or(read);
        for (index, address) in (0..usize::from(read.count())).zip(read.address()..=u16::MAX) {
            let Some(cell) = Span::new(read.table(), address, 1) else { continue };
            if !scope.overlaps(cell) {
                continue;
            }
            if let Some(&[word]) = image.words(cell) {
                let at = HEAD + 2 * index;
                pdu.iter_mut().skip(at).zip(word.to_be_bytes()).for_each(|(old, new)| *old = new);
            } else if let (Some(&[bit]), Some(byte)) =
                (image.bits(cell), pdu.get_mut(HEAD + index / 8))
            {
                let mask = 1 << (index % 8);
                *byte = if bit { *byte | mask } else { *byte & !mask };
            }
        }
    }

    /// Turns one bit of the data over. In what is no answer to a read, all behind the function code
    /// is data.
    fn flip(&self, bit: Option<u8>, dice: &mut Dice, pdu: &mut [u8]) {
        if pdu.first().is_none_or(|function| function & EXCEPTION != 0) {
            return;
        }
        let read = self.read(pdu);
        let bytes = match read {
            Some(_) => HEAD..pdu.len(),
            None => 1..pdu.len(),
        };
        let (first, end) = self.within(read).unwrap_or((0, 8 * bytes.len()));
        let count = (end - first) as u64;
        let drawn = bit.map_or_else(|| dice.below(count), |bit| u64::from(bit) % count.max(1));
        let index = first + usize::try_from(drawn).unwrap_or_default();
        // The more significant byte of a register comes first.
        let is_register = read.is_some_and(|read| !read.table().is_bits());
        let byte = if is_register { (index / 8) ^ 1 } else { index / 8 };
        if let Some(byte) = pdu.get_mut(bytes.start + byte).filter(|_| count > 0) {
            *byte ^= 1 << (index % 8);
        }
    }

    /// The first bit of what is read that is in scope, and the one behind the last.
    fn within(&self, read: Option<Span>) -> Option<(usize, usize)> {
        let read = read?;
        let scope = self.span.filter(|span| span.overlaps(read)).unwrap_or(read);
        let size = if read.table().is_bits() { 1 } else { 16 };
        let start = u32::from(read.address());
        let first = u32::from(scope.address()).max(start) - start;
        let end = scope.end().min(read.end()) - start;
        Some((size * first as usize, size * end as usize))
    }
}
