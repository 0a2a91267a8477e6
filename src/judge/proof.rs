//! Whether limits together can fail, and can hold, on what a point can decode to. A check that
//! cannot fail proves nothing; one that cannot pass is a mistake. Exact for numbers of every size,
//! bits, labels and truth values; for texts each limit by itself.

use std::collections::BTreeSet;

use passline_modbus::point::{Domain, Steps};
use passline_modbus::value::{Decimal, Value, Width};

use super::bits::Bits;
use super::decision::{Acceptance, Rule};
use super::limit::Limit;
use super::number::Unit;
use super::reach::{Reach, TextSpace};
use super::reader::Subject;

/// Why limits are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Every value passes.
    CannotFail,
    /// No value passes.
    CannotHold,
    /// A pattern too large to tell.
    Unproved,
}

/// Which of both there are among the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Found {
    passing: bool,
    failing: bool,
}

impl Found {
    /// Whether there is nothing more to find out. Long lists of values depend on stopping then.
    fn is_both(self) -> bool {
        self.passing && self.failing
    }

    fn add(&mut self, passes: bool) {
        self.passing |= passes;
        self.failing |= !passes;
    }
}

/// What must all hold.
#[derive(Clone)]
struct Together<'l> {
    limits: Vec<&'l Limit>,
    acceptance: Option<Acceptance<'l>>,
}

impl<'l> Together<'l> {
    fn hold(&self, value: &Value) -> bool {
        self.limits.iter().all(|limit| limit.judge(value, Unit("")).is_ok())
            && self.acceptance.is_none_or(|acceptance| acceptance.holds(value))
    }

    /// The numbers where they begin or end to hold, ascending.
    fn edges(&self) -> BTreeSet<&'l Decimal> {
        let own = self.limits.iter().flat_map(|limit| limit.edges());
        let own = own.filter_map(|(_, at)| at.number());
        own.chain(self.acceptance.into_iter().flat_map(Acceptance::edges)).collect()
    }
}

/// What is wrong with the limits, together, on these values.
pub(super) fn fault(
    limits: &[&Limit],
    rule: Option<&Rule>,
    subject: &Subject<'_>,
) -> Option<Fault> {
    let on = |acceptance| {
        let limits = limits.to_vec();
        fault_on(&Together { limits, acceptance }, subject)
    };
    match rule {
        // Some value passes unconditionally, and some other fails.
        Some(rule) if !rule.is_binary() => {
            let conditional = on(rule.acceptance()).filter(|fault| *fault == Fault::CannotHold);
            conditional.or_else(|| on(None))
        }
        other => on(other.and_then(Rule::acceptance)),
    }
}

fn fault_on(limits: &Together<'_>, subject: &Subject<'_>) -> Option<Fault> {
    let found = match subject.domain {
        Domain::Bool => on_each(limits, [false, true].map(Value::Bool)),
        Domain::Labels(labels) => on_each(limits, labels.iter().cloned().map(Value::Text)),
        Domain::Steps(steps) => on_steps(limits, steps),
        Domain::Float { width, low, high } => on_floats(limits, *width, (low, high)),
        Domain::Unbounded { width: Some(width) } => match Decimal::try_from(width.greatest()) {
            Ok(greatest) => on_floats(limits, *width, (&greatest.negated(), &greatest)),
            Err(_) => return Some(Fault::Unproved),
        },
        Domain::Unbounded { width: None } => on_each(limits, between(limits.edges())),
        Domain::Text { .. } | Domain::Bytes { .. } => {
            return subject.texts().and_then(|space| on_texts(limits, space));
        }
    };
    // A value that is none fails every limit: where there can be one, `valid` can fail by it.
    let valid = limits.limits.iter().any(|limit| matches!(limit, Limit::Valid(_)));
    match found {
        Found { passing: false, .. } => Some(Fault::CannotHold),
        Found { failing: false, .. } if !valid => Some(Fault::CannotFail),
        _ => None,
    }
}

