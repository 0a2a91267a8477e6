//! Values of points in the memory of a device: read as a client would read them, and written as
//! near as the registers can hold.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use passline_modbus::point::{Domain, EncodeError, Location, Point};
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
    pub fn read(&self, image: &Image) -> Option<Value> {
        image.value(&self.point, self.factor(image).as_ref())
    }

    /// Puts a value into the image: the nearest that the point can hold.
    ///
    /// # Errors
    ///
    /// [`PutError`]; what is there stays. [`EncodeError::OutOfReach`] leaves the nearest end there.
    pub fn write(&self, image: &mut Image, value: &Value) -> Result<(), PutError> {
        let factor = self.factor(image);
        let value = self.suited(value);
        let put = image.put(&self.point, factor.as_ref(), &value);
        let nearest = match &put {
            Err(PutError::Encode(EncodeError::Inexact { nearest })) => {
                let nearest = Value::Number(nearest.clone());
                return image.put(&self.point, factor.as_ref(), &nearest);
            }
            Err(PutError::Encode(EncodeError::OutOfReach { low, high })) => {
                if value.compare(low).is_some_and(Ordering::is_lt) { low } else { high }
            }
            _ => return put,
        };
        let _ = image.put(&self.point, factor.as_ref(), &Value::Number(nearest.clone()));
        put
    }

    /// Whether what is written to one of the two can change the other.
    pub fn shares(&self, other: &Self) -> bool {
        let (own, others) = (&self.point, &other.point);
        match (own.location(), others.location()) {
            (Location::Table(one), Location::Table(two)) if one == two => fields_meet(own, others),
            (Location::Table(one), Location::Table(two)) => one.overlaps(two),
            (Location::File(one), Location::File(two)) if one == two => fields_meet(own, others),
            (Location::File(one), Location::File(two)) => one.overlaps(two),
            // How many values a queue has is none of them.
            (Location::Fifo(_), _) if own.at().is_some() != others.at().is_some() => false,
            (one, two) => one == two && parts_meet(own, others) && fields_meet(own, others),
        }
    }

    /// Whether its value can change when what moves the other does.
    pub(super) fn depends_on(&self, other: &Self) -> bool {
        let factor = self.factor.clone().map(|point| Self { point, factor: None });
        self.shares(other) || factor.is_some_and(|factor| factor.shares(other))
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

/// Whether two points of the same words have a bit in common.
fn fields_meet(one: &Point, two: &Point) -> bool {
    let (Some(one), Some(two)) = (one.field(), two.field()) else { return true };
    one.first() <= two.last() && two.first() <= one.last()
}

/// Whether two points of the same object or queue have a byte or value in common.
fn parts_meet(one: &Point, two: &Point) -> bool {
    let part = |point: &Point| -> Range<usize> {
        let at = usize::from(point.at().unwrap_or(0));
        at..if point.is_open_ended() { usize::MAX } else { at + point.size() }
    };
    let (one, two) = (part(one), part(two));
    one.start < two.end && two.start < one.end
}
