//! Limits against a naive model of them: whole numbers of hundred-thousandths, every raw value by
//! brute force.

use passline_modbus::point::{Invalid, Point, Reading};
use passline_modbus::value::{Decimal, Value};
use proptest::prelude::*;

use super::testing::{accepted, demand, observed, plain, point};
use super::{Limits, Observed};
use crate::record::{Conformity, Verdict};

/// One, in the unit of the model.
const ONE: i64 = 100_000;

/// Limits as a person would check them.
#[derive(Debug, Clone, Default)]
struct Model {
    min: Option<i64>,
    max: Option<i64>,
    above: Option<i64>,
    below: Option<i64>,
    equals: Option<i64>,
    not: Option<i64>,
    one_of: Vec<i64>,
    /// The centre, and a tolerance: whole percents, or thousandths.
    nominal: Option<(i64, i64, bool)>,
    bits: Option<(u16, u16)>,
}

impl Model {
    fn around(&self) -> Option<(i64, i64)> {
        let (centre, tolerance, percent) = self.nominal?;
        let width = if percent { centre.abs() / 100 * tolerance } else { tolerance * 100 };
        Some((centre - width, centre + width))
    }

    fn passes(&self, value: i64) -> bool {
        let holds = |limit: Option<i64>, holds: fn(i64, i64) -> bool| {
            limit.is_none_or(|limit| holds(value, limit))
        };
        holds(self.min, |value, limit| value >= limit)
            && holds(self.max, |value, limit| value <= limit)
            && holds(self.above, |value, limit| value > limit)
            && holds(self.below, |value, limit| value < limit)
            && holds(self.equals, |value, limit| value == limit)
            && holds(self.not, |value, limit| value != limit)
            && (self.one_of.is_empty() || self.one_of.contains(&value))
            && self.around().is_none_or(|(low, high)| (low..=high).contains(&value))
    }

    fn passes_bits(&self, raw: i64) -> bool {
        let pattern = u16::try_from(raw & 0xFFFF).unwrap();
        self.bits.is_none_or(|(set, clear)| pattern & set == set && pattern & clear == 0)
    }

