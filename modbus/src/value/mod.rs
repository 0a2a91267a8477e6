//! What registers can mean: exact decimals, binary floats, texts. Knows nothing of where a value
//! came from.

mod decimal;
mod width;

use std::cmp::Ordering;
use std::fmt;

pub use decimal::{Decimal, DecimalError};
pub use width::Width;

/// A decoded value, before any limit.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A coil, a discrete input, or one bit of a register.
    Bool(bool),
    /// Integers, scaled integers and BCD: exact, every digit kept.
    Number(Decimal),
    /// `f16` and `f32` points. May be NaN or infinite.
    F32(f32),
    /// `f64` points and inexact expressions. May be NaN or infinite.
    F64(f64),
    /// Strings, and the labels of points with `values`.
    Text(String),
    /// `bytes` points.
    Bytes(Vec<u8>),
}

impl Value {
    /// The bytes that a text writes as two hexadecimal digits each: `0A FF`, as they are shown, or
    /// `0aff`. `None` for any other text.
    pub fn bytes(text: &str) -> Option<Value> {
        let digits: String = text.split(' ').collect();
        let byte = |pair: &[u8]| {
            let [high, low] = *pair else { return None };
            let digit = |digit: u8| char::from(digit).to_digit(16);
            u8::try_from(digit(high)? << 4 | digit(low)?).ok()
        };
        digits.as_bytes().chunks(2).map(byte).collect::<Option<_>>().map(Value::Bytes)
    }

    /// How this value stands to a decimal limit; `None` if it is NaN or not a number.
    ///
    /// Numbers are compared exactly. Against a float the limit is first rounded to that width, so
    /// that `230.4` means what a register can hold of it. (A limit for an `f16` point is to be
    /// rounded with [`Width::round`] beforehand: its readings are [`Value::F32`].)
    pub fn compare(&self, limit: &Decimal) -> Option<Ordering> {
        let (value, width) = match self {
            Value::Number(number) => return Some(number.cmp(limit)),
            Value::F32(float) => (f64::from(*float), Width::F32),
            Value::F64(float) => (*float, Width::F64),
            Value::Bool(_) | Value::Text(_) | Value::Bytes(_) => return None,
        };
        if value.is_infinite() {
            // Never equal to a limit that was itself rounded to infinity.
            return Some(if value > 0.0 { Ordering::Greater } else { Ordering::Less });
        }
        value.partial_cmp(&width.nearest(limit))
    }

    /// The exact number, if it is a finite one.
    pub fn to_decimal(&self) -> Option<Decimal> {
        match self {
            Value::Number(number) => Some(number.clone()),
            Value::F32(float) => Decimal::try_from(*float).ok(),
            Value::F64(float) => Decimal::try_from(*float).ok(),
            Value::Bool(_) | Value::Text(_) | Value::Bytes(_) => None,
        }
    }
}

impl fmt::Display for Value {
    /// For people: a float is the shortest decimal that reads back as the same float of its width.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(value) => write!(formatter, "{value}"),
            Value::Number(value) => write!(formatter, "{value}"),
            Value::F32(value) if is_plain(f64::from(*value)) => write!(formatter, "{value}"),
            Value::F32(value) if value.is_finite() => write!(formatter, "{value:e}"),
            Value::F32(value) => write_special(f64::from(*value), formatter),
            Value::F64(value) if is_plain(*value) => write!(formatter, "{value}"),
            Value::F64(value) if value.is_finite() => write!(formatter, "{value:e}"),
            Value::F64(value) => write_special(*value, formatter),
            Value::Text(value) => formatter.write_str(value),
            Value::Bytes(value) => {
                for (index, byte) in value.iter().enumerate() {
                    let gap = if index == 0 { "" } else { " " };
                    write!(formatter, "{gap}{byte:02X}")?;
                }
                Ok(())
            }
        }
    }
}

/// Whether people read it more easily without an exponent.
fn is_plain(value: f64) -> bool {
    value == 0.0 || (1e-5..1e16).contains(&value.abs())
}

fn write_special(value: f64, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    formatter.write_str(match value {
        _ if value.is_nan() => "NaN",
        _ if value > 0.0 => "Infinity",
        _ => "-Infinity",
    })
}
