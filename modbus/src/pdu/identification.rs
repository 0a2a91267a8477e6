//! What a device says it is: functions 11 and 2B (V1.1b3, clauses 6.13, 6.19 to 6.21).
//!
//! Not all that the standard allows fits `tokio_modbus`'s variants. What does not fit without
//! loss travels as `Custom`: a server id that is not one byte and a run indicator of 00 or FF, and
//! an identification whose read code is none of the four (accepted only where the request is
//! unknown, since it must repeat the request's). `CANopen` (MEI 0D) is `Custom` always.

use tokio_modbus::prelude::{
    ConformityLevel, DeviceIdObject, ReadCode, ReadDeviceIdentificationResponse,
};
use tokio_modbus::{Request, Response};

use super::fields::Fields;
use super::{Defect, Function, echo, mismatch, require_quantity};

/// MEI type of `CANopen` general reference (clause 6.20).
const CANOPEN: u8 = 0x0D;
/// MEI type of Read Device Identification (clause 6.21).
pub(super) const DEVICE_IDENTIFICATION: u8 = 0x0E;

pub(super) static REPORT_SERVER_ID: Function = Function {
    request: |f| {
        f.end()?;
        Ok(Request::ReportServerId)
    },
    answer: |f| {
        let declared = usize::from(f.u8()?);
        match f.counted(declared)? {
            [] => Err(f.short()),
            [id, 0x00, more @ ..] => Ok(Response::ReportServerId(*id, false, more.to_vec())),
            [id, 0xFF, more @ ..] => Ok(Response::ReportServerId(*id, true, more.to_vec())),
            _ => Ok(f.raw_answer()),
        }
    },
    pair: |_, _| Ok(()),
};

pub(super) static ENCAPSULATED_INTERFACE: Function = Function {
    request: |f| match f.u8()? {
        CANOPEN => Ok(f.raw_request()),
        DEVICE_IDENTIFICATION => {
            let (code, object) = (f.u8()?, f.u8()?);
            f.end()?;
            let code = ReadCode::try_from_value(code).ok_or(Defect::ReadCode { got: code })?;
            Ok(Request::ReadDeviceIdentification(code, object))
        }
        got => Err(Defect::MeiType { got }),
    },
    answer: |f| match f.u8()? {
        CANOPEN => Ok(f.raw_answer()),
        DEVICE_IDENTIFICATION => identification(f),
        got => Err(Defect::MeiType { got }),
    },
    pair: pair_interface,
};

fn identification(f: &mut Fields<'_>) -> Result<Response, Defect> {
    let (code, level, more, next, count) = (f.u8()?, f.u8()?, f.u8()?, f.u8()?, f.u8()?);
    let conformity_level =
        ConformityLevel::try_from_value(level).ok_or(Defect::ConformityLevel { got: level })?;
    let more_follows = match (more, next) {
        (0x00, 0x00) => false,
        (0xFF, _) => true,
        _ => return Err(Defect::MoreFollows { more, next }),
    };
    let device_id_objects = (0..count).map(|_| object(f)).collect::<Result<_, _>>()?;
    if !f.is_empty() {
        return Err(Defect::ObjectLength);
    }
    let Some(read_code) = ReadCode::try_from_value(code) else {
        return Ok(f.raw_answer());
    };
    Ok(Response::ReadDeviceIdentification(ReadDeviceIdentificationResponse {
        read_code,
        conformity_level,
        more_follows,
        next_object_id: next,
        device_id_objects,
    }))
}

fn object(f: &mut Fields<'_>) -> Result<DeviceIdObject, Defect> {
    let head = f.take(2).ok_or(Defect::ObjectLength)?;
    let &[id, length] = head else { return Err(Defect::ObjectLength) };
    let value = f.take(usize::from(length)).ok_or(Defect::ObjectLength)?;
    Ok(DeviceIdObject { id, value: value.to_vec().into() })
}

fn pair_interface(request: &Request<'_>, response: &mut Response) -> Result<(), Defect> {
    match (request, response) {
        (
            Request::ReadDeviceIdentification(code, object),
            Response::ReadDeviceIdentification(answer),
        ) => {
            echo("read code", code.value().into(), answer.read_code.value().into())?;
            if *code != ReadCode::Specific {
                return Ok(());
            }
            require_quantity(1, answer.device_id_objects.len())?;
            let mut ids = answer.device_id_objects.iter().map(|object| object.id);
            ids.try_for_each(|id| echo("object id", u16::from(*object), id.into()))
        }
        (Request::ReadDeviceIdentification(code, _), Response::Custom(_, data)) => {
            let sent = [DEVICE_IDENTIFICATION, code.value()];
            echo_head(&sent, data)
        }
        (Request::Custom(..), Response::ReadDeviceIdentification(_)) => {
            echo("MEI type", CANOPEN.into(), DEVICE_IDENTIFICATION.into())
        }
        (Request::Custom(_, sent), Response::Custom(_, got)) => {
            echo_head(sent.get(..1).unwrap_or_default(), got)
        }
        (request, response) => mismatch(request, response),
    }
}

/// The answer's data must begin as `sent`: MEI type, read code.
fn echo_head(sent: &[u8], got: &[u8]) -> Result<(), Defect> {
    let fields = ["MEI type", "read code"];
    let mut pairs = fields.into_iter().zip(sent.iter().zip(got));
    pairs.try_for_each(|(field, (sent, got))| echo(field, (*sent).into(), (*got).into()))
}
