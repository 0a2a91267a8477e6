//! `clock`: the time of day.

use jiff::Timestamp;
use passline_simulator::behaviour::{Clock, Reading};

use super::Names;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};

pub(super) static CLOCK: Object = Object {
    name: "clock",
    doc: "The time of day in UTC; a device with a register for each part of it has several.",
    fields: &[&[
        Field::required("shows", Shape::Choice(&READINGS), "What of the time the point shows."),
        Field::optional(
            "from",
            Shape::Text,
            "What the clock is set to when it begins: `2026-01-31T12:00:00Z`. Default: when the run started, and what passed since.",
        ),
    ]],
};

static READINGS: [&str; Reading::NAMED.len()] = {
    let mut names = [""; Reading::NAMED.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = Reading::NAMED[index].0;
        index += 1;
    }
    names
};

pub(super) fn clock(names: &Names<'_, '_>, fields: &Fields<'_, '_>) -> Option<Clock> {
    let shows = fields.choice("shows")?;
    let (_, reading) = *Reading::NAMED.iter().find(|(name, _)| *name == shows.value)?;
    if !fields.has("from") {
        return Some(Clock { from: None, reading });
    }
    let from = fields.text("from")?;
    let Ok(time) = from.value.parse::<Timestamp>() else {
        let message = format!("{} is no time", quoted(&from.value));
        let error = Diagnostic::error(from.span, message);
        names.context.report(error.remedy("write it as `2026-01-31T12:00:00Z`"));
        return None;
    };
    Some(Clock { from: Some(time), reading })
}
