//! The data types: one row each. What a type means beyond its row is its [`Encoding`].

use std::fmt;

use super::{PointError, Undecodable};
use crate::value::Width;

/// What a point's bits mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    /// A coil, a discrete input, or a register that is 0 or 1.
    Bool,
    /// Unsigned, 16 bits.
    U16,
    /// Two's complement, 16 bits.
    I16,
    /// Unsigned, 32 bits.
    U32,
    /// Two's complement, 32 bits.
    I32,
    /// Unsigned, 64 bits.
    U64,
    /// Two's complement, 64 bits.
    I64,
    /// IEEE 754 binary16.
    F16,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
    /// Sign and magnitude, 16 bits.
    S16,
    /// Sign and magnitude, 32 bits.
    S32,
    /// Four decimal digits of four bits each.
    Bcd16,
    /// Eight decimal digits of four bits each.
    Bcd32,
    /// UTF-8 text, two bytes to a register; without a length all that is there.
    String(Option<Length>),
    /// Bytes, two to a register; without a length all that is there.
    Bytes(Option<Length>),
}

/// The length of a `string` or of `bytes`: 1 to 125 registers, what one read can carry; where bytes
/// are read and no registers, as many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Length(u8);

impl Length {
    /// The most registers that one read can carry (V1.1b3, 6.3).
    pub const MAX: u16 = 125;

    /// So many registers or bytes; `None` unless 1 to 125.
    pub fn new(count: u16) -> Option<Length> {
        u8::try_from(count).ok().filter(|count| (1..=125).contains(count)).map(Length)
    }

    /// How many registers or bytes.
    pub const fn get(self) -> u16 {
        self.0 as u16
    }
}

/// How bits stand for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Bool,
    Unsigned,
    Signed,
    SignMagnitude,
    Bcd,
    Float(Width),
    Text,
    Bytes,
}

impl DataType {
    /// Every type; of those with a length one example.
    pub const ALL: [DataType; 16] = [
        DataType::Bool,
        DataType::U16,
        DataType::I16,
        DataType::U32,
        DataType::I32,
        DataType::U64,
        DataType::I64,
        DataType::F16,
        DataType::F32,
        DataType::F64,
        DataType::S16,
        DataType::S32,
        DataType::Bcd16,
        DataType::Bcd32,
        DataType::String(Some(Length(1))),
        DataType::Bytes(Some(Length(1))),
    ];

    /// Name, registers (0 where the point says how many) and encoding.
    const fn row(self) -> (&'static str, u8, Encoding) {
        match self {
            DataType::Bool => ("bool", 1, Encoding::Bool),
            DataType::U16 => ("u16", 1, Encoding::Unsigned),
            DataType::I16 => ("i16", 1, Encoding::Signed),
            DataType::U32 => ("u32", 2, Encoding::Unsigned),
            DataType::I32 => ("i32", 2, Encoding::Signed),
            DataType::U64 => ("u64", 4, Encoding::Unsigned),
            DataType::I64 => ("i64", 4, Encoding::Signed),
            DataType::F16 => ("f16", 1, Encoding::Float(Width::F16)),
            DataType::F32 => ("f32", 2, Encoding::Float(Width::F32)),
            DataType::F64 => ("f64", 4, Encoding::Float(Width::F64)),
            DataType::S16 => ("s16", 1, Encoding::SignMagnitude),
            DataType::S32 => ("s32", 2, Encoding::SignMagnitude),
            DataType::Bcd16 => ("bcd16", 1, Encoding::Bcd),
            DataType::Bcd32 => ("bcd32", 2, Encoding::Bcd),
            DataType::String(_) => ("string", 0, Encoding::Text),
            DataType::Bytes(_) => ("bytes", 0, Encoding::Bytes),
        }
    }

    /// Its name in a profile.
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// How many registers it takes (of a bit table: 1 bit); 0 for all that is there.
    pub const fn registers(self) -> u16 {
        match self {
            DataType::String(Some(length)) | DataType::Bytes(Some(length)) => length.get(),
            _ => self.row().1 as u16,
        }
    }

    /// How many bytes it takes where bytes are read and no registers; 0 for all that is there.
    pub(super) const fn bytes(self) -> u16 {
        match self.encoding() {
            Encoding::Text | Encoding::Bytes => self.registers(),
            Encoding::Bool => 1,
            _ => 2 * self.registers(),
        }
    }

    /// Whether its length is declared with each point.
    pub const fn has_length(self) -> bool {
        matches!(self, DataType::String(_) | DataType::Bytes(_))
    }

    pub(super) const fn encoding(self) -> Encoding {
        self.row().2
    }

