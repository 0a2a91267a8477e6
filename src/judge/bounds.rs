//! `min`, `max` (inclusive), `above`, `below` (exclusive): how far up and down a number may be.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use passline_modbus::value::{Decimal, Value};
use serde_json::{Map, Value as Json};

use super::edge::At;
use super::kind::Kind;
use super::number::{self, Unit};
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use super::tolerance::Around;
use crate::language::shape::{Field, Shape};

/// Which of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bound {
    Min,
    Above,
    Max,
    Below,
}

impl Bound {
    pub(super) const ALL: [Self; 4] = [Self::Min, Self::Above, Self::Max, Self::Below];

    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Above => "above",
            Self::Max => "max",
            Self::Below => "below",
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Min => order.is_ge(),
            Self::Above => order.is_gt(),
            Self::Max => order.is_le(),
            Self::Below => order.is_lt(),
        }
    }

    fn missed(self) -> &'static str {
        match self {
            Self::Min => "is below min",
            Self::Above => "is not above",
            Self::Max => "is above max",
            Self::Below => "is not below",
        }
    }
}

/// The bounds of a number, at least one. Where two bound the same side, the narrower rules.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bounds(BTreeMap<Bound, Decimal>);

/// Where one side ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct End<'a> {
    pub(super) at: &'a Decimal,
    pub(super) inclusive: bool,
}

impl<'a> End<'a> {
    pub(super) fn inclusive(at: &'a Decimal) -> Self {
        Self { at, inclusive: true }
    }

    /// The order of lower ends: the greater is further in.
    pub(super) fn by_low(&self, other: &Self) -> Ordering {
        self.at.cmp(other.at).then(other.inclusive.cmp(&self.inclusive))
    }

    /// The order of upper ends: the lesser is further in.
    pub(super) fn by_high(&self, other: &Self) -> Ordering {
        self.at.cmp(other.at).then(self.inclusive.cmp(&other.inclusive))
    }
}

/// The lower and the upper end that are furthest in.
pub(super) fn narrowest<'a>(
    ends: impl Iterator<Item = (Option<End<'a>>, Option<End<'a>>)>,
) -> (Option<End<'a>>, Option<End<'a>>) {
    let (lows, highs): (Vec<_>, Vec<_>) = ends.unzip();
    let low = lows.into_iter().flatten().max_by(End::by_low);
    (low, highs.into_iter().flatten().min_by(End::by_high))
}

impl Bounds {
    /// `None` if there is not one.
    pub(super) fn new(bounds: BTreeMap<Bound, Decimal>) -> Option<Self> {
        (!bounds.is_empty()).then_some(Self(bounds))
    }

    /// The lower end: the narrower of `min` and `above`.
    fn low(&self) -> Option<End<'_>> {
        self.narrower(Bound::Min, Bound::Above)
    }

    /// The upper end: the narrower of `max` and `below`.
    fn high(&self) -> Option<End<'_>> {
        self.narrower(Bound::Max, Bound::Below)
    }

    fn narrower(&self, inclusive: Bound, exclusive: Bound) -> Option<End<'_>> {
        match (self.0.get(&inclusive), self.0.get(&exclusive)) {
            (Some(at), Some(other)) if exclusive.holds(at.cmp(other)) => Some(End::inclusive(at)),
            (_, Some(at)) => Some(End { at, inclusive: false }),
            (at, None) => at.map(End::inclusive),
        }
    }

    /// Without those that a tolerance sets at the same place; `None` if nothing is left.
    pub(super) fn without(mut self, around: &Around) -> Option<Self> {
        self.0.retain(|bound, at| match bound {
            Bound::Min => *at != around.low,
            Bound::Max => *at != around.high,
            Bound::Above | Bound::Below => true,
        });
        Self::new(self.0)
    }

    /// Whether no number at all is within.
    pub(super) fn is_contradictory(&self) -> bool {
        let (Some(low), Some(high)) = (self.low(), self.high()) else { return false };
        match low.at.cmp(high.at) {
            Ordering::Less => false,
            Ordering::Equal => !(low.inclusive && high.inclusive),
            Ordering::Greater => true,
        }
    }
}

