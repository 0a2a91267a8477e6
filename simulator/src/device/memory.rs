//! The functions that read and write an image, checked in the order of the specification: first
//! the quantity (exception 3), then the addresses (exception 2).

use passline_modbus::pdu::{
    Answer, ExceptionCode, MAX_READ_BITS, MAX_READ_REGISTERS, MAX_READ_WRITE_REGISTERS,
    MAX_WRITE_BITS, MAX_WRITE_REGISTERS, Request, Response,
};
use passline_modbus::point::{Span, Table};

use crate::access::Touched;
use crate::image::Image;

/// What a request touches of the tables, once its quantities are in order, and its addresses are
/// some that a table can have.
pub(super) fn touched(request: &Request<'_>) -> Result<Touched, ExceptionCode> {
    let read = |span| Touched { read: Some(span), ..Touched::default() };
    let written = |span| Touched { written: Some(span), ..Touched::default() };
    let bits = |table, start, count| span(table, start, within(MAX_READ_BITS, count)?);
    let words = |table, start, count| span(table, start, within(MAX_READ_REGISTERS, count)?);
    Ok(match *request {
        Request::ReadCoils(start, count) => read(bits(Table::Coil, start, count)?),
        Request::ReadDiscreteInputs(start, count) => read(bits(Table::Discrete, start, count)?),
        Request::ReadHoldingRegisters(start, count) => read(words(Table::Holding, start, count)?),
        Request::ReadInputRegisters(start, count) => read(words(Table::Input, start, count)?),
        Request::WriteSingleCoil(address, _) => written(span(Table::Coil, address, 1)?),
        Request::WriteMultipleCoils(start, ref bits) => {
            written(span(Table::Coil, start, within_length(MAX_WRITE_BITS, bits)?)?)
        }
        Request::WriteSingleRegister(address, _) | Request::MaskWriteRegister(address, ..) => {
            written(span(Table::Holding, address, 1)?)
        }
        Request::WriteMultipleRegisters(start, ref words) => {
            written(span(Table::Holding, start, within_length(MAX_WRITE_REGISTERS, words)?)?)
        }
        Request::ReadWriteMultipleRegisters(start, count, write, ref words) => {
            within(MAX_READ_REGISTERS, count)?;
            let length = within_length(MAX_READ_WRITE_REGISTERS, words)?;
            Touched {
                read: Some(span(Table::Holding, start, count)?),
                written: Some(span(Table::Holding, write, length)?),
            }
        }
        Request::ReportServerId | Request::ReadDeviceIdentification(..) | Request::Custom(..) => {
            Touched::default()
        }
    })
}

/// The functions that read, with this word where nothing is.
pub(super) fn fill(image: &mut Image, request: &Request<'_>, filler: u16) -> Answer {
    let words = |image: &Image, table, start, count| -> Result<Vec<u16>, ExceptionCode> {
        let there = |span| image.words(span)?.first().copied();
        Ok(cells(span(table, start, count)?).map(|span| there(span).unwrap_or(filler)).collect())
    };
    let bits = |image: &Image, table, start, count| -> Result<Vec<bool>, ExceptionCode> {
        let there = |span| image.bits(span)?.first().copied();
        let filler = filler & 1 == 1;
        Ok(cells(span(table, start, count)?).map(|span| there(span).unwrap_or(filler)).collect())
    };
    match *request {
        Request::ReadCoils(start, count) => {
            bits(image, Table::Coil, start, count).map(Response::ReadCoils)
        }
        Request::ReadDiscreteInputs(start, count) => {
            bits(image, Table::Discrete, start, count).map(Response::ReadDiscreteInputs)
        }
        Request::ReadHoldingRegisters(start, count) => {
            words(image, Table::Holding, start, count).map(Response::ReadHoldingRegisters)
        }
        Request::ReadInputRegisters(start, count) => {
            words(image, Table::Input, start, count).map(Response::ReadInputRegisters)
        }
        Request::ReadWriteMultipleRegisters(start, count, write, ref written) => {
            write_registers(image, write, written)?;
            words(image, Table::Holding, start, count).map(Response::ReadWriteMultipleRegisters)
        }
        _ => Err(ExceptionCode::IllegalFunction),
    }
}

/// The cells of a span, one by one.
fn cells(span: Span) -> impl Iterator<Item = Span> {
    let addresses = (span.address()..=u16::MAX).take(span.count().into());
    addresses.filter_map(move |address| Span::new(span.table(), address, 1))
}

