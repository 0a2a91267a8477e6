//! A fault of a simulated device: its kind, its scope and its trigger.

use std::num::NonZeroU64;

use passline_modbus::address::Address;
use passline_modbus::point::{Location, Span as Place};
use passline_simulator::fault::{Fault, Kind, Probability, Scope, Trigger};
use passline_simulator::image::Image;

use super::kind;
use crate::language::decode::Context;
use crate::language::diagnostic::Diagnostic;
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::Spanned;
use crate::language::yaml::Node;
use crate::spec::map;
use crate::spec::model::Map;
use crate::spec::place::{self, Common, TABLES};

pub(super) static FAULT: Object = Object {
    name: "fault",
    doc: "A deviation of the simulated device: what it is, to which requests, and when.",
    fields: &[
        &[Field::required("fault", Shape::Choice(kind::WORDS), "Its kind.")],
        kind::PARAMETERS,
        super::image::CELLS,
        &[
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
            Field::optional("name", Shape::Name, "What rules call it."),
            Field::optional(
                "active",
                Shape::Bool,
                "Whether it is there from the start on; else a rule injects it. Default true.",
            ),
        ],
    ],
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
                "more_than",
                Shape::U16,
                "Requests that read or write more registers or bits than this.",
            ),
            Field::optional(
                "unit_id",
                Shape::Integer { min: 0, max: 255 },
                "Requests to this unit.",
            ),
        ],
        TABLES,
    ],
};

/// A device whose faults are read.
pub(super) struct Faulty<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) map: &'a Map,
    /// What it holds when its simulation begins.
    pub(super) image: &'a Image,
    pub(super) address: Option<&'a Address>,
}

/// What rules know of a fault.
pub(super) struct Label {
    pub(super) name: Option<Spanned<String>>,
    /// Whether it is there from the start on.
    pub(super) is_active: bool,
}

impl Faulty<'_> {
    /// A fault, and what rules know of it. `None`: reported.
    pub(super) fn fault(&self, node: Node<'_>) -> Option<(Fault, Label)> {
        let fields = self.context.fields(node, &FAULT)?;
        let is_active = fields.boolean("active").is_none_or(|active| active.value);
        let label = Label { name: fields.name("name"), is_active };
        if !is_active && label.name.is_none() {
            let error = Diagnostic::error(fields.key_span("active"), "this fault never shows");
            self.context.report(error.remedy("give it a `name:`, and a rule that injects it"));
            return None;
        }
        let scope = match fields.object("scope") {
            Some(scope) => self.scope(&scope),
            None => Some(Scope::default()),
        };
        let kind = kind::kind(self, &fields, scope.as_ref());
        let trigger = trigger(self.context, &fields);
        if let Some(Kind::Connection(_)) = kind
            && fields.has("scope")
        {
            let message = "a connection is no request: this kind of fault has no scope";
            let error = Diagnostic::error(fields.key_span("scope"), message);
            let remedy = "remove it: the fault is about every connection to the line";
            self.context.report(error.remedy(remedy));
            return None;
        }
        Some((Fault { kind: kind?, scope: scope?, trigger: trigger? }, label))
    }

    fn scope(&self, fields: &Fields<'_, '_>) -> Option<Scope> {
        let mut scope = Scope {
            start: fields.integer("start").map(|start| start.value),
            function: fields.integer("function").map(|function| function.value),
            more_than: fields.integer("more_than").map(|count| count.value),
            unit_id: fields.integer("unit_id").map(|unit| unit.value),
            ..Scope::default()
        };
        let context = self.context;
        let in_table = TABLES.iter().any(|place| fields.has(place.key));
        if let Some(name) = fields.text("point") {
            let point = map::named(context, self.map, &name, "this device")?;
            match point.location() {
                Location::Table(span) => scope.span = Some(span),
                place => scope.beyond = Some(place),
            }
            if in_table || fields.has("count") {
                let message = "a `point` says where it is: no table and no count beside it";
                let error = Diagnostic::error(name.span, message);
                context.report(error.remedy("keep the one that is meant"));
            }
        } else if in_table {
            let (table, address) = place::table(context, &Common::default(), fields)?;
            let count = fields.integer::<u16>("count").map_or(1, |count| count.value);
            let start = u16::try_from(address).ok();
            scope.span = start.and_then(|start| Place::new(table, start, count));
            if scope.span.is_none() {
                let error = Diagnostic::error(fields.span(), "the scope passes address 65535");
                context.report(error.remedy("correct the address or the `count`"));
            }
        } else if let Some(count) = fields.integer::<u16>("count") {
            let message = "`count` needs a table and an address beside it";
            let error = Diagnostic::error(count.span, message);
            let remedy = "name the `point` it is about, or a table and an address";
            context.report(error.remedy(remedy));
        }
        Some(scope)
    }
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
    let (first, after, from, until) = (count("first"), count("after"), time("from"), time("until"));
    let never = [
        ("first", first.zip(after).is_some_and(|(first, after)| first <= after), "`after`"),
        ("until", until.zip(from).is_some_and(|(until, from)| until <= from), "`from`"),
    ];
    if let Some((key, _, other)) = never.into_iter().find(|(_, is_over, _)| *is_over) {
        let error = Diagnostic::error(fields.key_span(key), "this fault never shows");
        let remedy = format!("both have to hold: `{key}` lies behind {other}");
        context.report(error.remedy(remedy));
        return None;
    }
    Some(Trigger {
        first,
        after,
        every: count("every").and_then(NonZeroU64::new),
        probability,
        from,
        until,
    })
}