    fn yaml(&self) -> String {
        let number = |key: &str, limit: Option<i64>| limit.map(|n| format!("{key}: {}", text(n)));
        let list: Vec<String> = self.one_of.iter().map(|n| text(*n)).collect();
        let nominal = self.nominal.map(|(centre, tolerance, percent)| {
            let tolerance = if percent { format!("{tolerance}%") } else { text(tolerance * 100) };
            format!("nominal: {}, tolerance: {tolerance}", text(centre))
        });
        let bits = self.bits.map(|(set, clear)| {
            let list = |bits: u16| (0..16).filter(|n| bits >> n & 1 == 1).collect::<Vec<u16>>();
            format!("bits: {{ set: {:?}, clear: {:?} }}", list(set), list(clear))
        });
        let parts = [
            number("min", self.min),
            number("max", self.max),
            number("above", self.above),
            number("below", self.below),
            number("equals", self.equals),
            number("not", self.not),
            (!list.is_empty()).then(|| format!("one_of: [{}]", list.join(", "))),
            nominal,
            bits,
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

fn text(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}.{:05}", number.abs() / ONE, number.abs() % ONE)
}

/// A register with a scale and an offset, in the unit of the model.
#[derive(Debug, Clone)]
struct Register {
    signed: bool,
    scale: i64,
    offset: i64,
    invalid: Vec<i64>,
}

impl Register {
    fn point(&self) -> Point {
        point(if self.signed { "i16" } else { "u16" }, |point| {
            point.scale = text(self.scale).parse().unwrap();
            point.offset = text(self.offset).parse().unwrap();
            if !self.invalid.is_empty() {
                point.invalid = Invalid::Raw(self.invalid.iter().map(|n| i128::from(*n)).collect());
            }
        })
    }

    fn raws(&self) -> std::ops::RangeInclusive<i64> {
        if self.signed { -0x8000..=0x7FFF } else { 0..=0xFFFF }
    }

    fn value(&self, raw: i64) -> i64 {
        raw * self.scale + self.offset
    }

    fn is_plain(&self) -> bool {
        self.scale == ONE && self.offset == 0
    }
}

fn register() -> impl Strategy<Value = Register> {
    let scale = prop_oneof![Just(ONE), Just(ONE / 10), Just(-ONE / 4), Just(3 * ONE)];
    (any::<bool>(), scale, prop_oneof![Just(0), Just(ONE / 2), Just(-40 * ONE)], 0..3_usize)
        .prop_map(|(signed, scale, offset, invalid)| {
            let edge = if signed { [-0x8000, 0x7FFF] } else { [0, 0xFFFF] };
            let invalid = edge.into_iter().take(invalid).collect();
            Register { signed, scale, offset, invalid }
        })
}

/// A number that a register has, or nearly.
fn near(register: &Register) -> BoxedStrategy<i64> {
    let register = register.clone();
    let (low, high) = register.raws().into_inner();
    let raw = prop_oneof![low..=high, low..=low + 2, high - 2..=high, -3..4_i64];
    let aside = prop_oneof![4 => Just(0), 1 => Just(1), 1 => Just(-1), 1 => Just(ONE / 20)];
    (raw, aside)
        .prop_map(move |(raw, aside)| {
            // Thousandths, so that percentages are whole.
            (register.value(raw) + aside * 100) / 100 * 100
        })
        .boxed()
}

fn model(register: &Register) -> BoxedStrategy<Model> {
    let number = || near(register);
    let maybe = |weight| proptest::option::weighted(weight, near(register));
    let nominal = (number(), prop_oneof![0..120_i64, 0..20_000_i64], any::<bool>());
    let masks = (any::<u16>(), any::<u16>(), any::<u16>(), any::<u16>());
    // Few bits, or hardly anything passes.
    let masks = masks.prop_map(|(a, b, c, d)| (a & b & c, b & c & d));
    let plain = register.is_plain();
    let bits = proptest::option::weighted(0.3, masks);
    (
        (maybe(0.4), maybe(0.4), maybe(0.2), maybe(0.2)),
        (maybe(0.1), maybe(0.2), prop::collection::btree_set(number(), 0..3)),
        proptest::option::weighted(0.2, nominal),
        bits,
    )
        .prop_map(move |((min, max, above, below), (equals, not, one_of), nominal, bits)| {
            let nominal = nominal.filter(|(centre, _, percent)| *centre != 0 || !percent);
            let bits = bits.map(|(set, clear)| (set, clear & !set));
            Model {
                min,
                max,
                above,
                below,
                equals,
                not,
                one_of: one_of.into_iter().collect(),
                nominal,
                bits: bits.filter(|(set, clear)| plain && set | clear != 0),
            }
        })
        .prop_filter("a limit", |model| !model.yaml().is_empty())
        .boxed()
}

fn case() -> impl Strategy<Value = (Register, Model)> {
    register().prop_flat_map(|register| (Just(register.clone()), model(&register)))
}

/// Every float of the narrow width that is finite.
fn halves() -> Vec<f32> {
    let finite = (0..=u16::MAX).filter(|bits| bits & 0x7C00 != 0x7C00);
    finite.map(half_to_f32).collect()
}

fn half_to_f32(bits: u16) -> f32 {
    let fraction = f32::from(bits & 0x3FF);
    let magnitude = match i32::from(bits >> 10 & 0x1F) {
        0 => fraction * (-24_f32).exp2(),
        exponent => (1024.0 + fraction) * 2_f32.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// Only what may stand on a float without a tolerance.
fn on_float(model: &Model) -> Model {
    Model { equals: None, not: None, one_of: Vec::new(), bits: None, ..model.clone() }
}

/// The model with every number rounded to `f32`, by the standard library.
fn passes_f32(model: &Model, value: f32) -> bool {
    let round = |limit: i64| text(limit).parse::<f32>().unwrap();
    let holds = |limit: Option<i64>, holds: fn(f32, f32) -> bool| {
        limit.is_none_or(|limit| holds(value, round(limit)))
    };
    value.is_finite()
        && holds(model.min, |value, limit| value >= limit)
        && holds(model.max, |value, limit| value <= limit)
        && holds(model.above, |value, limit| value > limit)
        && holds(model.below, |value, limit| value < limit)
        && holds(model.around().map(|around| around.0), |value, limit| value >= limit)
        && holds(model.around().map(|around| around.1), |value, limit| value <= limit)
}

fn number(value: i64) -> Value {
    Value::Number(text(value).parse::<Decimal>().unwrap())
}

fn passes(limits: &Limits, value: Value) -> bool {
    limits.judge(&observed(value), None).verdict() == Verdict::Pass
}

proptest! {
    /// A check is accepted just when some raw value passes and some other fails.
    #[test]
    fn what_cannot_fail_or_hold_is_refused_and_nothing_else((register, model) in case()) {
        let (mut some_pass, mut some_fail) = (false, false);
        for raw in register.raws().filter(|raw| !register.invalid.contains(raw)) {
            let passes = model.passes(register.value(raw)) && model.passes_bits(raw);
            some_pass |= passes;
            some_fail |= !passes;
        }
        let read = demand(&model.yaml(), &register.point());
        prop_assert_eq!(read.is_ok(), some_pass && some_fail, "{:?}", read);
    }

    /// The judge agrees with the model, at the edges of the limits too.
    #[test]
    fn the_judge_agrees_with_the_model((register, model) in case(), raws in prop::collection::vec(any::<i16>(), 20)) {
        let Some(limits) = accepted(&model.yaml(), &register.point()) else { return Ok(()) };
        let edges = [model.min, model.max, model.above, model.below, model.equals, model.not];
        let around = model.around().into_iter().flat_map(|(low, high)| [low, high]);
        let edges = edges.into_iter().flatten().chain(around).chain(model.one_of.iter().copied());
        let at_edges = edges.map(|edge| (edge - register.offset) / register.scale);
        let raws = raws.into_iter().map(i64::from).chain(at_edges.flat_map(|raw| [raw - 1, raw, raw + 1]));
        for raw in raws {
            let value = register.value(raw);
            let expected = model.passes(value) && model.passes_bits(raw);
            prop_assert_eq!(passes(&limits, number(value)), expected, "{}", text(value));
        }
    }

    /// The same for floats, whose limits are rounded first; by brute force over a width that allows it.
    #[test]
    fn floats_are_judged_and_refused_by_their_own_steps(model in model(&Register {
        signed: true, scale: ONE / 10, offset: 0, invalid: Vec::new(),
    }).prop_map(|model| on_float(&model))) {
        let yaml = model.yaml();
        prop_assume!(!yaml.is_empty());
        let all = halves();
        let some_pass = all.iter().any(|value| passes_f32(&model, *value));
        let some_fail = all.iter().any(|value| !passes_f32(&model, *value));
        let contradictory = demand(&yaml, &plain("f16")).is_err_and(|shown| shown.contains("no number is within"));
        let read = accepted(&yaml, &plain("f16"));
        prop_assert_eq!(read.is_some(), some_pass && some_fail && !contradictory);
        let Some(limits) = read else { return Ok(()) };
        let edges = [model.min, model.max, model.above, model.below].into_iter().flatten();
        let edges = edges.chain(model.around().into_iter().flat_map(|(low, high)| [low, high]));
        for edge in edges.map(|edge| text(edge).parse::<f32>().unwrap()) {
            for value in [edge.next_down(), edge, edge.next_up(), -edge] {
                prop_assert_eq!(passes(&limits, Value::F32(value)), passes_f32(&model, value));
            }
        }
    }

    /// Nothing but a finite, valid value ever passes a limit.
    #[test]
    fn what_is_no_value_never_passes((register, model) in case()) {
        let limits = accepted(&model.yaml(), &register.point());
        let floats = accepted(&on_float(&model).yaml(), &plain("f64"));
        for limits in limits.into_iter().chain(floats) {
            for none in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                #[expect(clippy::cast_possible_truncation, reason = "none of them changes")]
                let narrow = Value::F32(none as f32);
                prop_assert!(!passes(&limits, narrow));
                prop_assert!(!passes(&limits, Value::F64(none)));
            }
            for other in [Value::Bool(true), Value::Text("1".into()), Value::Bytes(vec![0, 1])] {
                prop_assert!(!passes(&limits, other));
            }
            for none in [Observed::Reading(Reading::Invalid), Observed::Acknowledged] {
                prop_assert_eq!(limits.judge(&none, None).verdict(), Verdict::Fail);
            }
        }
    }

    /// Numbers without steps: halves as limits, so that quarters lie between all of them.
    #[test]
    fn numbers_that_lie_dense_are_proved_at_and_between_the_limits(
        halves in prop::array::uniform6(proptest::option::weighted(0.3, -6..7_i64)),
        one_of in prop::collection::btree_set(-6..7_i64, 0..3),
    ) {
        let [min, max, above, below, equals, not] =
            halves.map(|half| half.map(|half| half * ONE / 2));
        let one_of = one_of.into_iter().map(|half| half * ONE / 2).collect();
        let model = Model { min, max, above, below, equals, not, one_of, ..Model::default() };
        prop_assume!(!model.yaml().is_empty());
        let quarters: Vec<i64> = (-20..=20).map(|quarter| quarter * ONE / 4).collect();
        let some_pass = quarters.iter().any(|value| model.passes(*value));
        let some_fail = quarters.iter().any(|value| !model.passes(*value));
        let factor = point("i16", |point| point.scale_factor = Some("factor".to_owned()));
        prop_assert_eq!(accepted(&model.yaml(), &factor).is_some(), some_pass && some_fail);
    }

    /// An uncertainty takes passes away and gives none; what is accepted under it is within the limit
    /// wherever in its uncertainty the truth is; conditional verdicts are those of the limit.
    #[test]
    fn a_guarded_pass_is_a_pass_wherever_the_truth_is(
        (register, model) in case(),
        (percent, absolute) in (0..40_i64, 0..60 * ONE),
        more in 0..10 * ONE,
        raws in prop::collection::vec(any::<i16>(), 30),
    ) {
        let model = Model { equals: None, not: None, one_of: Vec::new(), bits: None, ..model };
        prop_assume!(!model.yaml().is_empty() && percent + absolute > 0);
        let ruled = |decision: &str, absolute: i64, point: &Point| accepted(&format!(
            "{}, decision: {decision}, uncertainty: {{ expanded: {percent}% + {} }}",
            model.yaml(), text(absolute),
        ), point);
        let edges = [model.min, model.max, model.above, model.below];
        let around = model.around().into_iter().flat_map(|(low, high)| [low, high]);
        let edges: Vec<i64> = edges.into_iter().flatten().chain(around).collect();
        let near = edges.iter().flat_map(|edge| [edge - absolute, *edge, edge + absolute]);
        let raws = raws.into_iter().map(|raw| register.value(raw.into()));
        let values: Vec<i64> = raws.chain(near.flat_map(|at| [at - 1, at, at + 1])).collect();
        let float: fn(i64) -> Value = |value| Value::F32(text(value).parse().unwrap());
        let exact: fn(i64) -> Value = number;
        for (point, value) in [(register.point(), exact), (plain("f32"), float)] {
            let Some(guarded) = ruled("guarded", absolute, &point) else { continue };
            let stricter = ruled("guarded", absolute + more, &point);
            let simple = ruled("simple", absolute, &point);
            let conditional = ruled("non_binary", absolute, &point);
            for at in &values {
                let value = value(*at);
                let passed = passes(&guarded, value.clone());
                if let Some(simple) = &simple {
                    prop_assert!(!passed || passes(simple, value.clone()), "{:?}", value);
                }
                if let Some(stricter) = &stricter {
                    prop_assert!(!passes(stricter, value.clone()) || passed, "{:?}", value);
                }
                if let (Some(simple), Some(conditional)) = (&simple, &conditional) {
                    prop_assert_eq!(passes(conditional, value.clone()), passes(simple, value.clone()));
                    let stated = conditional.judge(&observed(value.clone()), None).conformity();
                    prop_assert_eq!(stated == Some(Conformity::Pass), passed, "{:?}", value);
                }
                let Value::Number(_) = value else { continue };
                // In thousandths of the unit of the model, so that the share is whole.
                let reach = at.abs() * percent * 10 + absolute * 1000;
                let truths = [at * 1000 - reach, at * 1000 + reach];
                let thousand = Model {
                    min: model.min.map(|at| at * 1000),
                    max: model.max.map(|at| at * 1000),
                    above: model.above.map(|at| at * 1000),
                    below: model.below.map(|at| at * 1000),
                    nominal: None,
                    ..model.clone()
                };
                let within = |truth: &i64| {
                    let around = model.around();
                    thousand.passes(*truth)
                        && around.is_none_or(|(low, high)| (low * 1000..=high * 1000).contains(truth))
                };
                prop_assert_eq!(passed, truths.iter().all(within), "{}: {:?}", text(*at), guarded);
            }
        }
    }
}