impl Kind for Bounds {
    const FIELDS: &'static [Field] = &[
        Field::optional("min", Shape::Number, "The least number that passes."),
        Field::optional("above", Shape::Number, "Only greater numbers pass."),
        Field::optional("max", Shape::Number, "The greatest number that passes."),
        Field::optional("below", Shape::Number, "Only lesser numbers pass."),
    ];

    fn read(from: &Reader<'_, '_, '_>) -> Result<Option<Self>, Reported> {
        // All four first, so that all are reported.
        let read = Bound::ALL.map(|bound| from.number(bound.key()).map(|at| Some((bound, at?))));
        let bounds = read.into_iter().filter_map(Result::transpose).collect::<Result<_, _>>()?;
        let Some(bounds) = Self::new(bounds) else { return Ok(None) };
        match (bounds.is_contradictory(), bounds.0.keys().next()) {
            (true, Some(first)) => from.refuse(
                from.fields.key_span(first.key()),
                format!("no number is within {}", bounds.describe(Unit(""))),
                "swap them: the lower bound must be below the upper one",
            ),
            _ => Ok(Some(bounds)),
        }
    }

    fn judge(&self, value: &Value, unit: Unit<'_>) -> Result<(), String> {
        for (bound, at) in &self.0 {
            match value.compare(at) {
                Some(order) if bound.holds(order) => {}
                Some(_) => return Err(format!("{} {}", bound.missed(), unit.of(at))),
                None => {
                    return Err(format!(
                        "is no number to compare with {} {}",
                        bound.key(),
                        unit.of(at)
                    ));
                }
            }
        }
        Ok(())
    }

    fn edges(&self) -> Vec<(&'static str, At<'_>)> {
        self.0.iter().map(|(bound, at)| (bound.key(), At::Number(at))).collect()
    }

    fn ends(&self) -> (Option<End<'_>>, Option<End<'_>>) {
        (self.low(), self.high())
    }

    fn describe(&self, unit: Unit<'_>) -> String {
        let opening = |end: End<'_>| if end.inclusive { '[' } else { '(' };
        let closing = |end: End<'_>| if end.inclusive { ']' } else { ')' };
        let or_equal = |end: End<'_>| if end.inclusive { "=" } else { "" };
        unit.of(match (self.low(), self.high()) {
            (Some(low), Some(high)) => {
                format!("{}{}..{}{}", opening(low), low.at, high.at, closing(high))
            }
            (Some(low), None) => format!(">{} {}", or_equal(low), low.at),
            (None, Some(high)) => format!("<{} {}", or_equal(high), high.at),
            (None, None) => String::new(),
        })
    }

    fn store(&self, limit: &mut Map<String, Json>) {
        for (bound, at) in &self.0 {
            limit.insert(bound.key().to_owned(), number::to_json(at));
        }
    }

    fn restore(limit: &mut Stored) -> Result<Option<Self>, Corrupt> {
        let mut bounds = BTreeMap::new();
        for bound in Bound::ALL {
            if let Some(at) = limit.read(bound.key(), number::from_json)? {
                bounds.insert(bound, at);
            }
        }
        Ok(Self::new(bounds))
    }
}

#[cfg(test)]
mod tests {
    use crate::judge::testing::{limits, number, plain, point, refusal, verdict};
    use passline_modbus::value::Value;

    #[test]
    fn inclusive_and_exclusive_bounds_hold_to_the_last_digit() {
        let tenths = point("u16", |point| point.scale = "0.01".parse().unwrap());
        let range = limits("min: 4.75, max: 5.25", &tenths);
        assert_eq!(verdict(&range, number("4.74")), "4.74 V is below min 4.75 V");
        assert_eq!(verdict(&range, number("4.75")), "pass");
        assert_eq!(verdict(&range, number("5.25")), "pass");
        assert_eq!(verdict(&range, number("5.31")), "5.31 V is above max 5.25 V");

        let open = limits("above: 4.75, below: 5.25", &tenths);
        assert_eq!(verdict(&open, number("4.75")), "4.75 V is not above 4.75 V");
        assert_eq!(verdict(&open, number("4.76")), "pass");
        assert_eq!(verdict(&open, number("5.25")), "5.25 V is not below 5.25 V");
    }

    #[test]
    fn a_limit_is_rounded_to_the_width_of_the_float() {
        let float = plain("f32");
        assert_eq!(verdict(&limits("min: 230.4", &float), Value::F32(230.4)), "pass");
        assert_eq!(verdict(&limits("max: 0.1", &float), Value::F32(0.1)), "pass");
        let above = limits("above: 0.1", &float);
        assert_eq!(verdict(&above, Value::F32(0.1)), "0.1 V is not above 0.1 V");
        assert_eq!(verdict(&above, Value::F32(0.1_f32.next_up())), "pass");
    }

    #[test]
    fn neither_nan_nor_infinity_is_within_any_bound() {
        let min = limits("min: 5", &plain("f32"));
        assert_eq!(verdict(&min, Value::F32(f32::INFINITY)), "Infinity V is no valid value");
        assert_eq!(verdict(&min, Value::F64(f64::NAN)), "NaN V is no valid value");
        assert_eq!(verdict(&min, Value::Bool(true)), "true is no number to compare with min 5 V");
        assert_eq!(
            verdict(&min, Value::Text("9".into())),
            "\"9\" is no number to compare with min 5 V"
        );
    }

    #[test]
    fn the_narrower_of_two_bounds_rules() {
        let word = plain("u16");
        let both = limits("min: 5, above: 5, max: 9, below: 12", &word);
        assert_eq!(verdict(&both, number("5")), "5 V is not above 5 V");
        assert_eq!(verdict(&both, number("10")), "10 V is above max 9 V");
        assert_eq!(both.describe(Some("V")), "(5..9] V");
        assert_eq!(limits("min: 7, above: 5", &word).describe(None), ">= 7");
        assert_eq!(limits("below: 7", &word).describe(None), "< 7");
    }

    #[test]
    fn empty_and_mistyped_bounds_are_refused() {
        let word = plain("u16");
        for empty in
            ["min: 5, max: 4", "above: 5, max: 5", "min: 5, below: 5", "above: 5, below: 5"]
        {
            assert!(refusal(empty, &word).starts_with("no number is within"), "{empty}");
        }
        assert!(refusal("min: 1", &plain("bool")).contains("use `equals: true`"));
        assert!(refusal("min: 1", &plain("string")).contains("this value is a text"));
        assert!(refusal("min: '1'", &word).contains("quotes"));
        assert!(refusal("min: .nan", &word).contains("number"));
    }
}
