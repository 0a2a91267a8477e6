//! `write`: values for points, or for a place typed on the spot.

use std::sync::Arc;

use passline_modbus::change::{Change, ChangeError, Part, Way};
use passline_modbus::framing::Framing;
use passline_modbus::point::{EncodeError, Point, Site, Span as Place};
use passline_modbus::value::Value;

use super::{At, any_point, device_named};
use crate::expression::Type;
use crate::language::decode::{Context, Entry};
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::{Span, Spanned};
use crate::language::yaml::Node;
use crate::spec::criteria::Criteria;
use crate::spec::expression;
use crate::spec::map;
use crate::spec::model::{Assigned, Assignment, Device, KeepAlive, NamedPoint, Reply, Write};
use crate::spec::place::{self, Common, TABLES};
use crate::spec::point::{self, DECODING};
use crate::spec::retry;
use crate::spec::simulate::held;
use crate::spec::test::{self, Names};

/// The action.
pub(super) const FIELD: Field = Field::optional(
    "write",
    Shape::AnyOf(&FORMS),
    "Values for points (`device.point: value`), in order; a value may be an expression. Or a value for a place of a table.",
);

static FORMS: [Shape; 2] = [Shape::Map(&Shape::Scalar), Shape::Object(&RAW_WRITE)];

/// What a `write` has besides its values and the kind of answer.
pub(super) const FIELDS: &[Field] = &[
    TOGETHER,
    ROUND,
    Field::optional("verify", Shape::Bool, "Whether it is read back. Default false."),
    Field::optional(
        "restore",
        Shape::Bool,
        "Whether what was there before is put back at the end of the test, whatever happened. Default false.",
    ),
    Field::optional(
        "broadcast",
        Shape::Bool,
        "Whether all devices of the serial line are written to at once; none answers. Default false.",
    ),
];

const TOGETHER: Field = Field::optional(
    "together",
    Shape::Bool,
    "Whether one request writes them all: neighbours in one table. Default false.",
);

const ROUND: Field = Field::optional(
    "round",
    Shape::Bool,
    "Whether the nearest value that the registers can hold will do. Default false.",
);

static RAW_WRITE: Object = Object {
    name: "raw write",
    doc: "A value for a place in a table of a device, without a declared point.",
    fields: &[
        &[
            Field::required("device", Shape::Text, "The device."),
            Field::required("value", Shape::Scalar, "What is written: a value or an expression."),
        ],
        TABLES,
        DECODING,
    ],
};

/// What a device is written again and again.
pub(in crate::spec) static KEEP_ALIVE: Object = Object {
    name: "keep_alive",
    doc: "What the device is written again and again while the record runs, so that it goes on.",
    fields: &[&[
        Field::required(
            "write",
            Shape::Map(&Shape::Scalar),
            "Values for its own points (`point: value`); a value may be an expression.",
        ),
        Field::required("every", Shape::Duration, "From one time to the next."),
        Field::optional(
            "misses",
            Shape::Integer { min: 0, max: 1000 },
            "How many in a row may go wrong, or not come because the line was busy. Default 2.",
        ),
        TOGETHER,
        ROUND,
    ]],
};

/// How many in a row may go wrong where nothing says so: as many as attempts of a read.
const MISSES: u32 = 2;

#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
struct How {
    round: bool,
    verify: bool,
    restore: bool,
    broadcast: bool,
    /// Whether the device is to refuse it, so that it may be what no one should write.
    is_refused: bool,
}

/// A value for a point while it is read.
struct Given {
    assignment: Assignment,
    /// Where the point, or its place, stands.
    span: Span,
    /// It as it will be written, or zeros where it is computed: enough to see whether a request can
    /// write it.
    part: Part,
}

/// What a `write` says. `None`: reported.
pub(super) fn write(at: &At<'_, '_>) -> Option<Write> {
    let At { context, names, fields, .. } = *at;
    let flag = |key| match fields.boolean(key) {
        Some(flag) => Some(flag.value),
        None => (!fields.has(key)).then_some(false),
    };
    let judged = fields.has("exception") || fields.has("answers");
    let how = How {
        round: flag("round")?,
        verify: flag("verify")?,
        restore: flag("restore")?,
        broadcast: flag("broadcast")?,
        is_refused: judged,
    };
    let reply = match (judged, how.broadcast) {
        (true, _) => Reply::Judged(Criteria::of_answer(context, fields)?),
        (false, true) => Reply::Nothing,
        (false, false) => Reply::Acknowledged,
    };
    let fits = how.fits(context, fields);
    let given = given(at, how)?;
    let requests = requests(context, names, fields, (given, how))?;
    let own = fields.object("retry").map(|own| retry::retry(context, &own));
    fits.then(|| Write {
        requests,
        round: how.round,
        verify: how.verify,
        restore: how.restore,
        reply,
        verifies: test::texts(context, fields, "verifies"),
        retry: own,
    })
}

