//! `equals`: the value that it must be; on a float with a `tolerance`.

use passline_modbus::value::Value;
use serde_json::{Map, Value as Json};

use super::bounds::End;
use super::edge::At;
use super::kind::Kind;
use super::number::Unit;
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use super::target::Target;
use super::tolerance::Around;
use crate::language::shape::{Field, Shape};

/// The one value that passes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Equals(pub(super) Target);

impl Equals {
    /// The tolerance, if it has one.
    pub(super) fn around(&self) -> Option<&Around> {
        match &self.0 {
            Target::Around(around) => Some(around),
            Target::Exactly(_) => None,
        }
    }
}

impl Kind for Equals {
    const FIELDS: &'static [Field] = &[Field::optional(
        "equals",
        Shape::Scalar,
        "The value that it must be. On a float with `tolerance`.",
    )];

    fn read(from: &Reader<'_, '_, '_>) -> Result<Option<Self>, Reported> {
        let Some(node) = from.fields.node("equals") else { return Ok(None) };
        from.target("equals", node).map(|target| Some(Self(target)))
    }

    fn judge(&self, value: &Value, unit: Unit<'_>) -> Result<(), String> {
        match (self.0.is(value), &self.0) {
            (Some(true), _) => Ok(()),
            (_, Target::Exactly(_)) => Err(format!("is not {}", self.0.describe(unit))),
            (_, Target::Around(_)) => Err(format!("is outside {}", self.0.describe(unit))),
        }
    }

    fn edges(&self) -> Vec<(&'static str, At<'_>)> {
        self.0.edges().into_iter().map(|at| ("equals", at)).collect()
    }

    fn ends(&self) -> (Option<End<'_>>, Option<End<'_>>) {
        self.around().map_or((None, None), Around::ends)
    }

    fn texts(&self) -> Option<Vec<&str>> {
        self.0.text().map(|text| vec![text])
    }

    fn describe(&self, unit: Unit<'_>) -> String {
        match &self.0 {
            Target::Exactly(_) => format!("= {}", self.0.describe(unit)),
            Target::Around(_) => self.0.describe(unit),
        }
    }

    fn store(&self, limit: &mut Map<String, Json>) {
        let (named, tolerance) = self.0.to_json();
        limit.insert("equals".into(), named);
        limit.extend(tolerance.map(|tolerance| ("tolerance".to_owned(), tolerance)));
        if let Some(around) = self.around() {
            around.store_bounds(limit);
        }
    }

    fn restore(limit: &mut Stored) -> Result<Option<Self>, Corrupt> {
        let Some(target) = Target::restore("equals", limit)? else { return Ok(None) };
        let equals = Self(target);
        if let Some(around) = equals.around() {
            around.take_bounds(limit);
        }
        Ok(Some(equals))
    }
}

#[cfg(test)]
mod tests {
    use passline_modbus::value::Value;

    use crate::judge::testing::{limits, number, plain, point, refusal, verdict};

    #[test]
    fn one_value_of_each_type_passes() {
        let word = limits("equals: 0x10", &plain("u16"));
        assert_eq!(verdict(&word, number("16")), "pass");
        assert_eq!(verdict(&word, number("16.0")), "pass");
        assert_eq!(verdict(&word, number("17")), "17 V is not 16 V");
        let bit = limits("equals: true", &plain("bool"));
        assert_eq!(verdict(&bit, Value::Bool(true)), "pass");
        assert_eq!(verdict(&bit, Value::Bool(false)), "false is not true");
        let text = limits("equals: SDM630", &plain("string"));
        assert_eq!(verdict(&text, Value::Text("SDM630".into())), "pass");
        assert_eq!(verdict(&text, Value::Text("sdm630".into())), "\"sdm630\" is not \"SDM630\"");
        let bytes = limits("equals: '0a ff 0000 00 00 00 01'", &plain("bytes"));
        assert_eq!(verdict(&bytes, Value::Bytes(vec![10, 255, 0, 0, 0, 0, 0, 1])), "pass");
        assert_eq!(
            verdict(&bytes, Value::Bytes(vec![10, 255, 0, 0, 0, 0, 0, 0])),
            "0A FF 00 00 00 00 00 00 is not \"0A FF 00 00 00 00 00 01\""
        );
    }

