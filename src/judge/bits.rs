//! `bits`: which bits of an integer must be set, and which clear. Bit 0 is the least significant.

use passline_modbus::point::Domain;
use passline_modbus::value::{Decimal, Value};
use serde_json::{Map, Value as Json};

use super::edge::At;
use super::kind::Kind;
use super::number::Unit;
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::shape::{Field, Object, Shape};
use crate::language::variables::Scalar;
use crate::language::yaml::Node;

const BITS: Shape = Shape::List(&Shape::Scalar);

static SIDES: Object = Object {
    name: "bits limit",
    doc: "Bits by number (0 is the least significant) or by the name of a single-bit field.",
    fields: &[&[
        Field::optional("set", BITS, "The bits that must be 1."),
        Field::optional("clear", BITS, "The bits that must be 0."),
    ]],
};

/// Bits that must be set and bits that must be clear; none in both, at least one altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bits {
    set: u64,
    clear: u64,
}

impl Bits {
    /// `None` if there is no bit, or one in both.
    pub(super) fn new(set: u64, clear: u64) -> Option<Self> {
        (set & clear == 0 && set | clear != 0).then_some(Self { set, clear })
    }

    fn holds(self, number: i128) -> bool {
        let set = i128::from(self.set);
        number & set == set && number & i128::from(self.clear) == 0
    }

    /// The least number from `from` on for which it holds (or, if `holds` is false, does not), in
    /// two's complement.
    pub(super) fn next(self, from: i128, holds: bool) -> Option<i128> {
        if self.holds(from) == holds {
            return Some(from);
        }
        if holds {
            return next_with(from, self.set | self.clear, self.set);
        }
        // One bit in the other state is enough.
        let wrong = |bit: u64| next_with(from, bit, self.clear & bit);
        numbers(self.set | self.clear).filter_map(|index| wrong(1 << index)).min()
    }
}

/// The least number above `from` whose bits under `mask` are those of `wanted`.
fn next_with(from: i128, mask: u64, wanted: u64) -> Option<i128> {
    // With the sign bit inverted, the order of two's complement is that of unsigned numbers.
    const SIGN: u128 = 1 << 127;
    let (mask, wanted) = (u128::from(mask), u128::from(wanted));
    let start = from.cast_unsigned() ^ SIGN;
    // The longer the head that stays, the less is added: the lowest bit that can be raised wins.
    (0..128).find_map(|index| {
        let bit = 1_u128 << index;
        let (below, above) = (bit - 1, !(bit | (bit - 1)));
        let raised = start & above | bit;
        let fits = start & bit == 0 && (raised ^ wanted) & mask & !below == 0;
        fits.then_some((raised | wanted & below) ^ SIGN).map(u128::cast_signed)
    })
}

/// How many bits the numbers have; `None` if they are not all the patterns of so many bits, as they
/// are, so that a bit of the number would not be a bit of the register.
fn width(domain: &Domain) -> Option<u32> {
    let Domain::Steps(steps) = domain else { return None };
    let last = steps.last();
    let first = steps.first().to_i128()?;
    let starts = first == 0 || first == -i128::from(last / 2) - 1;
    let whole = *steps.step() == Decimal::one() && starts && last & last.wrapping_add(1) == 0;
    whole.then(|| u64::BITS - last.leading_zeros())
}

/// One bit by number or name.
fn bit(from: &Reader<'_, '_, '_>, node: Node<'_>, width: u32) -> Result<u64, Reported> {
    let given = from.context.scalar(node).ok_or(Reported)?;
    let Scalar::Text(name) = given.value else {
        let bounds = (0, i128::from(width) - 1);
        let index = from.context.integer::<u32>(node, bounds).ok_or(Reported)?;
        return Ok(1 << index.value);
    };
    let names = || from.subject.bits.iter().map(|(name, _)| name.as_str());
    match from.subject.bits.iter().find(|(known, _)| *known == name) {
        Some((_, field)) if field.is_single() => Ok(1 << field.first()),
        Some(_) => from.refuse(
            given.span,
            format!("{} is more than one bit", quoted(&name)),
            "read it as a point of its own, and compare that",
        ),
        None => {
            let error = Diagnostic::error(given.span, format!("there is no bit {}", quoted(&name)));
            let error =
                error.remedy("name a bit by its number, or declare it in the point's `bits:`");
            from.context.report(error.suggest(&name, names()));
            Err(Reported)
        }
    }
}

