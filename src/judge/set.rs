//! The limits on one value: all of them together, and the marginal one inside of them.

use passline_modbus::value::Value;
use serde_json::{Map, Value as Json};

use super::decision::Rule;
use super::edge::{Edge, Turns};
use super::judgement::Judgement;
use super::limit::Limit;
use super::marginal::Marginal;
use super::number::{self, Unit};
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use crate::record::Conformity;

/// Limits that a value must satisfy together.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Set {
    limits: Vec<Limit>,
    marginal: Option<Marginal>,
}

impl Set {
    /// Reads all limits of a mapping. Empty if there is none.
    pub(super) fn read(from: &Reader<'_, '_, '_>) -> Result<Self, Reported> {
        let limits = without_repetition(Limit::read_all(from)?);
        let marginal = Marginal::read(from, &limits)?;
        Ok(Self { limits, marginal })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.limits.is_empty()
    }

    pub(super) fn limits(&self) -> impl Iterator<Item = &Limit> {
        self.limits.iter()
    }

    pub(super) fn marginal(&self) -> Option<&Marginal> {
        self.marginal.as_ref()
    }

    /// Where the limits, and the marginal one, turn.
    pub(super) fn edges(&self) -> impl Iterator<Item = Edge<'_>> {
        let edge = |turns| move |(key, at)| Edge { key, turns, at };
        let limits = self.limits.iter().flat_map(Limit::edges).map(edge(Turns::Verdict));
        let marginal = self.marginal.iter().flat_map(Marginal::edges);
        limits.chain(marginal.map(edge(Turns::Marginal)))
    }

    /// How the value is out of limits: all of it, to follow the value in a sentence.
    pub(super) fn misses(&self, value: &Value, unit: Unit<'_>) -> Vec<String> {
        if !number::is_finite(value) {
            return vec!["is no valid value".to_owned()];
        }
        self.limits.iter().filter_map(|limit| limit.judge(value, unit).err()).collect()
    }

    /// How the value is outside of the marginal limit.
    pub(super) fn marginal_miss(&self, value: &Value, unit: Unit<'_>) -> Option<String> {
        self.marginal.as_ref()?.judge(value, unit).err()
    }

    /// The limits for reports: `[207..253] V`.
    pub(super) fn describe(&self, unit: Unit<'_>) -> String {
        let limits: Vec<String> = self.limits.iter().map(|limit| limit.describe(unit)).collect();
        limits.join(" and ")
    }

    pub(super) fn store(&self, limit: &mut Map<String, Json>) {
        self.limits.iter().for_each(|kind| kind.store(limit));
        if let Some(marginal) = &self.marginal {
            limit.insert("marginal".to_owned(), marginal.to_json());
        }
    }

    pub(super) fn restore(limit: &mut Stored) -> Result<Self, Corrupt> {
        let marginal = limit.take("marginal").map(Marginal::from_json).transpose()?;
        Ok(Self { limits: Limit::restore_all(limit)?, marginal })
    }
}

/// Without the bounds that a tolerance already sets at the same place: a record shows each bound
/// once.
fn without_repetition(limits: Vec<Limit>) -> Vec<Limit> {
    let around = limits.iter().find_map(Limit::around).cloned();
    let bounds = |limit| match (limit, &around) {
        (Limit::Bounds(bounds), Some(around)) => bounds.without(around).map(Limit::Bounds),
        (other, _) => Some(other),
    };
    limits.into_iter().filter_map(bounds).collect()
}

/// The judgement of one value by several sets, which must all hold, and by a rule of decision.
pub(super) fn judge(
    sets: &[&Set],
    rule: Option<&Rule>,
    value: &Value,
    unit: Unit<'_>,
) -> Judgement {
    let says =
        |parts: Vec<String>| format!("{} {}", number::shown(value, unit), parts.join(" and "));
    let misses: Vec<String> = sets.iter().flat_map(|set| set.misses(value, unit)).collect();
    let statement = rule.and_then(|rule| rule.state(value, misses.is_empty(), unit));
    let conformity = statement.as_ref().map(|statement| statement.conformity);
    if !misses.is_empty() {
        return Judgement::Fail { conformity, message: says(misses) };
    }
    let why = statement.and_then(|statement| statement.why);
    if conformity.is_some_and(Conformity::is_fail) {
        return Judgement::Fail { conformity, message: says(why.into_iter().collect()) };
    }
    let near: Vec<String> = sets.iter().filter_map(|set| set.marginal_miss(value, unit)).collect();
    let marginal = !near.is_empty();
    let conditional = why.map(|why| format!("conditional pass: {}", says(vec![why])));
    let near = marginal.then(|| format!("marginal: {}", says(near)));
    let remarks: Vec<String> = conditional.into_iter().chain(near).collect();
    let remark = (!remarks.is_empty()).then(|| remarks.join("; "));
    Judgement::Pass { marginal, conformity, remark }
}
