//! Coils and discrete inputs: functions 01, 02, 05, 0F (V1.1b3, clauses 6.1, 6.2, 6.5, 6.11).

use tokio_modbus::{Request, Response};

use super::fields::{Fields, within};
use super::{Defect, Function, echo, mismatch, require_quantity};

const MAX_READ: usize = super::MAX_READ_BITS as usize;
const MAX_WRITE: usize = super::MAX_WRITE_BITS as usize;

pub(super) static READ_COILS: Function = Function {
    request: |f| read(f).map(|(address, quantity)| Request::ReadCoils(address, quantity)),
    answer: |f| unpack_answer(f).map(Response::ReadCoils),
    pair: |request, response| match (request, response) {
        (Request::ReadCoils(_, quantity), Response::ReadCoils(bits)) => cut(bits, *quantity),
        (request, response) => mismatch(request, response),
    },
};

pub(super) static READ_DISCRETE_INPUTS: Function = Function {
    request: |f| read(f).map(|(address, quantity)| Request::ReadDiscreteInputs(address, quantity)),
    answer: |f| unpack_answer(f).map(Response::ReadDiscreteInputs),
    pair: |request, response| match (request, response) {
        (Request::ReadDiscreteInputs(_, quantity), Response::ReadDiscreteInputs(bits)) => {
            cut(bits, *quantity)
        }
        (request, response) => mismatch(request, response),
    },
};

pub(super) static WRITE_SINGLE_COIL: Function = Function {
    request: |f| single(f).map(|(address, on)| Request::WriteSingleCoil(address, on)),
    answer: |f| single(f).map(|(address, on)| Response::WriteSingleCoil(address, on)),
    pair: |request, response| match (request, response) {
        (Request::WriteSingleCoil(address, on), Response::WriteSingleCoil(got, got_on)) => {
            echo("address", *address, *got)?;
            echo("value", u16::from(*on) * 0xFF00, u16::from(*got_on) * 0xFF00)
        }
        (request, response) => mismatch(request, response),
    },
};

pub(super) static WRITE_MULTIPLE_COILS: Function = Function {
    request: |f| {
        let (address, quantity, declared) = (f.u16()?, usize::from(f.u16()?), f.u8()?);
        within(quantity, 1..=MAX_WRITE)?;
        let mut coils = unpack(f.written(declared, quantity.div_ceil(8))?);
        coils.truncate(quantity);
        Ok(Request::WriteMultipleCoils(address, coils.into()))
    },
    answer: |f| {
        let (address, quantity) = (f.u16()?, f.u16()?);
        f.end()?;
        within(usize::from(quantity), 1..=MAX_WRITE)?;
        Ok(Response::WriteMultipleCoils(address, quantity))
    },
    pair: |request, response| match (request, response) {
        (Request::WriteMultipleCoils(address, coils), Response::WriteMultipleCoils(got, count)) => {
            echo("address", *address, *got)?;
            require_quantity(coils.len(), usize::from(*count))
        }
        (request, response) => mismatch(request, response),
    },
};

fn read(f: &mut Fields<'_>) -> Result<(u16, u16), Defect> {
    let (address, quantity) = (f.u16()?, f.u16()?);
    f.end()?;
    within(usize::from(quantity), 1..=MAX_READ)?;
    Ok((address, quantity))
}

fn single(f: &mut Fields<'_>) -> Result<(u16, bool), Defect> {
    let (address, value) = (f.u16()?, f.u16()?);
    f.end()?;
    match value {
        0x0000 => Ok((address, false)),
        0xFF00 => Ok((address, true)),
        got => Err(Defect::CoilValue { got }),
    }
}

fn unpack_answer(f: &mut Fields<'_>) -> Result<Vec<bool>, Defect> {
    let declared = usize::from(f.u8()?);
    let bytes = f.counted(declared)?;
    within(bytes.len() * 8, 8..=MAX_READ)?;
    Ok(unpack(bytes))
}

/// Eight to the byte, the first in the lowest bit, the padding included.
fn unpack(bytes: &[u8]) -> Vec<bool> {
    let mut bits = Vec::with_capacity(bytes.len() * 8);
    for byte in bytes {
        bits.extend(std::array::from_fn::<_, 8, _>(|bit| byte >> bit & 1 == 1));
    }
    bits
}

/// Cuts an answer's whole bytes to the quantity asked for.
fn cut(bits: &mut Vec<bool>, quantity: u16) -> Result<(), Defect> {
    let quantity = usize::from(quantity);
    require_quantity(quantity.div_ceil(8), bits.len() / 8)?;
    bits.truncate(quantity);
    Ok(())
}
