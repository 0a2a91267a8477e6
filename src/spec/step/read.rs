//! `read`: points that are judged, and stretches typed on the spot.

use std::sync::Arc;

use passline_modbus::point::{Declaration, Point, Site, Span as Place, Table};

use super::check::judges_the_answer;
use super::{At, device_named, named_point};
use crate::language::decode::Context;
use crate::language::diagnostic::Diagnostic;
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::yaml::Node;
use crate::spec::model::{Check, Read, Subject};
use crate::spec::place::{self, BEYOND, Common, TABLES};
use crate::spec::point::{self, DECODING};
use crate::spec::test::Names;

/// The action.
pub(super) const FIELD: Field = Field::optional(
    "read",
    Shape::AnyOf(&FORMS),
    "A point (`device.point`), a list of points (one check each), or a stretch of a table.",
);

static FORMS: [Shape; 3] = [Shape::Text, Shape::List(&Shape::Text), Shape::Object(&RAW_READ)];

static RAW_READ: Object = Object {
    name: "raw read",
    doc: "A stretch of a table of a device, without a declared point.",
    fields: &[
        &[
            Field::required("device", Shape::Text, "The device."),
            Field::optional(
                "count",
                Shape::Integer { min: 1, max: 65_535 },
                "How many registers or bits are asked for. More than the type has is possible only where the kind of answer is judged.",
            ),
        ],
        TABLES,
        BEYOND,
        DECODING,
    ],
};

/// The checks of a `read`. `None`: reported.
pub(super) fn read(at: &At<'_, '_>) -> Option<Vec<Check>> {
    let At { context, names, fields, .. } = *at;
    if fields.has("unit") {
        let error = Diagnostic::error(
            fields.key_span("unit"),
            "the measuring unit of a read is its point's",
        );
        context.report(error.remedy("give the point a `unit:` where it is declared"));
    }
    let node = fields.node("read")?;
    if node.pairs().is_some() {
        let (name, read) = raw_read(context, names, node, fields)?;
        return Some(vec![at.check(name, Subject::Read(read))?]);
    }
    let nodes = context.one_or_many(node);
    if nodes.is_empty() {
        let error = Diagnostic::error(node.span(), "this list names no point");
        context.report(
            error.remedy("a step that reads nothing would pass without looking at anything"),
        );
    }
    let several = nodes.len() > 1;
    let step_name = fields.text("name").map(|name| name.value);
    let mut checks = Vec::with_capacity(nodes.len());
    for node in nodes {
        let Some(path) = context.text(node) else { continue };
        let Some((device, point)) = named_point(context, names, &path) else { continue };
        let name = match &step_name {
            Some(name) if several => format!("{name} {}", path.value),
            Some(name) => name.clone(),
            None => path.value,
        };
        let location = point.location();
        let point = (!judges_the_answer(fields)).then_some(point);
        let read = Read { device, location, point };
        checks.extend(at.check(name, Subject::Read(read)));
    }
    (!checks.is_empty()).then_some(checks)
}

fn raw_read(
    context: &Context<'_>,
    names: &Names<'_>,
    node: Node<'_>,
    step: &Fields<'_, '_>,
) -> Option<(String, Read)> {
    let fields = context.fields(node, &RAW_READ)?;
    let device = fields.text("device").and_then(|name| device_named(context, names, &name));
    let site = place::site(context, &Common::default(), &fields)?;
    let declaration = point::decoding(context, &Common::default(), ("raw", site), &fields)?;
    let device = device?;
    let whose = &names.devices.get(device)?.name;
    let (location, point) = match site {
        Site::Table(table, address) => {
            let asked = (table, address, declaration);
            let (span, point) = stretch(context, &fields, asked, judges_the_answer(step))?;
            (span.into(), point)
        }
        _ if fields.has("count") => {
            let error = Diagnostic::error(fields.key_span("count"), "`count` belongs to a table");
            context.report(error.remedy("remove it; a `string` and `bytes` have a `length`"));
            return None;
        }
        _ => {
            let point = raw_point(context, &fields, declaration)?;
            (point.location(), (!judges_the_answer(step)).then_some(point))
        }
    };
    let default_name = match site {
        Site::Table(table, address) => format!("{whose}.{table}:{address}"),
        _ => format!("{whose}.{location}"),
    };
    let name = step.text("name").map_or(default_name, |name| name.value);
    Some((name, Read { device, location, point: point.map(Arc::new) }))
}

/// A stretch of a table, and how it is decoded; where the answer is judged, that is not said.
fn stretch(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    (table, address, declaration): (Table, u32, Declaration),
    judges_the_answer: bool,
) -> Option<(Place, Option<Point>)> {
    let registers = declaration.data_type.registers();
    let count = fields.integer::<u16>("count");
    let asked = count.map_or(registers.max(1), |count| count.value);
    let Some(span) = u16::try_from(address).ok().and_then(|start| Place::new(table, start, asked))
    else {
        let message = format!("it passes address 65535: {asked} from address {address}");
        let error = Diagnostic::error(fields.span(), message);
        context.report(error.remedy("correct the address or the `count`"));
        return None;
    };
    if judges_the_answer {
        return Some((span, None));
    }
    if asked != registers.max(1) {
        let message =
            format!("a {} has {registers}, and {asked} are asked for", declaration.data_type);
        let span = count.map_or(fields.span(), |count| count.span);
        let remedy = "leave `count` out, or use `type: bytes` and `length`";
        context.report(Diagnostic::error(span, message).remedy(remedy));
        return None;
    }
    Some((span, Some(raw_point(context, fields, declaration)?)))
}

pub(super) fn raw_point(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    declaration: Declaration,
) -> Option<Point> {
    Point::new(declaration)
        .map_err(|errors| {
            for error in errors {
                let key = error.key();
                let known = fields.keys().find(|present| *present == key);
                let span = known.map_or(fields.span(), |key| fields.key_span(key));
                point::report(context, &error, span);
            }
        })
        .ok()
}
