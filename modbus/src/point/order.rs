//! The order in which the bytes of a value travel.

use std::fmt;
use std::str::FromStr;

use super::DataType;

/// The order of a value's bytes on the wire. Letters name significance (`A` is the most
/// significant byte), their position is the place on the wire.
///
/// Four letters say whether words and whether the bytes of a word are swapped. That carries over to
/// values of 16 bits (`BADC` and `DCBA` are `BA` there) and of 64 bits (`CDAB` is `GHEFCDAB`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Order(Arrangement);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Arrangement {
    /// `AB`, `BA`.
    Word { swap_bytes: bool },
    /// `ABCD`, `CDAB`, `BADC`, `DCBA`.
    Words { swap_words: bool, swap_bytes: bool },
    /// By place on the wire: the significance of that byte, 0 the highest.
    Permuted([u8; 8]),
}

/// Not an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an order of bytes: ABCD, CDAB, BADC, DCBA, AB, BA, or the letters A to H once each")]
pub struct OrderError;

impl Default for Order {
    /// `ABCD`, as the protocol sends a register.
    fn default() -> Order {
        Order(Arrangement::Words { swap_words: false, swap_bytes: false })
    }
}

impl FromStr for Order {
    type Err = OrderError;

    fn from_str(text: &str) -> Result<Order, OrderError> {
        let words =
            |swap_words, swap_bytes| Ok(Order(Arrangement::Words { swap_words, swap_bytes }));
        match text {
            "AB" => Ok(Order(Arrangement::Word { swap_bytes: false })),
            "BA" => Ok(Order(Arrangement::Word { swap_bytes: true })),
            "ABCD" => words(false, false),
            "CDAB" => words(true, false),
            "BADC" => words(false, true),
            "DCBA" => words(true, true),
            _ => permutation(text).map(|places| Order(Arrangement::Permuted(places))),
        }
    }
}

fn permutation(text: &str) -> Result<[u8; 8], OrderError> {
    let mut places: [u8; 8] = text.as_bytes().try_into().map_err(|_| OrderError)?;
    let mut seen = 0_u8;
    for place in &mut places {
        if !(b'A'..=b'H').contains(place) {
            return Err(OrderError);
        }
        *place -= b'A';
        seen |= 1 << *place;
    }
    if seen == u8::MAX { Ok(places) } else { Err(OrderError) }
}

impl fmt::Display for Order {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Arrangement::Word { swap_bytes: false } => "AB",
            Arrangement::Word { swap_bytes: true } => "BA",
            Arrangement::Words { swap_words: false, swap_bytes: false } => "ABCD",
            Arrangement::Words { swap_words: true, swap_bytes: false } => "CDAB",
            Arrangement::Words { swap_words: false, swap_bytes: true } => "BADC",
            Arrangement::Words { swap_words: true, swap_bytes: true } => "DCBA",
            Arrangement::Permuted(places) => {
                return places
                    .iter()
                    .try_for_each(|place| write!(formatter, "{}", char::from(b'A' + place)));
            }
        })
    }
}

impl Order {
    /// Whether it says where every byte of such a value goes: two letters do for values of one
    /// register, eight for values of four, four letters for all. Of `string` and `bytes` two or
    /// four letters swap the bytes of each register; registers always stay in their order.
    pub fn suits(self, data_type: DataType) -> bool {
        let registers = (!data_type.has_length()).then(|| data_type.registers());
        match self.0 {
            Arrangement::Word { .. } => registers.is_none_or(|count| count == 1),
            Arrangement::Words { .. } => true,
            Arrangement::Permuted(_) => registers == Some(4),
        }
    }

    fn swaps(self) -> (bool, bool) {
        match self.0 {
            Arrangement::Word { swap_bytes } => (false, swap_bytes),
            Arrangement::Words { swap_words, swap_bytes } => (swap_words, swap_bytes),
            Arrangement::Permuted(_) => (false, false),
        }
    }

    /// The number in up to four registers as they came.
    pub(super) fn assemble(self, registers: &[u16]) -> u64 {
        let (swap_words, swap_bytes) = self.swaps();
        let join = |number: u64, register: &u16| {
            let word = if swap_bytes { register.swap_bytes() } else { *register };
            (number << 16) | u64::from(word)
        };
        let number = if swap_words {
            registers.iter().rev().fold(0, join)
        } else {
            registers.iter().fold(0, join)
        };
        match self.0 {
            Arrangement::Permuted(places) => {
                let bytes = number.to_be_bytes();
                places.iter().zip(bytes).fold(0, |number, (place, byte)| {
                    number | u64::from(byte) << (56 - 8 * u32::from(*place))
                })
            }
            _ => number,
        }
    }

    /// The registers of a number: the reverse of [`Order::assemble`].
    pub(super) fn disassemble(self, number: u64, count: u16) -> Vec<u16> {
        let (swap_words, swap_bytes) = self.swaps();
        let number = match self.0 {
            Arrangement::Permuted(places) => places.iter().fold(0, |sent, place| {
                (sent << 8) | ((number >> (56 - 8 * u32::from(*place))) & 0xFF)
            }),
            _ => number,
        };
        let word = |index: u16| {
            #[expect(clippy::cast_possible_truncation, reason = "the lowest 16 bits are meant")]
            let word = (number >> (16 * u32::from(index))) as u16;
            if swap_bytes { word.swap_bytes() } else { word }
        };
        if swap_words {
            (0..count).map(word).collect()
        } else {
            (0..count).rev().map(word).collect()
        }
    }

    /// Registers of a `string` or of `bytes`, as they came, to bytes.
    pub(super) fn to_bytes(self, registers: &[u16]) -> Vec<u8> {
        let (_, swap_bytes) = self.swaps();
        let word = |register: &u16| {
            if swap_bytes { register.to_le_bytes() } else { register.to_be_bytes() }
        };
        registers.iter().flat_map(word).collect()
    }

    /// Bytes to the registers of a `string` or of `bytes`; an odd last byte is filled up with NUL.
    pub(super) fn to_registers(self, bytes: &[u8]) -> Vec<u16> {
        let (_, swap_bytes) = self.swaps();
        let word = |pair: &[u8]| {
            let pair = [pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)];
            if swap_bytes { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
        };
        bytes.chunks(2).map(word).collect()
    }
}
