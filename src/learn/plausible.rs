//! Which numbers could have been measured: what tells a wrong reading of registers from a right one.
//! Pure.

use std::ops::RangeInclusive;

/// Nearly all measured values are in here, and get no hint.
const USUAL: RangeInclusive<f64> = 1e-3..=1e9;
/// No measured value is nearer to 0, or further from it. What lies between the two could be one:
/// it gets a hint only where it has many digits, and few in the other order.
const THINKABLE: RangeInclusive<f64> = 1e-10..=1e12;

/// What registers are, before scaling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Single(f32),
    Double(f64),
    /// Of so many registers.
    Whole(i128, u16),
}

impl Number {
    /// Whether it is a float that nothing measures. NaN and the infinities as programs write them
    /// are meant: they say that there is no value.
    pub(crate) fn is_nonsense(self) -> bool {
        let (float, payload) = match self {
            Self::Single(float) => (f64::from(float), u64::from(float.to_bits() & 0x003F_FFFF)),
            Self::Double(float) => (float, float.to_bits() & 0x0007_FFFF_FFFF_FFFF),
            Self::Whole(..) => return false,
        };
        if float.is_finite() {
            float != 0.0 && !THINKABLE.contains(&float.abs())
        } else {
            payload != 0
        }
    }

    pub(crate) fn is_usual(self) -> bool {
        match self {
            Self::Single(float) => USUAL.contains(&f64::from(float).abs()),
            Self::Double(float) => USUAL.contains(&float.abs()),
            Self::Whole(..) => false,
        }
    }

    /// Its significant digits.
    pub(crate) fn digits(self) -> usize {
        let text = match self {
            Self::Single(float) => format!("{float:e}"),
            Self::Double(float) => format!("{float:e}"),
            Self::Whole(number, _) => number.to_string().trim_end_matches('0').to_owned(),
        };
        let mantissa = text.split('e').next().unwrap_or_default();
        mantissa.bytes().filter(u8::is_ascii_digit).count()
    }

    /// The longer, the less likely it is meant: significant digits of a float, the size of a whole
    /// number.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Whole(number, _) => number.to_string().len(),
            float => float.digits(),
        }
    }
}
