//! Raw registers to a value.

use std::borrow::Cow;

use super::data_type::Encoding;
use super::location::Medium;
use super::{DataType, Location, Order, Point, Sentinel};
use crate::value::{Decimal, Value, Width};

/// What an answer holds of a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw<'a> {
    /// A coil or a discrete input.
    Bit(bool),
    /// Registers, in the order of their addresses; of a queue all that are in it.
    Registers(Cow<'a, [u16]>),
    /// The bytes of an object or server id, all of them.
    Bytes(Cow<'a, [u8]>),
}

impl Raw<'_> {
    /// The same, borrowed from nobody.
    #[must_use]
    pub fn into_owned(self) -> Raw<'static> {
        match self {
            Raw::Bit(bit) => Raw::Bit(bit),
            Raw::Registers(registers) => Raw::Registers(registers.into_owned().into()),
            Raw::Bytes(bytes) => Raw::Bytes(bytes.into_owned().into()),
        }
    }
}

/// What of it a point is made of.
enum Content<'r> {
    Bit(bool),
    Registers(Cow<'r, [u16]>),
    Bytes(&'r [u8]),
}

/// What a point reads as.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// A value.
    Value(Value),
    /// The device says that it has none.
    Invalid,
}

/// Why raw registers mean nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// Bits instead of registers, or not as many as the point has.
    #[error("not {0} register(s) of this point")]
    Shape(u16),
    /// What is there ends before the point does.
    #[error("there are {there}, and it ends at {end}")]
    Missing {
        /// How many bytes or registers are there.
        there: usize,
        /// How many there would have to be.
        end: usize,
    },
    /// A `bool` byte that is neither 00 nor FF.
    #[error("{0:02X} is neither 00 nor FF")]
    Indicator(u8),
    /// A `bool` register that is neither 0 nor 1.
    #[error("{0} is neither 0 nor 1")]
    Bool(u64),
    /// A nibble above 9.
    #[error("0x{0:X} is not BCD")]
    Bcd(u64),
    /// A string that is not UTF-8.
    #[error("not UTF-8 text")]
    Utf8,
    /// A number without a label at a point with labels.
    #[error("{0} has no label")]
    Unlabelled(i128),
    /// The point's scale factor has no reading.
    #[error("its scale factor has no value")]
    ScaleFactorMissing,
    /// The point's scale factor is not an integer from -10 to 10.
    #[error("its scale factor {0} is not an integer from -10 to 10")]
    ScaleFactor(String),
    /// The scaled float is beyond its type's range.
    #[error("the scaled value is beyond the range of its float type")]
    Overflow,
}

impl Point {
    /// What these registers mean. `scale_factor` is the value of the point named by
    /// [`Point::scale_factor`], if it has one.
    ///
    /// # Errors
    /// [`Undecodable`]: nothing can be said of the value.
    pub fn decode(
        &self,
        raw: &Raw<'_>,
        scale_factor: Option<&Value>,
    ) -> Result<Reading, Undecodable> {
        match self.content(raw)? {
            Content::Bit(bit) => self.integer_value(i128::from(bit), 0),
            Content::Registers(registers) => match self.data_type.encoding() {
                Encoding::Text => self.decode_text(self.order.to_bytes(&registers)),
                Encoding::Bytes => Ok(bytes(self.order.to_bytes(&registers))),
                _ => self.decode_number(&registers, scale_factor),
            },
            Content::Bytes(part) => match (self.data_type.encoding(), part) {
                (Encoding::Text, _) => self.decode_text(part.to_vec()),
                (Encoding::Bytes, _) => Ok(bytes(part.to_vec())),
                (Encoding::Bool, [0x00]) => self.integer_value(0, 0),
                (Encoding::Bool, [0xFF]) => self.integer_value(1, 0),
                (Encoding::Bool, [other, ..]) => Err(Undecodable::Indicator(*other)),
                _ => self.decode_number(&Order::default().to_registers(part), scale_factor),
            },
        }
    }

    /// What of the raw data the point is made of.
    fn content<'r>(&self, raw: &'r Raw<'_>) -> Result<Content<'r>, Undecodable> {
        let size = self.data_type.registers();
        match (self.medium, raw) {
            (Medium::Bit, Raw::Bit(bit)) => return Ok(Content::Bit(*bit)),
            (Medium::Registers, Raw::Registers(registers))
                if registers.len() == usize::from(size) =>
            {
                return Ok(Content::Registers(registers.as_ref().into()));
            }
            (Medium::Number(greatest), Raw::Registers(registers)) => {
                let number = match (self.location, &registers[..]) {
                    (Location::Fifo(_), queue) => u16::try_from(queue.len()).ok(),
                    (_, [number]) => Some(*number),
                    _ => None,
                };
                if let Some(number) = number.filter(|number| *number <= greatest) {
                    return Ok(Content::Registers(vec![number].into()));
                }
            }
            (Medium::Queue(most), Raw::Registers(queue)) if queue.len() <= usize::from(most) => {
                return self.part(queue, size).map(|part| Content::Registers(part.into()));
            }
            (Medium::Bytes(most), Raw::Bytes(bytes)) if bytes.len() <= usize::from(most) => {
                return self.part(bytes, self.data_type.bytes()).map(Content::Bytes);
            }
            _ => {}
        }
        Err(Undecodable::Shape(size))
    }