/// The numbers of the bits that are set.
fn numbers(bits: u64) -> impl Iterator<Item = u32> {
    (0..u64::BITS).filter(move |index| bits >> index & 1 == 1)
}

fn list(bits: u64) -> String {
    numbers(bits).map(|index| index.to_string()).collect::<Vec<_>>().join(", ")
}

impl Kind for Bits {
    const FIELDS: &'static [Field] = &[Field::optional(
        "bits",
        Shape::Object(&SIDES),
        "Which bits must be set, and which clear.",
    )];

    fn read(from: &Reader<'_, '_, '_>) -> Result<Option<Self>, Reported> {
        if !from.fields.has("bits") {
            return Ok(None);
        }
        let Some(width) = width(from.subject.domain) else {
            return from.wrong_type("bits", "an unscaled binary integer");
        };
        let sides = from.fields.object("bits").ok_or(Reported)?;
        let side = |key| {
            let nodes = sides.list(key).into_iter();
            let bits: Vec<_> = nodes.map(|node| bit(from, node, width)).collect();
            bits.into_iter().try_fold(0, |all, bit| Ok(all | bit?))
        };
        let (set, clear) = (side("set"), side("clear"));
        Self::new(set?, clear?).map(Some).map_or_else(
            || {
                from.refuse(
                    sides.span(),
                    "`bits` needs bits to be `set` or `clear`, and none in both",
                    "write `bits: { set: [0], clear: [4, 5] }`",
                )
            },
            Ok,
        )
    }

    fn judge(&self, value: &Value, unit: Unit<'_>) -> Result<(), String> {
        let number = match value {
            Value::Number(number) => number.to_i128(),
            _ => None,
        };
        let Some(number) = number else {
            return Err(format!("is no integer to have {}", self.describe(unit)));
        };
        let pattern = u64::try_from(number & i128::from(u64::MAX)).unwrap_or(0);
        let wrong = |bits: u64, state| (bits != 0).then(|| format!("bit {} {state}", list(bits)));
        let not_set = wrong(self.set & !pattern, "not set");
        let not_clear = wrong(self.clear & pattern, "not clear");
        let wrong: Vec<String> = not_set.into_iter().chain(not_clear).collect();
        if wrong.is_empty() { Ok(()) } else { Err(format!("has {}", wrong.join(" and "))) }
    }

    fn edges(&self) -> Vec<(&'static str, At<'_>)> {
        let bits = |bits, set| numbers(bits).map(move |index| ("bits", At::Bit { index, set }));
        bits(self.set, true).chain(bits(self.clear, false)).collect()
    }

    fn describe(&self, _: Unit<'_>) -> String {
        let part = |bits: u64, state| (bits != 0).then(|| format!("bit {} {state}", list(bits)));
        let parts = part(self.set, "set").into_iter().chain(part(self.clear, "clear"));
        parts.collect::<Vec<_>>().join(" and ")
    }

    fn store(&self, limit: &mut Map<String, Json>) {
        let part = |key: &str, bits| {
            let numbers: Vec<Json> = numbers(bits).map(Json::from).collect();
            (bits != 0).then(|| (key.to_owned(), Json::Array(numbers)))
        };
        let parts = part("set", self.set).into_iter().chain(part("clear", self.clear));
        limit.insert("bits".into(), Json::Object(parts.collect()));
    }

    fn restore(limit: &mut Stored) -> Result<Option<Self>, Corrupt> {
        limit.read("bits", |json| {
            let keys = json.as_object()?;
            let part = |key: &str| match keys.get(key) {
                None => Some(0),
                Some(numbers) => numbers.as_array()?.iter().try_fold(0, |bits, number| {
                    let index = number.as_u64().filter(|index| *index < 64)?;
                    Some(bits | 1_u64 << index)
                }),
            };
            let known = keys.keys().all(|key| key == "set" || key == "clear");
            Self::new(part("set")?, part("clear")?).filter(|_| known)
        })
    }
}

