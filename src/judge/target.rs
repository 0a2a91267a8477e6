//! A value that a limit names, exactly or with a tolerance around it.

use passline_modbus::value::{Decimal, Value};
use serde_json::Value as Json;

use super::edge::At;
use super::number::{self, Unit};
use super::stored::{Corrupt, Stored};
use super::tolerance::{Around, Tolerance, ToleranceError};

/// A constant as a limit names it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    Bool(bool),
    Number(Decimal),
    /// A text, a label, or bytes as they are shown: `0A FF`.
    Text(String),
}

impl Constant {
    /// Whether the value is this constant; `None` if the two cannot be compared.
    pub(super) fn is(&self, value: &Value) -> Option<bool> {
        match (self, value) {
            (Self::Bool(named), Value::Bool(bit)) => Some(named == bit),
            (Self::Number(named), _) => Some(value.compare(named)?.is_eq()),
            (Self::Text(named), Value::Text(text)) => Some(named == text),
            (Self::Text(named), Value::Bytes(_)) => Some(*named == value.to_string()),
            _ => None,
        }
    }

    pub(super) fn describe(&self, unit: Unit<'_>) -> String {
        match self {
            Self::Bool(named) => named.to_string(),
            Self::Number(named) => unit.of(named),
            Self::Text(named) => format!("{named:?}"),
        }
    }

    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::Bool(named) => Json::Bool(*named),
            Self::Number(named) => number::to_json(named),
            Self::Text(named) => Json::String(named.clone()),
        }
    }

    pub(super) fn from_json(json: &Json) -> Option<Self> {
        match json {
            Json::Bool(named) => Some(Self::Bool(*named)),
            Json::String(named) => Some(Self::Text(named.clone())),
            _ => number::from_json(json).map(Self::Number),
        }
    }
}

/// What `equals`, `not` and each of `one_of` name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    Exactly(Constant),
    Around(Box<Around>),
}

impl Target {
    /// The constant, with the tolerance around it if there is one.
    ///
    /// # Errors
    /// [`ToleranceError`]; a tolerance around what is no number is a syntax error.
    pub(super) fn new(
        constant: Constant,
        tolerance: Option<&Tolerance>,
    ) -> Result<Self, ToleranceError> {
        match (constant, tolerance) {
            (constant, None) => Ok(Self::Exactly(constant)),
            (Constant::Number(centre), Some(tolerance)) => {
                Ok(Self::Around(Around::new(centre, tolerance.clone())?.into()))
            }
            (_, Some(_)) => Err(ToleranceError::NotANumber),
        }
    }

    /// Takes a key and the tolerance beside it from a record.
    pub(super) fn restore(key: &str, limit: &mut Stored) -> Result<Option<Self>, Corrupt> {
        let Some(constant) = limit.read(key, Constant::from_json)? else { return Ok(None) };
        let tolerance = match constant {
            Constant::Number(_) => limit.read("tolerance", Tolerance::from_json)?,
            Constant::Bool(_) | Constant::Text(_) => None,
        };
        let target = Self::new(constant, tolerance.as_ref());
        target.map(Some).map_err(|_| Corrupt::Malformed(key.to_owned()))
    }

    /// Whether the value is what is named; `None` if the two cannot be compared.
    pub(super) fn is(&self, value: &Value) -> Option<bool> {
        match self {
            Self::Exactly(constant) => constant.is(value),
            Self::Around(around) => around.contains(value),
        }
    }

    /// Where it begins or ends to hold.
    pub(super) fn edges(&self) -> Vec<At<'_>> {
        match self {
            Self::Exactly(Constant::Number(named)) => vec![At::Number(named)],
            Self::Exactly(Constant::Bool(named)) => vec![At::Bool(*named)],
            Self::Exactly(Constant::Text(named)) => vec![At::Text(named)],
            Self::Around(around) => vec![At::Number(&around.low), At::Number(&around.high)],
        }
    }

    /// The one text that it names, if it is a text.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Exactly(Constant::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn describe(&self, unit: Unit<'_>) -> String {
        match self {
            Self::Exactly(constant) => constant.describe(unit),
            Self::Around(around) => around.describe(unit),
        }
    }

    /// The constant, and its tolerance.
    pub(super) fn to_json(&self) -> (Json, Option<Json>) {
        match self {
            Self::Exactly(constant) => (constant.to_json(), None),
            Self::Around(around) => {
                (number::to_json(&around.centre), Some(around.tolerance.to_json()))
            }
        }
    }
}
