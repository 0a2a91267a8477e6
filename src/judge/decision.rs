//! `decision`: how the uncertainty of a measurement counts, after ILAC-G8:09/2019, 4.2. The guard
//! band is the expanded uncertainty.
//!
//! | | within the acceptance limits | between these and the limits | a guard band beyond | further |
//! | --- | --- | --- | --- | --- |
//! | `simple` (4.2.1) | pass | pass | fail | fail |
//! | `guarded` (4.2.2) | pass | fail | fail | fail |
//! | `non_binary` (4.2.3) | pass | conditional pass | conditional fail | fail |
//!
//! What lies on an edge belongs to the inner side, unless the limit itself (`above`, `below`) is
//! out. The limits are compared as everywhere; the edges that follow from them with the exact
//! number that a float is, which never accepts more.

use std::collections::BTreeMap;

use passline_modbus::value::{Decimal, DecimalError, Value};
use serde_json::{Map, Value as Json};

use super::bounds::{Bound, Bounds, narrowest};
use super::edge::{At, Edge, Turns};
use super::kind::Kind;
use super::limit::Limit;
use super::margin::Margin;
use super::marginal::Marginal;
use super::number::Unit;
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use super::uncertainty::{self, Uncertainty};
use crate::language::shape::{Field, Shape};
use crate::record::Conformity;

const WORDS: &[&str] = &["simple", "guarded", "non_binary"];

pub(super) const FIELD: Field = Field::optional(
    "decision",
    Shape::Choice(WORDS),
    "How the uncertainty counts (ILAC-G8): `simple`: not at all. `guarded`: what is closer to a \
     limit fails. `non_binary`: what is closer to a limit passes or fails conditionally.",
);

/// The word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Simple,
    Guarded,
    NonBinary,
}

impl Decision {
    fn named(word: &str) -> Option<Self> {
        [Self::Simple, Self::Guarded, Self::NonBinary]
            .into_iter()
            .find(|decision| decision.word() == word)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Guarded => "guarded",
            Self::NonBinary => "non_binary",
        }
    }
}

/// What a mapping says of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Given {
    uncertainty: Option<Uncertainty>,
    decision: Option<Decision>,
}

/// Why there is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RuleError {
    #[error("an `uncertainty` needs a `decision`")]
    NoDecision,
    #[error("`decision: {0}` needs an `uncertainty`")]
    NoUncertainty(&'static str),
    #[error("there is no limit here that a `decision` could be about")]
    NoLimit,
    #[error("`{0}` has no bounds to which a measurement could be too close")]
    NoBounds(&'static str),
    #[error("the guard band {0} leaves nothing that passes of {1}")]
    Nothing(String, String),
    #[error("`marginal` lies in the guard band: nothing could be marginal")]
    Marginal,
    #[error("the bounds of this guard band are unusable: {0}")]
    Size(#[from] DecimalError),
}

impl RuleError {
    /// What to do about it.
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::NoDecision => "add `decision: guarded`; or `simple` or `non_binary`",
            Self::NoUncertainty(_) => "add `uncertainty: { expanded: 0.05, k: 2 }`",
            Self::NoLimit => "add `min`, `max`, or `nominal` with `tolerance`",
            Self::NoBounds(_) => "judge it in a check of its own, without a `decision`",
            Self::Nothing(..) => "measure with less uncertainty, or give a wider limit",
            Self::Marginal => "give it narrower bounds than the acceptance limits, or remove it",
            Self::Size(_) => "write fewer digits",
        }
    }
}

impl Given {
    /// Reads what is there.
    pub(super) fn read(from: &Reader<'_, '_, '_>) -> Result<Self, Reported> {
        let uncertainty = Uncertainty::read(from);
        let decision = if from.fields.has(FIELD.key) {
            let word = from.fields.choice(FIELD.key).ok_or(Reported)?;
            Some(Decision::named(word.value).ok_or(Reported)?)
        } else {
            None
        };
        Ok(Self { uncertainty: uncertainty?, decision })
    }

    /// This, and what is missing as it is around it.
    pub(super) fn or(&self, outer: &Self) -> Self {
        Self {
            uncertainty: self.uncertainty.clone().or_else(|| outer.uncertainty.clone()),
            decision: self.decision.or(outer.decision),
        }
    }

