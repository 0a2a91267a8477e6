//! Limits as they judge: resolved, without conditions; and their account in a record.

use passline_modbus::pdu::ExceptionCode;
use passline_modbus::point::Reading;
use serde_json::{Map, Value as Json};

use super::bands::Band;
use super::decision::Rule;
use super::edge::{At, Edge, Turns};
use super::judgement::{Judgement, Observed};
use super::number::Unit;
use super::set::{self, Set};
use super::stored::{Corrupt, Stored};
use super::{answers, exception};

/// What an attempt must bring, with every number known.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits(Form);

#[derive(Debug, Clone, PartialEq)]
enum Form {
    Recorded,
    Answers(bool),
    Exception(ExceptionCode),
    /// The rule of decision stands beside what it guards: the numbers stay those of the limit, only
    /// the judgement near them changes.
    Value {
        common: Set,
        band: Option<Band>,
        rule: Option<Box<Rule>>,
    },
}

impl Limits {
    pub(super) const RECORDED: Self = Self(Form::Recorded);

    pub(super) fn answers(wanted: bool) -> Self {
        Self(Form::Answers(wanted))
    }

    pub(super) fn exception(code: ExceptionCode) -> Self {
        Self(Form::Exception(code))
    }

    pub(super) fn on_value(common: Set, band: Option<Band>, rule: Option<Box<Rule>>) -> Self {
        Self(Form::Value { common, band, rule })
    }

    /// Judges what an attempt brought. `unit` is the measuring unit, for the message.
    pub fn judge(&self, observed: &Observed, unit: Option<&str>) -> Judgement {
        match &self.0 {
            Form::Recorded => observed.unusable().unwrap_or(Judgement::Recorded),
            Form::Answers(wanted) => answers::judge(*wanted, observed),
            Form::Exception(code) => exception::judge(*code, observed),
            Form::Value { common, band, rule } => {
                let (sets, unit) = (sets(common, band.as_ref()), Unit(unit.unwrap_or_default()));
                judge_value(&sets, rule.as_deref(), observed, unit)
            }
        }
    }

    /// The limits for reports: `[207..253] V`.
    pub fn describe(&self, unit: Option<&str>) -> String {
        let unit = Unit(unit.unwrap_or_default());
        match &self.0 {
            Form::Recorded => "recorded only".to_owned(),
            Form::Answers(true) => "answers".to_owned(),
            Form::Answers(false) => "does not answer".to_owned(),
            Form::Exception(code) => exception::named(*code),
            Form::Value { common, band, rule } => {
                let rule = rule.as_ref().map(|rule| format!(", {}", rule.describe(unit)));
                let common = (!common.is_empty()).then(|| common.describe(unit));
                let band = band.as_ref().map(|band| band.describe(unit));
                common.into_iter().chain(band).collect::<Vec<_>>().join(" and ")
                    + &rule.unwrap_or_default()
            }
        }
    }

    /// Where the judgement turns.
    pub fn edges(&self) -> Vec<Edge<'_>> {
        let answer = |key, at| vec![Edge { key, turns: Turns::Verdict, at }];
        match &self.0 {
            Form::Recorded => Vec::new(),
            Form::Answers(wanted) => answer(answers::FIELD.key, At::Answers(*wanted)),
            Form::Exception(code) => answer(exception::FIELD.key, At::Exception(*code)),
            Form::Value { common, band, rule } => {
                edges_of(&sets(common, band.as_ref()), rule.as_deref())
            }
        }
    }

    /// The `limit` of a record: enough to judge again.
    pub fn to_json(&self) -> Json {
        let mut stored = Map::new();
        match &self.0 {
            Form::Recorded => {
                stored.insert("record".to_owned(), Json::Bool(true));
            }
            Form::Answers(wanted) => {
                stored.insert("answers".to_owned(), Json::Bool(*wanted));
            }
            Form::Exception(code) => {
                stored.insert("exception".to_owned(), exception::to_json(*code));
            }
            Form::Value { common, band, rule } => {
                common.store(&mut stored);
                if let Some(rule) = rule {
                    rule.store(&mut stored);
                }
                stored.extend(band.as_ref().map(|band| ("band".to_owned(), band.to_json(None))));
            }
        }
        Json::Object(stored)
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// [`Corrupt`], for anything else: limits that were half understood would judge differently.
    pub fn from_json(json: Json) -> Result<Self, Corrupt> {
        let mut stored = Stored::new(json)?;
        let recorded =
            stored.read("record", |json| (*json == Json::Bool(true)).then_some(Form::Recorded))?;
        let answers = stored.read("answers", Json::as_bool)?.map(Form::Answers);
        let exception = stored.read("exception", exception::from_json)?.map(Form::Exception);
        let common = Set::restore(&mut stored)?;
        let band = stored.take("band").map(Band::from_json).transpose()?;
        let limits: Vec<_> =
            sets(&common, band.as_ref()).into_iter().flat_map(Set::limits).collect();
        let rule = Rule::restore(&mut stored, &limits)?;
        stored.finish()?;
        let value = !common.is_empty() || band.is_some();
        let value = value.then_some(Form::Value { common, band, rule });
        let mut forms = [recorded, answers, exception, value].into_iter().flatten();
        match (forms.next(), forms.next()) {
            (Some(form), None) => Ok(Self(form)),
            (None, _) => Err(Corrupt::Empty),
            (Some(_), Some(_)) => Err(Corrupt::Contradictory),
        }
    }
}

