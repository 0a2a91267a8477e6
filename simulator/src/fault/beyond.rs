//! Which requests ask for something beyond the four tables.

use passline_modbus::pdu::diagnostics::{Diagnostic, ExceptionStatus};
use passline_modbus::pdu::fifo::Pointer;
use passline_modbus::pdu::file::{Records, Section, Sections};
use passline_modbus::pdu::{ReadCode, Request};
use passline_modbus::point::Location;

/// Whether a request asks for this, or for something that holds it.
pub(super) fn asks_for(request: &Request<'_>, place: Location) -> bool {
    match (place, request) {
        (Location::DeviceId(id), Request::ReadDeviceIdentification(code, from)) => match code {
            ReadCode::Specific => id == *from,
            ReadCode::Basic => (*from..=0x02).contains(&id),
            ReadCode::Regular => (*from..=0x7F).contains(&id),
            ReadCode::Extended => *from <= id,
        },
        (Location::ServerId, Request::ReportServerId)
        | (Location::ExceptionStatus, Request::Custom(ExceptionStatus::FUNCTION, _)) => true,
        (Location::Diagnostic(counter), request) => Diagnostic::try_from(request)
            .is_ok_and(|asked| asked.sub_function == counter.sub_function()),
        (Location::File(section), request) => {
            let touches = |file, first, length| section.overlaps(Section { file, first, length });
            let read = |asked: &Section| section.overlaps(*asked);
            Sections::try_from(request).is_ok_and(|sections| sections.0.iter().any(read))
                || Records::try_from(request).is_ok_and(|records| {
                    records.0.iter().any(|record| {
                        let length = u16::try_from(record.values.len()).unwrap_or(u16::MAX);
                        touches(record.file, record.first, length)
                    })
                })
        }
        (Location::Fifo(address), request) => {
            Pointer::try_from(request).is_ok_and(|asked| asked.0 == address)
        }
        _ => false,
    }
}
