//! `bands`: limits that hold under a condition. The first band whose condition is met judges; if
//! there is none, nothing can be judged.

use serde_json::{Map, Value as Json};

use super::decision::{Given, Rule};
use super::judgement::Judgement;
use super::number::Unit;
use super::reader::{Reader, Reported};
use super::set::Set;
use super::stored::{Corrupt, Stored};
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::Span;
use crate::record::ErrorClass;

pub(super) const CONDITION: Field = Field::required(
    "if",
    Shape::Expression,
    "The condition: an expression over points, saved values and variables.",
);

static BAND: Object = Object {
    name: "band",
    doc: "Limits, and the condition under which they are the ones.",
    fields: &[&[CONDITION], &super::VALUE_FIELDS],
};

const EACH: &Shape = &Shape::Object(&BAND);

pub(super) const FIELD: Field = Field::optional(
    "bands",
    Shape::List(EACH),
    "Limits by condition: the first band whose `if` is true judges; none is an error.",
);

/// Limits and their condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Band {
    condition: String,
    set: Set,
}

/// A band as it is read: its place, and what it says of the decision.
pub(super) struct Written {
    pub(super) band: Band,
    pub(super) given: Given,
    pub(super) span: Span,
}

/// Reads `bands`. `None` if there are none.
pub(super) fn read(from: &Reader<'_, '_, '_>) -> Result<Option<Vec<Written>>, Reported> {
    if !from.fields.has(FIELD.key) {
        return Ok(None);
    }
    let nodes = from.fields.list(FIELD.key);
    if nodes.is_empty() {
        let span = from.fields.key_span(FIELD.key);
        return from.refuse(span, "`bands` needs bands", "write `bands: [{ if: …, min: … }]`");
    }
    // All first, so that all are reported.
    let bands: Vec<_> = nodes
        .into_iter()
        .map(|node| {
            let fields = from.context.fields(node, &BAND).ok_or(Reported)?;
            let condition = fields.expression(CONDITION.key).ok_or(Reported);
            let set = Reader::new(from.context, &fields, from.subject).and_then(|reader| {
                let (set, given) = (Set::read(&reader), Given::read(&reader));
                let (set, given) = (set?, given?);
                if set.is_empty() {
                    let remedy = "add one such as `min` or `max`";
                    return from.refuse(fields.span(), "this band has no limit", remedy);
                }
                Ok((set, given))
            });
            let (condition, (set, given)) = (condition?.value, set?);
            Ok(Written { band: Band { condition, set }, given, span: fields.span() })
        })
        .collect();
    bands.into_iter().collect::<Result<_, _>>().map(Some)
}

/// The first band whose condition is met.
pub(super) fn matching<'b, T>(
    bands: &'b [(Band, T)],
    evaluate: &mut dyn FnMut(&str) -> Result<bool, Judgement>,
) -> Result<&'b (Band, T), Judgement> {
    for band in bands {
        match evaluate(&band.0.condition) {
            Ok(true) => return Ok(band),
            Ok(false) => {}
            Err(judgement) => return Err(judgement),
        }
    }
    let conditions: Vec<_> =
        bands.iter().map(|(band, _)| format!("`{}`", band.condition)).collect();
    let message = format!("no band matches: none of {} is true", conditions.join(", "));
    Err(Judgement::Error { class: ErrorClass::Decode, message })
}

impl Band {
    pub(super) fn set(&self) -> &Set {
        &self.set
    }

    pub(super) fn condition(&self) -> &str {
        &self.condition
    }

    pub(super) fn describe(&self, unit: Unit<'_>) -> String {
        format!("{} if {}", self.set.describe(unit), self.condition)
    }

    /// The band, with the rule that decides in it if it is not stored elsewhere.
    pub(super) fn to_json(&self, rule: Option<&Rule>) -> Json {
        let mut stored = Map::new();
        stored.insert(CONDITION.key.to_owned(), Json::String(self.condition.clone()));
        self.set.store(&mut stored);
        if let Some(rule) = rule {
            rule.store(&mut stored);
        }
        Json::Object(stored)
    }