    /// Where the rule stands: for what is wrong with it.
    pub(super) fn key(&self) -> &'static str {
        if self.decision.is_some() { FIELD.key } else { uncertainty::FIELD.key }
    }

    /// The rule for these limits, if there is one.
    pub(super) fn rule(self, limits: &[&Limit]) -> Result<Option<Box<Rule>>, RuleError> {
        let decision = match (self.decision, &self.uncertainty) {
            (Some(decision), _) => decision,
            (None, Some(_)) => return Err(RuleError::NoDecision),
            (None, None) => return Ok(None),
        };
        for limit in limits {
            if let ((None, None), Some((key, _))) = (limit.ends(), limit.edges().first()) {
                return Err(RuleError::NoBounds(key));
            }
        }
        if limits.is_empty() {
            return Err(RuleError::NoLimit);
        }
        let guard = |uncertainty: Option<Uncertainty>| match uncertainty {
            Some(uncertainty) => Guard::new(uncertainty, limits),
            None => Err(RuleError::NoUncertainty(decision.word())),
        };
        Ok(Some(Box::new(match decision {
            Decision::Simple => Rule::Simple(self.uncertainty),
            Decision::Guarded => Rule::Guarded(guard(self.uncertainty)?),
            Decision::NonBinary => Rule::NonBinary(guard(self.uncertainty)?),
        })))
    }
}

/// A decision, with all that it needs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule {
    /// The uncertainty is stated, and moves nothing.
    Simple(Option<Uncertainty>),
    Guarded(Guard),
    NonBinary(Guard),
}

/// An uncertainty beside limits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Guard {
    uncertainty: Uncertainty,
    /// The limits, further in by the guard band.
    acceptance: Bounds,
    /// The limits, further out by the guard band.
    rejection: Bounds,
    /// The limits that it guards, and what is accepted instead of each.
    moved: Vec<(Decimal, Decimal)>,
}

/// What a rule says of a value, and why if it is not simply a pass.
pub(super) struct Statement {
    pub(super) conformity: Conformity,
    pub(super) why: Option<String>,
}

impl Guard {
    fn new(uncertainty: Uncertainty, limits: &[&Limit]) -> Result<Self, RuleError> {
        let (low, high) = narrowest(limits.iter().map(|limit| limit.ends()));
        let (mut acceptance, mut rejection) = (BTreeMap::new(), BTreeMap::new());
        let mut moved = Vec::new();
        let mut guard = |bound, at: &Decimal, within: Decimal, beyond| {
            moved.push((at.clone(), within.clone()));
            acceptance.insert(bound, within);
            rejection.insert(bound, beyond);
        };
        if let Some(low) = low {
            let bound = if low.inclusive { Bound::Min } else { Bound::Above };
            let mirrored = low.at.negated();
            let within = uncertainty.within(&mirrored)?.negated();
            guard(bound, low.at, within, uncertainty.beyond(&mirrored)?.negated());
        }
        if let Some(high) = high {
            let bound = if high.inclusive { Bound::Max } else { Bound::Below };
            guard(bound, high.at, uncertainty.within(high.at)?, uncertainty.beyond(high.at)?);
        }
        let (Some(acceptance), Some(rejection)) = (Bounds::new(acceptance), Bounds::new(rejection))
        else {
            return Err(RuleError::NoLimit);
        };
        if acceptance.is_contradictory() {
            let limits: Vec<_> = limits.iter().map(|limit| limit.describe(Unit(""))).collect();
            let band = uncertainty.guard_band().to_string();
            return Err(RuleError::Nothing(band, limits.join(" and ")));
        }
        Ok(Self { uncertainty, acceptance, rejection, moved })
    }

    fn state(&self, value: &Value, unit: Unit<'_>) -> Option<String> {
        if contains(&self.acceptance, value) {
            return None;
        }
        let band = shown(self.uncertainty.guard_band(), unit);
        let accepted = self.acceptance.describe(unit);
        Some(format!("is outside the acceptance limits {accepted} (guard band {band})"))
    }
}

fn shown(margin: &Margin, unit: Unit<'_>) -> String {
    if margin.percent.is_zero() { unit.of(margin) } else { margin.to_string() }
}

/// Whether the exact number that the value is lies within.
fn contains(bounds: &Bounds, value: &Value) -> bool {
    let exact = value.to_decimal().map(Value::Number);
    exact.is_some_and(|exact| bounds.judge(&exact, Unit("")).is_ok())
}

