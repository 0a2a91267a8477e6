//! A step: one action, and what it is judged by.

use std::sync::Arc;

use passline_modbus::point::{
    Access, Declaration, Field as BitField, Point, Site, Span as Place, Table,
};

use super::criteria::{Criteria, Judged};
use super::expression;
use super::map;
use super::model::{Check, Read, Step, Subject, Wait};
use super::place::{self, BEYOND, Common, TABLES};
use super::point::{self, DECODING};
use super::retry::{self, RETRY};
use super::test::{self, Names};
use crate::expression::Type;
use crate::judge;
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::Spanned;
use crate::language::yaml::Node;

/// A step.
pub(super) static STEP: Object = Object {
    name: "step",
    doc: "One action: `read`, `compute` or `wait`; and for what is read or computed, at least one limit, or `record: true`.",
    fields: &[
        &[
            Field::optional(
                "read",
                Shape::AnyOf(&[Shape::Text, Shape::List(&Shape::Text), Shape::Object(&RAW_READ)]),
                "A point (`device.point`), a list of points (one check each), or a stretch of a table.",
            ),
            Field::optional(
                "compute",
                Shape::Expression,
                "An expression over points, read in one scan.",
            ),
            Field::optional("wait", Shape::Duration, "A pause."),
            Field::optional(
                "name",
                Shape::Text,
                "The name of the check; by default `device.point` or the expression.",
            ),
            Field::optional("unit", Shape::Text, "The measuring unit of what is computed."),
            Field::optional(
                "verifies",
                Shape::OneOrMany(&Shape::Text),
                "Requirements that this step verifies beside those of its test.",
            ),
            Field::optional("retry", Shape::Object(&RETRY), "Instead of the device's."),
        ],
        &judge::FIELDS,
    ],
};

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

/// A step while it is read.
pub(super) struct At<'a, 't> {
    pub(super) context: &'a Context<'a>,
    pub(super) names: &'a Names<'a>,
    pub(super) node: Node<'t>,
    pub(super) fields: &'a Fields<'t, 'a>,
}

/// Reads a step. `None`: reported.
pub(super) fn step(context: &Context<'_>, names: &Names<'_>, node: Node<'_>) -> Option<Step> {
    let fields = context.fields(node, &STEP)?;
    let at = At { context, names, node, fields: &fields };
    let actions: Vec<&str> =
        ["read", "compute", "wait"].into_iter().filter(|action| fields.has(action)).collect();
    match actions[..] {
        ["read"] => at.read().map(Step::Read),
        ["compute"] => at.compute().map(|check| Step::Compute(Box::new(check))),
        ["wait"] => wait(context, &fields).map(Step::Wait),
        [] => {
            let error = Diagnostic::error(fields.span(), "this step does nothing");
            context.report(error.remedy("give it one of `read`, `compute` or `wait`"));
            None
        }
        _ => {
            let message =
                format!("this step has {} actions: {}", actions.len(), actions.join(", "));
            let error = Diagnostic::error(fields.span(), message);
            context.report(error.remedy("make a step of each"));
            None
        }
    }
}

fn wait(context: &Context<'_>, fields: &Fields<'_, '_>) -> Option<Wait> {
    let time = fields.duration("wait")?;
    let others: Vec<&str> = fields.keys().filter(|key| !["wait", "name"].contains(key)).collect();
    for key in &others {
        let message = format!("`{key}` has nothing to do with a `wait`");
        let error = Diagnostic::error(fields.key_span(key), message);
        context.report(error.remedy("remove it, or make a step of its own"));
    }
    let name = fields.text("name").map(|name| name.value);
    others.is_empty().then(|| Wait {
        name: name.unwrap_or_else(|| format!("wait {:?}", time.value)),
        time: time.value,
    })
}

