//! `for_each` and `repeat`: the values with which a test is made. A list of values, a table of rows,
//! and a count are each an axis; a test is made for every combination.

use std::path::Path;

use super::{Names, course};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Shape, is_name};
use crate::language::source::{Span, Spanned};
use crate::language::table::{self, Table};
use crate::language::variables::{Scalar, Variable};
use crate::language::yaml::Node;

/// What may stand behind `for_each`.
pub(super) static FOR_EACH: [Shape; 3] = [
    Shape::Map(&Shape::List(&Shape::Scalar)),
    Shape::List(&Shape::Map(&Shape::Scalar)),
    Shape::Text,
];

/// The variables of one instance, in the order of its name.
pub(super) type Bindings = Vec<(String, Variable)>;

/// Bindings that exclude each other, and where they stand.
struct Axis {
    span: Span,
    choices: Vec<Bindings>,
}

/// The variable that counts the times of a test.
const REPEAT: &str = "repeat";

/// The most instances of one test: more would take more memory than a station has.
const MOST_INSTANCES: usize = 100_000;

/// Every combination of the values, the last axis changing fastest.
pub(super) fn combinations(
    context: &Context<'_>,
    names: &Names<'_>,
    fields: &Fields<'_, '_>,
) -> Vec<Bindings> {
    let mut axes = match fields.node("for_each") {
        None => Vec::new(),
        Some(node) if node.items().is_some() => vec![rows(context, node)],
        Some(node) if node.pairs().is_some() => lists(context, node),
        Some(node) => file(context, names, node).into_iter().collect(),
    };
    axes.extend(times(context, fields, &axes));
    let mut combinations: Vec<Bindings> = vec![Vec::new()];
    for axis in axes {
        if combinations.len().saturating_mul(axis.choices.len()) > MOST_INSTANCES {
            let message = format!("this makes more than {MOST_INSTANCES} tests of one");
            let error = Diagnostic::error(axis.span, message);
            context.report(error.remedy("go through fewer values, or write several tests"));
            return Vec::new();
        }
        let longer = |before: &Bindings| -> Vec<Bindings> {
            axis.choices.iter().map(|choice| [&before[..], choice].concat()).collect()
        };
        combinations = combinations.iter().flat_map(longer).collect();
    }
    combinations
}

/// Names with lists of values: an axis each.
fn lists(context: &Context<'_>, node: Node<'_>) -> Vec<Axis> {
    let mut axes = Vec::new();
    for entry in context.map(node) {
        let Some(name) = context.name(entry.key_node) else { continue };
        let nodes = context.list(entry.value);
        if nodes.is_empty() {
            let error = Diagnostic::error(entry.value.span(), "there is no value to go through");
            context.report(error.remedy("an empty list would make no test at all"));
        }
        let values = nodes.into_iter().filter_map(|node| context.variable(node));
        let choices = values.map(|value| vec![(name.value.clone(), value.value)]).collect();
        axes.push(Axis { span: name.span, choices });
    }
    axes
}

/// Rows that are written in the spec: one axis.
fn rows(context: &Context<'_>, node: Node<'_>) -> Axis {
    let nodes = context.list(node);
    if nodes.is_empty() {
        let error = Diagnostic::error(node.span(), "there is no row to go through");
        context.report(error.remedy("an empty list would make no test at all"));
    }
    let mut choices: Vec<Bindings> = Vec::with_capacity(nodes.len());
    for row in nodes {
        let entries = context.map(row);
        let binding = |entry: &crate::language::decode::Entry<'_>| {
            let name = context.name(entry.key_node)?;
            Some((name.value, context.variable(entry.value)?.value))
        };
        let bound: Bindings = entries.iter().filter_map(binding).collect();
        let columns = |row: &Bindings| row.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        if let Some(first) = choices.first().filter(|first| columns(first) != columns(&bound)) {
            let message = "this row has other columns than the first one";
            let remedy = format!("give each row {}, in this order", columns(first).join(", "));
            context.report(Diagnostic::error(row.span(), message).remedy(remedy));
        }
        choices.push(bound);
    }
    Axis { span: node.span(), choices }
}

/// The rows of a CSV file: one axis. `None`: reported.
fn file(context: &Context<'_>, names: &Names<'_>, node: Node<'_>) -> Option<Axis> {
    let file = context.text(node)?;
    let source = (names.open)(context, &file, names.folder)?;
    let table = Table::read(&source, context.diagnostics)?;
    let report = |span: Span, message: String, remedy: &str| {
        context.report(Diagnostic::error(span, message).remedy(remedy));
    };
    if table.rows.is_empty() {
        report(file.span, format!("{} has no row", quoted(&file.value)), "it would make no test");
        return None;
    }
    for column in table.columns.iter().filter(|column| !is_name(&column.value)) {
        let message = format!("{} is no name of a variable", quoted(&column.value));
        report(column.span, message, "name the column with letters, digits and `_`");
    }
    let cell = |(column, cell): (&Spanned<String>, &Spanned<String>)| {
        let value = table::variable(&cell.value);
        if value.is_none() {
            let message = format!("the column {} is empty here", quoted(&column.value));
            report(cell.span, message, "write a value into every cell that tests go through");
        }
        Some((column.value.clone(), value?))
    };
    let row = |row: &Vec<Spanned<String>>| table.columns.iter().zip(row).filter_map(cell).collect();
    Some(Axis { span: file.span, choices: table.rows.iter().map(row).collect() })
}

/// The times of a test that is repeated.
fn times(context: &Context<'_>, fields: &Fields<'_, '_>, axes: &[Axis]) -> Option<Axis> {
    let count = course::count(context, fields)?;
    let span = fields.key_span(REPEAT);
    let mut names = axes.iter().filter_map(|axis| axis.choices.first()).flatten();
    if names.any(|(name, _)| name == REPEAT) {
        let error = Diagnostic::error(span, "`repeat` counts itself under this name");
        context.report(error.remedy("give the variable of the `for_each` another name"));
    }
    let time = |time: u32| vec![(REPEAT.to_owned(), Variable::from(Scalar::Number(time.into())))];
    Some(Axis { span, choices: (1..=count).map(time).collect() })
}

/// What opens a file that a spec names, relative to a folder. `None`: reported.
pub(in crate::spec) type Open<'a> =
    &'a dyn Fn(
        &Context<'_>,
        &Spanned<String>,
        &Path,
    ) -> Option<std::sync::Arc<crate::language::source::Source>>;
