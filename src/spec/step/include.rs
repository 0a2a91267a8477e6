//! `include`: steps that several tests or specs share, from a file of their own, with arguments.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{STEP, Steps, steps};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::Spanned;
use crate::language::variables::Variable;
use crate::language::yaml;
use crate::spec::test::Names;

/// The keys of a step that stands for others.
pub(super) const FIELDS: &[Field] = &[
    Field::optional("include", Shape::Text, "A file of shared steps, relative to this one."),
    Field::optional("with", Shape::Map(&Shape::Scalar), "The arguments of the included steps."),
];

/// The key that makes a file one of shared steps.
pub(in crate::spec) const ID: &str = "shared_steps";

/// A file of shared steps.
pub static SHARED: Object = Object {
    name: "file of shared steps",
    doc: "Steps that are included elsewhere.",
    fields: &[&[
        Field::required(ID, Shape::Text, "What they do, for people."),
        Field::optional(
            "arguments",
            Shape::List(&Shape::Name),
            "The names that who includes them gives values to; variables within.",
        ),
        Field::optional(
            "defaults",
            Shape::Map(&Shape::Scalar),
            "Values of arguments that may be left out.",
        ),
        Field::required("steps", Shape::List(&Shape::Object(&STEP)), "The steps, in order."),
    ]],
};

/// The deepest that files of shared steps include each other.
const DEEPEST: usize = 16;

/// The steps that a step stands for. `None`: something was reported.
pub(super) fn include(
    context: &Context<'_>,
    names: &Names<'_>,
    fields: &Fields<'_, '_>,
) -> Option<Steps> {
    for key in fields.keys().filter(|key| !FIELDS.iter().any(|field| field.key == *key)) {
        let message = format!("`{key}` has nothing to do with an `include`");
        let error = Diagnostic::error(fields.key_span(key), message);
        context.report(error.remedy("remove it, or give it to the steps in the file"));
    }
    let file = fields.text("include")?;
    let source = (names.open)(context, &file, names.folder)?;
    if names.within.contains(&source.id()) || names.within.len() >= DEEPEST {
        let message = format!("{} includes itself", quoted(&file.value));
        context
            .report(Diagnostic::error(file.span, message).remedy("remove one of the `include`s"));
        return None;
    }
    let known = names.shared.borrow().get(&source.id()).cloned();
    let tree = known.or_else(|| {
        let tree = yaml::parse(&source, context.diagnostics).map(Arc::new);
        names.shared.borrow_mut().extend(tree.clone().map(|tree| (source.id(), tree)));
        tree
    })?;
    let declared = context.fields(tree.root(), &SHARED)?;
    let arguments = arguments(context, fields, &declared)?;
    let inner = context.variables.within(arguments);
    let inside = Context { variables: &inner, ..*context };
    let root = inside.fields(tree.root(), &SHARED)?;
    let folder = source.path().parent().unwrap_or(names.folder).to_owned();
    let names = names.inside((&tree, &folder), source.id());
    let nodes = root.list("steps");
    if nodes.is_empty() && root.has("steps") {
        let error = Diagnostic::error(root.key_span("steps"), "there is no step here");
        context.report(error.remedy("add one: who includes this expects something to be done"));
    }
    Some(steps(&inside, &names, nodes))
}

/// The arguments by name: those given over the defaults. `None`: reported.
fn arguments(
    context: &Context<'_>,
    include: &Fields<'_, '_>,
    declared: &Fields<'_, '_>,
) -> Option<BTreeMap<String, Variable>> {
    let names: Vec<Spanned<String>> =
        declared.list("arguments").into_iter().filter_map(|node| context.name(node)).collect();
    let known = |name: &str| names.iter().any(|known| known.value == name);
    let mut complete = true;
    let mut values = BTreeMap::new();
    for entry in declared.map("defaults").into_iter().chain(include.map("with")) {
        let Some(value) = context.variable(entry.value) else {
            complete = false;
            continue;
        };
        if !known(&entry.key.value) {
            let message = format!("{} is no argument of these steps", quoted(&entry.key.value));
            let error = Diagnostic::error(entry.key.span, message);
            let error = error.remedy("name it under `arguments:` in their file, or remove it");
            let others = names.iter().map(|name| name.value.as_str());
            context.report(error.suggest(&entry.key.value, others));
            complete = false;
        }
        values.insert(entry.key.value, value.value);
    }
    for name in names.iter().filter(|name| !values.contains_key(&name.value)) {
        let message = format!("the argument {} has no value", quoted(&name.value));
        let error = Diagnostic::error(include.span(), message).related(name.span, "declared here");
        context.report(error.remedy(format!("add `with: {{ {}: … }}`", name.value)));
        complete = false;
    }
    complete.then_some(values)
}