    pub(super) fn from_json(json: Json) -> Result<Self, Corrupt> {
        let mut stored = Stored::new(json)?;
        let text = |json: &Json| json.as_str().map(str::to_owned);
        let condition = stored.read(CONDITION.key, text)?;
        let set = Set::restore(&mut stored)?;
        stored.finish()?;
        let condition = condition.ok_or_else(|| Corrupt::Malformed("band".to_owned()))?;
        if set.is_empty() {
            Err(Corrupt::Malformed("band".to_owned()))
        } else {
            Ok(Self { condition, set })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::judge::testing::{demand, limits, number, plain, refusal, verdict};
    use crate::judge::{Demand, Limits};
    use crate::record::Verdict;

    const TWO: &str = "max: 90, bands: [{ if: cold, min: 10 }, { if: '= hot', min: 50, max: 60 }]";

    fn resolved(demand: &Demand, truth: &str) -> Result<Limits, Judgement> {
        demand.resolve(&mut |condition| Ok(condition == truth))
    }

    #[test]
    fn the_first_band_that_matches_judges_with_what_is_common() {
        let demand = demand(TWO, &plain("u16")).unwrap();
        let cold = resolved(&demand, "cold").unwrap();
        assert_eq!(verdict(&cold, number("70")), "pass");
        assert_eq!(verdict(&cold, number("9")), "9 V is below min 10 V");
        assert_eq!(verdict(&cold, number("91")), "91 V is above max 90 V");
        let hot = resolved(&demand, "hot").unwrap();
        assert_eq!(verdict(&hot, number("70")), "70 V is above max 60 V");
        assert_eq!(verdict(&hot, number("91")), "91 V is above max 90 V and is above max 60 V");
        assert_eq!(hot.describe(None), "<= 90 and [50..60] if hot");
        let both = demand.resolve(&mut |_| Ok(true)).unwrap();
        assert_eq!(both, cold);
    }

    #[test]
    fn the_record_shows_the_band_that_judged() {
        let demand = demand(TWO, &plain("u16")).unwrap();
        let hot = resolved(&demand, "hot").unwrap();
        let stored = json!({ "max": 90, "band": { "if": "hot", "min": 50, "max": 60 } });
        assert_eq!(hot.to_json(), stored);
        assert_eq!(Limits::from_json(stored), Ok(hot));
        assert_eq!(demand.to_json()["bands"][0], json!({ "if": "cold", "min": 10 }));
    }

    #[test]
    fn no_band_and_no_result_are_errors() {
        let demand = demand(TWO, &plain("u16")).unwrap();
        let none = resolved(&demand, "").unwrap_err();
        assert_eq!(none.verdict(), Verdict::Error);
        assert_eq!(none.message(), Some("no band matches: none of `cold`, `hot` is true"));
        let timeout = Judgement::Error { class: ErrorClass::Timeout, message: "why".into() };
        let broken = demand.resolve(&mut |_| Err(timeout.clone())).unwrap_err();
        assert_eq!(broken, timeout);
    }

    #[test]
    fn every_band_must_prove_something() {
        let word = plain("u16");
        for (yaml, refused) in [
            ("bands: []", "needs bands"),
            ("bands: [{ if: a }]", "this band has no limit"),
            ("bands: [{ min: 3 }]", "`if` is missing"),
            ("bands: [{ if: a, min: 0 }]", "cannot fail"),
            ("bands: [{ if: a, min: 5 }, { if: b, equals: 70000 }]", "cannot pass"),
            ("max: 5, bands: [{ if: a, min: 6 }]", "cannot pass"),
            ("bands: [{ if: a, bands: [] }]", "`bands` is no key"),
            ("bands: [{ if: a, min: 5 }], record: true", "contradict"),
        ] {
            let shown = refusal(yaml, &word);
            assert!(shown.contains(refused), "{yaml}: {shown}");
        }
        // Together with what is common it can fail.
        demand("min: 5, bands: [{ if: a, max: 65535 }]", &word).unwrap();
        assert_eq!(limits("min: 5", &word).describe(None), ">= 5");
    }
}
