//! What a device type allows, in a profile or beside a device.

use std::time::Duration;

use passline_modbus::change::{WriteBits, WriteFunction};
use passline_modbus::link::{InFlight, Oddity, Tolerance};

use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Shape};
use crate::language::yaml::Node;

/// The keys of what a device type allows.
pub(super) const QUIRKS: &[Field] = &[
    Field::optional(
        "max_registers",
        Shape::Integer { min: 1, max: 125 },
        "The most registers that one read may ask for. Default 125.",
    ),
    Field::optional(
        "max_bits",
        Shape::Integer { min: 1, max: 2000 },
        "The most bits that one read may ask for. Default 2000.",
    ),
    Field::optional(
        "max_gap",
        Shape::Integer { min: 0, max: 124 },
        "The longest run of undeclared registers that a merged read may cross. Default 0.",
    ),
    Field::optional(
        "merge",
        Shape::Bool,
        "Whether one request may read several points. Default true.",
    ),
    Field::optional(
        "in_flight",
        Shape::Integer { min: 1, max: 16 },
        "How many requests may be open at once. Default 1.",
    ),
    Field::optional("pause", Shape::Duration, "Silence before each request. Default none."),
    Field::optional(
        "pause_after_connect",
        Shape::Duration,
        "Silence after connecting. Default none.",
    ),
    Field::optional(
        "idle_close",
        Shape::Duration,
        "After how long it closes an idle connection; `0s`: close after every exchange. Default never.",
    ),
    Field::optional(
        "max_clients",
        Shape::Integer { min: 1, max: 65_535 },
        "How many connections it takes at once. Default any number.",
    ),
    Field::optional(
        "write_function",
        Shape::Choice(WriteFunction::NAMES),
        "With which functions it is written. Default `auto`.",
    ),
    Field::optional(
        "write_bits",
        Shape::Choice(WriteBits::NAMES),
        "How some bits of a register are written: with function 16 (`mask`, the default), or by reading the register and writing it back (`read_modify_write`).",
    ),
    Field::optional(
        "tolerate",
        Shape::OneOrMany(&Shape::Text),
        "What of its answers to put up with: transaction_id, unit_id, length, trailing. Default nothing.",
    ),
    Field::optional(
        "answer_unit_id",
        Shape::Integer { min: 0, max: 255 },
        "The unit id in its answers, where that is not the one asked. Default none.",
    ),
    Field::optional(
        "response_timeout",
        Shape::Duration,
        "From the last byte of a request to its answer. Default 1s.",
    ),
];

/// What a device type allows; what is absent is decided elsewhere.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Quirks {
    pub(super) max_registers: Option<u16>,
    pub(super) max_bits: Option<u16>,
    pub(super) max_gap: Option<u16>,
    pub(super) merge: Option<bool>,
    pub(super) in_flight: Option<InFlight>,
    pub(super) pause: Option<Duration>,
    pub(super) pause_after_connect: Option<Duration>,
    pub(super) idle_close: Option<Duration>,
    pub(super) max_clients: Option<u16>,
    pub(super) write_function: Option<WriteFunction>,
    pub(super) write_bits: Option<WriteBits>,
    pub(super) tolerance: Option<Tolerance>,
    pub(super) response_timeout: Option<Duration>,
}

impl Quirks {
    pub(super) fn decode(context: &Context<'_>, fields: &Fields<'_, '_>) -> Self {
        let duration = |key| fields.duration(key).map(|duration| duration.value);
        Self {
            max_registers: fields.integer("max_registers").map(|count| count.value),
            max_bits: fields.integer("max_bits").map(|count| count.value),
            max_gap: fields.integer("max_gap").map(|count| count.value),
            merge: fields.boolean("merge").map(|merge| merge.value),
            in_flight: fields.integer("in_flight").and_then(|count| InFlight::new(count.value)),
            pause: duration("pause"),
            pause_after_connect: duration("pause_after_connect"),
            idle_close: duration("idle_close"),
            max_clients: fields.integer("max_clients").map(|count| count.value),
            write_function: fields
                .choice("write_function")
                .and_then(|name| WriteFunction::named(name.value)),
            write_bits: fields.choice("write_bits").and_then(|name| WriteBits::named(name.value)),
            tolerance: tolerance(context, fields),
            response_timeout: response_timeout(context, fields),
        }
    }

    /// These, and where they are silent the others.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            max_registers: self.max_registers.or(other.max_registers),
            max_bits: self.max_bits.or(other.max_bits),
            max_gap: self.max_gap.or(other.max_gap),
            merge: self.merge.or(other.merge),
            in_flight: self.in_flight.or(other.in_flight),
            pause: self.pause.or(other.pause),
            pause_after_connect: self.pause_after_connect.or(other.pause_after_connect),
            idle_close: self.idle_close.or(other.idle_close),
            max_clients: self.max_clients.or(other.max_clients),
            write_function: self.write_function.or(other.write_function),
            write_bits: self.write_bits.or(other.write_bits),
            tolerance: self.tolerance.or(other.tolerance),
            response_timeout: self.response_timeout.or(other.response_timeout),
        }
    }
}

/// Who says one thing of it says all of it: what is put up with is seen in one place.
fn tolerance(context: &Context<'_>, fields: &Fields<'_, '_>) -> Option<Tolerance> {
    if !fields.has("tolerate") && !fields.has("answer_unit_id") {
        return None;
    }
    let oddities = fields.one_or_many("tolerate").into_iter();
    Some(Tolerance {
        oddities: oddities.filter_map(|node| oddity(context, node)).collect(),
        answer_unit_id: fields.integer("answer_unit_id").map(|unit| unit.value),
    })
}

fn oddity(context: &Context<'_>, node: Node<'_>) -> Option<Oddity> {
    let text = context.text(node)?;
    let found = Oddity::ALL.into_iter().find(|oddity| oddity.name() == text.value);
    if found.is_none() {
        let names = Oddity::ALL.map(Oddity::name);
        let message = format!("{} is nothing to put up with", quoted(&text.value));
        let error = Diagnostic::error(text.span, message);
        let error = error.remedy(format!("write {}", names.join(", ")));
        context.report(error.suggest(&text.value, names));
    }
    found
}

/// A device that is given no time is silent by definition, and `answers: false` would always pass.
fn response_timeout(context: &Context<'_>, fields: &Fields<'_, '_>) -> Option<Duration> {
    let timeout = fields.duration("response_timeout")?;
    if timeout.value.is_zero() {
        let error = Diagnostic::error(timeout.span, "no device answers in no time at all");
        context.report(error.remedy("write a duration above zero, such as `500ms`"));
        return None;
    }
    Some(timeout.value)
}
