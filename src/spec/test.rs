//! `tests:`, `setup:` and `teardown:`: names, tags, and `for_each` unrolled.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::model::{Action, Check, Device, Step, Test};
use super::saved::Saved;
use super::step::{self, STEP};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::Span;
use crate::language::variables::Variable;
use crate::language::yaml::{Node, Tree};
use crate::record::Phase;

/// A test.
pub(super) static TEST: Object = Object {
    name: "test",
    doc: "Steps in order, under one name.",
    fields: &[&[
        Field::required("test", Shape::Text, "Its name, unique in the spec."),
        Field::optional("tags", Shape::OneOrMany(&Shape::Text), "For `--tag`."),
        Field::optional(
            "verifies",
            Shape::OneOrMany(&Shape::Text),
            "The requirements it verifies, for reports.",
        ),
        Field::optional(
            "for_each",
            Shape::Map(&Shape::List(&Shape::Scalar)),
            "One instance of the test for each combination of these values, as variables.",
        ),
        Field::optional(
            "setup",
            Shape::List(&Shape::Object(&STEP)),
            "Steps before its own. If one does not pass, its own are not made.",
        ),
        Field::required("steps", Shape::List(&Shape::Object(&STEP)), "What it does, in order."),
        Field::optional(
            "teardown",
            Shape::List(&Shape::Object(&STEP)),
            "Steps after its own, whatever happened.",
        ),
    ]],
};

/// What steps refer to.
pub(super) struct Names<'d> {
    pub(super) tree: &'d Arc<Tree>,
    pub(super) devices: &'d [Device],
    by_name: HashMap<&'d str, usize>,
    /// Devices that are declared and were reported to be wrong.
    refused: HashSet<String>,
    /// The values saved by the steps so far.
    pub(super) saved: Saved,
}

impl<'d> Names<'d> {
    pub(super) fn new(
        tree: &'d Arc<Tree>,
        devices: &'d [Device],
        refused: HashSet<String>,
    ) -> Self {
        let by_name =
            devices.iter().enumerate().map(|(index, device)| (device.name.as_str(), index));
        let by_name = by_name.collect();
        Self { tree, devices, by_name, refused, saved: Saved::default() }
    }

    /// Whether a device of this name was reported already.
    pub(super) fn is_refused(&self, name: &str) -> bool {
        self.refused.contains(name)
    }

