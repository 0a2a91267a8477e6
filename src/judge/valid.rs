//! `valid: true`: any value that is neither NaN, infinite, nor one that the point calls invalid.

use passline_modbus::value::Value;
use serde_json::{Map, Value as Json};

use super::kind::Kind;
use super::number::{self, Unit};
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use crate::spec::shape::{Field, Shape};

/// The value must mean something.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Valid;

impl Kind for Valid {
    const FIELDS: &'static [Field] = &[Field::optional(
        "valid",
        Shape::Bool,
        "`true`: any value passes that is neither NaN, infinite nor declared `invalid`.",
    )];

    fn read(from: &Reader<'_, '_, '_>) -> Result<Option<Self>, Reported> {
        if !from.fields.has("valid") {
            return Ok(None);
        }
        let span = from.fields.key_span("valid");
        if !from.fields.boolean("valid").ok_or(Reported)?.value {
            return from.refuse(
                span,
                "`valid: false` is no limit",
                "remove it, or write `valid: true`",
            );
        }
        if !from.subject.may_be_invalid {
            return from.refuse(
                span,
                "`valid` cannot fail: this value is never NaN, and none is declared `invalid`",
                "declare `invalid:` at the point, or use another limit",
            );
        }
        Ok(Some(Self))
    }

    fn judge(&self, value: &Value, _: Unit<'_>) -> Result<(), String> {
        // Values that the point calls invalid never get here: no limit holds for them.
        if number::is_finite(value) { Ok(()) } else { Err("is no valid value".to_owned()) }
    }

    fn describe(&self, _: Unit<'_>) -> String {
        "valid".to_owned()
    }

    fn store(&self, limit: &mut Map<String, Json>) {
        limit.insert("valid".into(), Json::Bool(true));
    }

    fn restore(limit: &mut Stored) -> Result<Option<Self>, Corrupt> {
        limit.read("valid", |json| (*json == Json::Bool(true)).then_some(Self))
    }
}