fn on_each(limits: &Together<'_>, values: impl IntoIterator<Item = Value>) -> Found {
    let mut found = Found::default();
    for value in values {
        found.add(limits.hold(&value));
        if found.is_both() {
            break;
        }
    }
    found
}

/// Every edge, and one number below, between and above them: numbers that lie as dense as you like
/// behave like one of these.
fn between(edges: BTreeSet<&Decimal>) -> Vec<Value> {
    let mut numbers: Vec<Decimal> = edges.into_iter().cloned().collect();
    let half = Decimal::from(5).times_power_of_ten(-1);
    let middle = |pair: &[Decimal]| match pair {
        [left, right] => left.checked_add(right).ok()?.checked_mul(half.as_ref().ok()?).ok(),
        _ => None,
    };
    let middles: Vec<Decimal> = numbers.windows(2).filter_map(middle).collect();
    let one = Decimal::one();
    let below = numbers.first().map_or(Ok(Decimal::zero()), |first| first.checked_sub(&one));
    let above = numbers.last().map_or(Ok(Decimal::one()), |last| last.checked_add(&one));
    numbers.extend(middles);
    numbers.extend(below.into_iter().chain(above));
    numbers.into_iter().map(Value::Number).collect()
}

/// Between two edges the limits (but for `bits`) do not change: one value stands for all of them.
fn on_steps(limits: &Together<'_>, steps: &Steps) -> Found {
    let bits: Vec<Bits> = limits.limits.iter().filter_map(|limit| limit.bits()).collect();
    let mut others = limits.clone();
    others.limits.retain(|limit| limit.bits().is_none());
    let mut starts = BTreeSet::from([0]);
    for edge in limits.edges() {
        starts.extend(steps.at_or_above(edge));
        let behind = steps.at_or_below(edge).and_then(|index| index.checked_add(1));
        starts.extend(behind.filter(|index| *index <= steps.last()));
    }
    let ends = starts.iter().skip(1).map(|start| start - 1).chain([steps.last()]);
    let mut found = Found::default();
    for (start, end) in starts.iter().copied().zip(ends) {
        if found.is_both() {
            break;
        }
        let Some(value) = steps.value(start) else { continue };
        if !others.hold(&Value::Number(value)) {
            found.failing |= first_from(steps, (start, end), Some).is_some();
            continue;
        }
        let range = BitRange { steps, start, end };
        found.passing |= match bits.as_slice() {
            [] => first_from(steps, (start, end), Some).is_some(),
            [bits, ..] => range.has(*bits, true),
        };
        found.failing |= bits.iter().any(|bits| range.has(*bits, false));
    }
    found
}

/// The first index within both ends that `next` leads to and that is a value.
fn first_from(
    steps: &Steps,
    (start, end): (u64, u64),
    next: impl Fn(u64) -> Option<u64>,
) -> Option<u64> {
    let mut index = start;
    loop {
        index = next(index).filter(|index| *index <= end)?;
        if steps.excluded().binary_search(&index).is_err() {
            return Some(index);
        }
        index = index.checked_add(1)?;
    }
}

/// Values in a row, and the bits that they have.
struct BitRange<'s> {
    steps: &'s Steps,
    start: u64,
    end: u64,
}

impl BitRange<'_> {
    /// Whether the bits of some value hold, or of some do not.
    fn has(&self, bits: Bits, holding: bool) -> bool {
        // A point with bits counts in ones: its number is the first one and the index.
        let Some(first) = self.steps.first().to_i128() else { return false };
        let next = |index: u64| {
            let number = bits.next(first + i128::from(index), holding)?;
            u64::try_from(number - first).ok()
        };
        first_from(self.steps, (self.start, self.end), next).is_some()
    }
}

