//! Registers: functions 03, 04, 06, 10, 16, 17 (V1.1b3, clauses 6.3, 6.4, 6.6, 6.12, 6.16, 6.17).

use tokio_modbus::{Request, Response};

use super::fields::{Fields, within, words};
use super::{Defect, Function, echo, mismatch, require_quantity};

const MAX_READ: usize = super::MAX_READ_REGISTERS as usize;
const MAX_WRITE: usize = super::MAX_WRITE_REGISTERS as usize;
const MAX_READ_WRITE: usize = super::MAX_READ_WRITE_REGISTERS as usize;

pub(super) static READ_HOLDING_REGISTERS: Function = Function {
    request: |f| read(f).map(|(address, count)| Request::ReadHoldingRegisters(address, count)),
    answer: |f| values(f).map(Response::ReadHoldingRegisters),
    pair: |request, response| match (request, response) {
        (Request::ReadHoldingRegisters(_, count), Response::ReadHoldingRegisters(values)) => {
            require_quantity(usize::from(*count), values.len())
        }
        (request, response) => mismatch(request, response),
    },
};

pub(super) static READ_INPUT_REGISTERS: Function = Function {
    request: |f| read(f).map(|(address, count)| Request::ReadInputRegisters(address, count)),
    answer: |f| values(f).map(Response::ReadInputRegisters),
    pair: |request, response| match (request, response) {
        (Request::ReadInputRegisters(_, count), Response::ReadInputRegisters(values)) => {
            require_quantity(usize::from(*count), values.len())
        }
        (request, response) => mismatch(request, response),
    },
};

pub(super) static WRITE_SINGLE_REGISTER: Function = Function {
    request: |f| {
        let (address, value) = (f.u16()?, f.u16()?);
        f.end()?;
        Ok(Request::WriteSingleRegister(address, value))
    },
    answer: |f| {
        let (address, value) = (f.u16()?, f.u16()?);
        f.end()?;
        Ok(Response::WriteSingleRegister(address, value))
    },
    pair: |request, response| match (request, response) {
        (Request::WriteSingleRegister(address, value), Response::WriteSingleRegister(at, got)) => {
            echo("address", *address, *at)?;
            echo("value", *value, *got)
        }
        (request, response) => mismatch(request, response),
    },
};

pub(super) static WRITE_MULTIPLE_REGISTERS: Function = Function {
    request: |f| {
        let (address, quantity, declared) = (f.u16()?, usize::from(f.u16()?), f.u8()?);
        within(quantity, 1..=MAX_WRITE)?;
        let values = words(f.written(declared, quantity * 2)?)?;
        Ok(Request::WriteMultipleRegisters(address, values.into()))
    },
    answer: |f| {
        let (address, quantity) = (f.u16()?, f.u16()?);
        f.end()?;
        within(usize::from(quantity), 1..=MAX_WRITE)?;
        Ok(Response::WriteMultipleRegisters(address, quantity))
    },
    pair: |request, response| match (request, response) {
        (
            Request::WriteMultipleRegisters(address, values),
            Response::WriteMultipleRegisters(at, count),
        ) => {
            echo("address", *address, *at)?;
            require_quantity(values.len(), usize::from(*count))
        }
        (request, response) => mismatch(request, response),
    },
};

pub(super) static MASK_WRITE_REGISTER: Function = Function {
    request: |f| masks(f).map(|(at, and, or)| Request::MaskWriteRegister(at, and, or)),
    answer: |f| masks(f).map(|(at, and, or)| Response::MaskWriteRegister(at, and, or)),
    pair: |request, response| match (request, response) {
        (
            Request::MaskWriteRegister(address, and, or),
            Response::MaskWriteRegister(at, got_and, got_or),
        ) => {
            echo("address", *address, *at)?;
            echo("and mask", *and, *got_and)?;
            echo("or mask", *or, *got_or)
        }
        (request, response) => mismatch(request, response),
    },
};

pub(super) static READ_WRITE_MULTIPLE_REGISTERS: Function = Function {
    request: |f| {
        let (read_at, read) = (f.u16()?, f.u16()?);
        let (write_at, write, declared) = (f.u16()?, usize::from(f.u16()?), f.u8()?);
        within(usize::from(read), 1..=MAX_READ)?;
        within(write, 1..=MAX_READ_WRITE)?;
        let values = words(f.written(declared, write * 2)?)?;
        Ok(Request::ReadWriteMultipleRegisters(read_at, read, write_at, values.into()))
    },
    answer: |f| values(f).map(Response::ReadWriteMultipleRegisters),
    pair: |request, response| match (request, response) {
        (
            Request::ReadWriteMultipleRegisters(_, count, _, _),
            Response::ReadWriteMultipleRegisters(values),
        ) => require_quantity(usize::from(*count), values.len()),
        (request, response) => mismatch(request, response),
    },
};

fn read(f: &mut Fields<'_>) -> Result<(u16, u16), Defect> {
    let (address, quantity) = (f.u16()?, f.u16()?);
    f.end()?;
    within(usize::from(quantity), 1..=MAX_READ)?;
    Ok((address, quantity))
}

fn masks(f: &mut Fields<'_>) -> Result<(u16, u16, u16), Defect> {
    let masks = (f.u16()?, f.u16()?, f.u16()?);
    f.end()?;
    Ok(masks)
}

fn values(f: &mut Fields<'_>) -> Result<Vec<u16>, Defect> {
    let declared = usize::from(f.u8()?);
    let values = words(f.counted(declared)?)?;
    within(values.len(), 1..=MAX_READ)?;
    Ok(values)
}