impl At<'_, '_> {
    fn read(&self) -> Option<Vec<Check>> {
        let Self { context, names, fields, .. } = *self;
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
            return Some(vec![self.check(name, Subject::Read(read))?]);
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
            checks.extend(self.check(name, Subject::Read(read)));
        }
        (!checks.is_empty()).then_some(checks)
    }

    fn compute(&self) -> Option<Check> {
        let Self { context, names, fields, .. } = *self;
        let text = fields.expression("compute")?;
        if judges_the_answer(fields) {
            let error =
                Diagnostic::error(text.span, "a `compute` has a value, not a kind of answer");
            context.report(error.remedy("ask for `exception` or `answers` where a point is read"));
            return None;
        }
        let expression = expression::bind(context, names, &text)?;
        if expression.points.is_empty() {
            let error = Diagnostic::error(text.span, "this expression reads no point");
            context.report(error.remedy("name one: what no device can change proves nothing"));
            return None;
        }
        let name = fields.text("name").map_or_else(|| text.value.clone(), |name| name.value);
        let unit = fields.text("unit").map(|unit| unit.value.into());
        self.check(name, Subject::Expression { expression, unit })
    }

    fn check(&self, name: String, subject: Subject) -> Option<Check> {
        let Self { context, names, fields, .. } = *self;
        let retry = fields.object("retry").map(|retry| retry::retry(context, &retry));
        let verifies = test::texts(context, fields, "verifies");
        let criteria = match &subject {
            Subject::Read(Read { point: None, .. }) => Criteria::of_answer(context, fields)?,
            Subject::Read(Read { device, point: Some(point), .. }) => {
                let asked = fields.has("bits");
                let bits = if asked { bit_fields(names, *device, point) } else { Vec::new() };
                Criteria::read(self, Judged::point(point, bits))?
            }
            Subject::Expression { expression, .. } => {
                let domain = expression.domain.clone();
                // What is invalid is an error of the expression; only NaN is left to be judged.
                let may_be_invalid = Type::of_domain(&domain) == Type::Float;
                let judged = Judged { domain, may_be_invalid, bits: Vec::new() };
                Criteria::read(self, judged)?
            }
        };
        Some(Check { name, subject, criteria, verifies, retry })
    }
}

/// Whether only the kind of answer is judged: the value is then not even decoded, and the read is
/// never merged with another, whose answer it would be as well.
fn judges_the_answer(step: &Fields<'_, '_>) -> bool {
    step.has("exception") || step.has("answers")
}

/// The named bit fields of a word.
fn bit_fields(names: &Names<'_>, device: usize, word: &Point) -> Vec<(String, BitField)> {
    let Some(device) = names.devices.get(device) else { return Vec::new() };
    let prefix = format!("{}.", word.name());
    let points = device.map.points.iter();
    let fields = points
        .filter_map(|(name, point)| Some((name.strip_prefix(&prefix)?.to_owned(), point.field()?)));
    fields.collect()
}

/// The point that a path such as `meter.voltage_l1` names.
pub(super) fn named_point(
    context: &Context<'_>,
    names: &Names<'_>,
    path: &Spanned<String>,
) -> Option<(usize, Arc<Point>)> {
    let Some((device, name)) = path.value.split_once('.') else {
        let message = format!("{} names no point", quoted(&path.value));
        let error = Diagnostic::error(path.span, message);
        context.report(error.remedy("write `device.point`"));
        return None;
    };
    let device_text = Spanned { value: device.to_owned(), span: path.part(0..device.len()) };
    let index = device_named(context, names, &device_text)?;
    let span = path.part(device.len() + 1..path.value.len());
    let name = Spanned { value: name.to_owned(), span };
    let point = map::named(context, &names.devices.get(index)?.map, &name, &quoted(device))?;
    if point.access() == Access::Write {
        let message = format!("{} cannot be read: its access is `write`", quoted(&path.value));
        let error = Diagnostic::error(path.span, message);
        context.report(error.remedy("read another point, or correct its `access:`"));
        return None;
    }
    Some((index, Arc::clone(point)))
}

fn device_named(context: &Context<'_>, names: &Names<'_>, name: &Spanned<String>) -> Option<usize> {
    let index = names.device(&name.value);
    if index.is_none() && !names.is_refused(&name.value) {
        let message = format!("there is no device {}", quoted(&name.value));
        let known = names.devices.iter().map(|device| device.name.as_str());
        let error = Diagnostic::error(name.span, message).remedy("declare it under `devices:`");
        context.report(error.suggest(&name.value, known));
    }
    index
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

fn raw_point(
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
