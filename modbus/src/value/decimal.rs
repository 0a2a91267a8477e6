//! Exact decimal numbers of bounded size.

use std::fmt;
use std::str::FromStr;

use bigdecimal::num_bigint::{BigInt, Sign};
use bigdecimal::{BigDecimal, One, RoundingMode, Signed, ToPrimitive, Zero};

/// An exact decimal number: at most [`Decimal::MAX_DIGITS`] digits and a power of ten within
/// ±[`Decimal::MAX_EXPONENT`], so that no arithmetic on it can run away.
///
/// Equality, order and hash go by value: 1.0 is 1.00.
//
// Always normalised (no trailing zero in the digits), which makes the derived hash one of the value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(BigDecimal);

/// Why there is no such [`Decimal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// The text is not a decimal number such as `-12.5` or `1e3`.
    #[error("not a decimal number")]
    Syntax,
    /// The text has more than [`Decimal::MAX_TEXT_DIGITS`] digits.
    #[error("more than {} digits", Decimal::MAX_TEXT_DIGITS)]
    TextDigits,
    /// The text has an exponent beyond ±[`Decimal::MAX_TEXT_EXPONENT`].
    #[error("an exponent beyond ±{}", Decimal::MAX_TEXT_EXPONENT)]
    TextExponent,
    /// The result would exceed [`Decimal::MAX_DIGITS`] or [`Decimal::MAX_EXPONENT`].
    #[error("the result is too large or too fine to be kept exactly")]
    Size,
    /// Division by zero, or the remainder of one.
    #[error("division by zero")]
    DivisionByZero,
    /// The square root of a negative number.
    #[error("square root of a negative number")]
    NegativeRoot,
    /// NaN or an infinity.
    #[error("not a finite number")]
    NotFinite,
}

impl Decimal {
    /// Most significant digits of any value: room for the exact value of every `f64` (767 digits)
    /// times a scale.
    pub const MAX_DIGITS: u64 = 2000;
    /// Furthest power of ten of a value's last digit.
    pub const MAX_EXPONENT: i64 = 2000;
    /// Most digits of a number as written.
    pub const MAX_TEXT_DIGITS: usize = 400;
    /// Furthest exponent of a number as written.
    pub const MAX_TEXT_EXPONENT: i64 = 400;
    /// Significant digits of a quotient or a root that does not end, those of IEEE 754 decimal128.
    pub const QUOTIENT_DIGITS: u64 = 34;

    /// 0.
    pub fn zero() -> Decimal {
        Decimal(BigDecimal::zero())
    }

    /// 1.
    pub fn one() -> Decimal {
        Decimal(BigDecimal::one())
    }

    fn bounded(value: &BigDecimal) -> Result<Decimal, DecimalError> {
        let value = value.normalized();
        let (_, scale) = value.as_bigint_and_scale();
        if scale.abs() > Self::MAX_EXPONENT || value.digits() > Self::MAX_DIGITS {
            return Err(DecimalError::Size);
        }
        Ok(Decimal(value))
    }

    fn from_digits(digits: BigInt, scale: i64) -> Result<Decimal, DecimalError> {
        Self::bounded(&BigDecimal::new(digits, scale))
    }

    /// The exact sum.
    ///
    /// # Errors
    /// [`DecimalError::Size`].
    pub fn checked_add(&self, other: &Decimal) -> Result<Decimal, DecimalError> {
        Self::bounded(&(&self.0 + &other.0))
    }

    /// The exact difference.
    ///
    /// # Errors
    /// [`DecimalError::Size`].
    pub fn checked_sub(&self, other: &Decimal) -> Result<Decimal, DecimalError> {
        Self::bounded(&(&self.0 - &other.0))
    }

    /// The exact product.
    ///
    /// # Errors
    /// [`DecimalError::Size`].
    pub fn checked_mul(&self, other: &Decimal) -> Result<Decimal, DecimalError> {
        Self::bounded(&(&self.0 * &other.0))
    }

    /// The quotient: exact where it ends within [`Decimal::QUOTIENT_DIGITS`] digits, otherwise
    /// rounded to these, halves to even.
    ///
    /// # Errors
    /// [`DecimalError::DivisionByZero`], [`DecimalError::Size`].
    pub fn checked_div(&self, other: &Decimal) -> Result<Decimal, DecimalError> {
        if other.is_zero() {
            return Err(DecimalError::DivisionByZero);
        }
        let (numerator, numerator_scale) = self.0.as_bigint_and_scale();
        let (denominator, denominator_scale) = other.0.as_bigint_and_scale();
        // Enough zeros behind the numerator for two digits more than asked for.
        let zeros = (Self::QUOTIENT_DIGITS + 2 + other.0.digits()).saturating_sub(self.0.digits());
        let shifted = numerator.as_ref() * power_of_ten(zeros);
        let quotient = &shifted / denominator.as_ref();
        let exact = (&quotient * denominator.as_ref()) == shifted;
        let sign = self.0.sign() * other.0.sign();
        let scale = numerator_scale - denominator_scale + zeros.cast_signed();
        rounded(&quotient, exact, sign, scale)
    }

