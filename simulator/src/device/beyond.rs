//! The functions that read what a device holds beyond its four tables, and function 21, which
//! writes to its files. Each is there if the device has something of its kind.

use passline_modbus::pdu::diagnostics::ExceptionStatus;
use passline_modbus::pdu::fifo::{Pointer, Queue};
use passline_modbus::pdu::file::{Contents, Records, Section, Sections};
use passline_modbus::pdu::{
    Answer, ConformityLevel, DeviceIdObject, ExceptionCode, MAX_PDU, ReadCode,
    ReadDeviceIdentificationResponse, Request, Response,
};

use crate::image::Image;

/// The most bytes of an identification's objects, each with its id and length: the PDU without
/// function, MEI type, code, level, more follows, next object and count.
const OBJECTS: usize = MAX_PDU - 7;

/// Function 7.
pub(super) fn exception_status(image: &Image) -> Answer {
    let status = image.beyond().and_then(|beyond| beyond.exception_status);
    status.map(|status| ExceptionStatus(status).response()).ok_or(ExceptionCode::IllegalFunction)
}

/// Function 17.
pub(super) fn server_id(image: &Image) -> Answer {
    let bytes = image.beyond().and_then(|beyond| beyond.server_id.as_deref());
    let bytes = bytes.ok_or(ExceptionCode::IllegalFunction)?;
    // Whatever the bytes are: the count in front of them is all that the standard asks for.
    let mut data = vec![u8::try_from(bytes.len()).map_err(|_| ExceptionCode::ServerDeviceFailure)?];
    data.extend_from_slice(bytes);
    Ok(Response::Custom(Request::ReportServerId.function_code().value(), data.into()))
}

/// Function 20: every section, or none.
pub(super) fn read_records(image: &Image, request: &Request<'_>) -> Answer {
    let Sections(sections) = Sections::try_from(request).map_err(|defect| defect.exception())?;
    let read = |section: &Section| {
        exists(*section)?;
        image.records(*section).map(<[u16]>::to_vec).ok_or(ExceptionCode::IllegalDataAddress)
    };
    let contents: Vec<Vec<u16>> = sections.iter().map(read).collect::<Result<_, _>>()?;
    Contents(contents).response().map_err(|_| ExceptionCode::IllegalDataValue)
}

/// Function 21: every record, or none.
pub(super) fn write_records(image: &mut Image, request: &Request<'_>) -> Answer {
    let records = Records::try_from(request).map_err(|defect| defect.exception())?;
    let mut sections = Vec::with_capacity(records.0.len());
    for record in &records.0 {
        let length = u16::try_from(record.values.len());
        let length = length.map_err(|_| ExceptionCode::IllegalDataValue)?;
        let section = Section { file: record.file, first: record.first, length };
        exists(section)?;
        image.records(section).ok_or(ExceptionCode::IllegalDataAddress)?;
        sections.push(section);
    }
    for (record, section) in records.0.iter().zip(sections) {
        if let Some(words) = image.records_mut(section) {
            words.copy_from_slice(&record.values);
        }
    }
    records.response().map_err(|_| ExceptionCode::ServerDeviceFailure)
}

/// A section of no records, or of records that no file has, is refused as an address (V1.1b3,
/// clauses 6.14 and 6.15).
fn exists(section: Section) -> Result<(), ExceptionCode> {
    let end = u32::from(section.first) + u32::from(section.length);
    let exists = section.length > 0 && end <= u32::from(Section::LAST_RECORD) + 1;
    if exists { Ok(()) } else { Err(ExceptionCode::IllegalDataAddress) }
}

/// Function 24.
pub(super) fn queue(image: &Image, request: &Request<'_>) -> Answer {
    let Pointer(address) = Pointer::try_from(request).map_err(|defect| defect.exception())?;
    let values = image.queue(address).ok_or(ExceptionCode::IllegalDataAddress)?;
    Queue(values.to_vec()).response().map_err(|_| ExceptionCode::IllegalDataValue)
}

/// Function 43/14: one object, or those of a category from one of them on, as many as fit.
pub(super) fn identification(image: &Image, code: ReadCode, from: u8) -> Answer {
    let objects = image.beyond().map(|beyond| &beyond.objects);
    let objects = objects.filter(|objects| !objects.is_empty());
    let objects = objects.ok_or(ExceptionCode::IllegalFunction)?;
    let greatest = objects.last_key_value().map_or(0, |(id, _)| *id);
    let mut answer = ReadDeviceIdentificationResponse {
        read_code: code,
        conformity_level: level(greatest),
        more_follows: false,
        next_object_id: 0,
        device_id_objects: Vec::new(),
    };
    if code == ReadCode::Specific {
        let value = objects.get(&from).ok_or(ExceptionCode::IllegalDataAddress)?;
        answer.device_id_objects.push(object(from, value));
        return Ok(Response::ReadDeviceIdentification(answer));
    }
    let last = match code {
        ReadCode::Basic => 0x02,
        ReadCode::Regular => 0x7F,
        _ => 0xFF,
    };
    // An object that there is not stands for the first.
    let from = if objects.contains_key(&from) { from } else { 0 };
    let mut room = OBJECTS;
    for (id, value) in objects.range(from..).take_while(|(id, _)| **id <= last) {
        let Some(left) = room.checked_sub(2 + value.len()) else {
            answer.more_follows = true;
            answer.next_object_id = *id;
            break;
        };
        room = left;
        answer.device_id_objects.push(object(*id, value));
    }
    Ok(Response::ReadDeviceIdentification(answer))
}

fn object(id: u8, value: &[u8]) -> DeviceIdObject {
    DeviceIdObject { id, value: value.to_vec().into() }
}

/// By the greatest object id; every object can be asked for by itself.
fn level(greatest: u8) -> ConformityLevel {
    match greatest {
        0x00..=0x02 => ConformityLevel::BasicIdentification,
        0x03..=0x7F => ConformityLevel::RegularIdentification,
        0x80..=0xFF => ConformityLevel::ExtendedIdentification,
    }
}
