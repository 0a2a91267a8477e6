//! `nominal` with `tolerance`: a number within a tolerance of the one that is meant.

use passline_modbus::value::Value;
use serde_json::{Map, Value as Json};

use super::bounds::End;
use super::edge::At;
use super::kind::Kind;
use super::number::{self, Unit};
use super::reader::{Reader, Reported, TOLERANCE};
use super::stored::{Corrupt, Stored};
use super::tolerance::{Around, Tolerance};
use crate::language::shape::{Field, Shape};

/// A nominal value and its tolerance.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Nominal(pub(super) Box<Around>);

impl Kind for Nominal {
    const FIELDS: &'static [Field] = &[
        Field::optional("nominal", Shape::Number, "The number that is meant; with `tolerance`."),
        TOLERANCE,
    ];

    fn read(from: &Reader<'_, '_, '_>) -> Result<Option<Self>, Reported> {
        let Some(centre) = from.number("nominal")? else { return Ok(None) };
        let Some(tolerance) = from.tolerance_of("nominal") else {
            return from.refuse(
                from.fields.key_span("nominal"),
                "`nominal` needs a `tolerance`",
                "add `tolerance: 5%`, or use `equals` for one exact value",
            );
        };
        let around = Around::new(centre, tolerance.clone());
        around.map(|around| Some(Self(around.into()))).or_else(|error| from.bad_tolerance(&error))
    }

    fn judge(&self, value: &Value, unit: Unit<'_>) -> Result<(), String> {
        let Around { centre, tolerance, low, high } = &*self.0;
        let meant = || format!("nominal {}, tolerance {tolerance}", unit.of(centre));
        let low_order = value.compare(low);
        let high_order = value.compare(high);
        match (low_order, high_order) {
            (Some(order), _) if order.is_lt() => {
                Err(format!("is below {} ({})", unit.of(low), meant()))
            }
            (_, Some(order)) if order.is_gt() => {
                Err(format!("is above {} ({})", unit.of(high), meant()))
            }
            (Some(_), Some(_)) => Ok(()),
            _ => Err(format!("is no number to compare with {}", meant())),
        }
    }

    fn edges(&self) -> Vec<(&'static str, At<'_>)> {
        [&self.0.low, &self.0.high].map(|at| ("nominal", At::Number(at))).into()
    }

    fn ends(&self) -> (Option<End<'_>>, Option<End<'_>>) {
        self.0.ends()
    }

    fn describe(&self, unit: Unit<'_>) -> String {
        self.0.describe(unit)
    }

    fn store(&self, limit: &mut Map<String, Json>) {
        limit.insert("nominal".into(), number::to_json(&self.0.centre));
        limit.insert("tolerance".into(), self.0.tolerance.to_json());
        self.0.store_bounds(limit);
    }

    fn restore(limit: &mut Stored) -> Result<Option<Self>, Corrupt> {
        let Some(centre) = limit.read("nominal", number::from_json)? else { return Ok(None) };
        let missing = || Corrupt::Malformed("nominal".to_owned());
        let tolerance = limit.read("tolerance", Tolerance::from_json)?.ok_or_else(missing)?;
        let around = Around::new(centre, tolerance).map_err(|_| missing())?;
        around.take_bounds(limit);
        Ok(Some(Self(around.into())))
    }
}

#[cfg(test)]
mod tests {
    use passline_modbus::value::Value;
    use serde_json::json;

    use crate::judge::testing::{limits, number, plain, point, refusal, verdict};

    #[test]
    fn a_percentage_is_exact_and_inclusive() {
        let tenths = point("u16", |point| point.scale = "0.1".parse().unwrap());
        let limits = limits("nominal: 230, tolerance: 10%", &tenths);
        assert_eq!(limits.describe(Some("V")), "[207..253] V");
        assert_eq!(verdict(&limits, number("207")), "pass");
        assert_eq!(verdict(&limits, number("253")), "pass");
        assert_eq!(
            verdict(&limits, number("206.9")),
            "206.9 V is below 207 V (nominal 230 V, tolerance 10%)"
        );
        assert_eq!(
            verdict(&limits, number("253.1")),
            "253.1 V is above 253 V (nominal 230 V, tolerance 10%)"
        );
        let stored = json!({ "nominal": 230, "tolerance": "10%", "min": 207, "max": 253 });
        assert_eq!(limits.to_json(), stored);
    }

    #[test]
    fn a_float_is_compared_with_its_own_rounding_of_the_bounds() {
        let limits = limits("nominal: 0.3, tolerance: 10%", &plain("f32"));
        assert_eq!(verdict(&limits, Value::F32(0.27)), "pass");
        assert_eq!(verdict(&limits, Value::F32(0.33)), "pass");
        assert!(verdict(&limits, Value::F32(0.27_f32.next_down())).contains("is below 0.27 V"));
        assert!(verdict(&limits, Value::F32(0.33_f32.next_up())).contains("is above 0.33 V"));
        assert!(verdict(&limits, Value::F32(f32::NAN)).contains("no valid value"));
        assert!(verdict(&limits, Value::Bool(true)).contains("is no number"));
    }

    #[test]
    fn a_negative_nominal_has_its_percentage_of_the_magnitude() {
        let limits = limits("nominal: -40, tolerance: 10%", &plain("i16"));
        assert_eq!(limits.describe(None), "[-44..-36]");
    }

    #[test]
    fn it_stands_with_other_bounds_and_the_record_shows_the_narrower() {
        let word = plain("u16");
        let narrowed = limits("nominal: 100, tolerance: 10, max: 105", &word);
        assert_eq!(verdict(&narrowed, number("105")), "pass");
        assert_eq!(verdict(&narrowed, number("106")), "106 V is above max 105 V");
        assert_eq!(narrowed.to_json()["max"], json!(105));
        assert_eq!(narrowed.to_json()["min"], json!(90));
        // The same bound twice is one.
        let same = limits("nominal: 100, tolerance: 10, min: 90", &word);
        assert_eq!(same, limits("nominal: 100, tolerance: 10", &word));
        // A wider one says nothing more.
        let wider = limits("nominal: 100, tolerance: 10, max: 200", &word);
        assert_eq!(verdict(&wider, number("111")).matches("is above").count(), 1);
    }

    #[test]
    fn it_needs_a_tolerance_and_a_number() {
        assert!(refusal("nominal: 5", &plain("u16")).starts_with("`nominal` needs a `tolerance`"));
        assert!(refusal("nominal: 5, tolerance: 1", &plain("bool")).contains("needs a number"));
        let empty = "nominal: 100.4, tolerance: 0.3";
        assert!(refusal(empty, &plain("u16")).contains("cannot pass"));
    }
}
