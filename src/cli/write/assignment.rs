//! `PLACE=VALUE`: what is to be where, as people write it, into registers. Exact: what would read
//! back as something else is refused.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use passline_modbus::change::Part;
use passline_modbus::point::{DataType, EncodeError, Field, Point};
use passline_modbus::value::{Decimal, Value};

use crate::cli::arguments::ValueArguments;
use crate::cli::target::Target;

/// What is to be written where: `holding:100=23.5`, `coil:0=on`, `holding:10=1,2,3` for values one
/// after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    target: Target,
    place: String,
    text: String,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "write a place, `=` and a value: coil:0=on, holding:100=23.5, holding:10=1,2,3";
        let (place, text) = text.split_once('=').ok_or(form)?;
        let target = place.parse()?;
        Ok(Self { target, place: place.to_owned(), text: text.to_owned() })
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.place, self.text)
    }
}

impl Assignment {
    /// The values, each for its place. `round`: the nearest that the registers can hold will do.
    ///
    /// # Errors
    /// What cannot be written, and why.
    pub(super) fn parts(&self, shape: &ValueArguments, round: bool) -> Result<Vec<Part>, String> {
        // A comma belongs to a text.
        let is_text = shape.data_type.as_deref() == Some("string");
        let texts: Vec<&str> =
            if is_text { vec![&self.text] } else { self.text.split(',').map(str::trim).collect() };
        let count = u16::try_from(texts.len()).map_err(|_| "too many values".to_owned())?;
        let points = self.target.points(shape, count)?;
        let part = |(point, text)| part(point, text, round);
        points.into_iter().zip(texts).map(part).collect()
    }
}

fn part(point: Point, text: &str, round: bool) -> Result<Part, String> {
    let value = value(&point, text)?;
    Part::written(Arc::new(point), &value, None, round).map_err(|error| match error {
        EncodeError::Inexact { .. } => format!("{error}; --round writes that"),
        _ => error.to_string(),
    })
}

/// What a text means to a point.
fn value(point: &Point, text: &str) -> Result<Value, String> {
    match point.data_type() {
        DataType::String(_) => return Ok(Value::Text(text.to_owned())),
        DataType::Bytes(_) => {
            let remedy = "write bytes as pairs of hexadecimal digits: 0AFF or \"0A FF\"";
            return Value::bytes(text).ok_or(remedy.to_owned());
        }
        _ => {}
    }
    if point.data_type() == DataType::Bool || point.field().is_some_and(Field::is_single) {
        return match text {
            "on" | "true" | "1" => Ok(Value::Bool(true)),
            "off" | "false" | "0" => Ok(Value::Bool(false)),
            _ => Err("write on or off".to_owned()),
        };
    }
    let special = match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    };
    match special {
        Some(special) => Ok(Value::F64(special)),
        None => number(text).map(Value::Number),
    }
}

fn number(text: &str) -> Result<Decimal, String> {
    match text.strip_prefix("0x") {
        Some(hex) if hex.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
            let number = u64::from_str_radix(hex, 16).ok().map(Decimal::from);
            number.ok_or_else(|| "no number of up to 64 bits".to_owned())
        }
        _ => text.parse().map_err(|error| format!("{error}")),
    }
}
