//! Binary floats of three widths, and the one rounding that leads to them.

use super::{Decimal, DecimalError};

/// The width of a binary float. Every value of every width is an exact `f64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Width {
    /// IEEE 754 binary16.
    F16,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
}

impl Width {
    /// The nearest float of this width, rounded once, halves to even; infinite beyond its range.
    pub fn nearest(self, value: &Decimal) -> f64 {
        match self {
            Width::F16 => f64::from(half::f16::from_f32(rounded_to_odd(value))),
            Width::F32 => f64::from(value.to_f32()),
            Width::F64 => value.to_f64(),
        }
    }

    /// The nearest float of this width as the decimal that it exactly is.
    ///
    /// # Errors
    /// [`DecimalError::NotFinite`] beyond the range of this width.
    pub fn round(self, value: &Decimal) -> Result<Decimal, DecimalError> {
        Decimal::try_from(self.nearest(value))
    }

    /// The greatest finite float of this width.
    pub fn greatest(self) -> f64 {
        match self {
            Width::F16 => f64::from(half::f16::MAX),
            Width::F32 => f64::from(f32::MAX),
            Width::F64 => f64::MAX,
        }
    }
}

/// The `f32` that can be rounded once more without harm: where the value lies between two floats,
/// the odd one is taken, which is never a half of the narrower width (Boldo and Melquiond, 2008).
/// Converting by way of the nearest `f32`, as some processors do, would round twice.
fn rounded_to_odd(value: &Decimal) -> f32 {
    let nearest = value.to_f32();
    let Ok(exact) = Decimal::try_from(nearest) else { return nearest };
    if exact == *value || nearest.to_bits() & 1 == 1 {
        nearest
    } else if exact < *value {
        nearest.next_up()
    } else {
        nearest.next_down()
    }
}
