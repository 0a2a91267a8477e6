//! `simulate:` of a device: how its simulation begins, and what it does wrong.

use std::num::NonZeroU64;
use std::sync::Arc;

use passline_modbus::point::{Domain, Point, Raw, Span as Place};
use passline_modbus::value::Value;
use passline_simulator::fault::{
    AnswerFault, Fault, FrameFault, Kind, Probability, RequestFault, Scope, Trigger,
};
use passline_simulator::image::Image;

use super::map;
use super::model::{Map, Simulation};
use super::point::{self, Common, PLACE};
use crate::judge::exception;
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::Span;
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
            Shape::List(&Shape::Object(&FAULT)),
            "What the device does wrong, and when. Several compose.",
        ),
    ]],
};

static IMAGE: Object = Object {
    name: "image entry",
    doc: "Raw memory from one address on.",
    fields: &[
        PLACE,
        &[
            Field::optional("words", Shape::List(&Shape::U16), "Contents of registers."),
            Field::optional(
                "bits",
                Shape::List(&Shape::AnyOf(&[Shape::Integer { min: 0, max: 1 }, Shape::Bool])),
                "Contents of coils or discrete inputs: 0 and 1.",
            ),
        ],
    ],
};

static FAULT: Object = Object {
    name: "fault",
    doc: "A deviation of the simulated device: what it is, to which requests, and when.",
    fields: &[&[
        Field::required("fault", Shape::Choice(&["silent", "exception", "delay"]), "Its kind."),
        Field::optional(
            "code",
            exception::SHAPE,
            "`exception`: the name or the number of the exception.",
        ),
        Field::optional("by", Shape::Duration, "`delay`: how much later the answer comes."),
        Field::optional(
            "scope",
            Shape::Object(&SCOPE),
            "To which requests; every one of this device if absent.",
        ),
        Field::optional("first", COUNT, "Only at the first N requests in its scope."),
        Field::optional("after", COUNT, "Only after N requests in its scope."),
        Field::optional("every", COUNT, "Only at every N-th request in its scope."),
        Field::optional(
            "probability",
            Shape::Number,
            "By chance, 0 to 1, from the seed of the run.",
        ),
        Field::optional("from", Shape::Duration, "Only from this time of the simulation on."),
        Field::optional("until", Shape::Duration, "Only until this time of the simulation."),
    ]],
};

const COUNT: Shape = Shape::Integer { min: 1, max: u32::MAX as i128 };

static SCOPE: Object = Object {
    name: "fault scope",
    doc: "Requests that match all of it.",
    fields: &[
        &[
            Field::optional("point", Shape::Text, "Requests that touch this point."),
            Field::optional(
                "count",
                Shape::Integer { min: 1, max: 65_535 },
                "Registers or bits from the address given by the table; default 1.",
            ),
            Field::optional("start", Shape::U16, "Requests that begin at this protocol address."),
            Field::optional(
                "function",
                Shape::Integer { min: 1, max: 127 },
                "Requests of this function code.",
            ),
            Field::optional(
                "unit_id",
                Shape::Integer { min: 0, max: 255 },
                "Requests to this unit.",
            ),
        ],
        PLACE,
    ],
};

/// The simulation of a device; all of its declared points exist.
pub(super) fn simulation(
    context: &Context<'_>,
    map: &Map,
    fields: Option<Fields<'_, '_>>,
) -> Simulation {
    let mut simulation = Simulation { image: blank(map), faults: Vec::new() };
    let Some(fields) = fields else { return simulation };
    for node in fields.list("image") {
        entry(context, &mut simulation.image, node);
    }
    values(context, map, &mut simulation.image, &fields);
    let faults = fields.list("faults").into_iter();
    simulation.faults = faults.filter_map(|node| fault(context, map, node)).collect();
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
    let key = if table.is_bits() { "bits" } else { "words" };
    if !fields.has(key) {
        let message = format!("an entry of the table `{table}` needs `{key}`");
        let error = Diagnostic::error(fields.span(), message);
        context.report(error.remedy("registers have `words:`, coils and discrete inputs `bits:`"));
        return;
    }
    let Ok(start) = u16::try_from(address) else { return };
    let set = if table.is_bits() {
        let bits = fields.list("bits").into_iter().filter_map(|node| bit(context, node));
        image.set_bits(table, start, &bits.collect::<Vec<bool>>())
    } else {
        let words = fields.list("words").into_iter();
        let words = words.filter_map(|node| context.integer(node, (0, i128::from(u16::MAX))));
        image.set_words(table, start, &words.map(|word| word.value).collect::<Vec<u16>>())
    };
    if let Err(error) = set {
        let error = Diagnostic::error(fields.key_span(key), error.to_string());
        context.report(error.remedy("correct the address, or how many there are"));
    }
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
        if let Err(error) = write(map, image, &point, &value) {
            let message = format!("{} cannot be {value}: {error}", quoted(point.name()));
            let error = Diagnostic::error(span, message);
            context.report(error.remedy("give a value that the point's registers can hold"));
        }
    }
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