/// Every edge as a float, the next one, and the bounds: between two edges one float stands for all.
fn on_floats(limits: &Together<'_>, width: Width, (low, high): (&Decimal, &Decimal)) -> Found {
    let bounds = [width.nearest(low), width.nearest(high)];
    let edges = limits.edges().into_iter().map(|edge| width.nearest(edge));
    let floats = bounds.into_iter().chain(edges.flat_map(|edge| and_next(width, edge)));
    let [low, high] = bounds;
    let possible = floats.filter(|float| (low..=high).contains(float));
    on_each(limits, possible.map(|float| value(width, float)))
}

fn value(width: Width, float: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "the float is one of the narrower width")]
    let narrow = float as f32;
    match width {
        Width::F16 | Width::F32 => Value::F32(narrow),
        Width::F64 => Value::F64(float),
    }
}

/// The float and the next greater one.
fn and_next(width: Width, float: f64) -> Vec<f64> {
    #[expect(clippy::cast_possible_truncation, reason = "the float is one of the narrower width")]
    let narrow = float as f32;
    match width {
        Width::F64 => vec![float, float.next_up()],
        Width::F32 => vec![float, narrow.next_up().into()],
        Width::F16 => {
            // Above a negative power of two the gap is half as wide.
            let gap = (float.abs().log2().floor().max(-14.0) - 10.0).exp2();
            let exists = |float: &f64| {
                Decimal::try_from(*float).is_ok_and(|exact| width.round(&exact) == Ok(exact))
            };
            [float, float + gap / 2.0, float + gap].into_iter().filter(exists).collect()
        }
    }
}

fn on_texts(limits: &Together<'_>, space: TextSpace) -> Option<Fault> {
    let reaches: Vec<Reach> = limits.limits.iter().map(|limit| limit.reach(space)).collect();
    let candidates = limits.limits.iter().find_map(|limit| limit.texts());
    let possible = candidates.is_none_or(|texts| {
        let texts = texts.into_iter().filter(|text| space.has(text));
        on_each(limits, texts.filter_map(|text| space.value(text))).passing
    });
    if !possible || reaches.contains(&Reach::Nothing) {
        Some(Fault::CannotHold)
    } else if reaches.contains(&Reach::Unknown) {
        Some(Fault::Unproved)
    } else {
        reaches.iter().all(|reach| *reach == Reach::All).then_some(Fault::CannotFail)
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{accepted, plain};

    /// The properties try every half; here is the one float between two limits of each width.
    #[test]
    fn one_float_between_two_limits_is_found() {
        for (width, one, none) in [
            ("f16", "above: -1, below: -0.99905", "above: -1, below: -0.9996"),
            ("f16", "above: 0.99951, below: 1.001", "above: 0.99952, below: 1"),
            ("f16", "above: 0, below: 0.0000001", "above: 0, below: 0.00000005"),
            ("f32", "above: 1, below: 1.00000024", "above: 1, below: 1.00000012"),
            ("f32", "above: 0, below: 2.8e-45", "above: 0, below: 1.4e-45"),
            ("f64", "above: 1, below: 1.0000000000000004", "above: 1, below: 1.0000000000000002"),
        ] {
            assert!(accepted(one, &plain(width)).is_some(), "{width} {one}");
            assert!(accepted(none, &plain(width)).is_none(), "{width} {none}");
        }
    }

    #[test]
    fn all_but_one_value_is_not_all() {
        for (name, all, not_all) in [
            ("u64", "max: 18446744073709551615", "max: 18446744073709551614"),
            ("i64", "min: -9223372036854775808", "above: -9223372036854775808"),
            ("f32", "max: 3.40282347e38", "below: 3.40282347e38"),
            ("f64", "max: 1.7976931348623157e308", "below: 1.7976931348623157e308"),
            ("bcd16", "max: 9999", "max: 9998"),
            ("s16", "min: -32767", "min: -32766"),
        ] {
            assert!(accepted(all, &plain(name)).is_none(), "{name} {all}");
            assert!(accepted(not_all, &plain(name)).is_some(), "{name} {not_all}");
        }
    }
}
