//! What a simulated device does on its own: the behaviours of its values and its rules, as one
//! script that makes sense.

use std::collections::HashMap;

use passline_simulator::program::{Action, Circle, Rule, Script, Signal};

use super::fault::Label;
use super::moving::signal;
use super::names::Names;
use super::rule::rule;
use crate::language::decode::Entry;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::source::Span;

/// What the device does on its own, if anything. What is wrong with it is reported.
pub(super) fn script(
    mut names: Names<'_, '_>,
    fields: &Fields<'_, '_>,
    moving: &[Entry<'_>],
    labels: &[Label],
) -> Option<Script> {
    names.states = states(&names, fields);
    names.faults = faults(&names, labels);
    let mut signals: Vec<(usize, Signal)> = Vec::new();
    let mut places: HashMap<usize, Span> = HashMap::new();
    for entry in moving {
        let Some(point) = names.point(&entry.key) else { continue };
        if let Some(signal) = signal(&mut names, point, entry.value) {
            shared(&names, point, (&signals, entry.key.span));
            places.insert(point, entry.key.span);
            signals.push((point, signal));
        }
    }
    let nodes = fields.list("rules").into_iter();
    let rules: Vec<Rule> = nodes.filter_map(|node| rule(&mut names, node)).collect();
    let dormant = dormant(&names, labels, &rules);
    if signals.is_empty() && rules.is_empty() {
        return None;
    }
    let context = names.context;
    let place = |point: &usize| places.get(point).copied();
    match Script::new(names.points.clone(), signals, rules) {
        Ok(script) => {
            for (point, value, error) in script.misfits(names.image) {
                let Some(held) = names.points.get(point) else { continue };
                let name = quoted(held.point.name());
                let message = format!("{name} would be {value} at the start, and cannot: {error}");
                let error = Diagnostic::error(place(&point), message);
                context.report(error.remedy("compute a value that the point can hold"));
            }
            Some(script.with_states(names.states.len()).with_dormant(dormant))
        }
        Err(Circle(circle)) => {
            let named = circle.iter().chain(circle.first());
            let named = named.filter_map(|point| names.points.get(*point));
            let named: Vec<String> = named.map(|held| quoted(held.point.name())).collect();
            let message = format!("what moves these depends on itself: {}", named.join(", "));
            let at = circle.iter().find_map(place).unwrap_or(fields.key_span("rules"));
            let error = Diagnostic::error(at, message);
            context.report(error.remedy("break the circle: let a rule `set` one of them"));
            None
        }
    }
}

fn states(names: &Names<'_, '_>, fields: &Fields<'_, '_>) -> Vec<String> {
    let mut states: Vec<String> = Vec::new();
    for node in fields.list("states") {
        let Some(state) = names.context.name(node) else { continue };
        if states.contains(&state.value) {
            let message = format!("there are two states {}", quoted(&state.value));
            let error = Diagnostic::error(state.span, message);
            names.context.report(error.remedy("give each its own name"));
        }
        states.push(state.value);
    }
    states
}

fn faults(names: &Names<'_, '_>, labels: &[Label]) -> Vec<Option<String>> {
    let mut faults: Vec<Option<String>> = Vec::new();
    for Label { name, .. } in labels {
        let own = name.as_ref().map(|name| name.value.clone());
        if let Some(name) = name.as_ref().filter(|_| faults.contains(&own)) {
            let message = format!("there are two faults named {}", quoted(&name.value));
            let error = Diagnostic::error(name.span, message);
            names.context.report(error.remedy("give each its own name"));
        }
        faults.push(own);
    }
    faults
}

/// The faults that are not there from the start on. A rule has to inject each.
fn dormant(names: &Names<'_, '_>, labels: &[Label], rules: &[Rule]) -> Vec<usize> {
    let mut dormant = Vec::new();
    for (index, label) in labels.iter().enumerate().filter(|(_, label)| !label.is_active) {
        dormant.push(index);
        let mut actions = rules.iter().flat_map(|rule| &rule.actions);
        if let Some(name) = &label.name
            && !actions.any(|action| *action == Action::Fault(index, true))
        {
            let message = format!("nothing injects the fault {}", quoted(&name.value));
            let error = Diagnostic::error(name.span, message);
            names.context.report(error.remedy("add a rule that injects it, or let it be active"));
        }
    }
    dormant
}

/// Reports a point whose memory another one moves as well.
fn shared(
    names: &Names<'_, '_>,
    point: usize,
    (others, span): (&[(usize, Signal)], Span),
) -> Option<()> {
    let own = names.points.get(point)?;
    let mut others = others.iter().filter_map(|(other, _)| names.points.get(*other));
    let other = others.find(|other| own.shares(other))?;
    let (own, other) = (quoted(own.point.name()), quoted(other.point.name()));
    let error = Diagnostic::error(span, format!("{own} and {other} are moved in the same place"));
    names.context.report(error.remedy("move one of them"));
    None
}
