//! The memory that a simulation begins with: every declared point, raw entries, and values.

use std::sync::Arc;

use passline_modbus::point::{Domain, Point, Site, Table};
use passline_modbus::value::Value;
use passline_simulator::image::{Image, ImageError};

use crate::language::decode::{Context, Entry};
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::{Span, Spanned};
use crate::language::variables::Scalar;
use crate::language::yaml::Node;
use crate::spec::map;
use crate::spec::model::{Map, Simulation};
use crate::spec::place::{self, BEYOND, Common, TABLES};

pub(super) static IMAGE: Object = Object {
    name: "image entry",
    doc: "Raw memory from one address on, or of one place beyond the tables.",
    fields: &[
        TABLES,
        BEYOND,
        CELLS,
        &[Field::optional(
            "bytes",
            Shape::Text,
            "Contents of an object or server id: `\"0A FF\"`.",
        )],
    ],
};

/// Raw contents from one address on.
pub(super) const CELLS: &[Field] = &[
    Field::optional(
        "words",
        Shape::List(&Shape::U16),
        "Contents of registers, of the records of a file, or of a queue.",
    ),
    Field::optional(
        "bits",
        Shape::List(&Shape::AnyOf(&[Shape::Integer { min: 0, max: 1 }, Shape::Bool])),
        "Contents of coils or discrete inputs: 0 and 1.",
    ),
];

/// Everything that is declared, zero or empty: points, and all of a block that is read whole.
pub(super) fn blank(map: &Map) -> Image {
    let mut image = Image::new();
    for block in map.rules.whole() {
        let (table, start, count) = (block.table(), block.address(), usize::from(block.count()));
        // A block ends within its table.
        let _ = if table.is_bits() {
            image.set_bits(table, start, &vec![false; count])
        } else {
            image.set_words(table, start, &vec![0; count])
        };
    }
    for point in map.points.values() {
        // What a declared point can hold fits.
        let _ = image.make(point);
    }
    image
}

/// Reads an entry of raw memory.
pub(super) fn entry(context: &Context<'_>, image: &mut Image, node: Node<'_>) {
    let Some(fields) = context.fields(node, &IMAGE) else { return };
    let Some(site) = place::site(context, &Common::default(), &fields) else { return };
    match site {
        Site::Table(table, address) => {
            let Ok(start) = u16::try_from(address) else { return };
            cells(context, image, &fields, (table, start));
        }
        Site::File(file, first) => {
            let Some(words) = words_given(context, &fields) else { return };
            refused(context, &fields, "words", image.set_records(file, first, &words));
        }
        Site::Fifo(address) => {
            let Some(words) = words_given(context, &fields) else { return };
            let Ok(address) = u16::try_from(address) else { return };
            refused(context, &fields, "words", image.set_queue(address, &words));
        }
        Site::DeviceId(id) => {
            let Some(bytes) = bytes_given(context, &fields) else { return };
            refused(context, &fields, "bytes", image.set_object(id, &bytes));
        }
        Site::ServerId => {
            let Some(bytes) = bytes_given(context, &fields) else { return };
            refused(context, &fields, "bytes", image.set_server_id(&bytes));
        }
        Site::Diagnostic(_) | Site::ExceptionStatus => {
            let error = Diagnostic::error(fields.span(), "this is a number, and no raw memory");
            context.report(error.remedy("declare a point there, and give it a value in `values:`"));
        }
    }
}

/// Writes `words` or `bits` from an address on; how many. `None`: reported.
pub(super) fn cells(
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
    let count = fields.list(key).len();
    let set = if table.is_bits() {
        let bits = fields.list(key).into_iter().filter_map(|node| bit(context, node));
        image.set_bits(table, start, &bits.collect::<Vec<bool>>())
    } else {
        image.set_words(table, start, &words_given(context, fields)?)
    };
    refused(context, fields, key, set).then_some(count)
}

/// Reports what the image does not take. `true`: nothing.
fn refused(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    key: &str,
    set: Result<(), ImageError>,
) -> bool {
    if let Err(error) = &set {
        let error = Diagnostic::error(fields.key_span(key), error.to_string());
        context.report(error.remedy("correct the address, or how many there are"));
    }
    set.is_ok()
}

