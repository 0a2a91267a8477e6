//! A device with names for what is in its memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use passline_modbus::point::Point;
use passline_modbus::value::{Decimal, Value};

use crate::device::Device;
use crate::image::{Image, PutError};
use crate::program::Held;

/// A device, and the points that tests call by name.
#[derive(Debug, Default)]
pub struct Unit {
    device: Device,
    points: Points,
}

/// The named points of a unit.
#[derive(Debug, Default)]
pub(super) struct Points(BTreeMap<String, Held>);

/// There is nothing of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} {name}; there is {}", if there.is_empty() { "none".to_owned() } else { there.join(", ") })]
pub struct NoSuch {
    what: &'static str,
    name: String,
    there: Vec<String>,
}

/// Why a point did not get a value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SetError {
    /// There is no such point.
    #[error(transparent)]
    NoSuch(#[from] NoSuch),
    /// It cannot be that.
    #[error("{point} cannot be {value}: {source}")]
    Put {
        /// Which point.
        point: String,
        /// What it cannot be.
        value: Box<Value>,
        /// Why.
        source: Box<PutError>,
    },
}

impl NoSuch {
    /// There is no such thing; these are there.
    pub fn new(what: &'static str, name: String, there: Vec<String>) -> Self {
        Self { what, name, there }
    }
}

impl Unit {
    /// A unit whose memory is these points, all of them zero or empty.
    ///
    /// # Errors
    ///
    /// Two of them cannot be in one memory.
    pub fn new(points: impl IntoIterator<Item = Point>) -> Result<Self, PutError> {
        let points: Vec<Arc<Point>> = points.into_iter().map(Arc::new).collect();
        let mut image = Image::new();
        for point in &points {
            image.make(point)?;
        }
        Ok(Self::named(Device::new(image), points))
    }

    /// A device whose memory has these points. What it does not hold is there once it is set.
    pub fn named(device: Device, points: impl IntoIterator<Item = Arc<Point>>) -> Self {
        let all: BTreeMap<String, Arc<Point>> =
            points.into_iter().map(|point| (point.name().to_owned(), point)).collect();
        let held = all.iter().map(|(name, point)| {
            let factor = point.scale_factor().and_then(|factor| all.get(factor)).cloned();
            (name.clone(), Held { point: Arc::clone(point), factor })
        });
        Self { device, points: Points(held.collect()) }
    }

    pub(super) fn parts(self) -> (Device, Points) {
        (self.device, self.points)
    }
}

impl From<Device> for Unit {
    /// One without names.
    fn from(device: Device) -> Self {
        Self { device, ..Self::default() }
    }
}

impl Points {
    pub(super) fn get(&self, name: &str) -> Result<&Held, NoSuch> {
        let there = || self.0.keys().cloned().collect();
        self.0.get(name).ok_or_else(|| NoSuch::new("point", name.to_owned(), there()))
    }
}

/// What a point is to be, as it is written in a test: `230.4`, `7`, `true`, `"running"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting(Value);

impl Setting {
    pub(super) fn value(self) -> Value {
        self.0
    }
}

impl From<Value> for Setting {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl From<Decimal> for Setting {
    fn from(value: Decimal) -> Self {
        Self(Value::Number(value))
    }
}

impl From<f64> for Setting {
    /// The number as it is written: 230.4 is 230.4, and not the nearest that a float can hold.
    fn from(value: f64) -> Self {
        let written = value.to_string().parse();
        Self(written.map_or(Value::F64(value), Value::Number))
    }
}

impl From<bool> for Setting {
    fn from(value: bool) -> Self {
        Self(Value::Bool(value))
    }
}

impl From<&str> for Setting {
    fn from(value: &str) -> Self {
        Self(Value::Text(value.to_owned()))
    }
}

macro_rules! from_integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Setting {
            fn from(value: $integer) -> Self {
                Decimal::from(value).into()
            }
        }
    )*};
}

from_integers!(i32, u16, u32, i64, u64);
