//! Which requests to a device a fault is about.

use passline_modbus::pdu::{Request, file};
use passline_modbus::point::{Location, Span, Table};

use super::beyond::asks_for;

/// Which requests a fault is about: those for which everything given here holds. By default all
/// requests to the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scope {
    /// The request touches one of these addresses: those of a point, or of a part of a table.
    pub span: Option<Span>,
    /// The request asks for this place beyond the tables.
    pub beyond: Option<Location>,
    /// The request begins at this address, whatever the table.
    pub start: Option<u16>,
    /// The request reads or writes more registers or bits than this.
    pub more_than: Option<u16>,
    /// The request has this function code.
    pub function: Option<u8>,
    /// The request is for this unit id.
    pub unit_id: Option<u8>,
}

impl Scope {
    pub(super) fn covers(&self, asked: &Asked<'_>) -> bool {
        let asks_for = |place| asked.request.is_some_and(|request| asks_for(request, place));
        self.span.is_none_or(|span| asked.touches(|touched| span.overlaps(*touched)))
            && self.beyond.is_none_or(asks_for)
            && self.start.is_none_or(|start| asked.touches(|touched| touched.address() == start))
            && self.more_than.is_none_or(|most| asked.touches(|touched| touched.count() > most))
            && self.function.is_none_or(|function| function == asked.function)
            && self.unit_id.is_none_or(|unit_id| unit_id == asked.unit_id)
    }
}

/// What of a request a [`Scope`] looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'r> {
    unit_id: u8,
    function: u8,
    request: Option<&'r Request<'r>>,
    /// What is read or written; function 23 does both.
    touched: [Option<Span>; 2],
}

impl<'r> Asked<'r> {
    /// A request that was understood.
    pub(crate) fn request(unit_id: u8, request: &'r Request<'r>) -> Self {
        let function = request.function_code().value();
        Self { unit_id, function, request: Some(request), touched: touched(request) }
    }

    /// A request of which nothing but the function code is sure: it touches no address.
    pub(crate) fn unclear(unit_id: u8, function: u8) -> Self {
        Self { unit_id, function, request: None, touched: [None; 2] }
    }

    fn touches(&self, is_meant: impl Fn(&Span) -> bool) -> bool {
        self.touched.iter().flatten().any(is_meant)
    }
}

fn touched(request: &Request<'_>) -> [Option<Span>; 2] {
    let only = |span| [span, None];
    match *request {
        Request::ReadCoils(start, count) => only(span(Table::Coil, start, count.into())),
        Request::ReadDiscreteInputs(start, count) => {
            only(span(Table::Discrete, start, count.into()))
        }
        Request::ReadHoldingRegisters(start, count) => {
            only(span(Table::Holding, start, count.into()))
        }
        Request::ReadInputRegisters(start, count) => only(span(Table::Input, start, count.into())),
        Request::WriteSingleCoil(address, _) => only(span(Table::Coil, address, 1)),
        Request::WriteMultipleCoils(start, ref bits) => only(span(Table::Coil, start, bits.len())),
        Request::WriteSingleRegister(address, _) | Request::MaskWriteRegister(address, ..) => {
            only(span(Table::Holding, address, 1))
        }
        Request::WriteMultipleRegisters(start, ref words) => {
            only(span(Table::Holding, start, words.len()))
        }
        Request::ReadWriteMultipleRegisters(read, count, write, ref words) => {
            [span(Table::Holding, read, count.into()), span(Table::Holding, write, words.len())]
        }
        Request::ReportServerId | Request::ReadDeviceIdentification(..) | Request::Custom(..) => {
            [None; 2]
        }
    }
}

/// What a request reads, if that is one stretch of a table.
pub(super) fn read(request: &Request<'_>) -> Option<Span> {
    match request {
        Request::ReadCoils(..)
        | Request::ReadDiscreteInputs(..)
        | Request::ReadHoldingRegisters(..)
        | Request::ReadInputRegisters(..)
        | Request::ReadWriteMultipleRegisters(..) => {
            let [read, _] = touched(request);
            read
        }
        _ => None,
    }
}

/// What a request writes of the tables.
fn written(request: &Request<'_>) -> Option<Span> {
    let [first, second] = touched(request);
    match request {
        Request::ReadWriteMultipleRegisters(..) => second,
        Request::WriteSingleCoil(..)
        | Request::WriteMultipleCoils(..)
        | Request::WriteSingleRegister(..)
        | Request::MaskWriteRegister(..)
        | Request::WriteMultipleRegisters(..) => first,
        _ => None,
    }
}

/// Whether a request writes anything.
pub(crate) fn is_write(request: &Request<'_>) -> bool {
    written(request).is_some() || matches!(request, Request::Custom(file::WRITE, _))
}

/// Whether a request writes to this place.
pub(crate) fn writes(request: &Request<'_>, place: Location) -> bool {
    match place {
        Location::Table(span) => written(request).is_some_and(|written| written.overlaps(span)),
        place => is_write(request) && asks_for(request, place),
    }
}

/// Whether a request reads this place.
pub(crate) fn reads(request: &Request<'_>, place: Location) -> bool {
    match place {
        Location::Table(span) => read(request).is_some_and(|read| read.overlaps(span)),
        place => !is_write(request) && asks_for(request, place),
    }
}

/// The addresses that exist of those asked for, also where there are too many.
fn span(table: Table, start: u16, count: usize) -> Option<Span> {
    let room = usize::from(u16::MAX - start) + 1;
    Span::new(table, start, u16::try_from(count.min(room)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_past_the_end_touches_what_there_is() {
        let asked = Asked::request(1, &Request::ReadCoils(65535, 9));
        let last = Scope { span: Span::new(Table::Coil, 65535, 1), ..Scope::default() };
        assert!(last.covers(&asked));
    }
}
