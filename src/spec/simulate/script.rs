//! `rules:` and `states:` of a simulation: what a device does on its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use passline_modbus::value::{Decimal, Value};
use passline_simulator::program::{Action, Held, Rule, Script, Test, When};

use super::behaviour::{BEHAVIOUR, Reader};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::Spanned;
use crate::language::yaml::Node;
use crate::spec::map;
use crate::spec::model::Map;

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
        Field::optional("start", Shape::Map(&Shape::Object(&BEHAVIOUR)), "What moves points from now on."),
        Field::optional("stop", Shape::OneOrMany(&Shape::Text), "Points that stay where they are."),
        Field::optional("inject", Shape::OneOrMany(&Shape::Name), "Faults, by their `name`, that begin to show."),
        Field::optional("clear", Shape::OneOrMany(&Shape::Name), "Faults, by their `name`, that show no more."),
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
        Field::optional("becomes", Shape::Text, "The value of this point comes to pass the tests, and did not before."),
        Field::optional("at", Shape::Duration, "This time since the start of the simulation, or since a restart."),
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

/// What the names in rules and behaviours stand for: indices, as the simulator wants them.
pub(super) struct Names<'m> {
    pub(super) map: &'m Map,
    pub(super) states: Vec<String>,
    /// The names of the faults, in their order.
    pub(super) faults: Vec<Option<String>>,
    pub(super) points: Vec<Held>,
    known: HashMap<String, usize>,
}

impl<'m> Names<'m> {
    pub(super) fn new(map: &'m Map, states: Vec<String>, faults: Vec<Option<String>>) -> Self {
        Self { map, states, faults, points: Vec::new(), known: HashMap::new() }
    }

    /// The index of a point. `None`: reported.
    pub(super) fn point(&mut self, context: &Context<'_>, name: &Spanned<String>) -> Option<usize> {
        if let Some(index) = self.known.get(&name.value) {
            return Some(*index);
        }
        let point = map::named(context, self.map, name, "this device")?;
        let factor = point.scale_factor().and_then(|factor| self.map.points.get(factor));
        let held = Held { point: Arc::clone(point), factor: factor.cloned() };
        self.points.push(held);
        self.known.insert(name.value.clone(), self.points.len() - 1);
        Some(self.points.len() - 1)
    }

    fn state(&self, context: &Context<'_>, name: &Spanned<String>) -> Option<usize> {
        let found = self.states.iter().position(|state| *state == name.value);
        if found.is_none() {
            let message = format!("there is no state {}", quoted(&name.value));
            let error = Diagnostic::error(name.span, message).remedy("list it under `states:`");
            context.report(error.suggest(&name.value, self.states.iter().map(String::as_str)));
        }
        found
    }

    fn fault(&self, context: &Context<'_>, name: &Spanned<String>) -> Option<usize> {
        let names = || self.faults.iter().flatten().map(String::as_str);
        let found = self.faults.iter().position(|fault| fault.as_ref() == Some(&name.value));
        if found.is_none() {
            let message = format!("there is no fault named {}", quoted(&name.value));
            let error = Diagnostic::error(name.span, message);
            let error = error.remedy("give the fault under `faults:` this `name:`");
            context.report(error.suggest(&name.value, names()));
        }
        found
    }
}

impl Reader<'_, '_> {
    /// A rule. `None`: reported.
    pub(super) fn rule(&mut self, node: Node<'_>) -> Option<Rule> {
        let fields = self.context.fields(node, &RULE)?;
        let when = self.when(&fields.object("when")?);
        let state = match fields.name("in") {
            Some(name) => Some(self.names.state(self.context, &name)?),
            None => None,
        };
        let after = fields.duration("after").map_or(Duration::ZERO, |after| after.value);
        let actions = self.actions(&fields);
        if fields.keys().all(|key| matches!(key, "when" | "in" | "after")) {
            let error = Diagnostic::error(fields.span(), "this rule does nothing");
            self.context.report(error.remedy("add what it does, such as `set:`"));
            return None;
        }
        Some(Rule { when: when?, state, after, actions: actions? })
    }

