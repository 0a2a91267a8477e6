//! `rules:` of a simulation: what a device does when something happens.

use std::sync::Arc;
use std::time::Duration;

use passline_modbus::point::Domain;
use passline_modbus::value::Value;
use passline_simulator::program::{Action, Rule, Test, When};

use super::image::{held, put};
use super::moving::{BEHAVIOUR, SHORTEST, formula, is_number, lasting, signal};
use super::names::Names;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape, one_of};
use crate::language::source::Spanned;
use crate::language::yaml::Node;

/// A rule.
pub(super) static RULE: Object = Object {
    name: "simulation rule",
    doc: "When something happens to the simulated device, what it does.",
    fields: &[&[
        Field::required("when", Shape::Object(&WHEN), "What has to happen."),
        Field::optional("in", Shape::Name, "Only in this state."),
        Field::optional(
            "after",
            Shape::Duration,
            "How much later it does it. What belongs to a state is dropped if that state is left meanwhile.",
        ),
        Field::optional(
            "set",
            Shape::Map(&Shape::Scalar),
            "Points to values, or to `= ` and an expression over points of this device and `t`. What moved them ends.",
        ),
        Field::optional("increment", Shape::Map(&Shape::Number), "What is added to points."),
        Field::optional(
            "start",
            Shape::Map(&Shape::Object(&BEHAVIOUR)),
            "What moves points from now on.",
        ),
        Field::optional("stop", Shape::OneOrMany(&Shape::Text), "Points that stay where they are."),
        Field::optional(
            "inject",
            Shape::OneOrMany(&Shape::Name),
            "Faults, by their `name`, that begin to show.",
        ),
        Field::optional(
            "clear",
            Shape::OneOrMany(&Shape::Name),
            "Faults, by their `name`, that show no more.",
        ),
        Field::optional("state", Shape::Name, "The state that it comes into."),
        Field::optional(
            "restart",
            Shape::Duration,
            "It begins anew, as if switched off and on, and boots for so long: connections are lost and nobody is answered.",
        ),
    ]],
};

static WHEN: Object = Object {
    name: "event",
    doc: "One of `write`, `read`, `becomes`, `at`, `every` and `enters`; `write` and `becomes` with tests beside it.",
    fields: &[&[
        Field::optional("write", Shape::Text, "A client wrote to this point."),
        Field::optional("read", Shape::Text, "A client read this point."),
        Field::optional(
            "becomes",
            Shape::Text,
            "The value of this point comes to pass the tests, and did not before.",
        ),
        Field::optional(
            "at",
            Shape::Duration,
            "This time since the start of the simulation, or since a restart.",
        ),
        Field::optional("every", Shape::Duration, "Each time so long has passed."),
        Field::optional("enters", Shape::Name, "The device comes into this state."),
        Field::optional("equals", Shape::Scalar, "The value is this."),
        Field::optional("min", Shape::Number, "The value is at least this."),
        Field::optional("max", Shape::Number, "The value is at most this."),
        Field::optional("above", Shape::Number, "The value is above this."),
        Field::optional("below", Shape::Number, "The value is below this."),
        Field::optional("bit", Shape::Integer { min: 0, max: 63 }, "This bit of the value is set."),
    ]],
};

/// The events of which a rule is about one.
const EVENTS: [&str; 6] = ["write", "read", "becomes", "at", "every", "enters"];

/// The tests that may stand beside `write` and `becomes`.
const TESTS: [&str; 6] = ["equals", "min", "max", "above", "below", "bit"];

/// A rule. `None`: reported.
pub(super) fn rule(names: &mut Names<'_, '_>, node: Node<'_>) -> Option<Rule> {
    let fields = names.context.fields(node, &RULE)?;
    let when = when(names, &fields.object("when")?);
    let state = match fields.name("in") {
        Some(name) => Some(names.state(&name)?),
        None => None,
    };
    let after = after(names, &fields);
    let actions = actions(names, &fields);
    if fields.keys().all(|key| matches!(key, "when" | "in" | "after")) {
        let error = Diagnostic::error(fields.span(), "this rule does nothing");
        names.context.report(error.remedy("add what it does, such as `set:`"));
        return None;
    }
    Some(Rule { when: when?, state, after: after?, actions: actions? })
}

/// Nothing, or long enough that a circle of rules does not stand still. `None`: reported.
fn after(names: &Names<'_, '_>, fields: &Fields<'_, '_>) -> Option<Duration> {
    let Some(after) = fields.duration("after") else { return Some(Duration::ZERO) };
    if after.value.is_zero() || after.value >= SHORTEST {
        return Some(after.value);
    }
    let error = Diagnostic::error(after.span, "`after` is shorter than 1 ms");
    names.context.report(error.remedy("give it a millisecond at least, or remove it"));
    None
}

