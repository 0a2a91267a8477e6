//! `uncertainty`: how far the measurement may be from the true value. All arithmetic is exact, but
//! for quotients, which are rounded so that less passes.

use passline_modbus::value::{Decimal, DecimalError};
use serde_json::{Map, Value as Json};

use super::margin::{self, Margin};
use super::number;
use super::reader::{Reader, Reported};
use super::stored::{Corrupt, Stored};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};

const FORMS: &str = "write `0.05`, `0.5%` of the reading, or `\"0.5% + 0.02\"`";

/// How many significant digits a quotient is rounded to.
const DIGITS: i32 = 12;

// An instrument that is named here brings its uncertainty along: one more key beside `expanded`.
static OBJECT: Object = Object {
    name: "uncertainty",
    doc: "The uncertainty of the measurement, in its unit or in percent of the reading.",
    fields: &[&[
        Field::optional("expanded", margin::SHAPE, "The expanded uncertainty U."),
        Field::optional(
            "standard",
            margin::SHAPE,
            "Instead: the standard uncertainty u. U is k times as much.",
        ),
        Field::optional("k", Shape::Number, "The coverage factor. 2 if it is not given."),
    ]],
};

pub(super) const FIELD: Field = Field::optional(
    "uncertainty",
    Shape::Object(&OBJECT),
    "The uncertainty of the measurement, for `decision`.",
);

/// An expanded uncertainty above zero, of less than the whole reading.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Uncertainty {
    expanded: Margin,
    k: Decimal,
}

impl Uncertainty {
    /// `None` for what is no uncertainty.
    fn new(expanded: Margin, k: Decimal) -> Option<Self> {
        let hundred = Decimal::from(100);
        let valid = !expanded.is_zero() && expanded.percent < hundred && k > Decimal::zero();
        valid.then_some(Self { expanded, k })
    }

    /// Reads it, if it is there.
    pub(super) fn read(from: &Reader<'_, '_, '_>) -> Result<Option<Self>, Reported> {
        if !from.fields.has(FIELD.key) {
            return Ok(None);
        }
        let fields = from.fields.object(FIELD.key).ok_or(Reported)?;
        let width = |key| {
            let node = fields.node(key)?;
            Some(margin::read(&from.context, node, "an uncertainty", (&margin::SHAPE, FORMS)))
        };
        // All first, so that all are reported.
        let (expanded, standard) = (width("expanded").transpose(), width("standard").transpose());
        let k = factor(from, &fields);
        let (expanded, standard, k) = (expanded?, standard?, k?);
        let expanded = match (expanded, standard) {
            (Some(expanded), None) => Ok(expanded),
            (None, Some(standard)) => standard.times(&k),
            (Some(_), Some(_)) => {
                let message = "an uncertainty is `expanded` or `standard`, not both";
                return from.refuse(fields.key_span("standard"), message, "keep one of them");
            }
            (None, None) => {
                let message = "this uncertainty says not how large it is";
                let remedy = "write `uncertainty: { expanded: 0.05, k: 2 }`";
                return from.refuse(fields.span(), message, remedy);
            }
        };
        let read = expanded.ok().and_then(|expanded| Self::new(expanded, k));
        read.map(Some).map_or_else(
            || {
                let message = "an uncertainty is more than nothing and less than the whole reading";
                from.refuse(fields.span(), message, FORMS)
            },
            Ok,
        )
    }

    /// The greatest number that is not above `limit` wherever in its uncertainty the truth is.
    pub(super) fn within(&self, limit: &Decimal) -> Result<Decimal, DecimalError> {
        // x + a + p|x| = limit
        let rest = limit.checked_sub(&self.expanded.absolute)?;
        self.quotient(&rest, !rest.is_negative())
    }

    /// The greatest number that may still be not above `limit`.
    pub(super) fn beyond(&self, limit: &Decimal) -> Result<Decimal, DecimalError> {
        // x - a - p|x| = limit
        let rest = limit.checked_add(&self.expanded.absolute)?;
        self.quotient(&rest, rest.is_negative())
    }

