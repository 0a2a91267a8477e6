//! `together`: what is read or written as a whole or not at all.

use passline_modbus::pdu::{
    MAX_READ_BITS, MAX_READ_REGISTERS, MAX_WRITE_BITS, MAX_WRITE_REGISTERS,
};
use passline_modbus::point::Span;
use passline_simulator::access::Whole;

use super::area::AREA;
use super::{Guarded, REFUSAL};
use crate::judge::exception;
use crate::language::diagnostic::Diagnostic;
use crate::language::shape::{Field, Object};
use crate::language::yaml::Node;
use crate::spec::place::TABLES;

pub(in super::super) static TOGETHER: Object = Object {
    name: "block taken together",
    doc: "Points or addresses that one request has to write, or read, as a whole.",
    fields: &[
        AREA,
        TABLES,
        &[
            Field::optional(
                "read",
                exception::SHAPE,
                "What a read is answered with that touches a part. Without it, it is let through.",
            ),
            Field::optional(
                "write",
                exception::SHAPE,
                "What a write is answered with that touches a part, or is of function 5, 6 or 22. Without `read` and `write`: `illegal_data_address`.",
            ),
        ],
    ],
};

impl Guarded<'_> {
    /// What is taken as a whole. `None`: reported.
    pub(super) fn together(&self, node: Node<'_>) -> Option<Whole> {
        let fields = self.context.fields(node, &TOGETHER)?;
        let code = |key| match fields.node(key) {
            Some(node) => exception::read(self.context, node).map(Some),
            None => Some(None),
        };
        let (read, write) = (code("read")?, code("write")?);
        let write = write.or((read.is_none()).then_some(REFUSAL));
        let spans = self.area(&fields)?;
        let problem = match spans[..] {
            [cells] if write.is_some() && !cells.table().is_writable() => {
                format!("the table `{}` cannot be written", cells.table())
            }
            [cells] => {
                let most = most(cells, write.is_some());
                if cells.count() <= most {
                    return Some(Whole { cells, read, write });
                }
                format!("{cells} is more than the {most} of one request")
            }
            _ => "these do not follow each other: no request is about all of them".to_owned(),
        };
        let remedy = "name what one request can be about: one stretch of one table";
        self.context.report(Diagnostic::error(fields.span(), problem).remedy(remedy));
        None
    }
}

/// The most that one request writes, or reads.
fn most(cells: Span, writes: bool) -> u16 {
    match (cells.table().is_bits(), writes) {
        (true, true) => MAX_WRITE_BITS,
        (true, false) => MAX_READ_BITS,
        (false, true) => MAX_WRITE_REGISTERS,
        (false, false) => MAX_READ_REGISTERS,
    }
}
