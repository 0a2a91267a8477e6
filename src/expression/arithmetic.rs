//! Arithmetic on values: exact among decimals, 64-bit floats as soon as a float is involved.

use std::cmp::Ordering;

use passline_modbus::value::{Decimal, DecimalError, Value};

use super::EvaluationErrorKind as Error;
use super::check::Type;
use super::syntax::{Comparison, Operator};

/// A number to calculate with.
#[derive(Debug, Clone)]
pub(super) enum Number {
    Exact(Decimal),
    Float(f64),
}

impl Number {
    pub(super) fn of(value: &Value) -> Result<Number, Error> {
        match value {
            Value::Number(number) => Ok(Number::Exact(number.clone())),
            Value::F32(float) => Ok(Number::Float(f64::from(*float))),
            Value::F64(float) => Ok(Number::Float(*float)),
            other => Err(Error::Type { expected: Type::Number, found: Type::of(other) }),
        }
    }

    fn to_f64(&self) -> f64 {
        match self {
            Number::Exact(number) => number.to_f64(),
            Number::Float(float) => *float,
        }
    }

    fn is_zero(&self) -> bool {
        match self {
            Number::Exact(number) => number.is_zero(),
            Number::Float(float) => *float == 0.0,
        }
    }

    pub(super) fn into_value(self) -> Value {
        match self {
            Number::Exact(number) => Value::Number(number),
            Number::Float(float) => Value::F64(float),
        }
    }
}

impl From<DecimalError> for Error {
    fn from(error: DecimalError) -> Error {
        match error {
            DecimalError::DivisionByZero => Error::DivisionByZero,
            DecimalError::NegativeRoot => Error::NegativeRoot,
            _ => Error::Size,
        }
    }
}

/// A float result; infinite only if an operand was.
fn float(result: f64, operands: &[f64]) -> Result<Number, Error> {
    if result.is_infinite() && operands.iter().all(|operand| operand.is_finite()) {
        return Err(Error::Size);
    }
    Ok(Number::Float(result))
}

/// The operand as a float; a decimal beyond their range has none.
fn operand(number: &Number) -> Result<f64, Error> {
    let float = number.to_f64();
    match number {
        Number::Exact(_) if float.is_infinite() => Err(Error::Size),
        _ => Ok(float),
    }
}

/// The result of an operator.
pub(super) fn operate(operator: Operator, left: &Number, right: &Number) -> Result<Number, Error> {
    let divides = matches!(operator, Operator::Divide | Operator::Remainder);
    if divides && right.is_zero() {
        return Err(Error::DivisionByZero);
    }
    if let (Number::Exact(left), Number::Exact(right)) = (left, right) {
        let result = match operator {
            Operator::Add => left.checked_add(right),
            Operator::Subtract => left.checked_sub(right),
            Operator::Multiply => left.checked_mul(right),
            Operator::Divide => left.checked_div(right),
            Operator::Remainder => left.checked_rem(right),
        };
        return Ok(Number::Exact(result?));
    }
    let (left, right) = (operand(left)?, operand(right)?);
    let result = match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::Remainder => left % right,
    };
    float(result, &[left, right])
}

pub(super) fn negative(number: Number) -> Number {
    match number {
        Number::Exact(number) => Number::Exact(number.negated()),
        Number::Float(float) => Number::Float(-float),
    }
}

pub(super) fn abs(number: Number) -> Number {
    match number {
        Number::Exact(number) => Number::Exact(number.abs()),
        Number::Float(float) => Number::Float(float.abs()),
    }
}

/// Halves away from zero. A float is rounded as the decimal that it exactly is.
pub(super) fn round(number: Number, places: i16) -> Result<Number, Error> {
    match number {
        Number::Exact(number) => Ok(Number::Exact(number.rounded(places))),
        Number::Float(value) if !value.is_finite() => Ok(number),
        Number::Float(value) => float(Decimal::try_from(value)?.rounded(places).to_f64(), &[value]),
    }
}

pub(super) fn sqrt(number: Number) -> Result<Number, Error> {
    match number {
        Number::Exact(number) => Ok(Number::Exact(number.checked_sqrt()?)),
        Number::Float(float) if float < 0.0 => Err(Error::NegativeRoot),
        Number::Float(float) => Ok(Number::Float(float.sqrt())),
    }
}

pub(super) fn log10(number: &Number) -> Result<Number, Error> {
    let above_zero = match number {
        Number::Exact(number) => !number.is_negative() && !number.is_zero(),
        Number::Float(float) => float.is_nan() || *float > 0.0,
    };
    if !above_zero {
        return Err(Error::Logarithm);
    }
    let operand = operand(number)?;
    float(operand.log10(), &[operand])
}

/// The less or the greater of two; NaN wins over both.
pub(super) fn choose(one: Number, other: Number, wanted: Ordering) -> Result<Number, Error> {
    if let (Number::Exact(left), Number::Exact(right)) = (&one, &other) {
        return Ok(if right.cmp(left) == wanted { other } else { one });
    }
    let (left, right) = (operand(&one)?, operand(&other)?);
    Ok(Number::Float(match right.partial_cmp(&left) {
        None => f64::NAN,
        Some(order) if order == wanted => right,
        Some(_) => left,
    }))
}

/// Whether a bit of a whole number is set.
pub(super) fn bit(number: &Number, index: &Number) -> Result<bool, Error> {
    let whole = whole(number).and_then(|number| u64::try_from(number).ok());
    let index = whole_in(index, 0, 63).ok_or(Error::BitNumber)?;
    Ok(whole.ok_or(Error::BitsOf)? >> index & 1 == 1)
}

/// The decimal places of `round`.
pub(super) fn places(number: &Number) -> Result<i16, Error> {
    let places = whole_in(number, -100, 100).and_then(|places| i16::try_from(places).ok());
    places.ok_or(Error::Places)
}

fn whole(number: &Number) -> Option<i128> {
    match number {
        Number::Exact(number) => number.to_i128(),
        Number::Float(float) => Decimal::try_from(*float).ok()?.to_i128(),
    }
}

fn whole_in(number: &Number, low: i128, high: i128) -> Option<i128> {
    whole(number).filter(|number| (low..=high).contains(number))
}

/// The result of a comparison.
pub(super) fn compare(comparison: Comparison, left: &Value, right: &Value) -> Result<bool, Error> {
    let types = (Type::of(left), Type::of(right));
    if !(types.0.is_number() && types.1.is_number()) {
        if types.0 != types.1 || comparison.orders() {
            return Err(Error::Comparison(types.0, types.1));
        }
        return Ok((left == right) == (comparison == Comparison::Equal));
    }
    let order = match (left, right) {
        (left, Value::Number(limit)) => left.compare(limit),
        (Value::Number(limit), right) => right.compare(limit).map(Ordering::reverse),
        (left, right) => Number::of(left)?.to_f64().partial_cmp(&Number::of(right)?.to_f64()),
    };
    let order = order.ok_or(Error::NotANumber)?;
    Ok(match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    })
}