    fn when(&mut self, fields: &Fields<'_, '_>) -> Option<When> {
        let events: Vec<&str> = fields.keys().filter(|key| EVENTS.contains(key)).collect();
        let [event] = events.as_slice() else {
            let message = format!("a rule is about one event, not {}", events.len());
            let error = Diagnostic::error(fields.span(), message);
            self.context.report(error.remedy(format!("give one of {}", EVENTS.join(", "))));
            return None;
        };
        let has_tests = fields.keys().any(|key| TESTS.contains(&key));
        if has_tests && !matches!(*event, "write" | "becomes") {
            let message = format!("`{event}` has no value to test");
            let error = Diagnostic::error(fields.span(), message);
            self.context.report(error.remedy("tests stand beside `write` and `becomes`"));
            return None;
        }
        if !has_tests && *event == "becomes" {
            let error = Diagnostic::error(fields.key_span("becomes"), "becomes what?");
            self.context.report(error.remedy("add `equals:`, `above:`, `below:`, `min:`, `max:` or `bit:`"));
            return None;
        }
        let above_zero = |key| {
            let time = fields.duration(key)?;
            if time.value.is_zero() && key == "every" {
                let error = Diagnostic::error(time.span, "`every` cannot be zero");
                self.context.report(error.remedy("give it a time above zero"));
                return None;
            }
            Some(time.value)
        };
        Some(match *event {
            "at" => When::At(above_zero("at")?),
            "every" => When::Every(above_zero("every")?),
            "enters" => When::Enters(self.names.state(self.context, &fields.name("enters")?)?),
            _ => {
                let point = self.names.point(self.context, &fields.text(event)?)?;
                match *event {
                    "write" => When::Written(point, test(fields)),
                    "becomes" => When::Becomes(point, test(fields)),
                    _ => When::Read(point),
                }
            }
        })
    }

    fn actions(&mut self, fields: &Fields<'_, '_>) -> Option<Vec<Action>> {
        let context = self.context;
        let mut actions = Vec::new();
        for entry in fields.map("set") {
            let point = self.names.point(context, &entry.key)?;
            let is_formula = entry.value.scalar().is_some_and(|scalar| scalar.text.starts_with("= "));
            actions.push(if is_formula {
                Action::Compute(point, self.formula(&context.expression(entry.value)?)?)
            } else {
                Action::Set(point, Value::from(context.scalar(entry.value)?.value))
            });
        }
        for entry in fields.map("increment") {
            let point = self.names.point(context, &entry.key)?;
            let by: Spanned<Decimal> = context.number(entry.value)?;
            actions.push(Action::Increment(point, by.value));
        }
        for entry in fields.map("start") {
            let point = self.names.point(context, &entry.key)?;
            actions.push(Action::Start(point, self.signal(entry.value)?));
        }
        for node in fields.one_or_many("stop") {
            actions.push(Action::Stop(self.names.point(context, &context.text(node)?)?));
        }
        for (key, shows) in [("inject", true), ("clear", false)] {
            for node in fields.one_or_many(key) {
                let fault = self.names.fault(context, &context.name(node)?)?;
                actions.push(Action::Fault(fault, shows));
            }
        }
        if let Some(state) = fields.name("state") {
            actions.push(Action::Enter(self.names.state(context, &state)?));
        }
        if let Some(boot) = fields.duration("restart") {
            actions.push(Action::Restart(boot.value));
        }
        Some(actions)
    }

    /// The script of a device: the signals of its values, and its rules.
    pub(super) fn script(
        mut self,
        signals: Vec<(usize, passline_simulator::program::Signal)>,
        rules: Vec<Node<'_>>,
    ) -> Script {
        let rules = rules.into_iter().filter_map(|node| self.rule(node)).collect();
        let states = self.names.states.len();
        Script { points: std::mem::take(&mut self.names.points), signals, rules, states }
    }
}

fn test(fields: &Fields<'_, '_>) -> Test {
    let number = |key| fields.number(key).map(|number| number.value);
    Test {
        equals: fields.scalar("equals").map(|equals| Value::from(equals.value)),
        min: number("min"),
        max: number("max"),
        above: number("above"),
        below: number("below"),
        bit: fields.integer("bit").map(|bit| bit.value),
    }
}