    /// The place of a device.
    pub(super) fn device(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}

/// The steps of `setup:` or `teardown:`, if there are any.
pub(super) fn phase(
    context: &Context<'_>,
    names: &Names<'_>,
    root: &Fields<'_, '_>,
    (key, phase): (&'static str, Phase),
) -> Option<Test> {
    if !root.has(key) {
        return None;
    }
    let nodes = root.list(key);
    if nodes.is_empty() {
        let error = Diagnostic::error(root.key_span(key), format!("`{key}` has no step"));
        context.report(error.remedy("add one, or remove the key"));
    }
    let mut steps = steps(context, names, nodes);
    number_names(&mut steps.iter_mut().collect::<Vec<_>>());
    Some(Test {
        name: key.to_owned(),
        phase,
        tags: Vec::new(),
        verifies: Vec::new(),
        setup: Vec::new(),
        steps,
        teardown: Vec::new(),
    })
}

/// The tests of a spec, in order.
pub(super) fn tests(context: &Context<'_>, names: &Names<'_>, root: &Fields<'_, '_>) -> Vec<Test> {
    let nodes = root.list("tests");
    if nodes.is_empty() && root.has("tests") {
        let error = Diagnostic::error(root.key_span("tests"), "there is no test here");
        context
            .report(error.remedy("a spec without a test would pass without looking at anything"));
    }
    let mut tests = Vec::new();
    let phases = ["setup", "teardown"].into_iter().filter(|key| root.has(key));
    let mut seen: HashMap<String, Span> =
        phases.map(|key| (key.to_owned(), root.key_span(key))).collect();
    for node in nodes {
        for (test, span) in instances(context, names, node) {
            if let Some(first) = seen.insert(test.name.clone(), span) {
                let message = format!("two tests are named {}", quoted(&test.name));
                let error = Diagnostic::error(span, message).related(first, "the first one");
                context.report(error.remedy("give each its own name"));
            }
            tests.push(test);
        }
    }
    tests
}

/// The instances of one test, each with the place of its name.
fn instances(context: &Context<'_>, names: &Names<'_>, node: Node<'_>) -> Vec<(Test, Span)> {
    let Some(fields) = context.fields(node, &TEST) else { return Vec::new() };
    let mut tests = Vec::new();
    for bindings in combinations(context, &fields) {
        let inner = context.variables.within(bindings.iter().cloned().collect::<BTreeMap<_, _>>());
        let inside = Context { variables: &inner, ..*context };
        let Some(fields) = inside.fields(node, &TEST) else { continue };
        let Some(name) = fields.text("test") else { continue };
        let mut full = name.value;
        if !bindings.is_empty() {
            let bound: Vec<String> =
                bindings.iter().map(|(key, value)| format!("{key}={}", value.text)).collect();
            full = format!("{full} [{}]", bound.join(", "));
        }
        let mut written = 0;
        let [setup, own, teardown] = PARTS.map(|part| {
            let nodes = part_of(&inside, &fields, part);
            written += nodes.len();
            steps(&inside, names, nodes)
        });
        let mut test = Test {
            name: full,
            phase: Phase::Main,
            tags: texts(&inside, &fields, "tags"),
            verifies: texts(&inside, &fields, "verifies"),
            setup,
            steps: own,
            teardown,
        };
        let all = [&mut test.setup, &mut test.steps, &mut test.teardown].into_iter().flatten();
        number_names(&mut all.collect::<Vec<_>>());
        // A step that was reported is not here: nobody knows what it would have checked.
        if !judges(&test) && fields.has("steps") && test.all_steps().count() == written {
            let message = format!("test {} checks nothing and records nothing", quoted(&test.name));
            let error = Diagnostic::error(name.span, message);
            context.report(error.remedy("add a step that reads or computes something"));
        }
        tests.push((test, name.span));
    }
    tests
}

/// The parts of a test that have steps, in their order.
const PARTS: [&str; 3] = ["setup", "steps", "teardown"];

/// The steps of one part of a test, as they are written.
fn part_of<'t>(context: &Context<'_>, test: &Fields<'t, '_>, part: &'static str) -> Vec<Node<'t>> {
    let nodes = test.list(part);
    if nodes.is_empty() && test.has(part) && part != "steps" {
        let error = Diagnostic::error(test.key_span(part), format!("`{part}` has no step"));
        context.report(error.remedy("add one, or remove the key"));
    }
    nodes
}

fn judges(test: &Test) -> bool {
    test.steps.iter().any(|step| !step.checks().is_empty())
}

/// A list of texts.
pub(super) fn texts(context: &Context<'_>, fields: &Fields<'_, '_>, key: &str) -> Vec<String> {
    let nodes = fields.one_or_many(key).into_iter();
    nodes.filter_map(|node| context.text(node)).map(|text| text.value).collect()
}

/// The most instances of one test: more would take more memory than a station has.
const MOST_INSTANCES: usize = 100_000;

/// Every combination of the values of `for_each`, the last key changing fastest.
fn combinations(context: &Context<'_>, fields: &Fields<'_, '_>) -> Vec<Vec<(String, Variable)>> {
    let mut combinations = vec![Vec::new()];
    for entry in fields.map("for_each") {
        let Some(key) = context.name(entry.key_node) else { continue };
        let nodes = context.list(entry.value);
        if nodes.is_empty() {
            let error = Diagnostic::error(entry.value.span(), "there is no value to go through");
            context.report(error.remedy("an empty list would make no test at all"));
        }
        let values = nodes.into_iter().filter_map(|node| context.variable(node));
        let values: Vec<Variable> = values.map(|value| value.value).collect();
        if combinations.len().saturating_mul(values.len()) > MOST_INSTANCES {
            let message = format!("this makes more than {MOST_INSTANCES} tests of one");
            let error = Diagnostic::error(entry.key.span, message);
            context.report(error.remedy("go through fewer values, or write several tests"));
            return Vec::new();
        }
        combinations = combinations
            .iter()
            .flat_map(|before| {
                values.iter().map(|value| {
                    let mut next: Vec<(String, Variable)> = before.clone();
                    next.push((key.value.clone(), value.clone()));
                    next
                })
            })
            .collect();
    }
    combinations
}

fn steps(context: &Context<'_>, names: &Names<'_>, nodes: Vec<Node<'_>>) -> Vec<Step> {
    nodes.into_iter().filter_map(|node| step::step(context, names, node)).collect()
}

/// A second check of the same name in a test gets `#2`, and so on.
fn number_names(steps: &mut [&mut Step]) {
    let mut taken: HashSet<String> = HashSet::new();
    let mut counts: HashMap<String, u32> = HashMap::new();
    for name in steps.iter_mut().flat_map(|step| step.names_mut()) {
        if taken.insert(name.clone()) {
            continue;
        }
        let count = counts.entry(name.clone()).or_insert(1);
        let numbered = loop {
            *count += 1;
            let numbered = format!("{name}#{count}");
            if taken.insert(numbered.clone()) {
                break numbered;
            }
        };
        *name = numbered;
    }
}

impl Step {
    /// The checks of the step; none for a step that is not judged.
    pub fn checks(&self) -> &[Check] {
        match &self.action {
            Action::Read(checks) => checks,
            Action::Compute(check) => std::slice::from_ref(&**check),
            Action::Wait(_) => &[],
        }
    }

    fn names_mut(&mut self) -> Vec<&mut String> {
        match &mut self.action {
            Action::Read(checks) => checks.iter_mut().map(|check| &mut check.name).collect(),
            Action::Compute(check) => vec![&mut check.name],
            Action::Wait(wait) => vec![&mut wait.name],
        }
    }
}
