//! A queue of registers, read without taking from it: function 18 (V1.1b3, clause 6.18).

use bytes::Bytes;
use tokio_modbus::{Request, Response};

use super::fields::{Fields, within, words};
use super::{Defect, Function, encode};

/// Function code of Read FIFO Queue.
pub const READ: u8 = 0x18;

/// Most values that one answer can hold.
pub const MAX_VALUES: usize = 31;

pub(super) static READ_FIFO_QUEUE: Function = Function {
    request: |f| Pointer::parse(f).map(|_| f.raw_request()),
    answer: |f| Queue::parse(f).map(|_| f.raw_answer()),
    pair: |_, _| Ok(()),
};

/// Asks for the queue at this address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointer(pub u16);

impl Pointer {
    /// The request that asks for it.
    pub fn request(self) -> Request<'static> {
        Request::Custom(READ, self.0.to_be_bytes().to_vec().into())
    }

    fn parse(f: &mut Fields<'_>) -> Result<Self, Defect> {
        let address = f.u16()?;
        f.end()?;
        Ok(Self(address))
    }
}

impl TryFrom<&Request<'_>> for Pointer {
    type Error = Defect;

    fn try_from(request: &Request<'_>) -> Result<Self, Defect> {
        Self::parse(&mut Fields::of_request(request, READ)?)
    }
}

/// What is in the queue, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue(pub Vec<u16>);

impl Queue {
    /// The response that carries it.
    ///
    /// # Errors
    ///
    /// [`Defect::Quantity`] with more than [`MAX_VALUES`] values.
    pub fn response(&self) -> Result<Response, Defect> {
        within(self.0.len(), 0..=MAX_VALUES)?;
        let mut data = Vec::new();
        encode::words(&mut data, &[encode::count(2 + self.0.len() * 2)?]);
        encode::words(&mut data, &[encode::count(self.0.len())?]);
        encode::words(&mut data, &self.0);
        Ok(Response::Custom(READ, Bytes::from(data)))
    }

    fn parse(f: &mut Fields<'_>) -> Result<Self, Defect> {
        let (declared, count) = (usize::from(f.u16()?), usize::from(f.u16()?));
        within(count, 0..=MAX_VALUES)?;
        if declared != 2 + count * 2 {
            return Err(Defect::ByteCount { declared, expected: 2 + count * 2 });
        }
        words(f.counted(count * 2)?).map(Self)
    }
}

impl TryFrom<&Response> for Queue {
    type Error = Defect;

    fn try_from(response: &Response) -> Result<Self, Defect> {
        Self::parse(&mut Fields::of_response(response, READ)?)
    }
}