impl Rule {
    /// What it says of a finite value that the limits hold for, or do not. `None`: the value is no
    /// number, and nothing was measured.
    pub(super) fn state(&self, value: &Value, holds: bool, unit: Unit<'_>) -> Option<Statement> {
        value.to_decimal()?;
        let (conformity, why) = match (self, holds) {
            (Self::Simple(_), true) => (Conformity::Pass, None),
            (Self::NonBinary(guard), false) if contains(&guard.rejection, value) => {
                (Conformity::ConditionalFail, None)
            }
            (_, false) => (Conformity::Fail, None),
            (Self::Guarded(guard), true) => match guard.state(value, unit) {
                None => (Conformity::Pass, None),
                why => (Conformity::Fail, why),
            },
            (Self::NonBinary(guard), true) => match guard.state(value, unit) {
                None => (Conformity::Pass, None),
                why => (Conformity::ConditionalPass, why),
            },
        };
        Some(Statement { conformity, why })
    }

    /// The bounds that a value must also be within to pass unconditionally.
    pub(super) fn acceptance(&self) -> Option<Acceptance<'_>> {
        match self {
            Self::Simple(_) => None,
            Self::Guarded(guard) | Self::NonBinary(guard) => Some(Acceptance(&guard.acceptance)),
        }
    }

    /// Whether a value outside of [`Self::acceptance`] fails.
    pub(super) fn is_binary(&self) -> bool {
        !matches!(self, Self::NonBinary(_))
    }

    /// Refuses a marginal limit that nothing could be outside of and pass.
    pub(super) fn check_marginal(&self, marginal: &Marginal) -> Result<(), RuleError> {
        let Self::Guarded(guard) = self else { return Ok(()) };
        let (low, high) = marginal.ends();
        let (accepted_low, accepted_high) = guard.acceptance.ends();
        let low = low.zip(accepted_low).is_some_and(|(own, other)| own.by_low(&other).is_gt());
        let high = high.zip(accepted_high).is_some_and(|(own, other)| own.by_high(&other).is_lt());
        if low || high { Ok(()) } else { Err(RuleError::Marginal) }
    }

    /// The edges of guarded limits, from those of the limits themselves.
    pub(super) fn edges<'l>(&'l self, edges: Vec<Edge<'l>>) -> Vec<Edge<'l>> {
        let guard = match self {
            Self::Simple(_) => return edges,
            Self::Guarded(guard) => {
                let moved = |mut edge: Edge<'l>| {
                    let accepted = guard.moved.iter().find(|(at, _)| edge.at.is_number(at));
                    if let Some((_, accepted)) = accepted.filter(|_| edge.turns == Turns::Verdict) {
                        edge.at = At::Number(accepted);
                    }
                    edge
                };
                return edges.into_iter().map(moved).collect();
            }
            Self::NonBinary(guard) => guard,
        };
        let stated = [&guard.acceptance, &guard.rejection].into_iter().flat_map(Kind::edges);
        let stated = stated.map(|(key, at)| Edge { key, turns: Turns::Conformity, at });
        edges.into_iter().chain(stated).collect()
    }

    /// The rule for reports, to follow the limits.
    pub(super) fn describe(&self, unit: Unit<'_>) -> String {
        match self {
            Self::Simple(_) => "simple acceptance".to_owned(),
            Self::Guarded(guard) => format!("guarded to {}", guard.acceptance.describe(unit)),
            Self::NonBinary(guard) => {
                format!("unconditional within {}", guard.acceptance.describe(unit))
            }
        }
    }

    pub(super) fn store(&self, limit: &mut Map<String, Json>) {
        let (decision, uncertainty, guard) = match self {
            Self::Simple(uncertainty) => (Decision::Simple, uncertainty.as_ref(), None),
            Self::Guarded(guard) => (Decision::Guarded, Some(&guard.uncertainty), Some(guard)),
            Self::NonBinary(guard) => (Decision::NonBinary, Some(&guard.uncertainty), Some(guard)),
        };
        limit.insert(FIELD.key.to_owned(), Json::String(decision.word().to_owned()));
        let uncertainty = uncertainty.map(|own| (uncertainty::FIELD.key.to_owned(), own.to_json()));
        limit.extend(uncertainty);
        let Some(guard) = guard else { return };
        limit.insert("guard_band".to_owned(), guard.uncertainty.guard_band().to_json());
        limit.insert("acceptance".to_owned(), bounds_to_json(&guard.acceptance));
        if decision == Decision::NonBinary {
            limit.insert("rejection".to_owned(), bounds_to_json(&guard.rejection));
        }
    }

    /// Takes what [`Self::store`] wrote. What follows from the rest must follow from it.
    pub(super) fn restore(
        limit: &mut Stored,
        limits: &[&Limit],
    ) -> Result<Option<Box<Self>>, Corrupt> {
        let uncertainty =
            limit.take(uncertainty::FIELD.key).map(Uncertainty::from_json).transpose()?;
        let decision = limit.read(FIELD.key, |json| Decision::named(json.as_str()?))?;
        let malformed = || Corrupt::Malformed(FIELD.key.to_owned());
        let rule = Given { uncertainty, decision }.rule(limits).map_err(|_| malformed())?;
        let mut follows = Map::new();
        if let Some(rule) = &rule {
            rule.store(&mut follows);
        }
        for key in ["guard_band", "acceptance", "rejection"] {
            if limit.take(key) != follows.remove(key) {
                return Err(Corrupt::Malformed(key.to_owned()));
            }
        }
        Ok(rule)
    }
}

