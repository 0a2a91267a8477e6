//! Reading a PDU field by field, from the first byte to the last.

use std::ops::RangeInclusive;

use bytes::Bytes;
use tokio_modbus::{Request, Response};

use super::{Defect, MAX_PDU};

/// The data of a PDU, read from front to back.
pub(super) struct Fields<'a> {
    function: u8,
    data: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// A whole PDU.
    pub(super) fn new(pdu: &'a [u8]) -> Result<Self, Defect> {
        if pdu.len() > MAX_PDU {
            return Err(Defect::TooLong { got: pdu.len() });
        }
        let (function, data) = pdu.split_first().ok_or(Defect::Short { got: 0 })?;
        Ok(Self::of_data(*function, data))
    }

    /// The function code and the data of a `Custom` request or response.
    pub(super) fn of_data(function: u8, data: &'a [u8]) -> Self {
        Self { function, data, rest: data }
    }

    /// The data of a `Custom` request of this function.
    pub(super) fn of_request(request: &'a Request<'_>, function: u8) -> Result<Self, Defect> {
        match request {
            Request::Custom(code, data) if *code == function => Ok(Self::of_data(*code, data)),
            _ => {
                let got = request.function_code().value();
                Err(Defect::Function { expected: function, got })
            }
        }
    }

    /// The data of a `Custom` response of this function.
    pub(super) fn of_response(response: &'a Response, function: u8) -> Result<Self, Defect> {
        match response {
            Response::Custom(code, data) if *code == function => Ok(Self::of_data(*code, data)),
            _ => {
                let got = response.function_code().value();
                Err(Defect::Function { expected: function, got })
            }
        }
    }

    pub(super) fn function(&self) -> u8 {
        self.function
    }

    /// The whole data, read or not, as a `Custom` request.
    pub(super) fn raw_request(&self) -> Request<'static> {
        Request::Custom(self.function, self.data.to_vec().into())
    }

    /// The whole data, read or not, as a `Custom` response.
    pub(super) fn raw_answer(&self) -> Response {
        Response::Custom(self.function, Bytes::copy_from_slice(self.data))
    }

    pub(super) fn short(&self) -> Defect {
        Defect::Short { got: 1 + self.data.len() }
    }

    pub(super) fn u8(&mut self) -> Result<u8, Defect> {
        let (byte, rest) = self.rest.split_first().ok_or_else(|| self.short())?;
        self.rest = rest;
        Ok(*byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Defect> {
        let (word, rest) = self.rest.split_first_chunk().ok_or_else(|| self.short())?;
        self.rest = rest;
        Ok(u16::from_be_bytes(*word))
    }

    /// The next `length` bytes, if there are as many.
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), Defect> {
        if self.is_empty() { Ok(()) } else { Err(Defect::Trailing { extra: self.rest.len() }) }
    }

    /// All that is left, which must be as long as `declared`.
    pub(super) fn counted(&mut self, declared: usize) -> Result<&'a [u8], Defect> {
        let bytes = self.rest();
        if bytes.len() == declared {
            Ok(bytes)
        } else {
            Err(Defect::ByteCount { declared, expected: bytes.len() })
        }
    }

    /// The data of a write: all that is left. `declared` is its byte count, `expected` what its
    /// quantity asks for, in bytes.
    pub(super) fn written(&mut self, declared: u8, expected: usize) -> Result<&'a [u8], Defect> {
        let declared = usize::from(declared);
        if declared != expected {
            return Err(Defect::ByteCount { declared, expected });
        }
        let bytes = self.rest();
        if bytes.len() == declared {
            Ok(bytes)
        } else {
            Err(Defect::Length { declared, got: bytes.len() })
        }
    }
}

/// A quantity must be one that its function allows.
pub(super) fn within(got: usize, allowed: RangeInclusive<usize>) -> Result<(), Defect> {
    if allowed.contains(&got) {
        Ok(())
    } else {
        Err(Defect::Quantity { got, min: *allowed.start(), max: *allowed.end() })
    }
}

/// Registers, most significant byte first (clause 4.2).
pub(super) fn words(bytes: &[u8]) -> Result<Vec<u16>, Defect> {
    match bytes.as_chunks::<2>() {
        (words, []) => Ok(words.iter().copied().map(u16::from_be_bytes).collect()),
        _ => Err(Defect::ByteCount { declared: bytes.len(), expected: bytes.len() + 1 }),
    }
}
