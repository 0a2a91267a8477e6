//! A width that a spec gives: absolute, in percent of a value, or both. All arithmetic is exact.

use std::fmt;
use std::str::FromStr;

use passline_modbus::value::{Decimal, DecimalError};
use serde_json::Value as Json;

use super::number;
use super::reader::Reported;
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::shape::Shape;
use crate::language::variables::Scalar;
use crate::language::yaml::Node;

/// What may stand for a width.
pub(super) const SHAPE: Shape = Shape::AnyOf(&[Shape::Number, Shape::Percent, Shape::Text]);

/// A percentage of a value's magnitude, and an absolute part; neither negative.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Margin {
    pub(super) percent: Decimal,
    pub(super) absolute: Decimal,
}

/// Why a text is no width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarginError {
    Syntax,
    Negative,
}

impl FromStr for Margin {
    type Err = MarginError;

    /// `0.5`, `5%`, `0.5% + 0.02` in either order.
    fn from_str(text: &str) -> Result<Self, MarginError> {
        let (mut percent, mut absolute) = (None, None);
        for term in text.split(" + ") {
            let (part, digits) = match term.trim().strip_suffix('%') {
                Some(digits) => (&mut percent, digits.trim_end()),
                None => (&mut absolute, term.trim()),
            };
            let value: Decimal = digits.parse().map_err(|_| MarginError::Syntax)?;
            if value.is_negative() {
                return Err(MarginError::Negative);
            }
            if part.replace(value).is_some() {
                return Err(MarginError::Syntax);
            }
        }
        let or_zero = |part: Option<Decimal>| part.unwrap_or_else(Decimal::zero);
        Ok(Self { percent: or_zero(percent), absolute: or_zero(absolute) })
    }
}

impl fmt::Display for Margin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.percent.is_zero() {
            write!(f, "{}", self.absolute)
        } else if self.absolute.is_zero() {
            write!(f, "{}%", self.percent)
        } else {
            write!(f, "{}% + {}", self.percent, self.absolute)
        }
    }
}

impl Margin {
    pub(super) fn is_zero(&self) -> bool {
        self.percent.is_zero() && self.absolute.is_zero()
    }

    /// The width around `centre`. `None`: it is a percentage of zero and nothing else.
    pub(super) fn of(&self, centre: &Decimal) -> Result<Option<Decimal>, DecimalError> {
        if centre.is_zero() && self.absolute.is_zero() && !self.percent.is_zero() {
            return Ok(None);
        }
        let share = centre.abs().checked_mul(&self.percent)?.times_power_of_ten(-2)?;
        share.checked_add(&self.absolute).map(Some)
    }

    /// So many times the width.
    pub(super) fn times(&self, factor: &Decimal) -> Result<Self, DecimalError> {
        let percent = self.percent.checked_mul(factor)?;
        Ok(Self { percent, absolute: self.absolute.checked_mul(factor)? })
    }

    pub(super) fn to_json(&self) -> Json {
        if self.percent.is_zero() {
            number::to_json(&self.absolute)
        } else {
            Json::String(self.to_string())
        }
    }

    pub(super) fn from_json(json: &Json) -> Option<Self> {
        match json {
            Json::String(text) => text.parse().ok(),
            Json::Number(_) => json.to_string().parse().ok(),
            _ => None,
        }
    }
}

/// Reads a width. `what` it is, with its article; what else could stand in its place, and how all
/// of that is written.
pub(super) fn read(
    context: &Context<'_>,
    node: Node<'_>,
    what: &str,
    (shape, forms): (&Shape, &str),
) -> Result<Margin, Reported> {
    let given = context.scalar(node).ok_or(Reported)?;
    let text = match &given.value {
        Scalar::Number(number) => number.to_string(),
        // In quotes only what is no number, as everywhere.
        Scalar::Text(text) if text.contains('%') => text.clone(),
        _ => {
            context.unexpected(node, shape);
            return Err(Reported);
        }
    };
    text.parse().map_err(|error| {
        let (message, remedy) = match error {
            MarginError::Syntax => (format!("{} is not {what}", quoted(&text)), forms),
            MarginError::Negative => {
                let remedy = "write it without the sign: it is a distance";
                (format!("{what} cannot be negative"), remedy)
            }
        };
        context.report(Diagnostic::error(given.span, message).remedy(remedy));
        Reported
    })
}
