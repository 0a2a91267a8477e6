//! What a check computes, or compares with: each point that goes into it is moved up and down until
//! the verdict turns, then back to where it turns.

use passline_modbus::point::Domain;
use passline_modbus::value::{Decimal, Value};

use super::edges::{beside, texts};
use super::mutant::{Change, Expected, Mutant};
use super::place::{Content, Place};
use super::sight::{Outcome, Sight};
use crate::judge::{At, Edge};

/// A turn of the verdict.
pub(super) struct Turn {
    pub(super) mutants: Vec<Mutant>,
    /// The values on both sides, as far as there are any.
    values: [Option<Value>; 2],
}

impl Turn {
    /// Whether the verdict turns at this edge, as far as one can see.
    pub(super) fn crosses(&self, edge: &Edge<'_>) -> bool {
        let At::Number(at) = edge.at else { return true };
        let [Some(inside), Some(outside)] = &self.values else { return false };
        let side = |value: &Value| value.compare(at);
        side(inside) != side(outside)
    }
}

/// The turns of the verdict as one point changes and nothing else does.
pub(super) fn of_one(sight: &Sight<'_>, place: &Place) -> Vec<Turn> {
    let Some(there) = place.value() else { return Vec::new() };
    let what = |value: &Value| format!("with {} at {value}", place.name);
    match there {
        Value::Number(_) | Value::F32(_) | Value::F64(_) => {
            let way = |up: bool| {
                move |by: i128| {
                    let value = moved(place, by, up)?;
                    Some((vec![place.content(&value)?], what(&value)))
                }
            };
            [way(true), way(false)].iter().filter_map(|way| along(sight, way)).collect()
        }
        Value::Bool(there) => {
            let other = Value::Bool(!there);
            others(sight, place, vec![other], what)
        }
        Value::Text(_) | Value::Bytes(_) => {
            let values = match place.point.domain() {
                Domain::Labels(labels) => labels.into_iter().map(Value::Text).collect(),
                _ => texts(place, None),
            };
            others(sight, place, values, what)
        }
    }
}

/// The turns as all numbers change together: towards zero, and away from it.
pub(super) fn of_all(sight: &Sight<'_>) -> Vec<Turn> {
    const PARTS: i128 = 1024;
    let numbers: Vec<(&Place, Decimal)> = sight
        .places
        .iter()
        .filter_map(|place| Some((place, place.value()?.to_decimal()?)))
        .collect();
    if numbers.len() < 2 {
        return Vec::new();
    }
    let times = |parts: i128| {
        let contents = numbers.iter().map(|(place, number)| {
            let share = number.checked_mul(&parts.into()).ok()?;
            place.nearest(&share.checked_div(&PARTS.into()).ok()?)
        });
        let contents: Option<Vec<Content>> = contents.collect();
        Some((contents?, format!("with all points at {parts}/{PARTS} of their values")))
    };
    let down = |by: i128| if by > PARTS { None } else { times(PARTS - by) };
    let up = |by: i128| times(PARTS.checked_add(by)?);
    along(sight, &down).into_iter().chain(along(sight, &up)).collect()
}

/// A number that is so many steps away.
fn moved(place: &Place, by: i128, up: bool) -> Option<Value> {
    let there = place.value()?;
    match place.step() {
        Some(step) => {
            let distance = step.checked_mul(&by.into()).ok()?;
            let there = there.to_decimal()?;
            let number =
                if up { there.checked_add(&distance) } else { there.checked_sub(&distance) };
            Some(Value::Number(number.ok()?))
        }
        None => beside(there, by, up),
    }
}

/// What is there so many steps along a way; `None` behind its end.
type Way<'w> = &'w dyn Fn(i128) -> Option<(Vec<Content>, String)>;

/// Goes along a way until the verdict is no pass any more, then back to the last step that is one.
fn along(sight: &Sight<'_>, way: Way<'_>) -> Option<Turn> {
    let outcome = |by: i128| way(by).map(|(contents, _)| sight.judged(&contents).0);
    let (mut good, mut bad) = (0, None);
    let mut step = 1_i128;
    while bad.is_none() {
        match outcome(step) {
            Some(found) if found.passes() => good = step,
            Some(_) => bad = Some(step),
            None => {
                // Behind the end: the last step there is.
                let end = between(good, step, |by| way(by).is_some());
                match outcome(end) {
                    Some(found) if !found.passes() => bad = Some(end),
                    _ => return None,
                }
            }
        }
        step = step.checked_mul(2)?;
    }
    let bad = bad?;
    let last = between(good, bad, |by| outcome(by).is_some_and(Outcome::passes));
    let side = |by: i128| {
        let (contents, what) = way(by)?;
        let (outcome, value) = sight.judged(&contents);
        Some((mutant(what, contents, outcome), value))
    };
    let (inside, outside) = (side(last)?, side(last + 1)?);
    Some(Turn { mutants: vec![inside.0, outside.0], values: [inside.1, outside.1] })
}

/// The last number for which something holds that holds for `low` and not for `high`.
fn between(mut low: i128, mut high: i128, holds: impl Fn(i128) -> bool) -> i128 {
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Of other values those that turn the verdict.
fn others(
    sight: &Sight<'_>,
    place: &Place,
    values: Vec<Value>,
    what: impl Fn(&Value) -> String,
) -> Vec<Turn> {
    let turn = |value: Value| {
        let contents = vec![place.content(&value)?];
        let (outcome, judged) = sight.judged(&contents);
        (!outcome.passes()).then(|| Turn {
            mutants: vec![mutant(what(&value), contents, outcome)],
            values: [sight.judged(&[]).1, judged],
        })
    };
    values.into_iter().filter_map(turn).collect()
}

fn mutant(what: String, contents: Vec<Content>, outcome: Outcome) -> Mutant {
    let change = Change::Contents(contents);
    Mutant { what, change, expected: Expected::As(outcome), limit: None }
}