impl How {
    /// Whether its keys go together; each that does not is reported.
    fn fits(self, context: &Context<'_>, fields: &Fields<'_, '_>) -> bool {
        let mut fits = true;
        let mut refuse = |key: &'static str, message: &str, remedy: &str| {
            let error = Diagnostic::error(fields.key_span(key), message.to_owned());
            context.report(error.remedy(remedy));
            fits = false;
        };
        if self.is_refused && self.verify {
            refuse(
                "verify",
                "the kind of answer is judged here, not what is written",
                "remove `verify`, and read the point in a step of its own",
            );
        }
        if self.is_refused && self.broadcast {
            refuse("broadcast", "nobody answers a broadcast", "write to each device by itself");
        }
        if self.restore && self.broadcast {
            refuse(
                "restore",
                "what each of the other devices held before is not known",
                "write to each device by itself",
            );
        }
        fits
    }
}

/// The values of a step. `None`: reported.
fn given(at: &At<'_, '_>, how: How) -> Option<Vec<Given>> {
    let At { context, names, fields, .. } = *at;
    let node = fields.node("write")?;
    let is_raw = node.pairs().is_some_and(|mut pairs| {
        pairs.any(|(key, _)| key.scalar().is_some_and(|key| key.text == "device"))
    });
    let name = fields.text("name").map(|name| name.value);
    if is_raw {
        let (place, value) = raw(context, names, node)?;
        let named = Named { name: name.unwrap_or(place.name), ..place };
        return Some(vec![one(context, names, named, (value, how))?]);
    }
    let entries = entries(context, node);
    let count = entries.len();
    let mut given = Vec::with_capacity(count);
    for entry in entries {
        let Some((device, point)) = any_point(context, names, &entry.key) else { continue };
        let name = match &name {
            Some(name) if count > 1 => format!("{name} {}", entry.key.value),
            Some(name) => name.clone(),
            None => entry.key.value.clone(),
        };
        let named = Named { name, path: entry.key.value, span: entry.key.span, device, point };
        given.extend(one(context, names, named, (entry.value, how)));
    }
    (!given.is_empty() && given.len() == count).then_some(given)
}

/// The values of a mapping; none of them is reported.
fn entries<'t>(context: &Context<'_>, node: Node<'t>) -> Vec<Entry<'t>> {
    let entries = context.map(node);
    if entries.is_empty() && node.pairs().is_some() {
        let error = Diagnostic::error(node.span(), "this writes nothing");
        context.report(error.remedy("name a point and its value: `device.point: 1`"));
    }
    entries
}

/// What keeps a device alive. `None`: reported.
pub(in crate::spec) fn keep_alive(
    context: &Context<'_>,
    names: &Names<'_>,
    device: usize,
    fields: &Fields<'_, '_>,
) -> Option<KeepAlive> {
    let round = fields.boolean("round").is_some_and(|round| round.value);
    let how = How { round, ..How::default() };
    let device_of = names.devices.get(device)?;
    let whose = quoted(&device_of.name);
    let entries = entries(context, fields.node("write")?);
    let count = entries.len();
    let mut given = Vec::with_capacity(count);
    for entry in entries {
        let Some(point) = map::named(context, &device_of.map, &entry.key, &whose) else { continue };
        let point = Arc::clone(point);
        let path = format!("{}.{}", device_of.name, entry.key.value);
        let named = Named { name: path.clone(), path, span: entry.key.span, device, point };
        given.extend(one(context, names, named, (entry.value, how)));
    }
    let every = fields.duration("every")?;
    if every.value.is_zero() {
        let error = Diagnostic::error(every.span, "nothing can be written all the time");
        context.report(error.remedy("write a duration above zero, such as `500ms`"));
        return None;
    }
    if given.is_empty() || given.len() != count {
        return None;
    }
    let requests = requests(context, names, fields, (given, how))?;
    let write = Write {
        requests,
        round,
        verify: false,
        restore: false,
        reply: Reply::Acknowledged,
        verifies: Vec::new(),
        retry: None,
    };
    let misses = fields.integer("misses").map_or(MISSES, |misses| misses.value);
    Some(KeepAlive { write, every: every.value, misses })
}