fn fault(context: &Context<'_>, map: &Map, node: Node<'_>) -> Option<Fault> {
    let fields = context.fields(node, &FAULT)?;
    let kind = kind(context, &fields);
    let scope = match fields.object("scope") {
        Some(scope) => self::scope(context, map, &scope),
        None => Some(Scope::default()),
    };
    let trigger = trigger(context, &fields);
    Some(Fault { kind: kind?, scope: scope?, trigger: trigger? })
}

fn kind(context: &Context<'_>, fields: &Fields<'_, '_>) -> Option<Kind> {
    let kind = fields.choice("fault")?;
    for (key, of) in [("code", "exception"), ("by", "delay")] {
        if fields.has(key) && kind.value != of {
            let message = format!("`{key}` belongs to `fault: {of}`, not to `{}`", kind.value);
            let error = Diagnostic::error(fields.key_span(key), message);
            context.report(error.remedy("remove it, or write the other kind"));
        } else if !fields.has(key) && kind.value == of {
            let message = format!("`fault: {of}` needs `{key}`");
            context.report(Diagnostic::error(kind.span, message).remedy(format!("add `{key}:`")));
        }
    }
    match kind.value {
        "exception" => {
            let code = exception::read(context, fields.node("code")?)?;
            Some(RequestFault::Exception { code }.into())
        }
        "delay" => Some(FrameFault::Delay { by: fields.duration("by")?.value }.into()),
        _ => Some(AnswerFault::Silent.into()),
    }
}

fn scope(context: &Context<'_>, map: &Map, fields: &Fields<'_, '_>) -> Option<Scope> {
    let mut scope = Scope {
        start: fields.integer("start").map(|start| start.value),
        function: fields.integer("function").map(|function| function.value),
        unit_id: fields.integer("unit_id").map(|unit| unit.value),
        ..Scope::default()
    };
    let in_table = PLACE.iter().any(|place| fields.has(place.key));
    if let Some(name) = fields.text("point") {
        let point = map::named(context, map, &name, "this device")?;
        scope.span = Some(point.span());
        if in_table || fields.has("count") {
            let message = "a `point` says where it is: no table and no count beside it";
            context
                .report(Diagnostic::error(name.span, message).remedy("keep the one that is meant"));
        }
    } else if in_table {
        let (table, address) = point::place(context, &Common::default(), fields)?;
        let count = fields.integer::<u16>("count").map_or(1, |count| count.value);
        scope.span = u16::try_from(address).ok().and_then(|start| Place::new(table, start, count));
        if scope.span.is_none() {
            let error = Diagnostic::error(fields.span(), "the scope passes address 65535");
            context.report(error.remedy("correct the address or the `count`"));
        }
    } else if let Some(count) = fields.integer::<u16>("count") {
        let error = Diagnostic::error(count.span, "`count` needs a table and an address beside it");
        context.report(error.remedy("name the `point` it is about, or a table and an address"));
    }
    Some(scope)
}

fn trigger(context: &Context<'_>, fields: &Fields<'_, '_>) -> Option<Trigger> {
    let count = |key| fields.integer::<u64>(key).map(|count| count.value);
    let time = |key| fields.duration(key).map(|time| time.value);
    let number = fields.number("probability");
    let probability = number.as_ref().and_then(|number| Probability::new(number.value.to_f64()));
    if let (Some(number), None) = (number, probability) {
        let error = Diagnostic::error(number.span, "a probability is within 0..=1");
        context.report(error.remedy("2 % is 0.02"));
        return None;
    }
    Some(Trigger {
        first: count("first"),
        after: count("after"),
        every: count("every").and_then(NonZeroU64::new),
        probability,
        from: time("from"),
        until: time("until"),
    })
}
