//! Values of points in the memory of a device: read as a client would read them, and written as
//! near as the registers can hold.

use std::borrow::Cow;
use std::sync::Arc;

use passline_modbus::point::{Domain, EncodeError, Point, Raw, Reading};
use passline_modbus::value::Value;

use crate::image::Image;

/// A point, and the one that holds its power of ten.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The point.
    pub point: Arc<Point>,
    /// What its scale factor is in, if it has one.
    pub factor: Option<Arc<Point>>,
}

impl Held {
    /// What is in the image; `None` if that is no value.
    pub(super) fn read(&self, image: &Image) -> Option<Value> {
        let factor = self.factor(image);
        match self.point.decode(&raw(&self.point, image)?, factor.as_ref()) {
            Ok(Reading::Value(value)) => Some(value),
            Ok(Reading::Invalid) | Err(_) => None,
        }
    }

    /// Puts a value into the image: the nearest that the point can hold. Without one, what is there
    /// stays.
    pub(super) fn write(&self, image: &mut Image, value: &Value) {
        let Some(raw) = self.encode(image, &self.suited(value)) else { return };
        let span = self.point.span();
        // Both exist, and are as long: the value was encoded from what is there.
        let _ = match raw {
            Raw::Bit(bit) => image.set_bits(span.table(), span.address(), &[bit]),
            Raw::Registers(words) => image.set_words(span.table(), span.address(), &words),
        };
    }

    /// A wave over a coil: what is not zero is true.
    fn suited<'v>(&self, value: &'v Value) -> Cow<'v, Value> {
        let is_bit = matches!(self.point.domain(), Domain::Bool);
        match value.to_decimal() {
            Some(number) if is_bit => Cow::Owned(Value::Bool(!number.is_zero())),
            _ => Cow::Borrowed(value),
        }
    }

    fn encode(&self, image: &Image, value: &Value) -> Option<Raw<'static>> {
        let factor = self.factor(image);
        let encode = |value: &Value| match raw(&self.point, image)? {
            Raw::Registers(words) if self.point.field().is_some() => {
                Some(self.point.merge(value, &words).map(|words| Raw::Registers(words.into())))
            }
            _ => Some(self.point.encode(value, factor.as_ref())),
        };
        let nearest = match encode(value)? {
            Ok(raw) => return Some(raw),
            Err(EncodeError::Inexact { nearest }) => Value::Number(nearest),
            Err(EncodeError::OutOfReach { low, high }) => {
                let is_below = value.compare(&low).is_some_and(std::cmp::Ordering::is_lt);
                Value::Number(if is_below { low } else { high })
            }
            // A number that is no label, NaN for an integer, and so on: a kind of value that the
            // point never holds.
            Err(_) => return None,
        };
        encode(&nearest)?.ok()
    }

    fn factor(&self, image: &Image) -> Option<Value> {
        let factor = self.factor.as_ref()?;
        match factor.decode(&raw(factor, image)?, None) {
            Ok(Reading::Value(value)) => Some(value),
            Ok(Reading::Invalid) | Err(_) => None,
        }
    }
}

fn raw(point: &Point, image: &Image) -> Option<Raw<'static>> {
    let span = point.span();
    match image.bits(span) {
        Some(bits) => bits.first().map(|bit| Raw::Bit(*bit)),
        None => image.words(span).map(|words| Raw::Registers(words.to_vec().into())),
    }
}