/// Functions 1 and 2.
pub(super) fn read_bits(
    image: &Image,
    table: Table,
    start: u16,
    quantity: u16,
) -> Result<Vec<bool>, ExceptionCode> {
    let quantity = within(MAX_READ_BITS, quantity)?;
    let bits = image.bits(span(table, start, quantity)?);
    Ok(bits.ok_or(ExceptionCode::IllegalDataAddress)?.to_vec())
}

/// Functions 3 and 4.
pub(super) fn read_words(
    image: &Image,
    table: Table,
    start: u16,
    quantity: u16,
) -> Result<Vec<u16>, ExceptionCode> {
    let quantity = within(MAX_READ_REGISTERS, quantity)?;
    let words = image.words(span(table, start, quantity)?);
    Ok(words.ok_or(ExceptionCode::IllegalDataAddress)?.to_vec())
}

/// Function 5.
pub(super) fn write_coil(image: &mut Image, address: u16, bit: bool) -> Answer {
    coils(image, address, 1)?.fill(bit);
    Ok(Response::WriteSingleCoil(address, bit))
}

/// Function 6.
pub(super) fn write_register(image: &mut Image, address: u16, word: u16) -> Answer {
    registers(image, address, 1)?.fill(word);
    Ok(Response::WriteSingleRegister(address, word))
}

/// Function 15: all of it or nothing.
pub(super) fn write_coils(image: &mut Image, start: u16, bits: &[bool]) -> Answer {
    let quantity = within_length(MAX_WRITE_BITS, bits)?;
    coils(image, start, quantity)?.copy_from_slice(bits);
    Ok(Response::WriteMultipleCoils(start, quantity))
}

/// Function 16: all of it or nothing.
pub(super) fn write_registers(image: &mut Image, start: u16, words: &[u16]) -> Answer {
    let quantity = within_length(MAX_WRITE_REGISTERS, words)?;
    registers(image, start, quantity)?.copy_from_slice(words);
    Ok(Response::WriteMultipleRegisters(start, quantity))
}

/// Function 22: what is stored is (current AND `and`) OR (`or` AND NOT `and`).
pub(super) fn mask_write(image: &mut Image, address: u16, and: u16, or: u16) -> Answer {
    for word in registers(image, address, 1)? {
        *word = (*word & and) | (or & !and);
    }
    Ok(Response::MaskWriteRegister(address, and, or))
}

/// Function 23: written before it is read, and nothing written unless all of it can be read.
pub(super) fn read_write(
    image: &mut Image,
    (read, quantity): (u16, u16),
    (write, words): (u16, &[u16]),
) -> Answer {
    within(MAX_READ_REGISTERS, quantity)?;
    let count = within_length(MAX_READ_WRITE_REGISTERS, words)?;
    read_words(image, Table::Holding, read, quantity)?;
    registers(image, write, count)?.copy_from_slice(words);
    let words = read_words(image, Table::Holding, read, quantity)?;
    Ok(Response::ReadWriteMultipleRegisters(words))
}

/// What a write of one register or coil is about to replace, as it is on the wire.
pub(super) fn held(image: &Image, request: &Request<'_>) -> Option<u16> {
    match *request {
        Request::WriteSingleCoil(address, _) => {
            let &bit = image.bits(Span::new(Table::Coil, address, 1)?)?.first()?;
            Some(if bit { 0xFF00 } else { 0 })
        }
        Request::WriteSingleRegister(address, _) => {
            image.words(Span::new(Table::Holding, address, 1)?)?.first().copied()
        }
        _ => None,
    }
}

fn within(max: u16, quantity: u16) -> Result<u16, ExceptionCode> {
    (1..=max).contains(&quantity).then_some(quantity).ok_or(ExceptionCode::IllegalDataValue)
}

fn within_length<T>(max: u16, cells: &[T]) -> Result<u16, ExceptionCode> {
    within(max, u16::try_from(cells.len()).map_err(|_| ExceptionCode::IllegalDataValue)?)
}

fn span(table: Table, start: u16, quantity: u16) -> Result<Span, ExceptionCode> {
    Span::new(table, start, quantity).ok_or(ExceptionCode::IllegalDataAddress)
}

/// The coils to write: there are `quantity` of them.
fn coils(image: &mut Image, start: u16, quantity: u16) -> Result<&mut [bool], ExceptionCode> {
    let span = span(Table::Coil, start, quantity)?;
    image.bits_mut(span).ok_or(ExceptionCode::IllegalDataAddress)
}

/// The holding registers to write: there are `quantity` of them.
fn registers(image: &mut Image, start: u16, quantity: u16) -> Result<&mut [u16], ExceptionCode> {
    let span = span(Table::Holding, start, quantity)?;
    image.words_mut(span).ok_or(ExceptionCode::IllegalDataAddress)
}
