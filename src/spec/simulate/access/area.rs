//! A part of the tables: some points, or a stretch from an address on.

use passline_modbus::point::Span;

use super::Guarded;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Shape};
use crate::spec::map;
use crate::spec::place::{self, Common, TABLES};

/// The keys of an area, beside those of the tables.
pub(super) const AREA: &[Field] = &[
    Field::optional("points", Shape::OneOrMany(&Shape::Text), "Points that it is about."),
    Field::optional(
        "count",
        Shape::Integer { min: 1, max: 65_535 },
        "Registers or bits from the address given by the table; default 1.",
    ),
];

impl Guarded<'_> {
    /// The cells that are named, adjoining ones together. `None`: reported.
    pub(super) fn area(&self, fields: &Fields<'_, '_>) -> Option<Vec<Span>> {
        let context = self.context;
        let in_table = TABLES.iter().any(|place| fields.has(place.key));
        if !fields.has("points") {
            let (table, address) = place::table(context, &Common::default(), fields)?;
            let count = fields.integer::<u16>("count").map_or(1, |count| count.value);
            let span = u16::try_from(address).ok();
            let span = span.and_then(|start| Span::new(table, start, count));
            if span.is_none() {
                let error = Diagnostic::error(fields.span(), "the addresses pass 65535");
                context.report(error.remedy("correct the address or the `count`"));
            }
            return span.map(|span| vec![span]);
        }
        if in_table || fields.has("count") {
            let message = "`points` say where they are: no table and no count beside them";
            let error = Diagnostic::error(fields.key_span("points"), message);
            context.report(error.remedy("keep the one that is meant"));
            return None;
        }
        let nodes = fields.one_or_many("points");
        if nodes.is_empty() {
            let error = Diagnostic::error(fields.key_span("points"), "`points` names none");
            context.report(error.remedy("name one, or say a table and an address"));
            return None;
        }
        let mut spans = Vec::new();
        for node in nodes {
            let name = context.text(node)?;
            let point = map::named(context, self.map, &name, "this device")?;
            let Some(span) = point.span() else {
                let message = format!("{} is in none of the tables", quoted(&name.value));
                let error = Diagnostic::error(name.span, message);
                context.report(error.remedy("name points that are coils, inputs or registers"));
                return None;
            };
            spans.push(span);
        }
        spans.sort_unstable();
        Some(merged(spans))
    }
}

/// Spans in their order, those that adjoin or overlap as one.
pub(super) fn merged(spans: impl IntoIterator<Item = Span>) -> Vec<Span> {
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        let joined = merged.last().and_then(|last| {
            let adjoin = last.table() == span.table() && u32::from(span.address()) <= last.end();
            let end = last.end().max(span.end());
            let count = u16::try_from(end - u32::from(last.address())).ok().filter(|_| adjoin)?;
            Span::new(last.table(), last.address(), count)
        });
        match (joined, merged.last_mut()) {
            (Some(joined), Some(last)) => *last = joined,
            _ => merged.push(span),
        }
    }
    merged
}