fn words_given(context: &Context<'_>, fields: &Fields<'_, '_>) -> Option<Vec<u16>> {
    if !fields.has("words") {
        let error = Diagnostic::error(fields.span(), "this entry needs `words`");
        context.report(error.remedy("add `words:` and a list of registers"));
        return None;
    }
    let words = fields.list("words").into_iter();
    let words = words.filter_map(|node| context.integer(node, (0, i128::from(u16::MAX))));
    Some(words.map(|word| word.value).collect())
}

fn bytes_given(context: &Context<'_>, fields: &Fields<'_, '_>) -> Option<Vec<u8>> {
    let remedy = "write two hexadecimal digits for each byte: \"0A FF\"";
    if !fields.has("bytes") {
        let error = Diagnostic::error(fields.span(), "this entry needs `bytes`");
        context.report(error.remedy(remedy));
        return None;
    }
    let text = fields.text("bytes")?;
    if let Some(Value::Bytes(bytes)) = Value::bytes(&text.value) {
        return Some(bytes);
    }
    let message = format!("{} is no sequence of bytes", quoted(&text.value));
    context.report(Diagnostic::error(text.span, message).remedy(remedy));
    None
}

/// 0 or 1, or a truth value. `None`: reported.
pub(super) fn bit(context: &Context<'_>, node: Node<'_>) -> Option<bool> {
    if node.scalar().is_some_and(|scalar| matches!(scalar.text, "true" | "false")) {
        return context.boolean(node).map(|bit| bit.value);
    }
    context.integer::<u8>(node, (0, 1)).map(|bit| bit.value == 1)
}

/// Writes the values of points: scale factors first, for others need them; whole words before their
/// bit fields; and what ends with the point before parts behind it. What moves points is given back.
pub(super) fn values<'t>(
    context: &Context<'_>,
    map: &Map,
    Simulation { image, valued, .. }: &mut Simulation,
    fields: &Fields<'t, '_>,
) -> Vec<Entry<'t>> {
    let mut given: Vec<(Arc<Point>, Value, Span)> = Vec::new();
    let mut moving = Vec::new();
    for entry in fields.map("values") {
        valued.insert(entry.key.value.clone());
        if entry.value.pairs().is_some() {
            moving.push(entry);
            continue;
        }
        let Some(point) = map::named(context, map, &entry.key, "this device") else { continue };
        if let Some(value) = context.scalar(entry.value) {
            given.push((Arc::clone(point), held(point, value.value), value.span));
        }
    }
    given.sort_by_key(|(point, ..)| {
        let is_part = !point.is_open_ended() && point.at().is_some();
        (point.scale_factor().is_some(), point.field().is_some(), is_part)
    });
    for (point, value, span) in given {
        put(context, map, image, &point, &Spanned { value, span });
    }
    moving
}

/// Writes the value of a point. `None`: reported.
pub(super) fn put(
    context: &Context<'_>,
    map: &Map,
    image: &mut Image,
    point: &Point,
    given: &Spanned<Value>,
) -> Option<()> {
    let factor = scale_factor(map, image, point);
    let Err(error) = image.put(point, factor.as_ref(), &given.value) else { return Some(()) };
    let message = format!("{} cannot be {}: {error}", quoted(point.name()), given.value);
    let error = Diagnostic::error(given.span, message);
    context.report(error.remedy("give a value that the point's registers can hold"));
    None
}

/// A scalar as a point could hold it: bytes are written as limits write them, `0A FF`.
pub(in crate::spec) fn held(point: &Point, scalar: Scalar) -> Value {
    let bytes = match (&scalar, point.domain()) {
        (Scalar::Text(text), Domain::Bytes { .. }) => Value::bytes(text),
        _ => None,
    };
    bytes.unwrap_or_else(|| scalar.into())
}

/// What the scale factor of a point is in the image so far.
pub(super) fn scale_factor(map: &Map, image: &Image, point: &Point) -> Option<Value> {
    image.value(map.points.get(point.scale_factor()?)?, None)
}
