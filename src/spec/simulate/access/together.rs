//! `together`: what is written as a whole or not at all.

use passline_modbus::pdu::{ExceptionCode, MAX_WRITE_BITS, MAX_WRITE_REGISTERS};
use passline_modbus::point::Span;

use super::area::AREA;
use super::{Guarded, REFUSAL};
use crate::judge::exception;
use crate::language::diagnostic::Diagnostic;
use crate::language::shape::{Field, Object};
use crate::language::yaml::Node;
use crate::spec::place::TABLES;

pub(in super::super) static TOGETHER: Object = Object {
    name: "block written together",
    doc: "Points or addresses that one request of function 15, 16 or 23 has to write as a whole.",
    fields: &[
        AREA,
        TABLES,
        &[Field::optional(
            "code",
            exception::SHAPE,
            "What every other write is answered with that touches them. Default `illegal_data_address`.",
        )],
    ],
};

impl Guarded<'_> {
    /// What is written together, and what any other write is answered with. `None`: reported.
    pub(super) fn together(&self, node: Node<'_>) -> Option<(Span, ExceptionCode)> {
        let fields = self.context.fields(node, &TOGETHER)?;
        let code = match fields.node("code") {
            Some(node) => exception::read(self.context, node)?,
            None => REFUSAL,
        };
        let spans = self.area(&fields)?;
        let problem = match spans[..] {
            [whole] if !whole.table().is_writable() => {
                format!("the table `{}` cannot be written", whole.table())
            }
            [whole] if whole.count() <= most(whole) => return Some((whole, code)),
            [whole] => {
                format!("{whole} cannot be written at once: one request writes {}", most(whole))
            }
            _ => "these do not follow each other: no request writes them together".to_owned(),
        };
        let remedy = "name what one request can write: coils or registers in one stretch";
        self.context.report(Diagnostic::error(fields.span(), problem).remedy(remedy));
        None
    }
}

/// The most that one request writes.
fn most(whole: Span) -> u16 {
    if whole.table().is_bits() { MAX_WRITE_BITS } else { MAX_WRITE_REGISTERS }
}