    /// By 1 and the share of the reading, or 1 without it, rounded down.
    fn quotient(&self, rest: &Decimal, with: bool) -> Result<Decimal, DecimalError> {
        let share = self.expanded.percent.times_power_of_ten(-2)?;
        let one = Decimal::one();
        let divisor = if with { one.checked_add(&share) } else { one.checked_sub(&share) }?;
        let quotient = rest.checked_div(&divisor)?;
        if quotient.checked_mul(&divisor)? == *rest {
            return Ok(quotient);
        }
        #[expect(clippy::cast_possible_truncation, reason = "a power of ten of a decimal")]
        let magnitude = quotient.abs().to_f64().log10().floor().clamp(-400.0, 400.0) as i32;
        let places = DIGITS - 1 - magnitude;
        let rounded = quotient.rounded(i16::try_from(places).unwrap_or(i16::MAX));
        if rounded.checked_mul(&divisor)? <= *rest {
            return Ok(rounded);
        }
        rounded.checked_sub(&one.times_power_of_ten(-places)?)
    }

    /// The guard band for people: it is the expanded uncertainty.
    pub(super) fn guard_band(&self) -> &Margin {
        &self.expanded
    }

    pub(super) fn to_json(&self) -> Json {
        let mut stored = Map::new();
        stored.insert("expanded".to_owned(), self.expanded.to_json());
        stored.insert("k".to_owned(), number::to_json(&self.k));
        Json::Object(stored)
    }

    pub(super) fn from_json(json: Json) -> Result<Self, Corrupt> {
        let mut stored = Stored::new(json)?;
        let expanded = stored.read("expanded", Margin::from_json)?;
        let k = stored.read("k", number::from_json)?;
        stored.finish()?;
        let read = expanded.zip(k).and_then(|(expanded, k)| Self::new(expanded, k));
        read.ok_or_else(|| Corrupt::Malformed(FIELD.key.to_owned()))
    }
}

/// The coverage factor.
fn factor(from: &Reader<'_, '_, '_>, fields: &Fields<'_, '_>) -> Result<Decimal, Reported> {
    if !fields.has("k") {
        return Ok(Decimal::from(2));
    }
    let k = fields.number("k").ok_or(Reported)?;
    if k.value > Decimal::zero() {
        return Ok(k.value);
    }
    from.refuse(k.span, "a coverage factor is above zero", "write `k: 2` for about 95 %")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uncertainty(expanded: &str) -> Uncertainty {
        Uncertainty::new(expanded.parse().unwrap(), Decimal::from(2)).unwrap()
    }

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn an_absolute_uncertainty_moves_a_limit_by_itself() {
        let own = uncertainty("0.05");
        assert_eq!(own.within(&decimal("5.25")), Ok(decimal("5.2")));
        assert_eq!(own.beyond(&decimal("5.25")), Ok(decimal("5.3")));
        assert_eq!(own.within(&decimal("0")), Ok(decimal("-0.05")));
    }

    #[test]
    fn a_share_of_the_reading_is_that_of_the_reading_and_not_of_the_limit() {
        let own = uncertainty("25% + 1");
        // 19.2 + 4.8 + 1 = 25; 104/3 - 26/3 - 1 = 25.
        assert_eq!(own.within(&decimal("25")), Ok(decimal("19.2")));
        assert_eq!(own.beyond(&decimal("25")), Ok(decimal("34.6666666666")));
        // Below zero the share counts the other way: -32 + 8 + 1 = -23; -17.6 - 4.4 - 1 = -23.
        assert_eq!(own.within(&decimal("-23")), Ok(decimal("-32")));
        assert_eq!(own.beyond(&decimal("-23")), Ok(decimal("-17.6")));
        assert_eq!(own.within(&decimal("1")), Ok(decimal("0")));
    }

    #[test]
    fn a_quotient_without_end_is_rounded_down() {
        let own = uncertainty("0.5%");
        for limit in ["5.25", "-5.25", "253", "1e-30", "-1e300", "0.1"].map(decimal) {
            let share = decimal("0.005");
            let least = |factor: &str| {
                limit.checked_sub(&limit.abs().checked_mul(&decimal(factor)).unwrap())
            };
            let within = own.within(&limit).unwrap();
            let reached = within.checked_add(&within.abs().checked_mul(&share).unwrap()).unwrap();
            assert!(reached <= limit, "{limit:?}: {within:?}");
            assert!(reached > least("1e-10").unwrap(), "{limit:?}: {within:?}");
        }
    }
}
