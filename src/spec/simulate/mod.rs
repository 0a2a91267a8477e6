//! `simulate:` of a device: how its simulation begins, and what it does wrong.

mod fault;
mod kind;
mod rows;

use std::sync::Arc;

use passline_modbus::address::Address;
use passline_modbus::point::{Domain, Point, Raw, Span as Place, Table};
use passline_modbus::value::Value;
use passline_simulator::image::Image;

use super::map;
use super::model::{Map, Simulation};
use super::point::{self, Common, PLACE};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::{Span, Spanned};
use crate::language::variables::Scalar;
use crate::language::yaml::Node;

/// How a device is simulated.
pub(super) static SIMULATE: Object = Object {
    name: "simulation",
    doc: "Used by --simulate and `simulate`; ignored on hardware. A declared point with neither value nor image is zero, or empty.",
    fields: &[&[
        Field::optional("values", Shape::Map(&Shape::Scalar), "Values by point."),
        Field::optional(
            "image",
            Shape::List(&Shape::Object(&IMAGE)),
            "Raw memory; later entries win, and `values` over all of them.",
        ),
        Field::optional(
            "faults",
            Shape::List(&Shape::Object(&fault::FAULT)),
            "What the device does wrong, and when. Several compose.",
        ),
    ]],
};

static IMAGE: Object =
    Object { name: "image entry", doc: "Raw memory from one address on.", fields: &[PLACE, CELLS] };

/// Raw contents from one address on.
const CELLS: &[Field] = &[
    Field::optional("words", Shape::List(&Shape::U16), "Contents of registers."),
    Field::optional(
        "bits",
        Shape::List(&Shape::AnyOf(&[Shape::Integer { min: 0, max: 1 }, Shape::Bool])),
        "Contents of coils or discrete inputs: 0 and 1.",
    ),
];

/// The simulation of a device; all of its declared points exist. Without an address it is on a
/// line of its own that speaks Modbus TCP.
pub(super) fn simulation(
    context: &Context<'_>,
    map: &Map,
    address: Option<&Address>,
    fields: Option<Fields<'_, '_>>,
) -> Simulation {
    let mut simulation = Simulation { image: blank(map), faults: Vec::new() };
    let Some(fields) = fields else { return simulation };
    for node in fields.list("image") {
        entry(context, &mut simulation.image, node);
    }
    values(context, map, &mut simulation.image, &fields);
    let device = fault::Faulty { context, map, image: &simulation.image, address };
    let faults = fields.list("faults").into_iter();
    simulation.faults = faults.filter_map(|node| device.fault(node)).collect();
    simulation
}

/// Every declared address, zero.
fn blank(map: &Map) -> Image {
    let mut image = Image::new();
    for point in map.points.values() {
        let span = point.span();
        let count = usize::from(span.count());
        // A span is within its table, so nothing can be refused.
        let _ = if span.table().is_bits() {
            image.set_bits(span.table(), span.address(), &vec![false; count])
        } else {
            image.set_words(span.table(), span.address(), &vec![0; count])
        };
    }
    image
}

fn entry(context: &Context<'_>, image: &mut Image, node: Node<'_>) {
    let Some(fields) = context.fields(node, &IMAGE) else { return };
    let Some((table, address)) = point::place(context, &Common::default(), &fields) else { return };
    let Ok(start) = u16::try_from(address) else { return };
    cells(context, image, &fields, (table, start));
}

