//! `tests:`, `setup:` and `teardown:`: names, tags, `for_each` unrolled, and how each test goes.

mod axes;
mod course;
mod needs;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

pub(super) use axes::Open;
use needs::Needing;

use super::model::{Action, Assigned, Check, Course, Device, Expression, Step, Test};
use super::saved::Saved;
use super::step::{self, STEP};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::{SourceId, Span, Spanned};
use crate::language::variables::Variable;
use crate::language::yaml::{Node, Tree};
use crate::record::Phase;

/// A test.
pub(super) static TEST: Object = Object {
    name: "test",
    doc: "Steps in order, under one name.",
    fields: &[
        &[
            Field::required("test", Shape::Text, "Its name, unique in the spec."),
            Field::optional("tags", Shape::OneOrMany(&Shape::Text), "For `--tag`."),
            Field::optional(
                "verifies",
                Shape::OneOrMany(&Shape::Text),
                "The requirements it verifies, for reports.",
            ),
            Field::optional(
                "for_each",
                Shape::AnyOf(&axes::FOR_EACH),
                "One instance of the test for each combination of these values, for each of these rows, or for each row of this CSV file; as variables.",
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
        ],
        course::FIELDS,
    ],
};

/// What steps refer to. Clones share what steps save.
#[derive(Clone)]
pub(super) struct Names<'d> {
    /// The file that is read.
    pub(super) tree: &'d Arc<Tree>,
    /// Its folder.
    pub(super) folder: &'d Path,
    pub(super) devices: &'d [Device],
    by_name: Rc<HashMap<&'d str, usize>>,
    /// Devices that are declared and were reported to be wrong.
    refused: Rc<HashSet<String>>,
    /// The values saved by the steps so far.
    pub(super) saved: Rc<Saved>,
    /// Opens other files.
    pub(super) open: Open<'d>,
    /// The files of shared steps that were read.
    pub(super) shared: Rc<RefCell<HashMap<SourceId, Arc<Tree>>>>,
    /// Those that the file is included in, and itself.
    pub(super) within: Vec<SourceId>,
}

impl<'d> Names<'d> {
    pub(super) fn new(
        (tree, folder): (&'d Arc<Tree>, &'d Path),
        devices: &'d [Device],
        refused: HashSet<String>,
        open: Open<'d>,
    ) -> Self {
        let by_name =
            devices.iter().enumerate().map(|(index, device)| (device.name.as_str(), index));
        Self {
            tree,
            folder,
            devices,
            by_name: Rc::new(by_name.collect()),
            refused: Rc::new(refused),
            saved: Rc::default(),
            open,
            shared: Rc::default(),
            within: Vec::new(),
        }
    }

    /// As it is in a file of shared steps.
    pub(super) fn inside<'i>(
        &self,
        (tree, folder): (&'i Arc<Tree>, &'i Path),
        file: SourceId,
    ) -> Names<'i>
    where
        'd: 'i,
    {
        let within = [&self.within[..], &[file]].concat();
        Names { tree, folder, within, ..self.clone() }
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

/// All tests of a spec: setup first, then what compares the serial number, teardown last; and the order in which they begin.
pub(super) fn all(
    context: &Context<'_>,
    names: &Names<'_>,
    root: &Fields<'_, '_>,
    (identification, keeps_alive): (Option<Test>, bool),
) -> (Vec<Test>, Vec<usize>) {
    let mut all = Vec::new();
    all.extend(phase(context, names, root, ("setup", Phase::Setup)));
    all.extend(identification);
    let offset = all.len();
    let (main, places): (Vec<_>, Vec<_>) = tests(context, names, root, offset).into_iter().unzip();
    all.extend(main);
    all.extend(phase(context, names, root, ("teardown", Phase::Teardown)));
    ensure_teardown(&mut all, keeps_alive);
    let place = |test: usize| places.get(test.checked_sub(offset)?).copied();
    let order = needs::order(context, &all, place);
    (all, order)
}

/// The steps of `setup:` or `teardown:`, if there are any.
fn phase(
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
    let mut steps = step::steps(context, names, nodes).steps;
    number_names(&mut steps.iter_mut().collect::<Vec<_>>());
    Some(of_phase((key, phase), steps))
}

fn of_phase((key, phase): (&str, Phase), steps: Vec<Step>) -> Test {
    Test {
        name: key.to_owned(),
        phase,
        tags: Vec::new(),
        verifies: Vec::new(),
        setup: Vec::new(),
        steps,
        teardown: Vec::new(),
        recover: Vec::new(),
        course: Course::default(),
    }
}

/// Adds the teardown that a spec does not write down, where something has to be put back or ended
/// there.
fn ensure_teardown(tests: &mut Vec<Test>, keeps_alive: bool) {
    let restores = |step: &Step| matches!(&step.action, Action::Write(write) if write.restore);
    let setups = tests.iter().filter(|test| test.phase == Phase::Setup);
    let needed = keeps_alive || setups.flat_map(Test::all_steps).any(restores);
    if needed && tests.iter().all(|test| test.phase != Phase::Teardown) {
        tests.push(of_phase(("teardown", Phase::Teardown), Vec::new()));
    }
}

/// The tests of a spec, in order, each with the place of its name. `offset` tests stand before them.
fn tests(
    context: &Context<'_>,
    names: &Names<'_>,
    root: &Fields<'_, '_>,
    offset: usize,
) -> Vec<(Test, Span)> {
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
        for needing in instances(context, names, node) {
            let (name, span) = (needing.test.name.clone(), needing.span);
            if let Some(first) = seen.insert(name, span) {
                let message = format!("two tests are named {}", quoted(&needing.test.name));
                let error = Diagnostic::error(span, message).related(first, "the first one");
                context.report(error.remedy("give each its own name"));
            }
            tests.push(needing);
        }
    }
    needs::bind(context, tests, offset)
}