/// What judges a value, all of it.
pub(super) fn sets<'s>(common: &'s Set, band: Option<&'s Band>) -> Vec<&'s Set> {
    [common].into_iter().chain(band.map(Band::set)).collect()
}

fn judge_value(
    sets: &[&Set],
    rule: Option<&Rule>,
    observed: &Observed,
    unit: Unit<'_>,
) -> Judgement {
    match observed {
        Observed::Reading(Reading::Value(value)) => set::judge(sets, rule, value, unit),
        Observed::Reading(Reading::Invalid) => {
            Judgement::fail("the device says that it has no valid value")
        }
        Observed::Acknowledged => Judgement::fail("the answer carries no value"),
        other => other.unusable().unwrap_or_else(|| Judgement::fail("no value")),
    }
}

/// Where these, together, turn.
pub(super) fn edges_of<'s>(sets: &[&'s Set], rule: Option<&'s Rule>) -> Vec<Edge<'s>> {
    let edges = sets.iter().flat_map(|set| set.edges()).collect();
    match rule {
        Some(rule) => rule.edges(edges),
        None => edges,
    }
}

#[cfg(test)]
mod tests {
    use passline_modbus::point::Undecodable;
    use passline_modbus::value::Value;
    use serde_json::json;

    use super::*;
    use crate::judge::testing::{limits, number, observed, plain};
    use crate::record::{ErrorClass, Verdict};

    fn unusable() -> Vec<(Observed, ErrorClass)> {
        let no_answer = |class| (Observed::NoAnswer { class, text: "why".into() }, class);
        let exception = |code| Observed::Exception(ExceptionCode::new(code));
        let mut all: Vec<_> = ErrorClass::NAMED.into_iter().map(no_answer).collect();
        all.push((exception(2), ErrorClass::of_exception(2)));
        all.push((exception(6), ErrorClass::Busy));
        all.push((exception(0x0B), ErrorClass::Gateway));
        all.push((Observed::Undecodable(Undecodable::Bcd(0xA)), ErrorClass::Decode));
        all
    }

    #[test]
    fn without_a_usable_answer_nothing_is_judged() {
        for yaml in ["min: 3", "not: 3", "record: true"] {
            let limits = limits(yaml, &plain("u16"));
            for (observed, class) in unusable() {
                let judgement = limits.judge(&observed, None);
                assert_eq!(judgement.verdict(), Verdict::Error, "{yaml} {observed:?}");
                assert_eq!(judgement.error_class(), Some(class));
            }
        }
        let refused = Observed::Exception(ExceptionCode::IllegalDataAddress);
        assert_eq!(
            limits("min: 3", &plain("u16")).judge(&refused, None).message(),
            Some("the device answered exception illegal_data_address (02)")
        );
    }

    #[test]
    fn what_is_only_recorded_is_no_pass() {
        let limits = limits("record: true", &plain("f32"));
        for value in [Value::F32(1.0), Value::F32(f32::NAN)] {
            assert_eq!(limits.judge(&observed(value), None), Judgement::Recorded);
        }
        assert_eq!(limits.describe(None), "recorded only");
    }

    #[test]
    fn every_limit_must_hold_and_every_miss_is_told() {
        let limits = limits("min: 5, not: 3, one_of: [3, 7]", &plain("u16"));
        assert_eq!(limits.judge(&observed(number("7")), None), Judgement::PASS);
        assert_eq!(
            limits.judge(&observed(number("3")), Some("A")).message(),
            Some("3 A is what is excluded: not 3 A and is below min 5 A")
        );
        assert_eq!(limits.describe(Some("A")), "not 3 A and one of 3 A, 7 A and >= 5 A");
    }

    #[test]
    fn only_what_was_written_is_read_back() {
        for corrupt in [
            json!(null),
            json!([]),
            json!({}),
            json!({ "min": "5" }),
            json!({ "min": null }),
            json!({ "mim": 5 }),
            json!({ "min": 5, "future": true }),
            json!({ "nominal": 5 }),
            json!({ "nominal": 0, "tolerance": "5%" }),
            json!({ "tolerance": 5 }),
            json!({ "marginal": { "min": 5 } }),
            json!({ "min": 5, "marginal": {} }),
            json!({ "min": 5, "record": true }),
            json!({ "answers": true, "exception": 2 }),
            json!({ "answers": "true" }),
            json!({ "exception": 0 }),
            json!({ "exception": 256 }),
            json!({ "record": false }),
            json!({ "one_of": [] }),
            json!({ "matches": "[" }),
            json!({ "at_least": "x" }),
            json!({ "bits": { "set": [1], "clear": [1] } }),
            json!({ "bits": { "set": [64] } }),
            json!({ "bits": { "sett": [1] } }),
            json!({ "bands": [{ "if": "a", "min": 5 }] }),
            json!({ "band": { "min": 5 } }),
            json!({ "band": { "if": "a" } }),
        ] {
            assert!(Limits::from_json(corrupt.clone()).is_err(), "{corrupt}");
        }
    }
}
