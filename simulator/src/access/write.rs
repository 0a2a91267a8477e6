//! What a request touches of the tables, and what they would be after it.

use passline_modbus::pdu::Request;
use passline_modbus::point::{Span, Table};
use passline_modbus::value::Value;

use crate::image::Image;
use crate::program::Held;

/// What a request touches of the tables. Function 23 reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Touched {
    pub(crate) read: Option<Span>,
    pub(crate) written: Option<Span>,
}

/// The value of a point if a request were carried out; `None` if that is none.
pub(super) fn value_after(held: &Held, request: &Request<'_>, image: &Image) -> Option<Value> {
    let mut after = Image::new();
    let points = [Some(&held.point), held.factor.as_ref()].into_iter().flatten();
    for span in points.filter_map(|point| point.span()) {
        copy(image, span, &mut after);
    }
    write(request, image, &mut after);
    held.read(&after)
}

// What is in one image is refused by no other: the results of setting cells tell nothing.

fn copy(image: &Image, span: Span, to: &mut Image) {
    let _ = match (image.words(span), image.bits(span)) {
        (Some(words), _) => to.set_words(span.table(), span.address(), words),
        (None, Some(bits)) => to.set_bits(span.table(), span.address(), bits),
        (None, None) => Ok(()),
    };
}

fn write(request: &Request<'_>, image: &Image, to: &mut Image) {
    let _ = match *request {
        Request::WriteSingleCoil(address, bit) => to.set_bits(Table::Coil, address, &[bit]),
        Request::WriteMultipleCoils(start, ref bits) => to.set_bits(Table::Coil, start, bits),
        Request::WriteSingleRegister(address, word) => {
            to.set_words(Table::Holding, address, &[word])
        }
        Request::WriteMultipleRegisters(start, ref words)
        | Request::ReadWriteMultipleRegisters(_, _, start, ref words) => {
            to.set_words(Table::Holding, start, words)
        }
        Request::MaskWriteRegister(address, and, or) => {
            let there = Span::new(Table::Holding, address, 1).and_then(|span| image.words(span));
            let word = there.and_then(|words| words.first().copied()).unwrap_or_default();
            to.set_words(Table::Holding, address, &[(word & and) | (or & !and)])
        }
        _ => Ok(()),
    };
}