/// Bounds that are compared with the exact number that a value is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acceptance<'r>(&'r Bounds);

impl<'r> Acceptance<'r> {
    pub(super) fn holds(self, value: &Value) -> bool {
        contains(self.0, value)
    }

    pub(super) fn edges(self) -> impl Iterator<Item = &'r Decimal> {
        self.0.edges().into_iter().filter_map(|(_, at)| at.number())
    }
}

fn bounds_to_json(bounds: &Bounds) -> Json {
    let mut stored = Map::new();
    bounds.store(&mut stored);
    Json::Object(stored)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::judge::Limits;
    use crate::judge::testing::{demand, limits, number, observed, plain, point, refusal, verdict};
    use crate::record::Conformity::{self, ConditionalFail, ConditionalPass, Fail, Pass};
    use passline_modbus::point::Point;
    use passline_modbus::value::Value;

    fn hundredths() -> Point {
        point("u16", |point| point.scale = "0.01".parse().unwrap())
    }

    fn conformity(limits: &Limits, value: Value) -> Option<Conformity> {
        limits.judge(&observed(value), None).conformity()
    }

    const GUARDED: &str =
        "min: 4.75, max: 5.25, uncertainty: { expanded: 0.05 }, decision: guarded";

    #[test]
    fn within_the_guard_band_fails_if_guarded() {
        let limits = limits(GUARDED, &hundredths());
        assert_eq!(verdict(&limits, number("4.8")), "pass");
        assert_eq!(verdict(&limits, number("5.2")), "pass");
        assert_eq!(
            verdict(&limits, number("5.21")),
            "5.21 V is outside the acceptance limits [4.8..5.2] V (guard band 0.05 V)"
        );
        assert_eq!(verdict(&limits, number("5.26")), "5.26 V is above max 5.25 V");
        assert_eq!(conformity(&limits, number("5.2")), Some(Conformity::Pass));
        for fail in ["4.7", "4.79", "5.21", "5.26"] {
            assert_eq!(conformity(&limits, number(fail)), Some(Conformity::Fail), "{fail}");
        }
        assert_eq!(limits.describe(Some("V")), "[4.75..5.25] V, guarded to [4.8..5.2] V");
        assert_eq!(
            limits.to_json(),
            json!({
                "min": 4.75, "max": 5.25, "decision": "guarded",
                "uncertainty": { "expanded": 0.05, "k": 2 },
                "guard_band": 0.05, "acceptance": { "min": 4.8, "max": 5.2 }
            })
        );
    }

    #[test]
    fn within_the_guard_bands_is_conditional_if_non_binary() {
        let yaml = "min: 4.75, below: 5.25, decision: non_binary, \
                    uncertainty: { standard: 0.02, k: 2.5 }";
        let limits = limits(yaml, &hundredths());
        for (value, stated) in [
            ("4.69", Fail),
            ("4.7", ConditionalFail),
            ("4.74", ConditionalFail),
            ("4.75", ConditionalPass),
            ("4.79", ConditionalPass),
            ("4.8", Pass),
            ("5.19", Pass),
            // What is out at a limit is out at the edges that follow from it.
            ("5.2", ConditionalPass),
            ("5.24", ConditionalPass),
            ("5.25", ConditionalFail),
            ("5.29", ConditionalFail),
            ("5.3", Fail),
        ] {
            assert_eq!(conformity(&limits, number(value)), Some(stated), "{value}");
        }
        assert_eq!(
            verdict(&limits, number("5.2")),
            "conditional pass: 5.2 V is outside the acceptance limits [4.8..5.2) V \
             (guard band 0.05 V)"
        );
        assert_eq!(verdict(&limits, number("5.25")), "5.25 V is not below 5.25 V");
        assert_eq!(limits.to_json()["rejection"], json!({ "min": 4.7, "below": 5.3 }));
        assert_eq!(limits.to_json()["uncertainty"], json!({ "expanded": 0.05, "k": 2.5 }));
    }

    #[test]
    fn simple_acceptance_states_the_uncertainty_and_moves_nothing() {
        let yaml = "max: 5.25, decision: simple";
        let plain = limits(yaml, &hundredths());
        assert_eq!(verdict(&plain, number("5.25")), "pass");
        assert_eq!(conformity(&plain, number("5.25")), Some(Conformity::Pass));
        assert_eq!(conformity(&plain, number("5.26")), Some(Conformity::Fail));
        assert_eq!(plain.describe(None), "<= 5.25, simple acceptance");
        let stated = limits(&format!("{yaml}, uncertainty: {{ expanded: 1% }}"), &hundredths());
        assert_eq!(verdict(&stated, number("5.25")), "pass");
        assert_eq!(stated.to_json()["uncertainty"], json!({ "expanded": "1%", "k": 2 }));
    }

    #[test]
    fn what_is_not_measured_is_not_stated() {
        let limits =
            limits("max: 5, uncertainty: { expanded: 1 }, decision: non_binary", &plain("f32"));
        for none in [Value::F32(f32::NAN), Value::F32(f32::INFINITY), Value::Bool(true)] {
            assert_eq!(conformity(&limits, none.clone()), None, "{none:?}");
            assert_ne!(verdict(&limits, none), "pass");
        }
    }

    #[test]
    fn a_float_is_accepted_only_if_it_is_within_itself() {
        let guarded = "max: 0.15, uncertainty: { expanded: 0.05 }, decision: guarded";
        let limits = limits(guarded, &plain("f32"));
        // The nearest float to 0.1 is a little more than that.
        assert_ne!(verdict(&limits, Value::F32(0.1)), "pass");
        assert_eq!(verdict(&limits, Value::F32(0.1_f32.next_down())), "pass");
    }

    #[test]
    fn a_percentage_is_that_of_the_reading() {
        let yaml = "max: 5.25, uncertainty: { expanded: 0.5% + 0.02 }, decision: guarded";
        let limits = limits(yaml, &plain("f64"));
        assert_eq!(limits.to_json()["guard_band"], json!("0.5% + 0.02"));
        assert_eq!(limits.to_json()["acceptance"].to_string(), r#"{"max":5.2039800995}"#);
        assert_eq!(verdict(&limits, Value::F64(5.20398)), "pass");
        assert_ne!(verdict(&limits, Value::F64(5.20399)), "pass");
    }

    #[test]
    fn a_marginal_limit_lies_inside_what_passes() {
        let marginal = limits(&format!("{GUARDED}, marginal: {{ max: 5.1 }}"), &hundredths());
        assert_eq!(verdict(&marginal, number("5.15")), "marginal: 5.15 V is above max 5.1 V");
        assert!(verdict(&marginal, number("5.21")).contains("acceptance"));
        let none = refusal(&format!("{GUARDED}, marginal: {{ max: 5.2 }}"), &hundredths());
        assert!(none.contains("`marginal` lies in the guard band"), "{none}");
        let both = GUARDED.replace("guarded", "non_binary");
        let both = limits(&format!("{both}, marginal: {{ max: 5.2 }}"), &hundredths());
        let shown = verdict(&both, number("5.21"));
        assert!(shown.starts_with("conditional pass: 5.21 V is outside"), "{shown}");
        assert!(shown.ends_with("; marginal: 5.21 V is above max 5.2 V"), "{shown}");
    }

    #[test]
    fn a_band_has_its_own_uncertainty_or_that_of_the_step() {
        let yaml = "min: 0.1, uncertainty: { expanded: 0.05 }, decision: guarded, bands: \
                    [{ if: low, max: 5 }, { if: high, max: 50, uncertainty: { expanded: 1 } }]";
        let demand = demand(yaml, &hundredths()).unwrap();
        let judging = |truth| demand.resolve(&mut |condition| Ok(condition == truth)).unwrap();
        let (low, high) = (judging("low"), judging("high"));
        assert_eq!(low.to_json()["acceptance"], json!({ "min": 0.15, "max": 4.95 }));
        assert_eq!(high.to_json()["acceptance"], json!({ "min": 1.1, "max": 49 }));
        assert_eq!(Limits::from_json(high.to_json()), Ok(high));
        assert_eq!(demand.to_json()["bands"][0]["decision"], json!("guarded"));
        let shown = demand.describe(None);
        assert!(shown.contains("<= 5 if low, guarded to [0.15..4.95]"), "{shown}");
    }

    #[test]
    fn what_it_could_not_guard_is_refused() {
        let word = plain("u16");
        for (yaml, refused) in [
            ("max: 9, uncertainty: { expanded: 1 }", "an `uncertainty` needs a `decision`"),
            ("max: 9, decision: guarded", "`decision: guarded` needs an `uncertainty`"),
            ("max: 9, decision: non_binary", "needs an `uncertainty`"),
            ("max: 9, decision: guarde", "did you mean `guarded`?"),
            ("equals: 9, decision: simple", "`equals` has no bounds"),
            ("max: 9, not: 5, decision: simple", "`not` has no bounds"),
            ("decision: simple", "there is no limit here"),
            ("max: 9, uncertainty: {}, decision: guarded", "says not how large it is"),
            ("max: 9, uncertainty: { expanded: 0 }, decision: guarded", "more than nothing"),
            ("max: 9, uncertainty: { expanded: 100% }, decision: guarded", "less than the whole"),
            ("max: 9, uncertainty: { expanded: -1 }, decision: guarded", "cannot be negative"),
            ("max: 9, uncertainty: { expanded: 1% + 2% }, decision: guarded", "is not an uncert"),
            ("max: 9, uncertainty: { expanded: 1, standard: 1 }, decision: guarded", "not both"),
            ("max: 9, uncertainty: { expanded: 1, k: 0 }, decision: guarded", "is above zero"),
            ("max: 9, uncertainty: { expnded: 1 }, decision: guarded", "did you mean"),
            ("max: 9, uncertainty: 1, decision: guarded", "mapping"),
            ("min: 4, max: 6, uncertainty: { expanded: 1.1 }, decision: guarded", "leaves nothing"),
            (
                "min: 4, max: 6, uncertainty: { expanded: 2 }, decision: non_binary",
                "leaves nothing",
            ),
            // One value is left, and the register does not have it.
            ("min: 4, max: 5, uncertainty: { expanded: 0.5 }, decision: guarded", "cannot pass"),
            // Beyond the limit there is nothing: only conditional passes.
            ("max: 65535, uncertainty: { expanded: 5 }, decision: non_binary", "cannot fail"),
        ] {
            let shown = refusal(yaml, &word);
            assert!(shown.contains(refused), "{yaml}: {shown}");
        }
        limits("max: 65535, uncertainty: { expanded: 5 }, decision: guarded", &word);
        limits("min: 4, max: 6, uncertainty: { expanded: 1 }, decision: guarded", &word);
        limits("equals: 9, tolerance: 2, uncertainty: { expanded: 1 }, decision: guarded", &word);
    }

    #[test]
    fn a_record_that_does_not_follow_from_itself_is_corrupt() {
        let stored = limits(GUARDED, &hundredths()).to_json();
        for (key, value) in [
            ("guard_band", json!(0.04)),
            ("acceptance", json!({ "min": 4.75, "max": 5.25 })),
            ("rejection", json!({ "min": 4.7, "max": 5.3 })),
            ("decision", json!("simple")),
            ("uncertainty", json!({ "expanded": 0.05 })),
            ("uncertainty", json!(null)),
            ("max", json!(5.3)),
        ] {
            let mut corrupt = stored.clone();
            corrupt[key] = value;
            assert!(Limits::from_json(corrupt.clone()).is_err(), "{corrupt}");
        }
    }
}
