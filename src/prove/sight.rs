//! A check and what it saw, to be judged again with other content: what the verdict has to be, from
//! the limits alone. Pure.

use std::collections::BTreeMap;

use passline_modbus::point::Reading;
use passline_modbus::value::{Decimal, Value};

use super::place::{Content, Place};
use crate::judge::{Judgement, Limits, Observed};
use crate::record::{CheckResult, Conformity, ErrorClass, Json, Verdict};
use crate::spec::model::{Check, Subject};

/// What there is to say of a judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    pub(super) marginal: bool,
    pub(super) conformity: Option<Conformity>,
}

impl Outcome {
    pub(super) fn passes(self) -> bool {
        self.verdict == Verdict::Pass
    }
}

impl From<&Judgement> for Outcome {
    fn from(judgement: &Judgement) -> Self {
        Self {
            verdict: judgement.verdict(),
            marginal: judgement.is_marginal(),
            conformity: judgement.conformity(),
        }
    }
}

impl From<&CheckResult> for Outcome {
    fn from(result: &CheckResult) -> Self {
        let CheckResult { verdict, marginal, conformity, .. } = *result;
        Self { verdict, marginal, conformity }
    }
}

/// A check and what it saw.
#[derive(Debug)]
pub(super) struct Sight<'c> {
    pub(super) check: &'c Check,
    pub(super) places: Vec<Place>,
    saved: BTreeMap<String, Value>,
}

impl<'c> Sight<'c> {
    pub(super) fn new(
        check: &'c Check,
        places: Vec<Place>,
        saved: &BTreeMap<String, Json>,
    ) -> Self {
        let saved = saved.iter().map(|(name, json)| (name.clone(), value(json)));
        Self { check, places, saved: saved.collect() }
    }

    /// The point that is judged itself.
    pub(super) fn own(&self) -> Option<&Place> {
        match self.check.subject {
            Subject::Read(_) => self.places.first(),
            Subject::Expression { .. } | Subject::Told(_) => None,
        }
    }

    /// The limits with everything as it was.
    pub(super) fn limits(&self) -> Result<Limits, Judgement> {
        self.check.criteria.limits(&|name| self.value(name, &[]))
    }

    /// How it is judged with that content, and the value that is judged.
    pub(super) fn judged(&self, contents: &[Content]) -> (Outcome, Option<Value>) {
        let observed = match &self.check.subject {
            Subject::Told(_) => return (ERROR, None),
            Subject::Read(_) => match self.places.first().map(|own| reading(own, contents)) {
                Some(Some(reading)) => Observed::Reading(reading),
                _ => return (ERROR, None),
            },
            Subject::Expression { expression, .. } => {
                match expression.value(&|name| self.value(name, contents)) {
                    Ok(value) => Observed::Reading(Reading::Value(value)),
                    Err(_) => return (ERROR, None),
                }
            }
        };
        let value = match &observed {
            Observed::Reading(Reading::Value(value)) => Some(value.clone()),
            _ => None,
        };
        match self.check.criteria.limits(&|name| self.value(name, contents)) {
            Ok(limits) => ((&limits.judge(&observed, None)).into(), value),
            Err(_) => (ERROR, value),
        }
    }

    fn value(&self, name: &str, contents: &[Content]) -> Result<Value, Judgement> {
        let nothing = || Judgement::Error { class: ErrorClass::Decode, message: name.to_owned() };
        match self.places.iter().find(|place| place.name == name) {
            Some(place) => match reading(place, contents) {
                Some(Reading::Value(value)) => Ok(value),
                _ => Err(nothing()),
            },
            None => self.saved.get(name).cloned().ok_or_else(nothing),
        }
    }
}

const ERROR: Outcome = Outcome { verdict: Verdict::Error, marginal: false, conformity: None };

/// What a place reads as; `None`: nothing.
fn reading(place: &Place, contents: &[Content]) -> Option<Reading> {
    let (device, location) = (place.device, place.point.location());
    let other = contents.iter().find(|other| other.device == device && other.location == location);
    match other {
        Some(other) => place.decoded(&other.raw),
        None => Some(place.reading.clone()),
    }
}

/// A value as a record keeps it.
fn value(json: &Json) -> Value {
    match json.text() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        text => match text.parse::<Decimal>() {
            Ok(number) => Value::Number(number),
            Err(_) => Value::Text(json.bare().into_owned()),
        },
    }
}
