//! How far a value may be from what a limit names: absolute, in percent of it, or both; the same
//! on both sides or not. All arithmetic is exact.

use std::fmt;

use passline_modbus::value::{Decimal, DecimalError, Value};
use serde_json::{Map, Value as Json};

use super::bounds::End;
use super::margin::{self, Margin};
use super::number::{self, Unit};
use super::reader::Reported;
use super::stored::Stored;
use crate::language::decode::Context;
use crate::language::shape::{Field, Object, Shape};
use crate::language::yaml::Node;

static SIDES: Object = Object {
    name: "tolerance",
    doc: "A tolerance with its own width on each side.",
    fields: &[&[
        Field::required("plus", margin::SHAPE, "How far above: `0.5`, `5%` or `\"0.5% + 0.02\"`."),
        Field::required("minus", margin::SHAPE, "How far below: `0.5`, `5%` or `\"0.5% + 0.02\"`."),
    ]],
};

/// What may stand for a tolerance.
pub(super) const SHAPE: Shape =
    Shape::AnyOf(&[Shape::Number, Shape::Percent, Shape::Text, Shape::Object(&SIDES)]);

const FORMS: &str = "write `0.5`, `5%`, `\"0.5% + 0.02\"`, or `{ plus: 1, minus: 2 }`";

/// What is wrong with a tolerance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ToleranceError {
    #[error("only a number can have a tolerance")]
    NotANumber,
    #[error("a percentage of zero is zero: only exactly 0 would pass")]
    PercentOfZero,
    #[error("the bounds of this tolerance are unusable: {0}")]
    Bounds(#[from] DecimalError),
}

impl ToleranceError {
    /// What to do about it.
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::NotANumber => "remove the tolerance",
            Self::PercentOfZero => "give an absolute tolerance: `0.5`, or `\"5% + 0.5\"`",
            Self::Bounds(_) => "write fewer digits",
        }
    }
}

/// How far a value may be above and below the one that is named.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tolerance {
    plus: Margin,
    minus: Margin,
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.plus == self.minus {
            write!(f, "{}", self.plus)
        } else {
            write!(f, "+({}) -({})", self.plus, self.minus)
        }
    }
}

impl Tolerance {
    /// The same margin on both sides.
    pub(super) fn symmetric(margin: Margin) -> Self {
        Self { plus: margin.clone(), minus: margin }
    }

    /// Its own margin on each side.
    pub(super) fn sides(plus: Margin, minus: Margin) -> Self {
        Self { plus, minus }
    }

    pub(super) fn to_json(&self) -> Json {
        if self.plus == self.minus {
            return self.plus.to_json();
        }
        let mut sides = Map::new();
        sides.insert("plus".into(), self.plus.to_json());
        sides.insert("minus".into(), self.minus.to_json());
        Json::Object(sides)
    }

    pub(super) fn from_json(json: &Json) -> Option<Self> {
        match json {
            Json::Object(sides) if sides.len() == 2 => Some(Self::sides(
                Margin::from_json(sides.get("plus")?)?,
                Margin::from_json(sides.get("minus")?)?,
            )),
            _ => Margin::from_json(json).map(Self::symmetric),
        }
    }
}

/// Reads a tolerance.
pub(super) fn read(context: &Context<'_>, node: Node<'_>) -> Result<Tolerance, Reported> {
    if node.pairs().is_none() {
        return margin(context, node).map(Tolerance::symmetric);
    }
    let sides = context.fields(node, &SIDES).ok_or(Reported)?;
    let side = |key| margin(context, sides.node(key).ok_or(Reported)?);
    // Both first, so that both are reported.
    let (plus, minus) = (side("plus"), side("minus"));
    Ok(Tolerance::sides(plus?, minus?))
}

fn margin(context: &Context<'_>, node: Node<'_>) -> Result<Margin, Reported> {
    margin::read(context, node, "a tolerance", (&SHAPE, FORMS))
}

/// A number with its tolerance, and the bounds that follow, both inclusive.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Around {
    pub(super) centre: Decimal,
    pub(super) tolerance: Tolerance,
    pub(super) low: Decimal,
    pub(super) high: Decimal,
}

impl Around {
    pub(super) fn new(centre: Decimal, tolerance: Tolerance) -> Result<Self, ToleranceError> {
        let width = |margin: &Margin| match margin.of(&centre)? {
            Some(width) => Ok(width),
            None => Err(ToleranceError::PercentOfZero),
        };
        let (plus, minus) = (width(&tolerance.plus)?, width(&tolerance.minus)?);
        let high = centre.checked_add(&plus)?;
        let low = centre.checked_sub(&minus)?;
        Ok(Self { centre, tolerance, low, high })
    }

