//! A step: one action, what governs it, and what it is judged by. Each action is a file here.

mod check;
mod compute;
mod flow;
mod include;
mod prompt;
mod read;
mod reconnect;
mod run;
mod timing;
mod wait;
mod write;

pub(super) use write::{KEEP_ALIVE, keep_alive};

use std::sync::Arc;

pub(super) use include::ID as SHARED_ID;
pub use include::SHARED as SHARED_STEPS;

use passline_modbus::point::{Access, Point};

use super::map;
use super::model::{Action, Step};
use super::test::Names;
use crate::judge;
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape, one_of};
use crate::language::source::Spanned;
use crate::language::yaml::Node;

/// A step.
pub(super) static STEP: Object = Object {
    name: "step",
    doc: "One action, what governs it; and for what is read or computed, at least one limit, or `record: true`.",
    fields: &[
        &[read::FIELD, compute::FIELD, wait::FIELD, reconnect::FIELD, write::FIELD, NAME],
        &[run::FIELD, prompt::FIELD, SIMULATED],
        run::FIELDS,
        prompt::FIELDS,
        &[compute::UNIT, compute::MAX_SKEW],
        write::FIELDS,
        check::FIELDS,
        timing::FIELDS,
        flow::FIELDS,
        include::FIELDS,
        &judge::FIELDS,
    ],
};

/// What stands for the world outside where everything is simulated.
const SIMULATED: Field = Field::optional(
    "simulated",
    Shape::Scalar,
    "Where every device is simulated: the answer, or what the program would write. Nobody is asked then, and nothing is run.",
);

const NAME: Field = Field::optional(
    "name",
    Shape::Text,
    "The name of the check; by default `device.point` or the expression.",
);

/// An action: its key, what else its step may have, and how it is read.
struct Kind {
    key: &'static str,
    /// Groups of keys beside the action itself, the name and what governs every step.
    takes: &'static [&'static [Field]],
    read: fn(&At<'_, '_>) -> Option<Action>,
}

/// The actions.
static ACTIONS: [Kind; 7] = [
    Kind {
        key: read::FIELD.key,
        takes: &[&[compute::UNIT], check::FIELDS, timing::FIELDS, &judge::FIELDS],
        read: |at| read::read(at).map(Action::Read),
    },
    Kind {
        key: compute::FIELD.key,
        takes: &[
            &[compute::UNIT, compute::MAX_SKEW],
            check::FIELDS,
            timing::FIELDS,
            &judge::FIELDS,
        ],
        read: |at| compute::compute(at).map(|check| Action::Compute(Box::new(check))),
    },
    Kind { key: wait::FIELD.key, takes: &[], read: |at| wait::wait(at).map(Action::Wait) },
    Kind {
        key: reconnect::FIELD.key,
        takes: &[],
        read: |at| reconnect::reconnect(at).map(Action::Reconnect),
    },
    Kind {
        key: write::FIELD.key,
        takes: &[write::FIELDS, &judge::ANSWER_FIELDS, check::OF_JUDGED],
        read: |at| write::write(at).map(|write| Action::Write(Box::new(write))),
    },
    Kind {
        key: run::FIELD.key,
        takes: &[run::FIELDS, &[compute::UNIT, SIMULATED], check::FIELDS, &judge::FIELDS],
        read: |at| run::run(at).map(|run| Action::Run(Box::new(run))),
    },
    Kind {
        key: prompt::FIELD.key,
        takes: &[prompt::FIELDS, &[compute::UNIT, SIMULATED], check::FIELDS, &judge::FIELDS],
        read: |at| prompt::prompt(at).map(|prompt| Action::Prompt(Box::new(prompt))),
    },
];

/// A step while it is read.
pub(super) struct At<'a, 't> {
    pub(super) context: &'a Context<'a>,
    pub(super) names: &'a Names<'a>,
    pub(super) node: Node<'t>,
    pub(super) fields: &'a Fields<'t, 'a>,
}

/// Steps that were read.
pub(super) struct Steps {
    /// In order; those that were reported are not here.
    pub(super) steps: Vec<Step>,
    /// Whether none was reported.
    pub(super) complete: bool,
}