/// Where a value goes.
struct Named {
    name: String,
    path: String,
    span: Span,
    device: usize,
    point: Arc<Point>,
}

/// A place typed on the spot, and the node of its value.
fn raw<'t>(context: &Context<'_>, names: &Names<'_>, node: Node<'t>) -> Option<(Named, Node<'t>)> {
    let fields = context.fields(node, &RAW_WRITE)?;
    let device = fields.text("device").and_then(|name| device_named(context, names, &name));
    let (table, address) = place::table(context, &Common::default(), &fields)?;
    let site = Site::Table(table, address);
    let declaration = point::decoding(context, &Common::default(), ("raw", site), &fields)?;
    let point = super::read::raw_point(context, &fields, declaration)?;
    let device = device?;
    let path = format!("{}.{table}:{address}", names.devices.get(device)?.name);
    let (name, span) = (path.clone(), node.span());
    Some((Named { name, path, span, device, point: Arc::new(point) }, fields.node("value")?))
}

/// A value for a point. `None`: reported.
fn one(
    context: &Context<'_>,
    names: &Names<'_>,
    named: Named,
    (node, how): (Node<'_>, How),
) -> Option<Given> {
    let Named { name, path, span, device, point } = named;
    let device_of = names.devices.get(device)?;
    let place = Spanned { value: path, span };
    let may = may_write(context, &place, &point, how) & may_read(context, &place, &point, how);
    let reaches = !how.broadcast || is_bus(context, device_of, span);
    let (value, part) = if node.scalar().is_some_and(|scalar| scalar.text.starts_with("= ")) {
        let computed = computed(context, names, &point, node)?;
        (Assigned::Computed(computed), Part::blank(Arc::clone(&point)))
    } else {
        let scalar = context.scalar(node)?;
        let value = held(&point, scalar.value);
        let part = constant(context, &place, &point, (&value, scalar.span, how))?;
        (Assigned::Constant(value), part)
    };
    let scale_factor = point.scale_factor().and_then(|factor| {
        let name = format!("{}.{factor}", device_of.name);
        let point = Arc::clone(device_of.map.points.get(factor)?);
        Some(NamedPoint { name, device, point })
    });
    let assignment = Assignment { name, device, point, scale_factor, value };
    (may && reaches).then_some(Given { assignment, span, part })
}

/// Whether the point may be written; where the device is to refuse it, that is just what is tried.
fn may_write(context: &Context<'_>, place: &Spanned<String>, point: &Point, how: How) -> bool {
    let table = point.span().map(Place::table);
    if let Some(table) = table.filter(|table| !table.is_writable()) {
        let message =
            format!("{} cannot be written: it is in the table `{table}`", quoted(&place.value));
        let remedy = "write a coil or a holding register";
        context.report(Diagnostic::error(place.span, message).remedy(remedy));
        return false;
    }
    let allowed = point.access().writes() || how.is_refused;
    if !allowed {
        let message = format!("{} cannot be written: its access is `read`", quoted(&place.value));
        let remedy = "write another point, correct its `access:`, or expect an `exception`";
        context.report(Diagnostic::error(place.span, message).remedy(remedy));
    }
    allowed
}

/// Whether the point can be read as far as the step has to.
fn may_read(context: &Context<'_>, place: &Spanned<String>, point: &Point, how: How) -> bool {
    let key = match how {
        How { verify: true, .. } => "verify",
        How { restore: true, .. } => "restore",
        _ => return true,
    };
    if !point.access().reads() {
        let message = format!(
            "{} cannot be read, as `{key}` would: its access is `write`",
            quoted(&place.value)
        );
        let remedy = format!("remove `{key}`, or read in a further step what follows from it");
        context.report(Diagnostic::error(place.span, message).remedy(remedy));
    }
    point.access().reads()
}

/// Whether the device is on a line where everyone can be addressed.
fn is_bus(context: &Context<'_>, device: &Device, span: Span) -> bool {
    let framing = device.line.as_ref().map(|line| line.address.framing());
    let reaches = framing.is_none_or(|framing| framing != Framing::Mbap);
    if !reaches {
        let message =
            format!("{} is on no serial line: nobody listens to all", quoted(&device.name));
        let remedy = "remove `broadcast`: with Modbus TCP each device is written to by itself";
        context.report(Diagnostic::error(span, message).remedy(remedy));
    }
    reaches
}

/// An expression whose value the point can take, as far as types tell. `None`: reported.
fn computed(
    context: &Context<'_>,
    names: &Names<'_>,
    point: &Point,
    node: Node<'_>,
) -> Option<crate::spec::model::Expression> {
    let text = context.expression(node)?;
    let bound = expression::bind(context, names, &text)?;
    let (found, wanted) = (Type::of_domain(&bound.domain), Type::of_domain(&point.domain()));
    if found.may_be(wanted) {
        return Some(bound);
    }
    let message = format!("{} takes {wanted}, and this is {found}", quoted(point.name()));
    context.report(Diagnostic::error(text.span, message).remedy("compute what the point can hold"));
    None
}

/// A value as it will be written; zeros where that is known only when a scale factor is. `None`:
/// reported.
fn constant(
    context: &Context<'_>,
    place: &Spanned<String>,
    point: &Arc<Point>,
    (value, span, how): (&Value, Span, How),
) -> Option<Part> {
    let mut held = value.clone();
    let part = if point.scale_factor().is_some() {
        Part::blank(Arc::clone(point))
    } else {
        let part = Part::written(Arc::clone(point), value, None, how.round);
        let part = part.map_err(|error| {
            let message = format!("{} cannot be {value}: {error}", quoted(&place.value));
            context.report(Diagnostic::error(span, message).remedy(remedy(&error)));
        });
        let part = part.ok()?;
        held = part.value().unwrap_or(value).clone();
        part
    };
    if how.is_refused || point.permits(&held) {
        return Some(part);
    }
    let (low, high) = point.range()?;
    let message = format!("{held} is not within what may be written to {}", quoted(&place.value));
    let error = Diagnostic::error(span, format!("{message}: {low} to {high}"));
    context.report(error.remedy("correct the value or the `range:`, or expect an `exception`"));
    None
}

fn remedy(error: &EncodeError) -> &'static str {
    match error {
        EncodeError::Inexact { .. } => "add `round: true` to write the nearest, or give that value",
        EncodeError::NotFinite => "write a number; only floats can be `.nan` or `.inf`",
        EncodeError::UnknownLabel(_) => "write one of the labels under `values:` of the point",
        _ => "give a value that the point's registers can hold",
    }
}