#[cfg(test)]
mod tests {
    use passline_modbus::point::Invalid;
    use passline_modbus::value::Value;
    use proptest::prelude::*;

    use super::*;
    use crate::judge::testing::{limits, number, plain, point, refusal, verdict};

    #[test]
    fn set_and_clear_bits_are_told_by_number() {
        let limits = limits("bits: { set: [0, ready], clear: [15] }", &plain("u16"));
        assert_eq!(verdict(&limits, number("9")), "pass");
        assert_eq!(verdict(&limits, number("8")), "8 V has bit 0 not set");
        assert_eq!(
            verdict(&limits, number("32768")),
            "32768 V has bit 0, 3 not set and bit 15 not clear"
        );
        assert_eq!(limits.to_json().to_string(), r#"{"bits":{"clear":[15],"set":[0,3]}}"#);
        assert!(verdict(&limits, number("9.5")).contains("is no integer"));
        assert!(verdict(&limits, Value::F32(9.0)).contains("is no integer"));
    }

    #[test]
    fn negative_numbers_have_the_bits_of_their_register() {
        let negative = limits("bits: { set: [15] }", &plain("i16"));
        assert_eq!(verdict(&negative, number("-1")), "pass");
        assert_eq!(verdict(&negative, number("-32768")), "pass");
        assert_ne!(verdict(&negative, number("32767")), "pass");
        limits("bits: { set: [63] }", &plain("i64"));
        limits("bits: { clear: [63] }", &plain("u64"));
    }

    #[test]
    fn only_bits_that_the_number_has_are_accepted() {
        assert!(refusal("bits: { set: [16] }", &plain("u16")).contains("0..=15"));
        assert!(refusal("bits: { set: [redy] }", &plain("u16")).contains("did you mean `ready`?"));
        assert!(refusal("bits: { set: [mode] }", &plain("u16")).contains("more than one bit"));
        assert!(refusal("bits: { set: [1], clear: [1] }", &plain("u16")).contains("none in both"));
        assert!(refusal("bits: {}", &plain("u16")).contains("needs bits"));
        for other in ["f32", "s16", "bcd16", "string", "bool"] {
            assert!(
                refusal("bits: { set: [0] }", &plain(other)).contains("`bits` needs"),
                "{other}"
            );
        }
        let scaled = point("u16", |point| point.scale = "0.1".parse().unwrap());
        assert!(refusal("bits: { set: [0] }", &scaled).contains("`bits` needs"));
    }

    #[test]
    fn bits_and_bounds_are_proved_together() {
        assert!(refusal("bits: { set: [15] }, max: 32767", &plain("u16")).contains("cannot pass"));
        assert!(refusal("bits: { set: [63] }, min: 0", &plain("i64")).contains("cannot pass"));
        limits("bits: { set: [15] }, max: 32768", &plain("u16"));
        let only = point("u16", |point| point.invalid = Invalid::Raw(vec![32768]));
        assert!(refusal("bits: { set: [15] }, max: 32768", &only).contains("cannot pass"));
    }

    proptest! {
        #[test]
        fn the_next_number_is_the_first(from in -300_i128..300, set in 0_u64..64, clear in 0_u64..64, holds: bool) {
            let Some(bits) = Bits::new(set, clear & !set) else { return Ok(()) };
            let first = (from..from + 1000).find(|number| bits.holds(*number) == holds);
            prop_assert_eq!(bits.next(from, holds), first);
        }
    }
}
