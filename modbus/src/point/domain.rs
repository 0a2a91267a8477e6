//! What a point can decode to.

use super::data_type::Encoding;
use super::location::Medium;
use super::{DataType, Field, Point, Sentinel};
use crate::value::{Decimal, Width};

/// Every value that a point can decode to. (Whether it can also have none is
/// [`Point::may_be_invalid`].)
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// `false` and `true`.
    Bool,
    /// Whole numbers, scaled.
    Steps(Steps),
    /// Floats: the finite ones of this width from the least to the greatest value, besides NaN and
    /// the infinities.
    Float {
        /// The width; limits are rounded to it.
        width: Width,
        /// The least finite value.
        low: Decimal,
        /// The greatest finite value.
        high: Decimal,
    },
    /// Numbers whose bounds a scale factor decides.
    Unbounded {
        /// The width of a float; `None` for exact numbers.
        width: Option<Width>,
    },
    /// These texts, each once.
    Labels(Vec<String>),
    /// Any text of at most so many bytes.
    Text {
        /// The most bytes of UTF-8.
        max_bytes: u16,
    },
    /// Any bytes, so many.
    Bytes {
        /// The fewest.
        least: u16,
        /// The most.
        most: u16,
    },
}

/// The numbers `first`, `first + step`, … in ascending order; the step with index 0 comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    first: Decimal,
    step: Decimal,
    last: u64,
    excluded: Vec<u64>,
}

impl Steps {
    /// The least value.
    pub fn first(&self) -> &Decimal {
        &self.first
    }

    /// From one value to the next, above 0.
    pub fn step(&self) -> &Decimal {
        &self.step
    }

    /// The index of the greatest value.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The indices, ascending, that mean "not available" and are thus no values.
    pub fn excluded(&self) -> &[u64] {
        &self.excluded
    }

    /// The value with that index, excluded or not; `None` behind the last.
    pub fn value(&self, index: u64) -> Option<Decimal> {
        let distance = Decimal::from(index).checked_mul(&self.step).ok()?;
        let value = distance.checked_add(&self.first).ok()?;
        (index <= self.last).then_some(value)
    }

    /// The index of the least value that is `number` or above, excluded or not; `None` if all are
    /// below.
    pub fn at_or_above(&self, number: &Decimal) -> Option<u64> {
        let floor = number.negated().floor_steps(&self.first.negated(), &self.step);
        let index = u64::try_from(floor.saturating_neg().max(0)).ok()?;
        (index <= self.last).then_some(index)
    }

    /// The index of the greatest value that is `number` or below, excluded or not; `None` if all
    /// are above.
    pub fn at_or_below(&self, number: &Decimal) -> Option<u64> {
        let floor = number.floor_steps(&self.first, &self.step);
        (floor >= 0).then(|| u64::try_from(floor).unwrap_or(self.last).min(self.last))
    }

    /// The index of the value that is exactly `number`, unless excluded.
    pub fn index_of(&self, number: &Decimal) -> Option<u64> {
        let index = self.at_or_below(number)?;
        let exact = self.at_or_above(number) == Some(index);
        (exact && self.excluded.binary_search(&index).is_err()).then_some(index)
    }
}

impl Point {
    /// Every value that this point can decode to.
    pub fn domain(&self) -> Domain {
        let single = self.field.is_some_and(Field::is_single);
        if !self.labels.is_empty() {
            return Domain::Labels(self.reachable_labels());
        }
        match self.data_type.encoding() {
            Encoding::Bool => Domain::Bool,
            _ if single => Domain::Bool,
            Encoding::Text => Domain::Text { max_bytes: self.max_bytes() },
            Encoding::Bytes => {
                let most = self.max_bytes();
                // Without a length it is as long as what is there.
                let least = if self.data_type.registers() == 0 { 0 } else { most };
                Domain::Bytes { least, most }
            }
            Encoding::Float(width) => self.float_domain(width),
            _ if self.scale_factor().is_some() => Domain::Unbounded { width: None },
            _ => self.steps(),
        }
    }

    /// Whether a reading can be no value: an `invalid` one, or NaN.
    pub fn may_be_invalid(&self) -> bool {
        self.invalid != Sentinel::None || matches!(self.data_type.encoding(), Encoding::Float(_))
    }

    /// The most bytes of a `string` or of `bytes`.
    pub(super) fn max_bytes(&self) -> u16 {
        let at = self.at.unwrap_or(0);
        let rest = |most: u16, length: u16| if length == 0 { most - most.min(at) } else { length };
        match self.medium {
            Medium::Bytes(most) => rest(most, self.data_type.bytes()),
            Medium::Queue(most) => 2 * rest(most, self.data_type.registers()),
            _ => 2 * self.data_type.registers(),
        }
    }

    fn float_domain(&self, width: Width) -> Domain {
        if self.scale_factor().is_some() {
            return Domain::Unbounded { width: Some(width) };
        }
        // What is beyond the width after scaling does not decode.
        let greatest = Decimal::try_from(width.greatest()).unwrap_or_else(|_| Decimal::zero());
        let bound = |raw: &Decimal| {
            let scaled = self.scaled(raw, 0).ok().and_then(|value| width.round(&value).ok());
            scaled.unwrap_or_else(|| {
                let negative = raw.is_negative() != self.scale().is_negative();
                if negative { greatest.negated() } else { greatest.clone() }
            })
        };
        let (one, other) = (bound(&greatest.negated()), bound(&greatest));
        let (low, high) = if one <= other { (one, other) } else { (other, one) };
        Domain::Float { width, low, high }
    }

    fn steps(&self) -> Domain {
        let (low, high) = self.integers().unwrap_or((0, 0));
        let scale = self.scale();
        let (first, index): (i128, &dyn Fn(i128) -> i128) = if scale.is_negative() {
            (high, &|number| high - number)
        } else {
            (low, &|number| number - low)
        };
        let excluded = self.excluded_numbers().into_iter();
        let mut excluded: Vec<u64> =
            excluded.filter_map(|number| u64::try_from(index(number)).ok()).collect();
        excluded.sort_unstable();
        let first = Decimal::from(first);
        Domain::Steps(Steps {
            first: self.scaled(&first, 0).unwrap_or(first),
            step: scale.abs(),
            last: u64::try_from(high - low).unwrap_or(u64::MAX),
            excluded,
        })
    }

    /// The numbers all of whose patterns mean "not available".
    fn excluded_numbers(&self) -> Vec<i128> {
        let (Sentinel::Patterns(patterns), None) = (&self.invalid, self.field) else {
            return Vec::new();
        };
        let zeros: &[u64] = match self.data_type {
            DataType::S16 => &[0, 1 << 15],
            DataType::S32 => &[0, 1 << 31],
            _ => &[0],
        };
        let no_zero = zeros.iter().all(|zero| self.is_invalid(*zero));
        let mut numbers: Vec<i128> =
            patterns.iter().filter_map(|pattern| self.data_type.integer(*pattern).ok()).collect();
        numbers.retain(|number| *number != 0 || no_zero);
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    fn reachable_labels(&self) -> Vec<String> {
        let excluded = self.excluded_numbers();
        let reachable = self.labels.iter().filter(|(number, _)| !excluded.contains(number));
        let mut labels: Vec<String> = reachable.map(|(_, label)| label.to_string()).collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }
}
