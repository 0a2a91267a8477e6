//! The limits of a check on a point of its own: for each place where the judgement turns, what the
//! point can hold on both sides of it.

use passline_modbus::point::{Domain, EncodeError, Reading};
use passline_modbus::value::{Decimal, Value};

use super::finding::Kind;
use super::mutant::{Change, Expected, Mutant};
use super::place::{Content, Place};
use super::sight::{Outcome, Sight};
use crate::judge::{At, Edge, Limits, Turns};

/// What there is to say of a limit before anything is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) kind: Kind,
    pub(super) limit: Option<&'static str>,
    pub(super) message: String,
    pub(super) remedy: &'static str,
}

/// What to run for the limits of a check on its own point, and what is wrong with them as they are.
pub(super) fn mutants(
    sight: &Sight<'_>,
    own: &Place,
    limits: &Limits,
) -> (Vec<Mutant>, Vec<Remark>) {
    let (mut mutants, mut remarks): (Vec<Mutant>, Vec<Remark>) = (Vec::new(), Vec::new());
    for edge in limits.edges() {
        let values = around(own, edge.at);
        let tried: Vec<(Content, Outcome, String)> = values
            .into_iter()
            .map(|content| {
                let (outcome, value) = sight.judged(std::slice::from_ref(&content));
                let value = value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
                (content, outcome, value)
            })
            .collect();
        let outcomes: Vec<Outcome> = tried.iter().map(|(_, outcome, _)| *outcome).collect();
        if let Some(remark) = standstill(&edge, own, &outcomes)
            && !remarks.contains(&remark)
        {
            remarks.push(remark);
        }
        for (content, outcome, value) in tried {
            let change = Change::Contents(vec![content]);
            if !mutants.iter().any(|known| known.change == change) {
                let what = format!("at {value}");
                let expected = Expected::As(outcome);
                mutants.push(Mutant { what, change, expected, limit: Some(edge.key) });
            }
        }
    }
    remarks.extend(too_wide(sight, own, limits));
    (mutants, remarks)
}

/// What is wrong where a judgement does not turn.
fn standstill(edge: &Edge<'_>, own: &Place, outcomes: &[Outcome]) -> Option<Remark> {
    let passes = || outcomes.iter().filter(|outcome| outcome.passes());
    let key = edge.key;
    let at = match edge.at {
        At::Number(at) => format!("`{key}` ({at})"),
        At::Text(text) => format!("`{key}` ({text})"),
        At::Bit { index, .. } => format!("`{key}` (bit {index})"),
        _ => format!("`{key}`"),
    };
    let name = own.point_name();
    let (kind, message, remedy) = match edge.turns {
        Turns::Verdict if edge.at == At::NoValue => return None,
        // Its neighbours may be in the list, too.
        Turns::Verdict if key == "one_of" && passes().next().is_some() => return None,
        Turns::Verdict if outcomes.is_empty() => (
            Kind::Unproven,
            format!("{at} is not shown to decide: `{name}` cannot be given a value near it here"),
            "give the point a value by itself, or declare it as one of its own",
        ),
        Turns::Verdict if passes().count() == outcomes.len() => (
            Kind::CannotFail,
            format!("{at} can never be missed: no value that `{name}` can have is beyond it"),
            "set it where the device can miss it, or leave it out",
        ),
        Turns::Verdict if passes().next().is_none() => (
            Kind::Shadowed,
            format!("{at} never decides: values on both sides of it fail by another limit"),
            "leave it out, or correct the one that is tighter",
        ),
        Turns::Marginal if passes().all(|outcome| !outcome.marginal) => (
            Kind::Shadowed,
            format!("marginal {at} never decides: nothing within the limits is beyond it"),
            "set it within the limits",
        ),
        _ => return None,
    };
    Some(Remark { kind, limit: Some(key), message, remedy })
}

/// Whether the limits admit everything that the point may be given.
fn too_wide(sight: &Sight<'_>, own: &Place, limits: &Limits) -> Option<Remark> {
    let (low, high) = own.point.range()?;
    let edges = limits.edges();
    let numbers = edges.iter().filter(|edge| edge.turns == Turns::Verdict);
    let numbers: Vec<&Decimal> = numbers.filter_map(|edge| edge.at.number()).collect();
    if numbers.is_empty() || numbers.iter().any(|at| *at > low && *at < high) {
        return None;
    }
    let passes = |number: &Decimal| {
        own.nearest(number).is_some_and(|content| sight.judged(&[content]).0.passes())
    };
    (passes(low) && passes(high)).then(|| Remark {
        kind: Kind::TooWide,
        limit: None,
        message: format!(
            "the limits admit everything from {low} to {high}, the whole range of `{}`",
            own.point_name()
        ),
        remedy: "set limits within what the device can be set to",
    })
}

/// What the point can hold just below, at and just above an edge; of what has no order, it and
/// others.
fn around(own: &Place, at: At<'_>) -> Vec<Content> {
    let values = match at {
        At::Number(at) => return numbers(own, at),
        At::Bool(value) => vec![Value::Bool(value), Value::Bool(!value)],
        At::Bit { index, .. } => return bit(own, index).into_iter().collect(),
        At::Text(text) => texts(own, Some(text)),
        At::Matches(_) | At::Version(_) => texts(own, None),
        At::NoValue | At::Exception(_) | At::Answers(_) => Vec::new(),
    };
    contents(own, &values)
}

fn contents(own: &Place, values: &[Value]) -> Vec<Content> {
    let mut contents: Vec<Content> = Vec::new();
    for content in values.iter().filter_map(|value| own.content(value)) {
        if !contents.contains(&content) {
            contents.push(content);
        }
    }
    contents
}

