//! `not`: a value that it must not be; on a float with a `tolerance`.

use passline_modbus::value::Value;
use serde_json::{Map, Value as Json};

use super::edge::At;
use super::kind::Kind;
use super::number::Unit;
use super::reach::{Reach, TextSpace};
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use super::target::Target;
use crate::language::shape::{Field, Shape};

/// The one value that does not pass.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Not(pub(super) Target);

impl Kind for Not {
    const FIELDS: &'static [Field] = &[Field::optional(
        "not",
        Shape::Scalar,
        "A value that it must not be. On a float with `tolerance`.",
    )];

    fn read(from: &Reader<'_, '_, '_>) -> Result<Option<Self>, Reported> {
        let Some(node) = from.fields.node("not") else { return Ok(None) };
        from.target("not", node).map(|target| Some(Self(target)))
    }

    fn judge(&self, value: &Value, unit: Unit<'_>) -> Result<(), String> {
        // What cannot be compared with the target is not known to differ from it: it fails.
        match self.0.is(value) {
            Some(false) => Ok(()),
            Some(true) => Err(format!("is what is excluded: {}", self.describe(unit))),
            None => Err(format!("cannot be compared with {}", self.0.describe(unit))),
        }
    }

    fn edges(&self) -> Vec<(&'static str, At<'_>)> {
        self.0.edges().into_iter().map(|at| ("not", at)).collect()
    }

    fn reach(&self, space: TextSpace) -> Reach {
        match self.0.text() {
            Some(text) if space.has(text) => Reach::Some,
            _ => Reach::All,
        }
    }

    fn describe(&self, unit: Unit<'_>) -> String {
        format!("not {}", self.0.describe(unit))
    }

    fn store(&self, limit: &mut Map<String, Json>) {
        let (named, tolerance) = self.0.to_json();
        limit.insert("not".into(), named);
        limit.extend(tolerance.map(|tolerance| ("tolerance".to_owned(), tolerance)));
    }

    fn restore(limit: &mut Stored) -> Result<Option<Self>, Corrupt> {
        Ok(Target::restore("not", limit)?.map(Self))
    }
}

#[cfg(test)]
mod tests {
    use passline_modbus::value::Value;

    use crate::judge::testing::{limits, number, plain, refusal, verdict};

    #[test]
    fn everything_comparable_but_the_value_passes() {
        let word = limits("not: 0", &plain("u16"));
        assert_eq!(verdict(&word, number("1")), "pass");
        assert_eq!(verdict(&word, number("0")), "0 V is what is excluded: not 0 V");
        let text = limits("not: ''", &plain("string"));
        assert_eq!(verdict(&text, Value::Text("x".into())), "pass");
        assert_ne!(verdict(&text, Value::Text(String::new())), "pass");
    }

    #[test]
    fn what_cannot_be_compared_is_not_known_to_differ() {
        let word = limits("not: 0", &plain("u16"));
        for other in [Value::Bool(true), Value::Text("1".into()), Value::Bytes(vec![1])] {
            assert!(verdict(&word, other).contains("cannot be compared with 0 V"));
        }
        for float in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_ne!(verdict(&word, Value::F32(float)), "pass");
        }
    }

    #[test]
    fn a_float_is_kept_away_by_a_tolerance() {
        assert!(refusal("not: 0", &plain("f32")).contains("`not` on a float needs a `tolerance`"));
        let away = limits("not: 0, tolerance: 0.1", &plain("f32"));
        assert_eq!(verdict(&away, Value::F32(0.1)), "0.1 V is what is excluded: not [-0.1..0.1] V");
        assert_eq!(verdict(&away, Value::F32(0.11)), "pass");
        assert_eq!(verdict(&away, Value::F32(-0.11)), "pass");
    }

    #[test]
    fn what_the_point_never_is_excludes_nothing() {
        for (yaml, name) in [
            ("not: 70000", "u16"),
            ("not: 0.5", "u16"),
            ("not: 'too long for it'", "string"),
            ("not: '0A'", "bytes"),
        ] {
            assert!(refusal(yaml, &plain(name)).contains("cannot fail"), "{yaml}");
        }
        assert!(refusal("equals: 5, not: 5", &plain("u16")).contains("cannot pass"));
    }
}
