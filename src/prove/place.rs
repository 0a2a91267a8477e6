//! The points that a check looks at, and what the simulation had in them: raw content to value and
//! back.

use std::sync::Arc;

use passline_modbus::point::{EncodeError, Location, Point, Raw, Reading};
use passline_modbus::value::{Decimal, Value};

use crate::plan::PlannedTest;
use crate::record::Measurement;

/// A point that a check looks at.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// What expressions call it.
    pub(super) name: String,
    /// Index of the device.
    pub(super) device: usize,
    pub(super) point: Arc<Point>,
    /// What its scale factor was.
    factor: Option<Value>,
    /// What was there.
    pub(super) raw: Raw<'static>,
    pub(super) reading: Reading,
}

/// Something else that is there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content {
    /// Index of the device.
    pub(super) device: usize,
    pub(super) location: Location,
    pub(super) raw: Raw<'static>,
}

/// What a check looks at, with what its measurement kept of it: for a read its own point first.
/// `None`: the measurement does not say.
pub(super) fn places(
    test: &PlannedTest<'_>,
    line: usize,
    measured: &Measurement,
) -> Option<Vec<Place>> {
    let scans = test.stages().flat_map(|stage| stage.work.scans());
    let mut checks = scans.flat_map(|scan| scan.checks.iter().map(move |check| (scan, check)));
    let (scan, check) = checks.find(|(_, check)| check.line == line)?;
    let mut words = measured.raw.iter().chain(measured.beside.iter()).copied();
    let places = check.sources.iter().map(|source| {
        let point = Arc::clone(source.point.as_ref()?);
        let device = scan.inputs.get(source.input)?.device;
        let raw = take(&point, &mut words)?;
        let factor = match &source.scale_factor {
            None => None,
            Some((factor, _)) => match factor.decode(&take(factor, &mut words)?, None).ok()? {
                Reading::Value(value) => Some(value),
                Reading::Invalid => return None,
            },
        };
        let reading = point.decode(&raw, factor.as_ref()).ok()?;
        Some(Place { name: source.name.clone(), device, point, factor, raw, reading })
    });
    places.collect()
}

/// Takes the content of a point as records keep it.
fn take(point: &Point, words: &mut impl Iterator<Item = u16>) -> Option<Raw<'static>> {
    let counted = match point.location() {
        Location::Table(span) => usize::from(span.count()),
        Location::File(section) => usize::from(section.length),
        Location::Diagnostic(_) | Location::ExceptionStatus => 1,
        Location::Fifo(_) | Location::DeviceId(_) | Location::ServerId => {
            usize::from(words.next()?)
        }
    };
    let part: Vec<u16> = words.by_ref().take(counted).collect();
    if part.len() != counted {
        return None;
    }
    Some(match point.location() {
        Location::Table(span) if span.table().is_bits() => Raw::Bit(part.first() == Some(&1)),
        Location::DeviceId(_) | Location::ServerId => {
            let bytes: Option<Vec<u8>> = part.iter().map(|word| u8::try_from(*word).ok()).collect();
            Raw::Bytes(bytes?.into())
        }
        _ => Raw::Registers(part.into()),
    })
}

impl Place {
    /// The value that was there.
    pub(super) fn value(&self) -> Option<&Value> {
        match &self.reading {
            Reading::Value(value) => Some(value),
            Reading::Invalid => None,
        }
    }

    /// Its name in the spec, the device left out.
    pub(super) fn point_name(&self) -> &str {
        self.point.name()
    }

    /// What it reads as with other content; `None`: that means nothing.
    pub(super) fn decoded(&self, raw: &Raw<'_>) -> Option<Reading> {
        self.point.decode(raw, self.factor.as_ref()).ok()
    }

    /// The content for a value, which it must be able to hold.
    pub(super) fn content(&self, value: &Value) -> Option<Content> {
        self.encoded(value).ok().map(|raw| self.with(raw))
    }

    /// The content for the value that it can hold nearest to this one.
    pub(super) fn nearest(&self, number: &Decimal) -> Option<Content> {
        match self.encoded(&Value::Number(number.clone())) {
            Ok(raw) => Some(self.with(raw)),
            Err(EncodeError::Inexact { nearest }) => self.content(&Value::Number(nearest)),
            Err(_) => None,
        }
    }