    /// The registers of a number.
    pub(super) fn registers<'r>(&self, raw: &'r Raw<'_>) -> Option<Cow<'r, [u16]>> {
        match self.content(raw).ok()? {
            Content::Bit(_) => None,
            Content::Registers(registers) => Some(registers),
            Content::Bytes(part) => Some(Order::default().to_registers(part).into()),
        }
    }

    /// The part of this size that begins where the point does; of size 0 all that follows.
    fn part<'r, T>(&self, there: &'r [T], size: u16) -> Result<&'r [T], Undecodable> {
        let start = usize::from(self.at.unwrap_or(0));
        let end = if size == 0 { there.len().max(start) } else { start + usize::from(size) };
        there.get(start..end).ok_or(Undecodable::Missing { there: there.len(), end })
    }

    fn decode_number(
        &self,
        registers: &[u16],
        scale_factor: Option<&Value>,
    ) -> Result<Reading, Undecodable> {
        let pattern = self.order.assemble(registers);
        if self.is_invalid(pattern) {
            return Ok(Reading::Invalid);
        }
        if let Some(field) = self.field {
            let number = (pattern >> field.first()) & field.greatest();
            return self.integer_value(number.into(), 0);
        }
        let power = self.power_of_ten(scale_factor)?;
        match self.data_type.encoding() {
            Encoding::Float(width) => self.decode_float(width, pattern, power),
            _ => self.integer_value(self.data_type.integer(pattern)?, power),
        }
    }

    fn decode_text(&self, bytes: Vec<u8>) -> Result<Reading, Undecodable> {
        let text = String::from_utf8(bytes).map_err(|_| Undecodable::Utf8)?;
        if self.invalid == Sentinel::Empty && text.bytes().all(|byte| byte == 0) {
            return Ok(Reading::Invalid);
        }
        let trimmed = text.trim_end_matches(['\0', ' ']);
        Ok(Reading::Value(Value::Text(trimmed.to_owned())))
    }

    /// Whether this pattern means "not available".
    pub(super) fn is_invalid(&self, pattern: u64) -> bool {
        match (&self.invalid, self.data_type.encoding()) {
            (Sentinel::Patterns(patterns), _) => patterns.binary_search(&pattern).is_ok(),
            (Sentinel::NotANumber, Encoding::Float(width)) => {
                DataType::float(width, pattern).is_nan()
            }
            _ => false,
        }
    }

    /// The reading of a whole number, which only a plain point scales.
    fn integer_value(&self, number: i128, power: i32) -> Result<Reading, Undecodable> {
        let one_bit =
            self.data_type == DataType::Bool || self.field.is_some_and(super::Field::is_single);
        let value = if !self.labels.is_empty() {
            let found = self.labels.binary_search_by_key(&number, |(number, _)| *number).ok();
            let label = found.and_then(|index| self.labels.get(index));
            Value::Text(label.ok_or(Undecodable::Unlabelled(number))?.1.to_string())
        } else if one_bit {
            Value::Bool(number != 0)
        } else {
            Value::Number(self.scaled(&Decimal::from(number), power)?)
        };
        Ok(Reading::Value(value))
    }

    fn decode_float(&self, width: Width, pattern: u64, power: i32) -> Result<Reading, Undecodable> {
        let mut float = DataType::float(width, pattern);
        if let (Some(_), Ok(exact)) = (&self.scaling, Decimal::try_from(float)) {
            float = width.nearest(&self.scaled(&exact, power)?);
            if float.is_infinite() {
                return Err(Undecodable::Overflow);
            }
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the value is one of the narrower type"
        )]
        let narrow = float as f32;
        Ok(Reading::Value(match width {
            Width::F16 | Width::F32 => Value::F32(narrow),
            Width::F64 => Value::F64(float),
        }))
    }

    /// raw × scale × 10^power + offset, exactly.
    pub(super) fn scaled(&self, raw: &Decimal, power: i32) -> Result<Decimal, Undecodable> {
        let Some(scaling) = &self.scaling else { return Ok(raw.clone()) };
        raw.checked_mul(&scaling.scale)
            .and_then(|product| product.times_power_of_ten(power))
            .and_then(|product| product.checked_add(&scaling.offset))
            .map_err(|_| Undecodable::Overflow)
    }

    /// The power of ten that the point's scale factor holds; 0 for a point without one.
    pub(super) fn power_of_ten(&self, scale_factor: Option<&Value>) -> Result<i32, Undecodable> {
        if self.scale_factor().is_none() {
            return Ok(0);
        }
        let value = scale_factor.ok_or(Undecodable::ScaleFactorMissing)?;
        let power = match value {
            Value::Number(number) => number.to_i128().and_then(|power| i32::try_from(power).ok()),
            _ => None,
        };
        power
            .filter(|power| (-10..=10).contains(power))
            .ok_or_else(|| Undecodable::ScaleFactor(value.to_string()))
    }
}

fn bytes(bytes: Vec<u8>) -> Reading {
    Reading::Value(Value::Bytes(bytes))
}