/// Writes `words` or `bits` from an address on; how many. `None`: reported.
fn cells(
    context: &Context<'_>,
    image: &mut Image,
    fields: &Fields<'_, '_>,
    (table, start): (Table, u16),
) -> Option<usize> {
    let key = if table.is_bits() { "bits" } else { "words" };
    if !fields.has(key) {
        let message = format!("an entry of the table `{table}` needs `{key}`");
        let error = Diagnostic::error(fields.span(), message);
        context.report(error.remedy("registers have `words:`, coils and discrete inputs `bits:`"));
        return None;
    }
    let nodes = fields.list(key);
    let count = nodes.len();
    let set = if table.is_bits() {
        let bits = nodes.into_iter().filter_map(|node| bit(context, node));
        image.set_bits(table, start, &bits.collect::<Vec<bool>>())
    } else {
        let most = i128::from(u16::MAX);
        let words = nodes.into_iter().filter_map(|node| context.integer(node, (0, most)));
        image.set_words(table, start, &words.map(|word| word.value).collect::<Vec<u16>>())
    };
    if let Err(error) = set {
        let error = Diagnostic::error(fields.key_span(key), error.to_string());
        context.report(error.remedy("correct the address, or how many there are"));
        return None;
    }
    Some(count)
}

fn bit(context: &Context<'_>, node: Node<'_>) -> Option<bool> {
    if node.scalar().is_some_and(|scalar| matches!(scalar.text, "true" | "false")) {
        return context.boolean(node).map(|bit| bit.value);
    }
    context.integer::<u8>(node, (0, 1)).map(|bit| bit.value == 1)
}

/// Writes the values of points, scale factors first: others need them.
fn values(context: &Context<'_>, map: &Map, image: &mut Image, fields: &Fields<'_, '_>) {
    let mut given: Vec<(Arc<Point>, Value, Span)> = Vec::new();
    for entry in fields.map("values") {
        let Some(point) = map::named(context, map, &entry.key, "this device") else { continue };
        if let Some(value) = context.scalar(entry.value) {
            given.push((Arc::clone(point), held(point, value.value), value.span));
        }
    }
    given.sort_by_key(|(point, ..)| (point.scale_factor().is_some(), point.field().is_some()));
    for (point, value, span) in given {
        put(context, map, image, &point, &Spanned { value, span });
    }
}

/// Writes the value of a point. `None`: reported.
fn put(
    context: &Context<'_>,
    map: &Map,
    image: &mut Image,
    point: &Point,
    given: &Spanned<Value>,
) -> Option<()> {
    let Err(error) = write(map, image, point, &given.value) else { return Some(()) };
    let message = format!("{} cannot be {}: {error}", quoted(point.name()), given.value);
    let error = Diagnostic::error(given.span, message);
    context.report(error.remedy("give a value that the point's registers can hold"));
    None
}

/// A scalar as a point could hold it: bytes are written as limits write them, `0A FF`.
fn held(point: &Point, scalar: Scalar) -> Value {
    let bytes = match (&scalar, point.domain()) {
        (Scalar::Text(text), Domain::Bytes { .. }) => Value::bytes(text),
        _ => None,
    };
    bytes.unwrap_or_else(|| scalar.into())
}

fn write(map: &Map, image: &mut Image, point: &Point, value: &Value) -> Result<(), String> {
    let span = point.span();
    let refused = |error: &dyn std::fmt::Display| error.to_string();
    let raw = if point.field().is_some() {
        let word = words(image, span).unwrap_or_default();
        Raw::Registers(point.merge(value, &word).map_err(|error| refused(&error))?.into())
    } else {
        let factor = scale_factor(map, image, point);
        point.encode(value, factor.as_ref()).map_err(|error| refused(&error))?
    };
    match raw {
        Raw::Bit(bit) => image.set_bits(span.table(), span.address(), &[bit]),
        Raw::Registers(words) => image.set_words(span.table(), span.address(), &words),
    }
    .map_err(|error| refused(&error))
}

/// What the scale factor of a point is in the image so far.
fn scale_factor(map: &Map, image: &Image, point: &Point) -> Option<Value> {
    let factor = map.points.get(point.scale_factor()?)?;
    let raw = Raw::Registers(words(image, factor.span())?.into());
    match factor.decode(&raw, None) {
        Ok(passline_modbus::point::Reading::Value(value)) => Some(value),
        _ => None,
    }
}

fn words(image: &Image, span: Place) -> Option<Vec<u16>> {
    image.words(span).map(<[u16]>::to_vec)
}
