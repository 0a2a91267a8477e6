//! A value to raw registers: the reverse of decoding, as exact.

use super::data_type::Encoding;
use super::location::Medium;
use super::{DataType, Order, Point, Raw, Sentinel, Undecodable};
use crate::value::{Decimal, Value, Width};

/// Why a value cannot be written to a point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The value is of the wrong kind.
    #[error("it takes {expected}")]
    Kind {
        /// What the point takes, for people.
        expected: &'static str,
    },
    /// The raw number would not fit the type.
    #[error("out of reach: the type holds {low} to {high}")]
    OutOfReach {
        /// The least value that the point can hold.
        low: Decimal,
        /// The greatest value that the point can hold.
        high: Decimal,
    },
    /// Between two values that the point can hold.
    #[error("it cannot be held exactly: the nearest is {nearest}")]
    Inexact {
        /// The nearest value that the point can hold.
        nearest: Decimal,
    },
    /// NaN or an infinity for a point that holds neither.
    #[error("not a finite number")]
    NotFinite,
    /// Beyond the range of the float type.
    #[error("beyond the range of a `{0}`")]
    FloatRange(DataType),
    /// No such label.
    #[error("no label `{0}`")]
    UnknownLabel(String),
    /// Several numbers have this label.
    #[error("several numbers are called `{0}`")]
    AmbiguousLabel(String),
    /// More bytes than the point has.
    #[error("{bytes} bytes do not fit: {available} do")]
    TooLong {
        /// The bytes of the value.
        bytes: usize,
        /// The bytes of the point.
        available: u16,
    },
    /// Fewer bytes than the point has.
    #[error("{bytes} bytes are too few: it has {needed}")]
    TooShort {
        /// The bytes of the value.
        bytes: usize,
        /// The bytes of the point.
        needed: u16,
    },
    /// Trailing blanks or NULs, which reading trims.
    #[error("blanks or NULs at the end are lost when it is read: use a `bytes` point")]
    Trailing,
    /// The raw content means "not available".
    #[error("the raw content would mean that there is no value")]
    MeansInvalid,
    /// The scale factor has no usable value.
    #[error(transparent)]
    ScaleFactor(Undecodable),
    /// Only some bits of the word: see [`Point::merge`].
    #[error("a bit field is written with its whole word")]
    Field,
}

