//! Numbers as limits use them: what is finite, texts for people, JSON. Knows nothing of
//! limits.

use std::fmt;

use passline_modbus::value::{Decimal, Value};
use serde_json::Value as Json;

/// The measuring unit that is shown behind numbers; empty if there is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit<'a>(pub(super) &'a str);

impl Unit<'_> {
    /// A number, or what stands for numbers, with the unit.
    pub(super) fn of(self, shown: impl fmt::Display) -> String {
        if self.0.is_empty() { shown.to_string() } else { format!("{shown} {}", self.0) }
    }
}

/// The value for people: numbers with their unit, texts in quotes.
pub(super) fn shown(value: &Value, unit: Unit<'_>) -> String {
    match value {
        Value::Number(_) | Value::F32(_) | Value::F64(_) => unit.of(value),
        Value::Text(text) => format!("{text:?}"),
        Value::Bool(_) | Value::Bytes(_) => value.to_string(),
    }
}

/// Whether the value is neither NaN nor infinite.
pub(super) fn is_finite(value: &Value) -> bool {
    match value {
        Value::F32(float) => float.is_finite(),
        Value::F64(float) => float.is_finite(),
        Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Bytes(_) => true,
    }
}

/// The number as JSON, every digit kept.
pub(super) fn to_json(number: &Decimal) -> Json {
    number.to_string().parse::<serde_json::Number>().map_or(Json::Null, Json::Number)
}

/// The number, every digit kept; `None` if the JSON is no number.
pub(super) fn from_json(json: &Json) -> Option<Decimal> {
    match json {
        Json::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}