/// The instances of one test.
fn instances(context: &Context<'_>, names: &Names<'_>, node: Node<'_>) -> Vec<Needing> {
    let Some(fields) = context.fields(node, &TEST) else { return Vec::new() };
    let instance = |bindings: Vec<(String, Variable)>| instance(context, names, node, &bindings);
    axes::combinations(context, names, &fields).into_iter().filter_map(instance).collect()
}

/// The instance of a test with these values. `None`: reported.
fn instance(
    context: &Context<'_>,
    names: &Names<'_>,
    node: Node<'_>,
    bindings: &[(String, Variable)],
) -> Option<Needing> {
    let inner = context.variables.within(bindings.iter().cloned().collect::<BTreeMap<_, _>>());
    let inside = Context { variables: &inner, ..*context };
    let fields = inside.fields(node, &TEST)?;
    let Spanned { value: base, span } = fields.text("test")?;
    let mut name = base.clone();
    if !bindings.is_empty() {
        let bound: Vec<String> =
            bindings.iter().map(|(key, value)| format!("{key}={}", value.text)).collect();
        name = format!("{base} [{}]", bound.join(", "));
    }
    let retry = course::retry_of(&fields);
    let course = course::course(&inside, names, &fields, retry.as_ref());
    let mut complete = true;
    let mut read = |nodes: Vec<Node<'_>>| {
        let read = step::steps(&inside, names, nodes);
        complete &= read.complete;
        read.steps
    };
    let [setup, own, teardown] = PARTS.map(|part| read(part_of(&inside, &fields, part)));
    let recover = retry.map(|retry| read(retry.list("recover")));
    let mut test = Test {
        name,
        phase: Phase::Main,
        tags: texts(&inside, &fields, "tags"),
        verifies: texts(&inside, &fields, "verifies"),
        setup,
        steps: own,
        teardown,
        recover: recover.unwrap_or_default(),
        course,
    };
    number_names(&mut test.all_steps_mut().collect::<Vec<_>>());
    // A step that was reported is not here: nobody knows what it would have checked.
    if !judges(&test) && fields.has("steps") && complete {
        let message = format!("test {} checks nothing and records nothing", quoted(&test.name));
        let error = Diagnostic::error(span, message);
        context.report(error.remedy("add a step that reads or computes something"));
    }
    let needs = fields.one_or_many("needs").into_iter();
    let needs = needs.filter_map(|need| inside.text(need)).collect();
    Some(Needing { test, span, base, needs })
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
    let judges = |step: &Step| match &step.action {
        Action::Write(write) => write.judges(),
        _ => !step.checks().is_empty(),
    };
    test.steps.iter().any(judges)
}

/// A list of texts.
pub(super) fn texts(context: &Context<'_>, fields: &Fields<'_, '_>, key: &str) -> Vec<String> {
    let nodes = fields.one_or_many(key).into_iter();
    nodes.filter_map(|node| context.text(node)).map(|text| text.value).collect()
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
            Action::Run(run) => std::slice::from_ref(&run.check),
            Action::Prompt(prompt) => std::slice::from_ref(&prompt.check),
            Action::Wait(_) | Action::Reconnect(_) | Action::Write(_) => &[],
        }
    }

    /// Every expression in it.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let judged = self.checks().iter().flat_map(Check::expressions);
        self.flow.condition.iter().chain(judged).chain(self.assigned())
    }

    /// The expressions whose values it writes.
    fn assigned(&self) -> impl Iterator<Item = &Expression> {
        let write = match &self.action {
            Action::Write(write) => Some(write),
            _ => None,
        };
        let assignments = write.into_iter().flat_map(|write| write.assignments());
        assignments.filter_map(|assignment| match &assignment.value {
            Assigned::Computed(expression) => Some(expression),
            Assigned::Constant(_) => None,
        })
    }

    fn names_mut(&mut self) -> Vec<&mut String> {
        match &mut self.action {
            Action::Read(checks) => checks.iter_mut().map(|check| &mut check.name).collect(),
            Action::Compute(check) => vec![&mut check.name],
            Action::Run(run) => vec![&mut run.check.name],
            Action::Prompt(prompt) => vec![&mut prompt.check.name],
            Action::Wait(wait) => vec![&mut wait.name],
            Action::Reconnect(reconnect) => vec![&mut reconnect.name],
            Action::Write(write) => write.names_mut(),
        }
    }
}