/// The numbers that the point can hold below, at and above.
fn numbers(own: &Place, at: &Decimal) -> Vec<Content> {
    let near = match own.encoded(&Value::Number(at.clone())) {
        Ok(_) | Err(EncodeError::MeansInvalid) => at.clone(),
        Err(EncodeError::Inexact { nearest }) => nearest,
        Err(EncodeError::OutOfReach { low, high }) => {
            if *at < low {
                low
            } else {
                high
            }
        }
        Err(_) => return Vec::new(),
    };
    let here = own.nearest(&near);
    let mut found: Vec<Content> = [neighbour(own, &near, false), here, neighbour(own, &near, true)]
        .into_iter()
        .flatten()
        .collect();
    found.dedup();
    found
}

/// The number that the point can hold next to one.
pub(super) fn neighbour(own: &Place, near: &Decimal, up: bool) -> Option<Content> {
    if let Some(step) = own.step() {
        let one = |before: &Decimal| {
            if up { before.checked_add(&step) } else { before.checked_sub(&step) }.ok()
        };
        // The next one may be what says that there is no value.
        let first = one(near)?;
        let second = one(&first)?;
        return [first, second].iter().find_map(|next| own.content(&Value::Number(next.clone())));
    }
    let here = own.nearest(near)?;
    // What is scaled has fewer values than its float.
    (0..24).find_map(|power| {
        let next = beside(&reading(own, &here)?, 1_i128 << power, up)?;
        own.content(&next).filter(|content| *content != here)
    })
}

fn reading(own: &Place, content: &Content) -> Option<Value> {
    match own.decoded(&content.raw) {
        Some(Reading::Value(value)) => Some(value),
        _ => None,
    }
}

/// The float so many floats of its width further up or down; `None` behind the last.
pub(super) fn beside(value: &Value, by: i128, up: bool) -> Option<Value> {
    let by = if up { by } else { -by };
    match value {
        Value::F32(float) => {
            let place = ordered(i128::from(float.to_bits()), 1 << 31).checked_add(by)?;
            let bits = u32::try_from(ordered_bits(place, 1 << 31)).ok()?;
            Some(f32::from_bits(bits)).filter(|float| float.is_finite()).map(Value::F32)
        }
        Value::F64(float) => {
            let place = ordered(i128::from(float.to_bits()), 1 << 63).checked_add(by)?;
            let bits = u64::try_from(ordered_bits(place, 1 << 63)).ok()?;
            Some(f64::from_bits(bits)).filter(|float| float.is_finite()).map(Value::F64)
        }
        _ => None,
    }
}

/// The place of a float among all of its width.
fn ordered(bits: i128, sign: i128) -> i128 {
    if bits >= sign { sign - bits } else { bits }
}

fn ordered_bits(place: i128, sign: i128) -> i128 {
    if place < 0 { sign - place } else { place }
}

/// The value with one bit the other way round, and as it was.
fn bit(own: &Place, index: u32) -> Vec<Content> {
    let Some(number) = own.value().and_then(Value::to_decimal).and_then(|all| all.to_i128()) else {
        return Vec::new();
    };
    let width = if let passline_modbus::point::Raw::Registers(words) = &own.raw {
        16 * words.len()
    } else {
        0
    };
    let turned = number ^ (1_i128 << index);
    let around = 1_i128 << width.min(64);
    let values = [turned, turned - around, turned + around];
    let turned = values.iter().find_map(|turned| own.content(&Value::Number((*turned).into())));
    turned.into_iter().chain([own.with(own.raw.clone())]).collect()
}

/// Texts that are like what is there, and others.
pub(super) fn texts(own: &Place, wanted: Option<&str>) -> Vec<Value> {
    let wanted = wanted.map(str::to_owned);
    let there = match own.value() {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Bytes(bytes)) => return bytes_like(bytes, wanted.as_deref()),
        _ => return Vec::new(),
    };
    if let Domain::Labels(labels) = own.point.domain() {
        return labels.into_iter().map(Value::Text).collect();
    }
    let like = |text: &str| {
        let mut all = vec![String::new()];
        for (index, character) in text.char_indices() {
            // One character changed: a digit to a lesser one, anything else to what is rare.
            let other = match character {
                '1'..='9' => char::from(u8::try_from(character).unwrap_or(b'1') - 1),
                '~' => '#',
                _ => '~',
            };
            let behind = index + character.len_utf8();
            let (before, rest) = (text.get(..index), text.get(behind..));
            if let (Some(before), Some(rest)) = (before, rest) {
                all.push(format!("{before}{other}{rest}"));
                all.push(format!("{before}~{rest}"));
            }
        }
        all.push(text.chars().take(text.chars().count().saturating_sub(1)).collect());
        all.push(format!("{text}~"));
        all
    };
    // Enough of them: the first and the last characters tell most.
    let mut changed = like(wanted.as_deref().unwrap_or(&there));
    if changed.len() > 24 {
        let behind = changed.split_off(changed.len() - 12);
        changed.truncate(12);
        changed.extend(behind);
    }
    let texts = [Some(there), wanted].into_iter().flatten().chain(changed);
    texts.map(Value::Text).collect()
}

fn bytes_like(there: &[u8], wanted: Option<&str>) -> Vec<Value> {
    let wanted = wanted.and_then(Value::bytes);
    let turned = |at: usize| {
        let mut other = there.to_vec();
        if let Some(byte) = other.get_mut(at) {
            *byte ^= 1;
        }
        Value::Bytes(other)
    };
    let ends = [0, there.len().saturating_sub(1)].map(turned);
    [Value::Bytes(there.to_vec())].into_iter().chain(wanted).chain(ends).collect()
}
