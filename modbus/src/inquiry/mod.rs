//! What is asked to read a [`Location`], and what comes out of the answers. Pure: the requests are
//! sent by others, one after the other.
//!
//! Most locations take one request. An object of the device identification is asked for by itself
//! first; where the device refuses that, its category is read as a stream, which can take several.

mod identification;
mod server_id;

use crate::pdu::diagnostics::{Diagnostic, ExceptionStatus};
use crate::pdu::fifo::{Pointer, Queue};
use crate::pdu::file::Contents;
use crate::pdu::{Answer, ExceptionCode, Request, Response};
use crate::planner;
use crate::point::{Location, Raw, Span};
use identification::Stream;

/// A location that is being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    location: Location,
    way: Way,
}

/// How it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// By one request.
    Once,
    /// By one request, and by another way if that is refused.
    First,
    /// As a stream of objects.
    Stream(Stream),
}

/// What an inquiry came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// What is there.
    Data(Data),
    /// The device refused.
    Exception(ExceptionCode),
    /// The answers hold nothing that could be it.
    Nothing(Unusable),
}

/// Why answers that are valid by themselves hold nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// An answer of another kind than the request; no link gives one.
    #[error("the answer is of another function")]
    Function,
    /// The stream ended without the object.
    #[error("the device's identification ends without object {0}")]
    NoObject(u8),
    /// What follows was there before, so that the stream would never end.
    #[error("the device's identification goes round: after object {after} follows object {next}")]
    Circle {
        /// The object that the last answer began with.
        after: u8,
        /// The object that is said to follow.
        next: u8,
    },
}

/// What is at a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Bits of a table.
    Bits(Vec<bool>),
    /// Registers: of a table or a file, a counter, the exception status, all values of a queue.
    Words(Vec<u16>),
    /// The bytes of an object or server id.
    Bytes(Vec<u8>),
}

impl Data {
    /// The part of the data of `whole` that belongs to `part`, if it is all there.
    pub fn part(&self, whole: Span, part: Span) -> Option<Data> {
        let start = usize::from(part.address().checked_sub(whole.address())?);
        let range = start..start.checked_add(usize::from(part.count()))?;
        match self {
            Self::Words(words) => words.get(range).map(|words| Self::Words(words.to_vec())),
            Self::Bits(bits) => bits.get(range).map(|bits| Self::Bits(bits.to_vec())),
            Self::Bytes(_) => None,
        }
    }

    /// It as a point decodes it; `None` for more or less than one bit, which no point is.
    pub fn raw(&self) -> Option<Raw<'_>> {
        match self {
            Self::Bits(bits) => match bits[..] {
                [bit] => Some(Raw::Bit(bit)),
                _ => None,
            },
            Self::Words(words) => Some(Raw::Registers(words.as_slice().into())),
            Self::Bytes(bytes) => Some(Raw::Bytes(bytes.as_slice().into())),
        }
    }
}

impl Inquiry {
    /// Reads a location.
    pub fn new(location: impl Into<Location>) -> Self {
        Self { location: location.into(), way: Way::First }
    }

    /// Asks for a location once, to see what kind of answer comes.
    pub fn probe(location: impl Into<Location>) -> Self {
        Self { location: location.into(), way: Way::Once }
    }

    /// What to ask next.
    pub fn request(&self) -> Request<'static> {
        if let Way::Stream(stream) = &self.way {
            return stream.request();
        }
        match self.location {
            Location::Table(span) => planner::request(span),
            Location::DeviceId(object) => identification::request(object),
            Location::ServerId => Request::ReportServerId,
            Location::Diagnostic(counter) => counter.request(),
            Location::ExceptionStatus => ExceptionStatus::request(),
            Location::File(section) => section.request(),
            Location::Fifo(address) => Pointer(address).request(),
        }
    }

    /// Takes the answer to the last request, which the codec has found to be one. `None`: ask
    /// [`Inquiry::request`] again.
    pub fn answered(&mut self, answer: Answer) -> Option<Finding> {
        match (&mut self.way, answer, self.location) {
            (Way::First, Err(code), Location::DeviceId(object)) if Stream::may_serve(code) => {
                self.way = Way::Stream(Stream::new(object));
                None
            }
            (_, Err(code), _) => Some(Finding::Exception(code)),
            (Way::Stream(stream), Ok(response), _) => stream.answered(response),
            (_, Ok(response), location) => Some(match data(location, response) {
                Some(data) => Finding::Data(data),
                None => Finding::Nothing(Unusable::Function),
            }),
        }
    }
}

/// What one answer holds of a location; `None` if it answers something else.
fn data(location: Location, response: Response) -> Option<Data> {
    Some(match (location, response) {
        (Location::Table(_), Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits)) => {
            Data::Bits(bits)
        }
        (
            Location::Table(_),
            Response::ReadInputRegisters(words) | Response::ReadHoldingRegisters(words),
        ) => Data::Words(words),
        (Location::DeviceId(object), Response::ReadDeviceIdentification(answer)) => {
            Data::Bytes(identification::value(object, &answer)?)
        }
        (Location::ServerId, response) => Data::Bytes(server_id::bytes(response)?),
        (Location::Diagnostic(_), response) => {
            Data::Words(Diagnostic::try_from(&response).ok()?.data)
        }
        (Location::ExceptionStatus, response) => {
            Data::Words(vec![ExceptionStatus::try_from(&response).ok()?.0.into()])
        }
        (Location::File(_), response) => {
            Data::Words(Contents::try_from(&response).ok()?.0.into_iter().next()?)
        }
        (Location::Fifo(_), response) => Data::Words(Queue::try_from(&response).ok()?.0),
        _ => return None,
    })
}
