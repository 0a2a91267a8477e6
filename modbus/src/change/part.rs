//! A value in the form in which it is written.

use std::sync::Arc;

use crate::point::{EncodeError, Point, Raw, Reading, Undecodable};
use crate::value::{Decimal, Value};

/// A value of a point, as its registers hold it.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    point: Arc<Point>,
    raw: Raw<'static>,
    value: Option<Value>,
    scale_factor: Option<Value>,
}

impl Part {
    /// A value that somebody wrote down. What is read back must be what was written: 230.4 is that
    /// in an `f32`, 16777217 is not. `round`: the nearest that the registers can hold will do.
    ///
    /// # Errors
    /// [`EncodeError`]: the point cannot hold it.
    pub fn written(
        point: Arc<Point>,
        value: &Value,
        scale_factor: Option<&Value>,
        round: bool,
    ) -> Result<Self, EncodeError> {
        let part = Self::encoded(point, value, scale_factor, round)?;
        let (Some(held @ (Value::F32(_) | Value::F64(_))), Value::Number(written), false) =
            (&part.value, value, round)
        else {
            return Ok(part);
        };
        // The shortest decimal that reads back as that float is how people know it.
        match held.to_string().parse::<Decimal>() {
            Ok(held) if held == *written => Ok(part),
            Ok(nearest) => Err(EncodeError::Inexact { nearest }),
            Err(_) => Err(EncodeError::NotFinite),
        }
    }

    /// A value that was computed: nobody wrote its digits down, so that the nearest float is what is
    /// meant; but a whole number that it falls between is not, unless `round`. NaN and the
    /// infinities are mistakes.
    ///
    /// # Errors
    /// [`EncodeError`]: the point cannot hold it.
    pub fn computed(
        point: Arc<Point>,
        value: &Value,
        scale_factor: Option<&Value>,
        round: bool,
    ) -> Result<Self, EncodeError> {
        let finite = match value {
            Value::F32(float) => float.is_finite(),
            Value::F64(float) => float.is_finite(),
            _ => true,
        };
        if !finite {
            return Err(EncodeError::NotFinite);
        }
        Self::encoded(point, value, scale_factor, round)
    }

    /// What a point held before, whatever it means, to be put back.
    pub fn found(point: Arc<Point>, raw: &Raw<'_>, scale_factor: Option<&Value>) -> Self {
        let raw = match raw {
            Raw::Registers(words) => {
                let own = words.iter().zip(point.mask()).map(|(word, mask)| word & mask);
                Raw::Registers(own.collect())
            }
            other => other.clone().into_owned(),
        };
        Self::new(point, raw, scale_factor)
    }

    /// Zeros, where the value is not known yet: what request writes it does not depend on it.
    pub fn blank(point: Arc<Point>) -> Self {
        let is_bit = point.span().is_some_and(|span| span.table().is_bits());
        let words = || Raw::Registers(vec![0; point.size()].into());
        let raw = if is_bit { Raw::Bit(false) } else { words() };
        Self::new(point, raw, None)
    }

    fn encoded(
        point: Arc<Point>,
        value: &Value,
        factor: Option<&Value>,
        round: bool,
    ) -> Result<Self, EncodeError> {
        let raw = match encode(&point, value, factor) {
            Err(EncodeError::Inexact { nearest }) if round => {
                encode(&point, &Value::Number(nearest), factor)
            }
            other => other,
        };
        let part = Self::new(point, raw?, factor);
        if part.value.is_none() { Err(EncodeError::MeansInvalid) } else { Ok(part) }
    }

    fn new(point: Arc<Point>, raw: Raw<'static>, factor: Option<&Value>) -> Self {
        let value = match point.decode(&raw, factor) {
            Ok(Reading::Value(value)) => Some(value),
            Ok(Reading::Invalid) | Err(_) => None,
        };
        Self { point, raw, value, scale_factor: factor.cloned() }
    }

    /// The point.
    pub fn point(&self) -> &Arc<Point> {
        &self.point
    }

    /// What its scale factor was, if it has one.
    pub fn scale_factor(&self) -> Option<&Value> {
        self.scale_factor.as_ref()
    }

    /// What its registers are to hold; of a bit field its word with nothing else in it.
    pub fn raw(&self) -> &Raw<'static> {
        &self.raw
    }

    /// What they read as then; `None` only for what was [found](Part::found).
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// What these registers mean, with the scale factor that this was written with.
    ///
    /// # Errors
    /// [`Undecodable`]: nothing can be said of the value.
    pub fn decode(&self, raw: &Raw<'_>) -> Result<Reading, Undecodable> {
        self.point.decode(raw, self.scale_factor.as_ref())
    }

    /// Whether this is what was read back. The other bits of a word are nobody's business.
    pub fn is_in(&self, read: &Raw<'_>) -> bool {
        match (&self.raw, read) {
            (Raw::Registers(own), Raw::Registers(read)) => {
                let meant = read.iter().zip(self.point.mask()).map(|(word, mask)| word & mask);
                own.len() == read.len() && own.iter().copied().eq(meant)
            }
            (own, read) => own == read,
        }
    }
}

/// The registers of a value; of a bit field its word with nothing else in it.
fn encode(
    point: &Point,
    value: &Value,
    factor: Option<&Value>,
) -> Result<Raw<'static>, EncodeError> {
    if point.field().is_none() {
        return point.encode(value, factor);
    }
    point.merge(value, &Raw::Registers(vec![0; point.size()].into()))
}
