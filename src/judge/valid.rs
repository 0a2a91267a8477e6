//! `valid: true`: any value that is neither NaN, infinite, nor one that the point calls invalid.

use passline_modbus::value::Value;
use serde_json::{Map, Value as Json};

use super::edge::At;
use super::kind::Kind;
use super::number::Unit;
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use crate::language::shape::{Field, Shape};

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

    fn judge(&self, _: &Value, _: Unit<'_>) -> Result<(), String> {
        // What is NaN, infinite or invalid never gets here: no limit of any kind holds for it.
        Ok(())
    }

    fn edges(&self) -> Vec<(&'static str, At<'_>)> {
        vec![("valid", At::NoValue)]
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

#[cfg(test)]
mod tests {
    use passline_modbus::point::{Invalid, Reading};
    use passline_modbus::value::Value;

    use crate::judge::testing::{limits, number, plain, point, refusal, verdict};
    use crate::judge::{Judgement, Observed};

    #[test]
    fn any_value_passes_but_none() {
        let float = limits("valid: true", &plain("f32"));
        assert_eq!(verdict(&float, Value::F32(-3.0)), "pass");
        for none in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_ne!(verdict(&float, Value::F32(none)), "pass");
        }
        let word = point("u16", |point| point.invalid = Invalid::Raw(vec![0xFFFF]));
        let word = limits("valid: true", &word);
        assert_eq!(verdict(&word, number("3")), "pass");
        let invalid = word.judge(&Observed::Reading(Reading::Invalid), None);
        assert_eq!(invalid, Judgement::fail("the device says that it has no valid value"));
    }

    #[test]
    fn it_needs_a_value_that_can_be_none() {
        assert!(refusal("valid: true", &plain("u16")).contains("`valid` cannot fail"));
        assert!(refusal("valid: true", &plain("string")).contains("`valid` cannot fail"));
        assert!(refusal("valid: false", &plain("f32")).contains("is no limit"));
        assert!(refusal("valid: yes", &plain("f32")).contains("`true` or `false`"));
        // It does not save other limits that cannot hold.
        assert!(refusal("valid: true, min: 1e39", &plain("f32")).contains("cannot pass"));
    }
}
