//! A named datum of a device: where it is, type, order, scale; decoded and encoded exactly.
//!
//! A [`Declaration`] is what a profile says; [`Point::new`] refuses what makes no sense, so that a
//! [`Point`] is always a legal one. Knows nothing of how the data is read.

mod check;
mod data_type;
mod declare;
mod decode;
mod domain;
mod encode;
mod error;
mod location;
mod order;
mod span;

pub use data_type::{DataType, Length};
pub use declare::{Access, Declaration, Field, Invalid};
pub use decode::{Raw, Reading, Undecodable};
pub use domain::{Domain, Steps};
pub use encode::EncodeError;
pub use error::PointError;
pub use location::{Location, Site};
pub use order::{Order, OrderError};
pub use span::{Span, Table};

use crate::value::Decimal;
use location::Medium;

/// A named datum of a device, legal by construction.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    name: Box<str>,
    location: Location,
    medium: Medium,
    at: Option<u16>,
    data_type: DataType,
    order: Order,
    access: Access,
    alone: bool,
    clears_on_read: bool,
    field: Option<Field>,
    scaling: Option<Box<Scaling>>,
    invalid: Sentinel,
    /// By number, ascending; empty for a point without labels.
    labels: Box<[(i128, Box<str>)]>,
    range: Option<Box<(Decimal, Decimal)>>,
    unit: Option<Box<str>>,
    description: Option<Box<str>>,
}

/// value = raw × scale × 10^factor + offset. Absent where that changes nothing.
#[derive(Debug, Clone, PartialEq)]
struct Scaling {
    scale: Decimal,
    offset: Decimal,
    factor: Option<Box<str>>,
}

/// Which raw contents mean "not available".
#[derive(Debug, Clone, PartialEq)]
enum Sentinel {
    None,
    /// Ascending.
    Patterns(Box<[u64]>),
    NotANumber,
    Empty,
}

impl Point {
    /// The name within its device; `status.ready` for a bit field.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is: what a read of this point alone asks for.
    pub fn location(&self) -> Location {
        self.location
    }

    /// Its registers or bits, if it is in a table.
    pub fn span(&self) -> Option<Span> {
        self.location.span()
    }

    /// Where it begins in what is there: a byte of an object or server id, a value of a queue. A
    /// queue's point without it is how many values there are.
    pub fn at(&self) -> Option<u16> {
        self.at
    }

    /// How many registers it has, or bits, or bytes of an object or server id; 0 if it is
    /// [open-ended](Point::is_open_ended).
    pub fn size(&self) -> usize {
        let size = match self.medium {
            Medium::Bytes(_) => self.data_type.bytes(),
            _ => self.data_type.registers(),
        };
        size.into()
    }

    /// Whether it is all that is there from where it begins.
    pub fn is_open_ended(&self) -> bool {
        self.data_type.registers() == 0
    }

    /// The whole numbers that it can be, unscaled; `None` for what is no integer.
    fn integers(&self) -> Option<(i128, i128)> {
        match (self.field, self.medium) {
            (Some(field), _) => Some((0, field.greatest().into())),
            (None, Medium::Number(greatest)) => Some((0, greatest.into())),
            _ => self.data_type.integers(),
        }
    }

    /// Its type.
    pub fn data_type(&self) -> DataType {
        self.data_type
    }

    /// The order of its bytes.
    pub fn order(&self) -> Order {
        self.order
    }

    /// What a raw number is multiplied by.
    pub fn scale(&self) -> Decimal {
        self.scaling.as_ref().map_or_else(Decimal::one, |scaling| scaling.scale.clone())
    }

    /// What is added after scaling.
    pub fn offset(&self) -> Decimal {
        self.scaling.as_ref().map_or_else(Decimal::zero, |scaling| scaling.offset.clone())
    }

    /// The point of the same device that holds a further power of ten to scale by, to be read along
    /// and given to [`Point::decode`].
    pub fn scale_factor(&self) -> Option<&str> {
        self.scaling.as_ref()?.factor.as_deref()
    }

    /// The measuring unit.
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// Which bits of the word it is, if not all.
    pub fn field(&self) -> Option<Field> {
        self.field
    }

    /// Number and label, by number; empty for a point without labels.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = (i128, &str)> {
        self.labels.iter().map(|(number, label)| (*number, &**label))
    }

    /// Which raw contents mean "not available", as patterns.
    pub fn invalid(&self) -> Invalid {
        match &self.invalid {
            Sentinel::None => Invalid::None,
            Sentinel::Patterns(patterns) => {
                Invalid::Raw(patterns.iter().map(|pattern| i128::from(*pattern)).collect())
            }
            Sentinel::NotANumber | Sentinel::Empty => Invalid::SunSpec,
        }
    }

    /// What one may do with it.
    pub fn access(&self) -> Access {
        self.access
    }

    /// The least and the greatest value that may be written.
    pub fn range(&self) -> Option<(&Decimal, &Decimal)> {
        self.range.as_ref().map(|range| (&range.0, &range.1))
    }

    /// Whether it is never merged with other reads.
    pub fn alone(&self) -> bool {
        self.alone
    }

    /// Whether reading it changes the device.
    pub fn clears_on_read(&self) -> bool {
        self.clears_on_read
    }

    /// Whether a read of other points must not cross it: it stands alone, is cleared by reading, or
    /// cannot be read.
    pub fn is_barrier(&self) -> bool {
        self.alone || self.clears_on_read || !self.access.reads()
    }

    /// What it is, for people.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
}
