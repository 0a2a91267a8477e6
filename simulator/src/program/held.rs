//! Values of points in the memory of a device: read as a client would read them, and written as
//! near as the registers can hold.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use passline_modbus::point::{Domain, EncodeError, Point};
use passline_modbus::value::Value;

use crate::image::{Image, PutError};

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
        image.value(&self.point, self.factor(image).as_ref())
    }

    /// Puts a value into the image: the nearest that the point can hold. Without one, what is there
    /// stays: a number for a point of texts, NaN for an integer.
    pub(super) fn write(&self, image: &mut Image, value: &Value) {
        let factor = self.factor(image);
        let value = self.suited(value);
        let nearest = match image.put(&self.point, factor.as_ref(), &value) {
            Err(PutError::Encode(EncodeError::Inexact { nearest })) => nearest,
            Err(PutError::Encode(EncodeError::OutOfReach { low, high })) => {
                if value.compare(&low).is_some_and(Ordering::is_lt) { low } else { high }
            }
            _ => return,
        };
        let _ = image.put(&self.point, factor.as_ref(), &Value::Number(nearest));
    }

    /// A wave over a coil: what is not zero is true.
    fn suited<'v>(&self, value: &'v Value) -> Cow<'v, Value> {
        let is_bit = matches!(self.point.domain(), Domain::Bool);
        match value.to_decimal() {
            Some(number) if is_bit => Cow::Owned(Value::Bool(!number.is_zero())),
            _ => Cow::Borrowed(value),
        }
    }

    fn factor(&self, image: &Image) -> Option<Value> {
        image.value(self.factor.as_ref()?, None)
    }
}