    pub(super) fn encoded(&self, value: &Value) -> Result<Raw<'static>, EncodeError> {
        if self.point.field().is_some() {
            self.point.merge(value, &self.raw)
        } else if self.point.at().is_some() {
            // A part of something longer: what is beside it would be lost.
            Err(EncodeError::Field)
        } else {
            self.point.encode(value, self.factor.as_ref())
        }
    }

    pub(super) fn with(&self, raw: Raw<'static>) -> Content {
        Content { device: self.device, location: self.point.location(), raw }
    }

    /// From one number that it can hold to the next; `None` for floats and what is no number.
    pub(super) fn step(&self) -> Option<Decimal> {
        let Some(Value::Number(_)) = self.value() else { return None };
        let factor = self.factor.as_ref().and_then(Value::to_decimal);
        let power = factor.and_then(|factor| factor.to_i128()).unwrap_or(0);
        let power = i32::try_from(power).ok()?;
        self.point.scale().abs().times_power_of_ten(power).ok()
    }

    /// Its registers in the wrong order; `None` for what has no order of words.
    pub(super) fn swapped(&self) -> Option<Content> {
        let Raw::Registers(words) = &self.raw else { return None };
        let is_number = !self.point.data_type().has_length() && self.point.span().is_some();
        let swapped: Vec<u16> = words.iter().rev().copied().collect();
        (is_number && words.len() > 1).then(|| self.with(Raw::Registers(swapped.into())))
    }

    /// Contents that are no value: NaN, what is declared to mean so, what means nothing.
    pub(super) fn no_values(&self) -> Vec<(&'static str, Content)> {
        let Raw::Registers(words) = &self.raw else { return Vec::new() };
        if self.point.data_type().has_length() {
            return Vec::new();
        }
        let mut found: Vec<(&'static str, Content)> = Vec::new();
        for pattern in patterns(&self.point, words.len()) {
            for raw in arrangements(&pattern) {
                let what = match self.decoded(&raw) {
                    Some(Reading::Invalid) => "the value that means there is none",
                    Some(Reading::Value(value)) if is_special(&value) => "not a number",
                    Some(Reading::Value(_)) => continue,
                    None => "content that means nothing",
                };
                if !found.iter().any(|(known, _)| *known == what) {
                    found.push((what, self.with(raw)));
                }
            }
        }
        found
    }
}

fn is_special(value: &Value) -> bool {
    match value {
        Value::F32(float) => !float.is_finite(),
        Value::F64(float) => !float.is_finite(),
        _ => false,
    }
}

/// Registers, the most significant first, that can be no value.
fn patterns(point: &Point, count: usize) -> Vec<Vec<u16>> {
    let words = |pattern: u64| -> Vec<u16> {
        let bytes = pattern.to_be_bytes();
        let all = bytes.chunks_exact(2).map(|pair| match pair {
            [high, low] => u16::from_be_bytes([*high, *low]),
            _ => 0,
        });
        all.skip(4_usize.saturating_sub(count)).collect()
    };
    let bits = 16 * u32::try_from(count.clamp(1, 4)).unwrap_or(4);
    let top = 1_u64.checked_shl(bits - 1).unwrap_or(0);
    let all = u64::MAX >> (64 - bits);
    let declared = match point.invalid() {
        passline_modbus::point::Invalid::Raw(patterns) => patterns,
        _ => Vec::new(),
    };
    let declared = declared.into_iter().filter_map(|pattern| {
        let pattern = if pattern < 0 { pattern + i128::from(all) + 1 } else { pattern };
        u64::try_from(pattern).ok()
    });
    let nan = match bits {
        16 => 0x7E00,
        32 => 0x7FC0_0000,
        _ => 0x7FF8_0000_0000_0000,
    };
    declared.chain([nan, all, top, top - 1, 0]).map(words).collect()
}

/// Registers in every order in which devices send them.
fn arrangements(words: &[u16]) -> Vec<Raw<'static>> {
    let swap = |words: &[u16]| words.iter().map(|word| word.swap_bytes()).collect::<Vec<u16>>();
    let reversed: Vec<u16> = words.iter().rev().copied().collect();
    let all = [words.to_vec(), reversed.clone(), swap(words), swap(&reversed)];
    all.into_iter().map(|words| Raw::Registers(words.into())).collect()
}