fn when(names: &mut Names<'_, '_>, fields: &Fields<'_, '_>) -> Option<When> {
    let events: Vec<&str> = fields.keys().filter(|key| EVENTS.contains(key)).collect();
    let [event] = events.as_slice() else {
        let message = format!("a rule is about one event, not {}", events.len());
        let error = Diagnostic::error(fields.span(), message);
        names.context.report(error.remedy(format!("give one of {}", one_of(&EVENTS))));
        return None;
    };
    let has_tests = fields.keys().any(|key| TESTS.contains(&key));
    if has_tests && !matches!(*event, "write" | "becomes") {
        let error = Diagnostic::error(fields.span(), format!("`{event}` has no value to test"));
        names.context.report(error.remedy("tests stand beside `write` and `becomes`"));
        return None;
    }
    if !has_tests && *event == "becomes" {
        let error = Diagnostic::error(fields.key_span("becomes"), "becomes what?");
        names.context.report(error.remedy(format!("add one of {}", one_of(&TESTS))));
        return None;
    }
    Some(match *event {
        "at" => When::At(fields.duration("at")?.value),
        "every" => When::Every(lasting(names, fields, "every")?),
        "enters" => When::Enters(names.state(&fields.name("enters")?)?),
        _ => {
            let point = names.point(&fields.text(event)?)?;
            match *event {
                "write" => When::Written(point, test(names, point, fields)?),
                "becomes" => When::Becomes(point, test(names, point, fields)?),
                _ => When::Read(point),
            }
        }
    })
}

/// What a value of the point is tested for. `None`: reported.
fn test(names: &Names<'_, '_>, point: usize, fields: &Fields<'_, '_>) -> Option<Test> {
    for limit in ["min", "max", "above", "below"].into_iter().filter(|key| fields.has(key)) {
        is_number(names, point, fields.key_span(limit))?;
    }
    let own = &names.points.get(point)?.point;
    if fields.has("bit") && !matches!(own.domain(), Domain::Steps(_)) {
        let message = format!("{} is no whole number with bits", quoted(own.name()));
        let error = Diagnostic::error(fields.key_span("bit"), message);
        names.context.report(error.remedy("a point that is one bit is tested with `equals:`"));
        return None;
    }
    let equals = match fields.scalar("equals") {
        Some(equals) => Some(value(names, point, equals.map(|scalar| held(own, scalar)))?),
        None => None,
    };
    let number = |key| fields.number(key).map(|number| number.value);
    let crossed = number("min").zip(number("max")).is_some_and(|(min, max)| min > max);
    if crossed {
        let error = Diagnostic::error(fields.key_span("min"), "no value is within `min` and `max`");
        names.context.report(error.remedy("give the lesser as `min`, and the greater as `max`"));
        return None;
    }
    Some(Test {
        equals,
        min: number("min"),
        max: number("max"),
        above: number("above"),
        below: number("below"),
        bit: fields.integer("bit").map(|bit| bit.value),
    })
}

/// A value that the point can hold. `None`: reported.
fn value(names: &Names<'_, '_>, point: usize, value: Spanned<Value>) -> Option<Value> {
    let own = Arc::clone(&names.points.get(point)?.point);
    put(names.context, names.map, &mut names.image.clone(), &own, &value)?;
    Some(value.value)
}

fn actions(names: &mut Names<'_, '_>, fields: &Fields<'_, '_>) -> Option<Vec<Action>> {
    let context = names.context;
    let mut actions = Vec::new();
    for entry in fields.map("set") {
        let point = names.point(&entry.key)?;
        actions.push(set(names, point, entry.value)?);
    }
    for entry in fields.map("increment") {
        let point = names.point(&entry.key)?;
        is_number(names, point, entry.key.span)?;
        actions.push(Action::Increment(point, context.number(entry.value)?.value));
    }
    for entry in fields.map("start") {
        let point = names.point(&entry.key)?;
        actions.push(Action::Start(point, signal(names, point, entry.value)?));
    }
    for node in fields.one_or_many("stop") {
        actions.push(Action::Stop(names.point(&context.text(node)?)?));
    }
    for (key, shows) in [("inject", true), ("clear", false)] {
        for node in fields.one_or_many(key) {
            actions.push(Action::Fault(names.fault(&context.name(node)?)?, shows));
        }
    }
    if let Some(state) = fields.name("state") {
        actions.push(Action::Enter(names.state(&state)?));
    }
    if fields.has("restart") {
        actions.push(Action::Restart(lasting(names, fields, "restart")?));
    }
    Some(actions)
}

/// Gives a point a value, or what an expression makes of others. `None`: reported.
fn set(names: &mut Names<'_, '_>, point: usize, node: Node<'_>) -> Option<Action> {
    let context = names.context;
    if node.scalar().is_some_and(|scalar| scalar.text.starts_with("= ")) {
        let text = context.expression(node)?;
        return Some(Action::Compute(point, formula(names, point, &text)?));
    }
    let given = context.scalar(node)?;
    let own = Arc::clone(&names.points.get(point)?.point);
    Some(Action::Set(point, value(names, point, given.map(|scalar| held(&own, scalar)))?))
}
