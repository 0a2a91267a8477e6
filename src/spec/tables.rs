//! `tables`: one row of a CSV file, chosen by what stands in it, as variables: limits by part number
//! or serial number.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::load::Loader;
use crate::language::decode::{Context, Entry};
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape, is_name};
use crate::language::source::Spanned;
use crate::language::table::{self, Table};
use crate::language::variables::Variable;

pub(super) static TABLE: Object = Object {
    name: "table",
    doc: "One row of a CSV file with a header line. `$(NAME.COLUMN)` inserts its cells.",
    fields: &[&[
        Field::required("file", Shape::Text, "The file, relative to the spec."),
        Field::required(
            "where",
            Shape::Map(&Shape::Scalar),
            "Columns, and what must stand in them: exactly one row must be so.",
        ),
    ]],
};

/// What the tables of a spec bring.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// The cells of the chosen rows, by table and column.
    pub(super) values: BTreeMap<String, Variable>,
    /// The cells that are empty, and where they are.
    pub(super) empty: BTreeMap<String, String>,
}

/// A column and what must stand in it.
struct Key {
    column: Spanned<String>,
    text: String,
}

impl Loader<'_> {
    /// The chosen rows. `None`: reported.
    pub(super) fn tables(
        &mut self,
        context: &Context<'_>,
        root: &Fields<'_, '_>,
        folder: &Path,
    ) -> Option<Cells> {
        let mut cells = Cells::default();
        let mut complete = true;
        for entry in root.map("tables") {
            let name = context.name(entry.key_node);
            let fields = context.fields(entry.value, &TABLE);
            let (Some(name), Some(fields)) = (name, fields) else {
                complete = false;
                continue;
            };
            complete &= self.row(context, &fields, folder, &name.value, &mut cells).is_some();
        }
        complete.then_some(cells)
    }

    fn row(
        &mut self,
        context: &Context<'_>,
        fields: &Fields<'_, '_>,
        folder: &Path,
        name: &str,
        cells: &mut Cells,
    ) -> Option<()> {
        let keys = keys(context, fields);
        let file = fields.text("file")?;
        let source = self.file(context, &file, folder)?;
        let table = Table::read(&source, context.diagnostics)?;
        let row = chosen(context, fields, &keys?, (&file.value, &table))?;
        for (column, cell) in table.columns.iter().zip(row) {
            let known = format!("{name}.{}", column.value);
            match table::variable(&cell.value) {
                // What is no name cannot be inserted.
                _ if !is_name(&column.value) => {}
                Some(variable) => {
                    cells.values.insert(known, variable);
                }
                None => {
                    let (line, column) = source.line_and_column(cell.span.start);
                    cells.empty.insert(known, format!("{}:{line}:{column}", file.value));
                }
            }
        }
        Some(())
    }
}

/// What `where` says. `None`: reported.
fn keys(context: &Context<'_>, fields: &Fields<'_, '_>) -> Option<Vec<Key>> {
    if !fields.has("where") {
        return None;
    }
    let entries = fields.map("where");
    if entries.is_empty() {
        let message = "`where` names no column, so that no row is chosen";
        let error = Diagnostic::error(fields.key_span("where"), message);
        context.report(error.remedy("write `where: { part_number: $(uut.part_number) }`"));
        return None;
    }
    let key = |entry: &Entry<'_>| {
        let text = context.variable(entry.value)?.value.text;
        Some(Key { column: entry.key.clone(), text })
    };
    // All first, so that all are reported.
    let keys: Vec<_> = entries.iter().map(key).collect();
    keys.into_iter().collect()
}

/// The one row that is so. Rows that nothing tells apart are refused, also where they are not asked
/// for. `None`: reported.
fn chosen<'t>(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    keys: &[Key],
    (file, table): (&str, &'t Table),
) -> Option<&'t [Spanned<String>]> {
    let column = |key: &Key| {
        let found = table.column(&key.column.value);
        if found.is_none() {
            let message = format!("{file} has no column {}", quoted(&key.column.value));
            let error = Diagnostic::error(key.column.span, message);
            let known = || table.columns.iter().map(|column| column.value.as_str());
            let remedy = format!("its columns are {}", known().collect::<Vec<_>>().join(", "));
            context.report(error.remedy(remedy).suggest(&key.column.value, known()));
        }
        found
    };
    let columns: Vec<_> = keys.iter().map(column).collect();
    let columns = columns.into_iter().collect::<Option<Vec<usize>>>()?;
    let mut seen: HashMap<Vec<&str>, &'t [Spanned<String>]> = HashMap::new();
    let first = columns.first().copied();
    for row in &table.rows {
        let found: Vec<_> =
            columns.iter().filter_map(|at| Some(row.get(*at)?.value.as_str())).collect();
        let cell = first.and_then(|first| row.get(first));
        if let (Some(earlier), Some(cell)) = (seen.insert(found, row), cell) {
            let message = "an earlier row has the same in the columns of `where`";
            let error = Diagnostic::error(cell.span, message).remedy("remove one of them");
            let place = first.and_then(|first| earlier.get(first));
            context.report(match place {
                Some(place) => error.related(place.span, "this one"),
                None => error,
            });
            return None;
        }
    }
    let wanted: Vec<&str> = keys.iter().map(|key| key.text.as_str()).collect();
    let row = seen.get(&wanted).copied();
    if row.is_none() {
        let named = keys.iter().map(|key| format!("{} {}", key.column.value, quoted(&key.text)));
        let named = named.collect::<Vec<_>>().join(" and ");
        let message = format!("no row of {file} has {named}");
        let error = Diagnostic::error(fields.key_span("where"), message);
        let error = error.remedy("add the row, or correct what is asked for");
        let known = table.rows.iter().filter_map(|row| Some(row.get(first?)?.value.as_str()));
        context.report(match keys {
            [key] => error.suggest(&key.text, known),
            _ => error,
        });
    }
    row
}
