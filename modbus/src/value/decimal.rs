//! Exact decimal numbers of bounded size.

use bigdecimal::BigDecimal;

/// An exact decimal number: at most [`Decimal::MAX_DIGITS`] digits and a power of ten within
/// ±[`Decimal::MAX_EXPONENT`], so that no arithmetic on it can run away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(BigDecimal);
