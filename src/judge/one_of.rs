//! `one_of`: the values that it may be; on a float with a `tolerance` around each.

use passline_modbus::value::Value;
use serde_json::{Map, Value as Json};

use super::edge::At;
use super::kind::Kind;
use super::number::Unit;
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use super::target::{Constant, Target};
use super::tolerance::Tolerance;
use crate::language::diagnostic::quoted;
use crate::language::shape::{Field, Shape};

/// The values that pass, at least one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OneOf(pub(super) Vec<Target>);

impl Kind for OneOf {
    const FIELDS: &'static [Field] = &[Field::optional(
        "one_of",
        Shape::List(&Shape::Scalar),
        "The values that it may be. On a float with `tolerance`.",
    )];

    fn read(from: &Reader<'_, '_, '_>) -> Result<Option<Self>, Reported> {
        if !from.fields.has("one_of") {
            return Ok(None);
        }
        let nodes = from.fields.list("one_of");
        if nodes.is_empty() {
            let span = from.fields.key_span("one_of");
            return from.refuse(span, "`one_of` needs values", "write `one_of: [1, 2]`");
        }
        // All first, so that all are reported.
        let targets: Vec<_> = nodes.into_iter().map(|node| from.target("one_of", node)).collect();
        let targets = targets.into_iter().collect::<Result<Vec<_>, _>>()?;
        for (index, target) in targets.iter().enumerate() {
            if targets.iter().take(index).any(|earlier| earlier == target) {
                let span = from.fields.key_span("one_of");
                let twice = target.describe(Unit(""));
                return from.refuse(span, format!("{} stands twice", quoted(&twice)), "remove one");
            }
        }
        Ok(Some(Self(targets)))
    }

    fn judge(&self, value: &Value, unit: Unit<'_>) -> Result<(), String> {
        if self.0.iter().any(|target| target.is(value) == Some(true)) {
            return Ok(());
        }
        Err(format!("is not {}", self.describe(unit)))
    }

    fn edges(&self) -> Vec<(&'static str, At<'_>)> {
        self.0.iter().flat_map(Target::edges).map(|at| ("one_of", at)).collect()
    }

    fn texts(&self) -> Option<Vec<&str>> {
        self.0.iter().map(Target::text).collect()
    }

    fn describe(&self, unit: Unit<'_>) -> String {
        let named: Vec<String> = self.0.iter().map(|target| target.describe(unit)).collect();
        format!("one of {}", named.join(", "))
    }

    fn store(&self, limit: &mut Map<String, Json>) {
        let stored = self.0.iter().map(Target::to_json);
        let (named, tolerances): (Vec<Json>, Vec<Option<Json>>) = stored.unzip();
        limit.insert("one_of".into(), Json::Array(named));
        // One tolerance holds for all of them.
        let tolerance = tolerances.into_iter().flatten().next();
        limit.extend(tolerance.map(|tolerance| ("tolerance".to_owned(), tolerance)));
    }

    fn restore(limit: &mut Stored) -> Result<Option<Self>, Corrupt> {
        let constants = |json: &Json| -> Option<Vec<Constant>> {
            json.as_array().filter(|all| !all.is_empty())?.iter().map(Constant::from_json).collect()
        };
        let Some(constants) = limit.read("one_of", constants)? else { return Ok(None) };
        let tolerance = limit.read("tolerance", Tolerance::from_json)?;
        let target = |constant| Target::new(constant, tolerance.as_ref());
        let targets = constants.into_iter().map(target).collect::<Result<Vec<_>, _>>();
        targets.map(|targets| Some(Self(targets))).map_err(|_| Corrupt::Malformed("one_of".into()))
    }
}

#[cfg(test)]
mod tests {
    use passline_modbus::value::Value;

    use crate::judge::testing::{limits, number, plain, point, refusal, verdict};

    #[test]
    fn each_of_the_values_passes() {
        let word = limits("one_of: [1, 2, 4]", &plain("u16"));
        assert_eq!(verdict(&word, number("4")), "pass");
        assert_eq!(verdict(&word, number("3")), "3 V is not one of 1 V, 2 V, 4 V");
        let near = limits("one_of: [100, 200], tolerance: 1%", &plain("f32"));
        assert_eq!(verdict(&near, Value::F32(201.9)), "pass");
        assert_eq!(
            verdict(&near, Value::F32(98.9)),
            "98.9 V is not one of [99..101] V, [198..202] V"
        );
        assert_eq!(near.to_json().to_string(), r#"{"one_of":[100,200],"tolerance":"1%"}"#);
    }

    #[test]
    fn all_labels_or_both_truth_values_cannot_fail() {
        let state =
            point("u16", |point| point.labels = vec![(0, "idle".into()), (1, "run".into())]);
        assert!(refusal("one_of: [run, idle]", &state).contains("cannot fail"));
        assert!(refusal("one_of: [true, false]", &plain("bool")).contains("cannot fail"));
        assert_eq!(limits("one_of: [run]", &state).describe(None), "one of \"run\"");
    }

    #[test]
    fn empty_double_and_mistyped_lists_are_refused() {
        let word = plain("u16");
        assert!(refusal("one_of: []", &word).contains("needs values"));
        assert!(refusal("one_of: [1, 2, 0x1]", &word).contains("stands twice"));
        assert!(refusal("one_of: 1", &word).contains("a list"));
        assert!(refusal("one_of: [1, two]", &word).contains("a number"));
        assert!(refusal("one_of: [1]", &plain("f64")).contains("tolerance"));
        assert!(refusal("one_of: [70000, -1]", &word).contains("cannot pass"));
        assert!(
            refusal("one_of: [a, b], matches: '[0-9]*'", &plain("string")).contains("cannot pass")
        );
    }
}
