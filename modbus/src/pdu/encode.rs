//! Writing PDUs. The shapes stand here once; what is allowed in them is told where they are read.

use tokio_modbus::prelude::ReadDeviceIdentificationResponse;
use tokio_modbus::{Request, Response};

use super::identification::DEVICE_IDENTIFICATION;
use super::{Defect, MAX_PDU};

/// Runs `write`, and takes back what it wrote if that is no PDU.
pub(super) fn bounded(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), Defect>,
) -> Result<(), Defect> {
    let start = out.len();
    let written = write(out).and_then(|()| match out.len() - start {
        ..=MAX_PDU => Ok(()),
        got => Err(Defect::TooLong { got }),
    });
    if written.is_err() {
        out.truncate(start);
    }
    written
}

pub(super) fn request(request: &Request<'_>, out: &mut Vec<u8>) -> Result<(), Defect> {
    out.push(request.function_code().value());
    match request {
        Request::ReadCoils(first, second)
        | Request::ReadDiscreteInputs(first, second)
        | Request::ReadInputRegisters(first, second)
        | Request::ReadHoldingRegisters(first, second)
        | Request::WriteSingleRegister(first, second) => words(out, &[*first, *second]),
        Request::WriteSingleCoil(address, on) => words(out, &[*address, coil(*on)]),
        Request::WriteMultipleCoils(address, coils) => {
            words(out, &[*address, count(coils.len())?]);
            packed(out, coils)?;
        }
        Request::WriteMultipleRegisters(address, values) => {
            words(out, &[*address, count(values.len())?]);
            counted_words(out, values)?;
        }
        Request::MaskWriteRegister(address, and, or) => words(out, &[*address, *and, *or]),
        Request::ReadWriteMultipleRegisters(read, quantity, write, values) => {
            words(out, &[*read, *quantity, *write, count(values.len())?]);
            counted_words(out, values)?;
        }
        Request::ReportServerId => {}
        Request::ReadDeviceIdentification(code, object) => {
            out.extend([DEVICE_IDENTIFICATION, code.value(), *object]);
        }
        Request::Custom(_, data) => out.extend_from_slice(data),
    }
    Ok(())
}

pub(super) fn response(response: &Response, out: &mut Vec<u8>) -> Result<(), Defect> {
    out.push(response.function_code().value());
    match response {
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => packed(out, bits)?,
        Response::ReadInputRegisters(values)
        | Response::ReadHoldingRegisters(values)
        | Response::ReadWriteMultipleRegisters(values) => counted_words(out, values)?,
        Response::WriteSingleCoil(address, on) => words(out, &[*address, coil(*on)]),
        Response::WriteMultipleCoils(first, second)
        | Response::WriteSingleRegister(first, second)
        | Response::WriteMultipleRegisters(first, second) => words(out, &[*first, *second]),
        Response::MaskWriteRegister(address, and, or) => words(out, &[*address, *and, *or]),
        Response::ReportServerId(id, running, more) => {
            out.extend([count(more.len() + 2)?, *id, if *running { 0xFF } else { 0x00 }]);
            out.extend_from_slice(more);
        }
        Response::ReadDeviceIdentification(identification) => objects(out, identification)?,
        Response::Custom(_, data) => out.extend_from_slice(data),
    }
    Ok(())
}

fn objects(
    out: &mut Vec<u8>,
    identification: &ReadDeviceIdentificationResponse,
) -> Result<(), Defect> {
    out.extend([
        DEVICE_IDENTIFICATION,
        identification.read_code.value(),
        identification.conformity_level.value(),
        if identification.more_follows { 0xFF } else { 0x00 },
        identification.next_object_id,
        count(identification.device_id_objects.len())?,
    ]);
    for object in &identification.device_id_objects {
        out.extend([object.id, count(object.value.len())?]);
        out.extend_from_slice(&object.value);
    }
    Ok(())
}

fn coil(on: bool) -> u16 {
    if on { 0xFF00 } else { 0x0000 }
}

/// A count in its field. What does not fit there does not fit in a PDU either.
pub(super) fn count<T: TryFrom<usize>>(count: usize) -> Result<T, Defect> {
    T::try_from(count).map_err(|_| Defect::TooLong { got: count })
}

/// Registers, most significant byte first (clause 4.2).
pub(super) fn words(out: &mut Vec<u8>, words: &[u16]) {
    out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
}

fn counted_words(out: &mut Vec<u8>, values: &[u16]) -> Result<(), Defect> {
    out.push(count(values.len() * 2)?);
    words(out, values);
    Ok(())
}

/// A byte count, then eight coils to the byte, the first in the lowest bit, padded with zeros.
fn packed(out: &mut Vec<u8>, bits: &[bool]) -> Result<(), Defect> {
    out.push(count(bits.len().div_ceil(8))?);
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    out.extend(bits.chunks(8).map(byte));
    Ok(())
}