/// Reads steps, and those that others stand for.
pub(super) fn steps(context: &Context<'_>, names: &Names<'_>, nodes: Vec<Node<'_>>) -> Steps {
    let mut all = Steps { steps: Vec::with_capacity(nodes.len()), complete: true };
    for node in nodes {
        let read = context.fields(node, &STEP).and_then(|fields| {
            if fields.has("include") {
                include::include(context, names, &fields)
            } else {
                step(context, names, (node, &fields))
                    .map(|step| Steps { steps: vec![step], complete: true })
            }
        });
        match read {
            Some(read) => {
                all.steps.extend(read.steps);
                all.complete &= read.complete;
            }
            None => all.complete = false,
        }
    }
    all
}

impl At<'_, '_> {
    /// What stands for the world outside where everything is simulated, as it is written.
    fn simulated(&self) -> Option<Spanned<String>> {
        let node = self.fields.node(SIMULATED.key)?;
        self.context.variable(node).map(|text| text.map(|text| text.text))
    }

    /// Refuses limits, and these keys, where the value is judged already. `None`: reported.
    fn nothing_to_judge(&self, why: &str, keys: &[&str]) -> Option<()> {
        let limits = judge::FIELDS.iter().map(|field| field.key);
        let wrong: Vec<&str> = self
            .fields
            .keys()
            .filter(|key| keys.contains(key) || limits.clone().any(|limit| limit == *key))
            .collect();
        for key in &wrong {
            let error = Diagnostic::error(self.fields.key_span(key), why);
            self.context.report(error.remedy(format!("remove `{key}`")));
        }
        wrong.is_empty().then_some(())
    }
}

/// Reads a step. `None`: reported.
fn step(
    context: &Context<'_>,
    names: &Names<'_>,
    (node, fields): (Node<'_>, &Fields<'_, '_>),
) -> Option<Step> {
    let at = At { context, names, node, fields };
    let asked: Vec<&Kind> = ACTIONS.iter().filter(|kind| fields.has(kind.key)).collect();
    match asked[..] {
        [kind] => {
            let only_its_own = kind.only_its_own(&at);
            let flow = flow::flow(&at);
            let action = (kind.read)(&at)?;
            only_its_own.then_some(Step { action, flow: flow? })
        }
        [] => {
            let error = Diagnostic::error(fields.span(), "this step does nothing");
            let keys: Vec<&str> = ACTIONS.iter().map(|kind| kind.key).chain(["include"]).collect();
            context.report(error.remedy(format!("give it one of {}", one_of(&keys))));
            None
        }
        _ => {
            let keys: Vec<&str> = asked.iter().map(|kind| kind.key).collect();
            let message = format!("this step has {} actions: {}", keys.len(), keys.join(", "));
            let error = Diagnostic::error(fields.span(), message);
            context.report(error.remedy("make a step of each"));
            None
        }
    }
}

impl Kind {
    /// Whether the step has no key that means nothing with this action; each that does is reported.
    fn only_its_own(&self, at: &At<'_, '_>) -> bool {
        let mut groups = self.takes.iter().chain(&[flow::FIELDS]).copied().flatten();
        let takes: Vec<&str> = groups.by_ref().map(|field| field.key).collect();
        let known = |key: &str| key == self.key || key == NAME.key || takes.contains(&key);
        let mut only = true;
        for key in at.fields.keys().filter(|key| !known(key)) {
            let message = format!("`{key}` has nothing to do with a `{}`", self.key);
            let error = Diagnostic::error(at.fields.key_span(key), message);
            at.context.report(error.remedy("remove it, or make a step of its own"));
            only = false;
        }
        only
    }
}

/// The point that a path such as `meter.voltage_l1` names.
pub(super) fn named_point(
    context: &Context<'_>,
    names: &Names<'_>,
    path: &Spanned<String>,
) -> Option<(usize, Arc<Point>)> {
    let (index, point) = any_point(context, names, path)?;
    if point.access() == Access::Write {
        let message = format!("{} cannot be read: its access is `write`", quoted(&path.value));
        let error = Diagnostic::error(path.span, message);
        context.report(error.remedy("read another point, or correct its `access:`"));
        return None;
    }
    Some((index, point))
}

/// As [`named_point`], whether it can be read or not.
fn any_point(
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
    Some((index, Arc::clone(point)))
}

pub(super) fn device_named(
    context: &Context<'_>,
    names: &Names<'_>,
    name: &Spanned<String>,
) -> Option<usize> {
    let index = names.device(&name.value);
    if index.is_none() && !names.is_refused(&name.value) {
        let message = format!("there is no device {}", quoted(&name.value));
        let known = names.devices.iter().map(|device| device.name.as_str());
        let error = Diagnostic::error(name.span, message).remedy("declare it under `devices:`");
        context.report(error.suggest(&name.value, known));
    }
    index
}