    const fn bits(self) -> u32 {
        self.registers() as u32 * 16
    }

    /// The weight of the highest bit of a number; 0 for longer types, which are no numbers.
    fn sign_bit(self) -> i128 {
        self.bits().checked_sub(1).and_then(|top| 1_i128.checked_shl(top)).unwrap_or(0)
    }

    /// The type of that name, with its length where it has one. Whether it needs one depends on
    /// where the point is.
    ///
    /// # Errors
    /// [`PointError::UnknownType`], [`PointError::LengthNeedless`], [`PointError::LengthRange`].
    pub fn named(name: &str, length: Option<u16>) -> Result<DataType, PointError> {
        let found = Self::ALL.into_iter().find(|data_type| data_type.name() == name);
        let data_type = found.ok_or_else(|| PointError::UnknownType(name.to_owned()))?;
        let with_length = match data_type {
            DataType::String(_) => DataType::String,
            DataType::Bytes(_) => DataType::Bytes,
            _ if length.is_some() => return Err(PointError::LengthNeedless(data_type)),
            _ => return Ok(data_type),
        };
        let length =
            length.map(|length| Length::new(length).ok_or(PointError::LengthRange(length)));
        Ok(with_length(length.transpose()?))
    }

    /// The least and the greatest integer, unscaled; `None` for types that are no integers.
    pub(super) fn integers(self) -> Option<(i128, i128)> {
        let top = self.sign_bit();
        match self.encoding() {
            Encoding::Bool => Some((0, 1)),
            Encoding::Unsigned => Some((0, 2 * top - 1)),
            Encoding::Signed => Some((-top, top - 1)),
            Encoding::SignMagnitude => Some((1 - top, top - 1)),
            Encoding::Bcd => Some((0, 10_i128.pow(self.bits() / 4) - 1)),
            Encoding::Float(_) | Encoding::Text | Encoding::Bytes => None,
        }
    }

    /// The integer that a pattern of this type's width stands for.
    pub(super) fn integer(self, pattern: u64) -> Result<i128, Undecodable> {
        let number = i128::from(pattern);
        let top = self.sign_bit();
        match self.encoding() {
            Encoding::Signed if number >= top => Ok(number - 2 * top),
            Encoding::SignMagnitude if number >= top => Ok(top - number),
            Encoding::Bcd => bcd_to_integer(pattern),
            Encoding::Bool if number > 1 => Err(Undecodable::Bool(pattern)),
            _ => Ok(number),
        }
    }

    /// The pattern of an integer within [`DataType::integers`]; of sign and magnitude the positive
    /// zero.
    pub(super) fn pattern(self, integer: i128) -> Option<u64> {
        let (low, high) = self.integers()?;
        if !(low..=high).contains(&integer) {
            return None;
        }
        let top = self.sign_bit();
        let pattern = match self.encoding() {
            Encoding::Signed if integer < 0 => integer + 2 * top,
            Encoding::SignMagnitude if integer < 0 => top - integer,
            Encoding::Bcd => return u64::from_str_radix(&integer.to_string(), 16).ok(),
            _ => integer,
        };
        u64::try_from(pattern).ok()
    }

    /// A raw value as a profile writes it: a pattern (`0x8000`), or a negative number of a signed
    /// type (`-32768`).
    pub(super) fn raw_pattern(self, written: i128) -> Option<u64> {
        if written < 0 {
            return self.pattern(written);
        }
        u64::try_from(written).ok().filter(|pattern| u128::from(*pattern) < 1_u128 << self.bits())
    }

    /// The float that a pattern stands for, exactly.
    pub(super) fn float(width: Width, pattern: u64) -> f64 {
        // The patterns of the narrower widths have at most that many bits.
        #[expect(clippy::cast_possible_truncation, reason = "assembled from that many bits")]
        match width {
            Width::F16 => f64::from(half::f16::from_bits(pattern as u16)),
            Width::F32 => f64::from(f32::from_bits(pattern as u32)),
            Width::F64 => f64::from_bits(pattern),
        }
    }

    /// The pattern of a float that is one of this width.
    pub(super) fn float_pattern(width: Width, float: f64) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the value is one of the narrower type"
        )]
        let narrow = float as f32;
        match width {
            Width::F16 => half::f16::from_f32(narrow).to_bits().into(),
            Width::F32 => narrow.to_bits().into(),
            Width::F64 => float.to_bits(),
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

fn bcd_to_integer(pattern: u64) -> Result<i128, Undecodable> {
    // Hexadecimal without a letter is the decimal number.
    format!("{pattern:x}").parse().map_err(|_| Undecodable::Bcd(pattern))
}