    #[test]
    fn a_value_of_another_type_is_not_equal() {
        let word = limits("equals: 1", &plain("u16"));
        for other in [Value::Bool(true), Value::Text("1".into()), Value::Bytes(vec![1])] {
            assert_ne!(verdict(&word, other.clone()), "pass", "{other:?}");
        }
        let bit = limits("equals: true", &plain("bool"));
        assert_ne!(verdict(&bit, number("1")), "pass");
    }

    #[test]
    fn sixty_four_bits_are_compared_to_the_last() {
        let counter = limits("equals: 18446744073709551615", &plain("u64"));
        assert_eq!(verdict(&counter, number("18446744073709551615")), "pass");
        assert_ne!(verdict(&counter, number("18446744073709551614")), "pass");
        assert_eq!(counter.to_json().to_string(), r#"{"equals":18446744073709551615}"#);
    }

    #[test]
    fn a_float_needs_a_tolerance() {
        let float = plain("f32");
        assert!(
            refusal("equals: 3.3", &float).starts_with("`equals` on a float needs a `tolerance`")
        );
        assert!(refusal("equals: 3.3", &plain("f64")).contains("tolerance"));
        assert!(refusal("equals: 3.3", &plain("f16")).contains("tolerance"));
        let near = limits("equals: 3.3, tolerance: 0.1", &float);
        assert_eq!(verdict(&near, Value::F32(3.4)), "pass");
        assert_eq!(verdict(&near, Value::F32(3.41)), "3.41 V is outside [3.2..3.4] V");
        assert_eq!(near.to_json()["min"].to_string(), "3.2");
    }

    #[test]
    fn labels_are_compared_and_suggested() {
        let state = point("u16", |point| {
            point.labels = vec![(0, "idle".into()), (1, "run".into()), (7, "stop".into())];
        });
        let run = limits("equals: run", &state);
        assert_eq!(verdict(&run, Value::Text("run".into())), "pass");
        assert_eq!(verdict(&run, Value::Text("idle".into())), "\"idle\" is not \"run\"");
        let unknown = refusal("equals: runn", &state);
        assert!(unknown.contains("`runn` is no label of this point"), "{unknown}");
        assert!(unknown.contains("did you mean `run`?"), "{unknown}");
        assert!(refusal("equals: 1", &state).contains("its labels are idle, run, stop"));
        assert!(refusal("min: 1", &state).contains("use `equals` or `one_of` with its labels"));
    }

    #[test]
    fn constants_of_another_type_are_refused() {
        assert!(refusal("equals: yes", &plain("bool")).contains("`true` or `false`"));
        assert!(refusal("equals: high", &plain("u16")).contains("a number"));
        assert!(refusal("equals: true", &plain("u16")).contains("a number"));
        assert!(refusal("equals: 5", &plain("string")).contains("quotes"));
        assert!(refusal("equals: '0A F'", &plain("bytes")).contains("two hexadecimal digits"));
        assert!(refusal("equals: 'é0'", &plain("bytes")).contains("two hexadecimal digits"));
        assert!(refusal("equals: '+1'", &plain("bytes")).contains("two hexadecimal digits"));
    }

    #[test]
    fn what_the_point_cannot_be_is_refused() {
        for (yaml, name) in [
            ("equals: 65536", "u16"),
            ("equals: -1", "u16"),
            ("equals: 0.5", "u16"),
            ("equals: '123456789'", "string"),
            ("equals: 'blank '", "string"),
            ("equals: '0A FF'", "bytes"),
        ] {
            assert!(refusal(yaml, &plain(name)).contains("cannot pass"), "{yaml}");
        }
    }
}
