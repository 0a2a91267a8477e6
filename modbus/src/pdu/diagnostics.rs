//! The state of a device's communication: functions 07, 08, 0B, 0C (V1.1b3, clauses 6.7 to 6.10).
//!
//! `tokio_modbus` has no variants for them. Each type here builds the `Custom` request or response
//! that carries it and, by `TryFrom`, takes it apart again.

use bytes::Bytes;
use tokio_modbus::{Request, Response};

use super::counter::Counter;
use super::fields::{Fields, within, words};
use super::{Defect, Function, echo, encode, require_quantity};

pub(super) static READ_EXCEPTION_STATUS: Function = Function {
    request: bare,
    answer: |f| ExceptionStatus::parse(f).map(|_| f.raw_answer()),
    pair: |_, _| Ok(()),
};

pub(super) static DIAGNOSTICS: Function = Function {
    request: |f| Diagnostic::parse(f).map(|_| f.raw_request()),
    answer: |f| Diagnostic::parse(f).map(|_| f.raw_answer()),
    pair: |request, response| {
        Diagnostic::try_from(request)?.answered_by(&Diagnostic::try_from(&*response)?)
    },
};

pub(super) static GET_COMM_EVENT_COUNTER: Function = Function {
    request: bare,
    answer: |f| EventCounter::parse(f).map(|_| f.raw_answer()),
    pair: |_, _| Ok(()),
};

pub(super) static GET_COMM_EVENT_LOG: Function = Function {
    request: bare,
    answer: |f| EventLog::parse(f).map(|_| f.raw_answer()),
    pair: |_, _| Ok(()),
};

/// A request that is its function code alone.
fn bare(f: &mut Fields<'_>) -> Result<Request<'static>, Defect> {
    f.end()?;
    Ok(f.raw_request())
}

/// The eight outputs that a device shows its exception status with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExceptionStatus(pub u8);

impl ExceptionStatus {
    /// Function code of Read Exception Status.
    pub const FUNCTION: u8 = 0x07;

    /// Asks for it.
    pub fn request() -> Request<'static> {
        Request::Custom(Self::FUNCTION, (&[]).into())
    }

    /// The response that carries it.
    pub fn response(self) -> Response {
        Response::Custom(Self::FUNCTION, Bytes::copy_from_slice(&[self.0]))
    }

    fn parse(f: &mut Fields<'_>) -> Result<Self, Defect> {
        let status = f.u8()?;
        f.end()?;
        Ok(Self(status))
    }
}

impl TryFrom<&Response> for ExceptionStatus {
    type Error = Defect;

    fn try_from(response: &Response) -> Result<Self, Defect> {
        Self::parse(&mut Fields::of_response(response, Self::FUNCTION)?)
    }
}

/// A diagnostic, request and answer alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is asked: 0 returns the data, 0B to 12 (hexadecimal) read counters, and so on.
    pub sub_function: u16,
    /// Its data: a single zero for most sub-functions, as many words as fit for 0.
    pub data: Vec<u16>,
}

impl Diagnostic {
    /// Function code of Diagnostics.
    pub const FUNCTION: u8 = 0x08;

    /// Sub-function that gives back its data.
    pub const RETURN_QUERY_DATA: u16 = 0x00;
    /// Sub-function that restarts the port; data FF00 clears the event log too.
    pub const RESTART_COMMUNICATIONS: u16 = 0x01;
    /// Sub-function that sets the delimiter of ASCII frames.
    pub const CHANGE_ASCII_DELIMITER: u16 = 0x03;
    /// Sub-function that silences the device. There is no answer to it.
    pub const FORCE_LISTEN_ONLY: u16 = 0x04;
    /// Sub-function that clears the counters and the diagnostic register.
    pub const CLEAR_COUNTERS: u16 = 0x0A;
    /// Sub-function that clears the overrun counter.
    pub const CLEAR_OVERRUN: u16 = 0x14;

