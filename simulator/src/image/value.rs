//! Values of points in the memory of a device: as a client would read them, and put where a client
//! would read them.

use passline_modbus::point::{EncodeError, Location, Point, Raw, Reading};
use passline_modbus::value::Value;

use super::{Image, ImageError};

/// Why a value cannot be put where a point is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// The point cannot hold it.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// There is no room for it.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Only a part of something that is not there.
    #[error("it does not exist")]
    Absent,
    /// Behind the end of a queue.
    #[error("there are {there} values in the queue")]
    BehindQueue {
        /// How many there are.
        there: usize,
    },
}

/// How much is there once a part was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// What was there, and the part.
    AtLeast,
    /// The part and what is before it.
    Exactly,
}

impl Image {
    /// The value of a point; `None` if it does not exist, or what is there is no value. `factor` is
    /// what its scale factor is in, if it has one.
    pub fn value(&self, point: &Point, factor: Option<&Value>) -> Option<Value> {
        match point.decode(&self.raw(point.location())?, factor) {
            Ok(Reading::Value(value)) => Some(value),
            Ok(Reading::Invalid) | Err(_) => None,
        }
    }

    /// Puts a value where a point is, which then exists. A queue takes values only within its
    /// length, which is a value itself.
    ///
    /// # Errors
    ///
    /// [`PutError`]; nothing is changed then.
    pub fn put(
        &mut self,
        point: &Point,
        factor: Option<&Value>,
        value: &Value,
    ) -> Result<(), PutError> {
        let raw = if point.field().is_some() {
            let there = self.raw(point.location()).ok_or(PutError::Absent)?;
            point.merge(value, &there)?
        } else {
            point.encode(value, factor)?
        };
        let extent = if point.is_open_ended() { Extent::Exactly } else { Extent::AtLeast };
        match (point.location(), point.at(), &raw) {
            // How many values there are decides which of them are; their values come behind.
            (Location::Fifo(address), None, Raw::Registers(count)) if !point.is_open_ended() => {
                let mut queue = words(self.raw(point.location()));
                queue.resize(usize::from(count.first().copied().unwrap_or_default()), 0);
                Ok(self.set_queue(address, &queue)?)
            }
            (Location::Fifo(_), Some(at), _) if !point.is_open_ended() => {
                let there = words(self.raw(point.location())).len();
                if usize::from(at) + point.size() > there {
                    return Err(PutError::BehindQueue { there });
                }
                self.store(point, &raw, extent)
            }
            _ => self.store(point, &raw, extent),
        }
    }

    /// Makes the place of a point exist, zero or empty. Only the values of a queue take room in it;
    /// how many there are does not.
    ///
    /// # Errors
    ///
    /// [`PutError::Image`] if there is no room for it.
    pub fn make(&mut self, point: &Point) -> Result<(), PutError> {
        let size = point.size();
        let zeros = match point.location() {
            Location::Table(span) if span.table().is_bits() => {
                let bits = vec![false; usize::from(span.count())];
                return Ok(self.set_bits(span.table(), span.address(), &bits)?);
            }
            Location::DeviceId(_) | Location::ServerId => Raw::Bytes(vec![0; size].into()),
            Location::Fifo(_) if point.at().is_none() => Raw::Registers(vec![].into()),
            _ => Raw::Registers(vec![0; size].into()),
        };
        self.store(point, &zeros, Extent::AtLeast)
    }

    /// Puts the raw content of a point where it is.
    fn store(&mut self, point: &Point, raw: &Raw<'_>, extent: Extent) -> Result<(), PutError> {
        let at = usize::from(point.at().unwrap_or(0));
        let there = self.raw(point.location()).map(Raw::into_owned);
        match (point.location(), raw) {
            (Location::Table(span), Raw::Bit(bit)) => {
                self.set_bits(span.table(), span.address(), &[*bit])?;
            }
            (Location::Table(span), Raw::Registers(words)) => {
                self.set_words(span.table(), span.address(), words)?;
            }
            (Location::DeviceId(id), Raw::Bytes(part)) => {
                self.set_object(id, &spliced(bytes(there), at, part, extent))?;
            }
            (Location::ServerId, Raw::Bytes(part)) => {
                self.set_server_id(&spliced(bytes(there), at, part, extent))?;
            }
            (Location::Diagnostic(counter), Raw::Registers(words)) => {
                self.set_counter(counter, words.first().copied().unwrap_or_default());
            }
            (Location::ExceptionStatus, Raw::Registers(words)) => {
                let status = words.first().and_then(|word| u8::try_from(*word).ok());
                self.set_exception_status(status.unwrap_or_default());
            }
            (Location::File(section), Raw::Registers(words)) => {
                self.set_records(section.file, section.first, words)?;
            }
            (Location::Fifo(address), Raw::Registers(part)) => {
                self.set_queue(address, &spliced(words(there), at, part, extent))?;
            }
            _ => return Err(EncodeError::Kind { expected: "content of another kind" }.into()),
        }
        Ok(())
    }
}

/// What is there with a part of it put at `at`.
fn spliced<T: Copy + Default>(mut there: Vec<T>, at: usize, part: &[T], extent: Extent) -> Vec<T> {
    let end = at + part.len();
    let length = if extent == Extent::Exactly { end } else { end.max(there.len()) };
    there.resize(length, T::default());
    if let Some(place) = there.get_mut(at..end) {
        place.copy_from_slice(part);
    }
    there
}

fn bytes(raw: Option<Raw<'_>>) -> Vec<u8> {
    match raw {
        Some(Raw::Bytes(bytes)) => bytes.into_owned(),
        _ => Vec::new(),
    }
}

fn words(raw: Option<Raw<'_>>) -> Vec<u16> {
    match raw {
        Some(Raw::Registers(words)) => words.into_owned(),
        _ => Vec::new(),
    }
}