    /// The lower and the upper end.
    pub(super) fn ends(&self) -> (Option<End<'_>>, Option<End<'_>>) {
        (Some(End::inclusive(&self.low)), Some(End::inclusive(&self.high)))
    }

    /// Writes the bounds as `min` and `max`, for who reads the numbers only. Explicit ones replace
    /// them later.
    pub(super) fn store_bounds(&self, limit: &mut Map<String, Json>) {
        limit.insert("min".into(), number::to_json(&self.low));
        limit.insert("max".into(), number::to_json(&self.high));
    }

    /// Takes the bounds that [`store_bounds`](Self::store_bounds) wrote, but not others.
    pub(super) fn take_bounds(&self, limit: &mut Stored) {
        limit.take_if("min", &number::to_json(&self.low));
        limit.take_if("max", &number::to_json(&self.high));
    }

    /// Whether the value is within the bounds; `None` if it is no number.
    pub(super) fn contains(&self, value: &Value) -> Option<bool> {
        let above = value.compare(&self.low)?.is_ge();
        let below = value.compare(&self.high)?.is_le();
        Some(above && below)
    }

    pub(super) fn describe(&self, unit: Unit<'_>) -> String {
        unit.of(format_args!("[{}..{}]", self.low, self.high))
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{limits, plain, point, refusal};

    #[test]
    fn every_form_gives_its_bounds() {
        let fine = point("i32", |point| point.scale = "0.0001".parse().unwrap());
        let check = |tolerance: &str, bounds: &str| {
            let yaml = format!("nominal: 200, tolerance: {tolerance}");
            let limits = limits(&yaml, &fine);
            assert_eq!(limits.describe(None), bounds, "{tolerance}");
        };
        check("0.5", "[199.5..200.5]");
        check("5%", "[190..210]");
        check("'5%'", "[190..210]");
        check("0.05 %", "[199.9..200.1]");
        check("0.5% + 0.02", "[198.98..201.02]");
        check("\"0.02 + 0.5%\"", "[198.98..201.02]");
        check("{ plus: 1, minus: 2% }", "[196..201]");
        check("{ plus: 0.5% + 1, minus: 0 }", "[200..202]");
        check("0", "[200..200]");
    }

    #[test]
    fn what_is_no_tolerance_is_refused() {
        let check = |tolerance: &str, refused: &str| {
            let yaml = format!("nominal: 200, tolerance: {tolerance}");
            let refusal = refusal(&yaml, &plain("u16"));
            assert!(refusal.contains(refused), "{tolerance}: {refusal}");
        };
        check("-1", "cannot be negative");
        check("-1%", "cannot be negative");
        check("5% + -1", "cannot be negative");
        check("5% + 1%", "is not a tolerance");
        check("1 + 2 + 3%", "is not a tolerance");
        check("x%", "is not a tolerance");
        check("'%'", "is not a tolerance");
        check("'0.5'", "number");
        check("five", "number");
        check("true", "number");
        check("[1]", "number");
        check("{ plus: 1 }", "`minus` is missing");
        check("{ plus: 1, minus: 2, by: 3 }", "`by` is no key");
    }

    #[test]
    fn it_belongs_to_one_value() {
        let word = plain("u16");
        for nothing in ["min: 3, tolerance: 5%", "valid: true, tolerance: 1"] {
            assert!(refusal(nothing, &word).contains("add `nominal:`"), "{nothing}");
        }
        let which = refusal("equals: 3, not: 5, tolerance: 1", &word);
        assert!(which.contains("name that value with `nominal:`"), "{which}");
        assert!(refusal("equals: true, tolerance: 1", &plain("bool")).contains("only a number"));
        // `nominal` takes it; the exact limit beside it stays exact.
        let both = limits("nominal: 10, tolerance: 5, not: 7", &word);
        assert_eq!(both.describe(None), "[5..15] and not 7");
    }

    #[test]
    fn a_percentage_of_zero_is_refused() {
        for zero in ["nominal: 0, tolerance: 5%", "nominal: 0, tolerance: { plus: 1, minus: 5% }"] {
            assert!(refusal(zero, &plain("f32")).contains("percentage of zero"), "{zero}");
        }
        assert!(
            refusal("one_of: [1, 0], tolerance: 5%", &plain("f32")).contains("percentage of zero")
        );
        let absolute = limits("nominal: 0, tolerance: 5% + 0.1", &plain("f32"));
        assert_eq!(absolute.describe(None), "[-0.1..0.1]");
    }
}