    /// Sends it.
    pub fn request(&self) -> Request<'static> {
        Request::Custom(Self::FUNCTION, self.bytes().into())
    }

    /// Answers with it.
    pub fn response(&self) -> Response {
        Response::Custom(Self::FUNCTION, self.bytes().into())
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.sub_function.to_be_bytes().to_vec();
        encode::words(&mut bytes, &self.data);
        bytes
    }

    fn parse(f: &mut Fields<'_>) -> Result<Self, Defect> {
        Ok(Self { sub_function: f.u16()?, data: words(f.rest()).map_err(|_| f.short())? })
    }

    /// The sub-function must be repeated, and the data where the standard has it echoed.
    fn answered_by(&self, answer: &Self) -> Result<(), Defect> {
        echo("sub-function", self.sub_function, answer.sub_function)?;
        match self.sub_function {
            Self::RETURN_QUERY_DATA
            | Self::RESTART_COMMUNICATIONS
            | Self::CHANGE_ASCII_DELIMITER
            | Self::CLEAR_COUNTERS
            | Self::CLEAR_OVERRUN => {
                require_quantity(self.data.len(), answer.data.len())?;
                let mut pairs = self.data.iter().zip(&answer.data);
                pairs.try_for_each(|(sent, got)| echo("data", *sent, *got))
            }
            other if Counter::of_sub_function(other).is_some() => {
                require_quantity(1, answer.data.len())
            }
            _ => Ok(()),
        }
    }
}

impl TryFrom<&Request<'_>> for Diagnostic {
    type Error = Defect;

    fn try_from(request: &Request<'_>) -> Result<Self, Defect> {
        Self::parse(&mut Fields::of_request(request, Self::FUNCTION)?)
    }
}

impl TryFrom<&Response> for Diagnostic {
    type Error = Defect;

    fn try_from(response: &Response) -> Result<Self, Defect> {
        Self::parse(&mut Fields::of_response(response, Self::FUNCTION)?)
    }
}

/// How many requests a device has carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventCounter {
    /// FFFF while an earlier program command is still being carried out, else 0.
    pub status: u16,
    /// Requests carried out without an exception, polls of this counter aside.
    pub events: u16,
}

impl EventCounter {
    /// Function code of Get Comm Event Counter.
    pub const FUNCTION: u8 = 0x0B;

    /// Asks for it.
    pub fn request() -> Request<'static> {
        Request::Custom(Self::FUNCTION, (&[]).into())
    }

    /// The response that carries it.
    pub fn response(self) -> Response {
        let mut data = Vec::new();
        encode::words(&mut data, &[self.status, self.events]);
        Response::Custom(Self::FUNCTION, data.into())
    }

    fn parse(f: &mut Fields<'_>) -> Result<Self, Defect> {
        let counter = Self { status: f.u16()?, events: f.u16()? };
        f.end()?;
        Ok(counter)
    }
}

impl TryFrom<&Response> for EventCounter {
    type Error = Defect;

    fn try_from(response: &Response) -> Result<Self, Defect> {
        Self::parse(&mut Fields::of_response(response, Self::FUNCTION)?)
    }
}

/// What happened on a device's line of late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLog {
    /// As in [`EventCounter`].
    pub status: u16,
    /// As in [`EventCounter`].
    pub events: u16,
    /// Messages processed since the last restart or clearing of the counters.
    pub messages: u16,
    /// One byte for each event, the latest first; at most [`EventLog::MAX_EVENTS`].
    pub log: Vec<u8>,
}

impl EventLog {
    /// Function code of Get Comm Event Log.
    pub const FUNCTION: u8 = 0x0C;

    /// Most events that a log can hold.
    pub const MAX_EVENTS: usize = 64;

    /// Bytes of status, events and messages, which the byte count counts too.
    const HEAD: usize = 6;

    /// Asks for it.
    pub fn request() -> Request<'static> {
        Request::Custom(Self::FUNCTION, (&[]).into())
    }

    /// The response that carries it.
    ///
    /// # Errors
    ///
    /// [`Defect::Quantity`] with more than [`EventLog::MAX_EVENTS`] events.
    pub fn response(&self) -> Result<Response, Defect> {
        within(self.log.len(), 0..=Self::MAX_EVENTS)?;
        let mut data = vec![encode::count(Self::HEAD + self.log.len())?];
        encode::words(&mut data, &[self.status, self.events, self.messages]);
        data.extend_from_slice(&self.log);
        Ok(Response::Custom(Self::FUNCTION, data.into()))
    }

    fn parse(f: &mut Fields<'_>) -> Result<Self, Defect> {
        let declared = usize::from(f.u8()?);
        let (status, events, messages) = (f.u16()?, f.u16()?, f.u16()?);
        let log = f.rest().to_vec();
        if declared != Self::HEAD + log.len() {
            return Err(Defect::ByteCount { declared, expected: Self::HEAD + log.len() });
        }
        within(log.len(), 0..=Self::MAX_EVENTS)?;
        Ok(Self { status, events, messages, log })
    }
}

impl TryFrom<&Response> for EventLog {
    type Error = Defect;

    fn try_from(response: &Response) -> Result<Self, Defect> {
        Self::parse(&mut Fields::of_response(response, Self::FUNCTION)?)
    }
}