/// What goes out in one request each. `None`: reported.
fn requests(
    context: &Context<'_>,
    names: &Names<'_>,
    fields: &Fields<'_, '_>,
    (given, how): (Vec<Given>, How),
) -> Option<Vec<Vec<Assignment>>> {
    let together = fields.boolean("together").filter(|together| together.value);
    let groups: Vec<Vec<Given>> = match together {
        Some(_) => vec![given],
        None => given.into_iter().map(|one| vec![one]).collect(),
    };
    let key = fields.key_span(if together.is_some() { "together" } else { "write" });
    let mut fit = true;
    for group in &groups {
        let Some(first) = group.first() else { continue };
        let span = if together.is_some() { key } else { first.span };
        let device = names.devices.get(first.assignment.device)?;
        let elsewhere = |one: &&Given| one.assignment.device != first.assignment.device;
        if let Some(other) = group.iter().find(elsewhere) {
            let error = Diagnostic::error(other.span, "one request writes to one device");
            context.report(error.remedy("remove `together`, or make a step for each device"));
            fit = false;
            continue;
        }
        let parts: Vec<Part> = group.iter().map(|one| one.part.clone()).collect();
        match Change::new(&parts, device.manner) {
            Ok(change) if how.broadcast && matches!(change.way(), Way::Merge(_)) => {
                let message = "nobody answers a broadcast what the other bits of the register are";
                let remedy = "write the whole register, or set `write_bits: mask` for the device";
                context.report(Diagnostic::error(span, message).remedy(remedy));
                fit = false;
            }
            Ok(_) => {}
            Err(error) => {
                let remedy = cannot(&error);
                context.report(Diagnostic::error(span, error.to_string()).remedy(remedy));
                fit = false;
            }
        }
    }
    let assignments = |group: Vec<Given>| group.into_iter().map(|one| one.assignment).collect();
    fit.then(|| groups.into_iter().map(assignments).collect())
}

fn cannot(error: &ChangeError) -> &'static str {
    match error {
        ChangeError::ReadOnly(_) | ChangeError::Beyond => "write a coil or a holding register",
        ChangeError::One { .. } => {
            "the device's `write_function:` allows no more: make a step of each register"
        }
        ChangeError::Masks(_) => "remove `together`, or set `write_bits: read_modify_write`",
        _ => "remove `together`: each is then written by itself",
    }
}