impl Point {
    /// The raw content of the point for a value: what [`Point::decode`] turns into that value again,
    /// where the point is all that is there. A float is
    /// rounded to the nearest that the register can hold.
    ///
    /// Whether the value may be written ([`Point::access`], [`Point::permits`]) is not looked at:
    /// a test may try it on purpose.
    ///
    /// # Errors
    /// [`EncodeError`]: the point cannot hold this value.
    pub fn encode(
        &self,
        value: &Value,
        scale_factor: Option<&Value>,
    ) -> Result<Raw<'static>, EncodeError> {
        if self.field.is_some() {
            return Err(EncodeError::Field);
        }
        let pattern = match (self.data_type.encoding(), value) {
            (Encoding::Text, Value::Text(text)) => return self.encode_text(text),
            (Encoding::Text, _) => return Err(EncodeError::Kind { expected: "a text" }),
            (Encoding::Bytes, Value::Bytes(bytes)) => return self.encode_bytes(bytes),
            (Encoding::Bytes, _) => return Err(EncodeError::Kind { expected: "bytes" }),
            (Encoding::Float(width), _) => self.encode_float(width, value, scale_factor)?,
            _ => {
                let number = self.encode_integer(value, scale_factor)?;
                match self.medium {
                    Medium::Bit => return Ok(Raw::Bit(number != 0)),
                    Medium::Bytes(_) if self.data_type == DataType::Bool => {
                        let indicator = if number == 0 { 0x00 } else { 0xFF };
                        return Ok(Raw::Bytes(vec![indicator].into()));
                    }
                    _ => {}
                }
                self.data_type.pattern(number).ok_or_else(|| self.out_of_reach(0))?
            }
        };
        if self.is_invalid(pattern) {
            return Err(EncodeError::MeansInvalid);
        }
        Ok(self.raw_number(pattern))
    }

    /// The raw form of a number's pattern.
    fn raw_number(&self, pattern: u64) -> Raw<'static> {
        let registers = self.order.disassemble(pattern, self.data_type.registers());
        match self.medium {
            Medium::Bytes(_) => Raw::Bytes(Order::default().to_bytes(&registers).into()),
            _ => Raw::Registers(registers.into()),
        }
    }

    /// The word with the value of this bit field in it, from the present raw content.
    ///
    /// # Errors
    /// [`EncodeError`]: the field cannot hold this value; [`EncodeError::Kind`] for a point that is
    /// no field, or raw content that does not hold its word.
    pub fn merge(&self, value: &Value, raw: &Raw<'_>) -> Result<Raw<'static>, EncodeError> {
        let Some(field) = self.field else {
            return Err(EncodeError::Kind { expected: "the whole value: it is no bit field" });
        };
        let word = self.registers(raw).ok_or(EncodeError::Kind { expected: "its whole word" })?;
        let number = self.encode_integer(value, None)?;
        let bits = u64::try_from(number).map_err(|_| self.out_of_reach(0))?;
        let kept = self.order.assemble(&word) & !(field.greatest() << field.first());
        Ok(self.raw_number(kept | bits << field.first()))
    }

    /// Which bits of its registers are its own: all of them, but for a bit field.
    pub fn mask(&self) -> Vec<u16> {
        let Some(field) = self.field else { return vec![u16::MAX; self.size()] };
        self.order.disassemble(field.greatest() << field.first(), self.data_type.registers())
    }

    /// Whether the value is within what may be written ([`Point::range`]); `true` without a range.
    pub fn permits(&self, value: &Value) -> bool {
        self.range().is_none_or(|(low, high)| {
            value.compare(low).is_some_and(std::cmp::Ordering::is_ge)
                && value.compare(high).is_some_and(std::cmp::Ordering::is_le)
        })
    }

    fn encode_text(&self, text: &str) -> Result<Raw<'static>, EncodeError> {
        let available = self.max_bytes();
        if text.len() > usize::from(available) {
            return Err(EncodeError::TooLong { bytes: text.len(), available });
        }
        if text.ends_with(['\0', ' ']) {
            return Err(EncodeError::Trailing);
        }
        if text.is_empty() && self.invalid == Sentinel::Empty {
            return Err(EncodeError::MeansInvalid);
        }
        let mut bytes = text.as_bytes().to_vec();
        if self.data_type.registers() > 0 {
            bytes.resize(usize::from(available), 0);
        }
        Ok(self.raw_of(bytes))
    }

    /// The raw form of a `string` or of `bytes`.
    fn raw_of(&self, bytes: Vec<u8>) -> Raw<'static> {
        match self.medium {
            Medium::Bytes(_) => Raw::Bytes(bytes.into()),
            _ => Raw::Registers(self.order.to_registers(&bytes).into()),
        }
    }

    fn encode_bytes(&self, bytes: &[u8]) -> Result<Raw<'static>, EncodeError> {
        let available = self.max_bytes();
        let needed = if self.data_type.registers() == 0 { 0 } else { available };
        if bytes.len() < usize::from(needed) {
            return Err(EncodeError::TooShort { bytes: bytes.len(), needed });
        }
        if bytes.len() > usize::from(available) {
            return Err(EncodeError::TooLong { bytes: bytes.len(), available });
        }
        Ok(self.raw_of(bytes.to_vec()))
    }

    fn encode_float(
        &self,
        width: Width,
        value: &Value,
        scale_factor: Option<&Value>,
    ) -> Result<u64, EncodeError> {
        let power = self.power_of_ten(scale_factor).map_err(EncodeError::ScaleFactor)?;
        let special = match value {
            Value::F32(float) if !float.is_finite() => Some(f64::from(*float)),
            Value::F64(float) if !float.is_finite() => Some(*float),
            _ => None,
        };
        if let Some(special) = special {
            return Ok(DataType::float_pattern(width, special));
        }
        let number = value.to_decimal().ok_or(EncodeError::Kind { expected: "a number" })?;
        let range = || EncodeError::FloatRange(self.data_type);
        let raw = match &self.scaling {
            None => number,
            Some(scaling) => number
                .checked_sub(&scaling.offset)
                .and_then(|number| number.checked_div(&scaling.scale))
                .and_then(|raw| raw.times_power_of_ten(-power))
                .map_err(|_| range())?,
        };
        let nearest = width.nearest(&raw);
        if nearest.is_infinite() {
            return Err(range());
        }
        Ok(DataType::float_pattern(width, nearest))
    }

    /// The whole number behind a value: of a label, a bit, or unscaled.
    fn encode_integer(
        &self,
        value: &Value,
        scale_factor: Option<&Value>,
    ) -> Result<i128, EncodeError> {
        let one_bit =
            self.data_type == DataType::Bool || self.field.is_some_and(super::Field::is_single);
        match value {
            Value::Text(label) if !self.labels.is_empty() => self.number_of(label),
            _ if !self.labels.is_empty() => Err(EncodeError::Kind { expected: "a label" }),
            Value::Bool(bit) if one_bit => Ok(i128::from(*bit)),
            _ if one_bit => Err(EncodeError::Kind { expected: "true or false" }),
            Value::F32(float) if !float.is_finite() => Err(EncodeError::NotFinite),
            Value::F64(float) if !float.is_finite() => Err(EncodeError::NotFinite),
            _ => {
                let number = value.to_decimal();
                let number = number.ok_or(EncodeError::Kind { expected: "a number" })?;
                let power = self.power_of_ten(scale_factor).map_err(EncodeError::ScaleFactor)?;
                self.unscaled(&number, power)
            }
        }
    }

    fn number_of(&self, label: &str) -> Result<i128, EncodeError> {
        let mut found = self.labels.iter().filter(|(_, own)| **own == *label);
        let (number, _) =
            found.next().ok_or_else(|| EncodeError::UnknownLabel(label.to_owned()))?;
        if found.next().is_some() {
            return Err(EncodeError::AmbiguousLabel(label.to_owned()));
        }
        Ok(*number)
    }

    /// (value − offset) / (scale × 10^power), if that is a whole number that the type holds.
    fn unscaled(&self, value: &Decimal, power: i32) -> Result<i128, EncodeError> {
        let out_of_reach = |_| self.out_of_reach(power);
        let factor = self.scale().times_power_of_ten(power).map_err(out_of_reach)?;
        let distance = value.checked_sub(&self.offset()).map_err(out_of_reach)?;
        if let Some(number) = distance.exact_quotient(&factor) {
            return if self.holds(number) { Ok(number) } else { Err(self.out_of_reach(power)) };
        }
        // Not whole, or far beyond every type.
        let quotient = distance.checked_div(&factor).map_err(out_of_reach)?.rounded(0);
        let nearest = quotient.to_i128().filter(|number| self.holds(*number));
        let nearest = nearest.ok_or_else(|| self.out_of_reach(power))?;
        let nearest = self.scaled(&nearest.into(), power).map_err(EncodeError::ScaleFactor)?;
        Err(EncodeError::Inexact { nearest })
    }

    fn holds(&self, number: i128) -> bool {
        self.integers().is_some_and(|(low, high)| (low..=high).contains(&number))
    }

    fn out_of_reach(&self, power: i32) -> EncodeError {
        let (low, high) = self.integers().unwrap_or((0, 0));
        let scaled = |raw: i128| self.scaled(&raw.into(), power).unwrap_or_else(|_| raw.into());
        let (one, other) = (scaled(low), scaled(high));
        let (low, high) = if one <= other { (one, other) } else { (other, one) };
        EncodeError::OutOfReach { low, high }
    }
}
