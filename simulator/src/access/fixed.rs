//! Requests that are answered whatever the memory holds: magic windows, functions of a vendor.

use bytes::Bytes;
use passline_modbus::pdu::{Answer, ExceptionCode, MAX_READ_BITS, MAX_READ_REGISTERS, Response};

/// A request, and what is always the answer to it. Nothing else is done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// The function code.
    pub function: u8,
    /// The first address, or what stands there in functions without one; any if absent.
    pub start: Option<u16>,
    /// How many cells, or what stands there in functions without a count; any if absent.
    pub count: Option<u16>,
    /// The answer.
    pub says: Says,
}

/// An answer that does not depend on the memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// As many of these registers as were asked for.
    Words(Box<[u16]>),
    /// As many of these bits as were asked for.
    Bits(Box<[bool]>),
    /// Exactly this behind the function code.
    Data(Bytes),
    /// An exception.
    Exception(ExceptionCode),
}

impl Override {
    /// What is answered to this request, if it is the one.
    pub(super) fn answer(&self, pdu: &[u8]) -> Option<Answer> {
        let word = |at: usize| Some(u16::from_be_bytes(*pdu.get(at..)?.first_chunk()?));
        let is_meant = pdu.first() == Some(&self.function)
            && self.start.is_none_or(|start| word(1) == Some(start))
            && self.count.is_none_or(|count| word(3) == Some(count));
        is_meant.then(|| self.says(word(3).unwrap_or_default()))
    }

    fn says(&self, count: u16) -> Answer {
        match &self.says {
            Says::Exception(code) => Err(*code),
            Says::Data(data) => Ok(Response::Custom(self.function, data.clone())),
            Says::Bits(bits) => first(bits, count, MAX_READ_BITS).map(|bits| match self.function {
                1 => Response::ReadCoils(bits),
                _ => Response::ReadDiscreteInputs(bits),
            }),
            Says::Words(words) => {
                first(words, count, MAX_READ_REGISTERS).map(|words| match self.function {
                    3 => Response::ReadHoldingRegisters(words),
                    4 => Response::ReadInputRegisters(words),
                    _ => Response::ReadWriteMultipleRegisters(words),
                })
            }
        }
    }
}

/// The first so many; checked as everything is: the quantity, then what is there.
fn first<T: Copy>(cells: &[T], count: u16, most: u16) -> Result<Vec<T>, ExceptionCode> {
    if !(1..=most).contains(&count) {
        return Err(ExceptionCode::IllegalDataValue);
    }
    let asked = cells.get(..usize::from(count)).ok_or(ExceptionCode::IllegalDataAddress)?;
    Ok(asked.to_vec())
}