    /// The remainder of the division that rounds towards zero; it has the sign of `self`.
    ///
    /// # Errors
    /// [`DecimalError::DivisionByZero`].
    pub fn checked_rem(&self, other: &Decimal) -> Result<Decimal, DecimalError> {
        if other.is_zero() {
            return Err(DecimalError::DivisionByZero);
        }
        let (left, right, scale) = self.aligned(other);
        Self::from_digits(left % right, scale)
    }

    /// `self / other` if that is an integer that fits.
    pub(crate) fn exact_quotient(&self, other: &Decimal) -> Option<i128> {
        let (left, right, _) = self.aligned(other);
        if right.is_zero() || !(&left % &right).is_zero() {
            return None;
        }
        (left / right).to_i128()
    }

    /// How many whole steps (of a size above 0) from `first` to here, rounded down; saturating.
    pub(crate) fn floor_steps(&self, first: &Decimal, step: &Decimal) -> i128 {
        let distance = Decimal(&self.0 - &first.0);
        let (distance, step, _) = distance.aligned(step);
        let whole = &distance / &step;
        let floor = if (&distance % &step).is_negative() { whole - 1 } else { whole };
        let bound = if floor.is_negative() { i128::MIN } else { i128::MAX };
        floor.to_i128().unwrap_or(bound)
    }

    /// Both as integers of one scale.
    fn aligned(&self, other: &Decimal) -> (BigInt, BigInt, i64) {
        let scale = self.scale().max(other.scale());
        let integer = |value: &Decimal| {
            let (digits, own) = value.0.as_bigint_and_scale();
            digits.as_ref() * power_of_ten((scale - own).unsigned_abs())
        };
        (integer(self), integer(other), scale)
    }

    /// The square root: exact where it ends within [`Decimal::QUOTIENT_DIGITS`] digits, otherwise
    /// rounded to these, halves to even.
    ///
    /// # Errors
    /// [`DecimalError::NegativeRoot`].
    pub fn checked_sqrt(&self) -> Result<Decimal, DecimalError> {
        if self.is_negative() {
            return Err(DecimalError::NegativeRoot);
        }
        let (digits, scale) = self.0.as_bigint_and_scale();
        // The root of a number has half its digits and half its scale, which must thus be even.
        let zeros = (2 * (Self::QUOTIENT_DIGITS + 2)).saturating_sub(self.0.digits());
        let zeros = zeros + (zeros.cast_signed() + scale).rem_euclid(2).unsigned_abs();
        let shifted = digits.as_ref() * power_of_ten(zeros);
        let root = shifted.sqrt();
        let exact = &root * &root == shifted;
        let scale = i64::midpoint(scale, zeros.cast_signed());
        rounded(&root, exact, Sign::Plus, scale)
    }

    /// `self` × 10^`power`, exactly.
    ///
    /// # Errors
    /// [`DecimalError::Size`].
    pub fn times_power_of_ten(&self, power: i32) -> Result<Decimal, DecimalError> {
        let (digits, scale) = self.0.as_bigint_and_scale();
        Self::from_digits(digits.into_owned(), scale - i64::from(power))
    }

    /// Rounded to so many decimal places (negative: to tens, hundreds, …), halves away from zero.
    #[must_use]
    pub fn rounded(&self, places: i16) -> Decimal {
        Decimal(self.0.with_scale_round(i64::from(places), RoundingMode::HalfUp).normalized())
    }

    /// The magnitude.
    #[must_use]
    pub fn abs(&self) -> Decimal {
        Decimal(self.0.abs())
    }

    /// The negative.
    #[must_use]
    pub fn negated(&self) -> Decimal {
        Decimal(-&self.0)
    }

    /// Whether it is 0.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// Whether it is below 0.
    pub fn is_negative(&self) -> bool {
        self.0.is_negative()
    }

    /// Whether nothing is behind the point.
    pub fn is_integer(&self) -> bool {
        self.scale() <= 0
    }

    /// The number of digits when written out without an exponent.
    pub(crate) fn plain_digits(&self) -> u64 {
        self.0.digits().max(self.scale().unsigned_abs()) + self.scale().min(0).unsigned_abs()
    }

    fn scale(&self) -> i64 {
        self.0.as_bigint_and_scale().1
    }

