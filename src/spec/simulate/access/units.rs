//! `unit_ids`: what a simulated device answers for beside its own unit id.

use passline_modbus::address::Address;
use passline_modbus::framing::Framing;
use passline_simulator::access::UnitIds;

use crate::language::decode::Context;
use crate::language::diagnostic::Diagnostic;
use crate::language::fields::Fields;
use crate::language::shape::Shape;

const UNIT_ID: Shape = Shape::Integer { min: 0, max: 255 };

pub(in super::super) const UNIT_IDS: Shape =
    Shape::AnyOf(&[Shape::Choice(&[ANY]), Shape::List(&UNIT_ID)]);

const ANY: &str = "any";

/// `any`, or a list of unit ids that the line has.
pub(in super::super) fn unit_ids(
    context: &Context<'_>,
    address: Option<&Address>,
    fields: &Fields<'_, '_>,
) -> UnitIds {
    let Some(node) = fields.node("unit_ids") else { return UnitIds::Own };
    if node.items().is_none() {
        return context.choice(node, &[ANY]).map_or(UnitIds::Own, |_| UnitIds::Any);
    }
    let is_serial = address.is_some_and(|address| address.framing() != Framing::Mbap);
    let mut ids = Vec::new();
    for node in context.list(node) {
        let Some(id) = context.integer::<u8>(node, (0, 255)) else { continue };
        if is_serial && !(1..=247).contains(&id.value) {
            let message = format!("a serial line has no unit {} that answers", id.value);
            let error = Diagnostic::error(id.span, message);
            context.report(error.remedy("list addresses within 1..=247"));
        }
        ids.push(id.value);
    }
    UnitIds::Also(ids.into())
}
