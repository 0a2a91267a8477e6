//! Raw registers to a value.

use std::borrow::Cow;

use super::data_type::Encoding;
use super::{DataType, Point, Sentinel};
use crate::value::{Decimal, Value, Width};

/// What an answer holds of a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw<'a> {
    /// A coil or a discrete input.
    Bit(bool),
    /// Registers, in the order of their addresses.
    Registers(Cow<'a, [u16]>),
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
        match raw {
            Raw::Bit(bit) if self.span.table().is_bits() => self.integer_value(i128::from(*bit), 0),
            Raw::Registers(registers)
                if !self.span.table().is_bits()
                    && registers.len() == usize::from(self.span.count()) =>
            {
                self.decode_registers(registers, scale_factor)
            }
            _ => Err(Undecodable::Shape(self.span.count())),
        }
    }

    fn decode_registers(
        &self,
        registers: &[u16],
        scale_factor: Option<&Value>,
    ) -> Result<Reading, Undecodable> {
        let encoding = self.data_type.encoding();
        match encoding {
            Encoding::Text => return self.decode_text(registers),
            Encoding::Bytes => {
                return Ok(Reading::Value(Value::Bytes(self.order.to_bytes(registers))));
            }
            _ => {}
        }
        let pattern = self.order.assemble(registers);
        if self.is_invalid(pattern) {
            return Ok(Reading::Invalid);
        }
        if let Some(field) = self.field {
            let number = (pattern >> field.first()) & field.greatest();
            return self.integer_value(number.into(), 0);
        }
        let power = self.power_of_ten(scale_factor)?;
        match encoding {
            Encoding::Float(width) => self.decode_float(width, pattern, power),
            _ => self.integer_value(self.data_type.integer(pattern)?, power),
        }
    }

    fn decode_text(&self, registers: &[u16]) -> Result<Reading, Undecodable> {
        let text =
            String::from_utf8(self.order.to_bytes(registers)).map_err(|_| Undecodable::Utf8)?;
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