    /// The integer, if it is one that fits.
    pub fn to_i128(&self) -> Option<i128> {
        // 10^39 is past i128, so anything longer is refused before it is written out.
        if !self.is_integer() || self.plain_digits() > 40 {
            return None;
        }
        self.0.to_i128()
    }

    /// The nearest `f64`, halves to even; infinite beyond its range.
    pub fn to_f64(&self) -> f64 {
        // The standard parser rounds correctly, whatever the length.
        self.scientific().parse().unwrap_or(f64::NAN)
    }

    /// The nearest `f32`, rounded once, halves to even; infinite beyond its range.
    pub fn to_f32(&self) -> f32 {
        self.scientific().parse().unwrap_or(f32::NAN)
    }

    fn scientific(&self) -> String {
        let (digits, scale) = self.0.as_bigint_and_scale();
        format!("{digits}e{}", -scale)
    }
}

fn power_of_ten(exponent: u64) -> BigInt {
    // Every exponent here comes from two bounded decimals, so it fits.
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(u32::MAX))
}

/// A truncated result (at least two digits longer than asked for), rounded halves to even. That
/// something was cut off is kept as one more digit, so that it is not taken for a half.
fn rounded(
    truncated: &BigInt,
    exact: bool,
    sign: Sign,
    scale: i64,
) -> Result<Decimal, DecimalError> {
    let sticky = if exact { BigInt::zero() } else { BigInt::from_biguint(sign, One::one()) };
    let value = BigDecimal::new(truncated * 10 + sticky, scale + 1);
    let cut = value.digits().saturating_sub(Decimal::QUOTIENT_DIGITS).cast_signed();
    Decimal::bounded(&value.with_scale_round(scale + 1 - cut, RoundingMode::HalfEven))
}

impl FromStr for Decimal {
    type Err = DecimalError;

    /// Reads `12`, `-0.5`, `.5`, `5.`, `1e3`: the decimal numbers of YAML 1.2.
    fn from_str(text: &str) -> Result<Decimal, DecimalError> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (text, 0),
        };
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(DecimalError::Syntax);
        }
        if digits.len() > Self::MAX_TEXT_DIGITS {
            return Err(DecimalError::TextDigits);
        }
        let places = i64::try_from(fraction.len()).map_err(|_| DecimalError::TextDigits)?;
        let magnitude: BigInt = digits.parse().map_err(|_| DecimalError::Syntax)?;
        let digits = if mantissa.starts_with('-') { -magnitude } else { magnitude };
        Self::from_digits(digits, places - exponent)
    }
}

fn read_exponent(text: &str) -> Result<i64, DecimalError> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::Syntax);
    }
    let exponent: i64 = text.parse().map_err(|_| DecimalError::TextExponent)?;
    if exponent.abs() > Decimal::MAX_TEXT_EXPONENT {
        return Err(DecimalError::TextExponent);
    }
    Ok(exponent)
}

impl fmt::Display for Decimal {
    /// Canonical: plain digits without trailing zeros; `12e-340` where that would take more than a
    /// hundred zeros.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale().abs() > 100 {
            return formatter.pad(&self.scientific());
        }
        formatter.pad(&self.0.to_plain_string())
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Decimal({self})")
    }
}

impl TryFrom<f64> for Decimal {
    type Error = DecimalError;

    /// The exact value, up to 767 digits.
    fn try_from(value: f64) -> Result<Decimal, DecimalError> {
        const FRACTION_BITS: u64 = 52;
        if !value.is_finite() {
            return Err(DecimalError::NotFinite);
        }
        let bits = value.to_bits();
        let fraction = bits & ((1 << FRACTION_BITS) - 1);
        let biased = (bits >> FRACTION_BITS) & 0x7FF;
        // Subnormals have no hidden bit and the exponent of the smallest normal number.
        let significand = if biased == 0 { fraction } else { fraction | (1 << FRACTION_BITS) };
        let sign = if value.is_sign_negative() { Sign::Minus } else { Sign::Plus };
        let significand = BigInt::from_biguint(sign, significand.into());
        let exponent = i32::try_from(biased.max(1)).map_err(|_| DecimalError::Size)? - 1075;
        if exponent >= 0 {
            return Self::from_digits(significand << exponent, 0);
        }
        // 2^-n is 5^n × 10^-n.
        let fives = BigInt::from(5).pow(exponent.unsigned_abs());
        Self::from_digits(significand * fives, i64::from(-exponent))
    }
}

impl TryFrom<f32> for Decimal {
    type Error = DecimalError;

    /// The exact value.
    fn try_from(value: f32) -> Result<Decimal, DecimalError> {
        Self::try_from(f64::from(value))
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Decimal {
            fn from(value: $integer) -> Decimal {
                Decimal(BigDecimal::new(BigInt::from(value), 0).normalized())
            }
        }
    )*};
}

from_integers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);
