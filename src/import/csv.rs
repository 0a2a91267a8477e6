//! Any table with a row for each point: its columns by name, ours or those that are given.

use std::collections::BTreeSet;

use passline_modbus::point::{DataType, Length, Site, Table};
use passline_modbus::value::Decimal;

use super::rows::{Row, rows};
use super::{Format, Import, Options, Problem, data_type};
use crate::draft::{DraftPoint, name};

pub(super) static FORMAT: Format = Format {
    name: "csv",
    doc: "a table with a header and a row for each point; --column says which column is what",
    read,
};

/// The columns that are read.
const COLUMNS: [&str; 11] = [
    "name",
    "address",
    "table",
    "type",
    "length",
    "order",
    "scale",
    "offset",
    "unit",
    "access",
    "description",
];

/// Which column is where.
struct Header(Vec<(&'static str, usize)>);

impl Header {
    fn read(row: &Row, options: &Options, import: &mut Import) -> Result<Self, Problem> {
        let remedy = "columns are name, address, table, type, length, order, scale, offset, unit, \
                      access, description; --column address=Register says that `Register` is one";
        if let Some(ours) = options.columns.keys().find(|ours| !COLUMNS.contains(&ours.as_str())) {
            return Err(row.problem(format!("there is no column `{ours}` to map to"), remedy));
        }
        let mut found = Vec::new();
        for ours in COLUMNS {
            let given = options.columns.get(ours);
            let wanted = given.map_or(ours, String::as_str);
            let at = row.cells.iter().position(|cell| cell.trim().eq_ignore_ascii_case(wanted));
            match (at, given) {
                (Some(at), _) => found.push((ours, at)),
                (None, Some(given)) => {
                    return Err(row.problem(format!("the header has no `{given}`"), remedy));
                }
                (None, None) if ours == "address" => {
                    return Err(row.problem("the header has no `address`", remedy));
                }
                (None, None) => {}
            }
        }
        for (at, cell) in row.cells.iter().enumerate() {
            let cell = cell.trim();
            if !cell.is_empty() && !found.iter().any(|(_, known)| *known == at) {
                import.note(format!("the column `{cell}` is left out"));
            }
        }
        Ok(Self(found))
    }

    fn cell<'r>(&self, row: &'r Row, column: &str) -> &'r str {
        let at = self.0.iter().find(|(name, _)| *name == column);
        at.map_or("", |(_, at)| row.cell(*at))
    }
}

fn read(text: &str, options: &Options) -> Result<Import, Problem> {
    let mut import = Import::of(options);
    let rows = rows(text, options.delimiter)?;
    let Some((first, rows)) = rows.split_first() else {
        return Err(Problem::new(
            "line 1",
            "there is no header",
            "begin with the names of columns",
        ));
    };
    let header = Header::read(first, options, &mut import)?;
    let mut taken = BTreeSet::new();
    for row in rows {
        let point = point(row, &header, options, &mut import, &mut taken)?;
        import.draft.points.extend(point);
    }
    Ok(import)
}

/// A point; `None` if its type is none of ours, which is noted.
fn point(
    row: &Row,
    header: &Header,
    options: &Options,
    import: &mut Import,
    taken: &mut BTreeSet<String>,
) -> Result<Option<DraftPoint>, Problem> {
    let cell = |column| header.cell(row, column);
    let table = table(row, cell("table"), options.table)?;
    let address = address(row, cell("address"), options)?;
    let given = cell("type");
    let is_bit = table.is_bits();
    let own = if is_bit { DataType::Bool } else { DataType::U16 };
    let found = if given.is_empty() { Some(own) } else { data_type(given) };
    let Some(found) = found else {
        let place = format!("{table}:{address}");
        import.note(format!("line {}: {place} is left out: its type is `{given}`", row.line));
        return Ok(None);
    };
    let data_type = match found {
        DataType::String(_) => DataType::String(Some(length(row, cell("length"))?)),
        found => found,
    };
    let label =
        if cell("name").is_empty() { format!("{table}_{address}") } else { cell("name").into() };
    let order = match cell("order") {
        "" => None,
        text => Some(text.parse().map_err(|error: passline_modbus::point::OrderError| {
            row.problem(format!("`{text}` is {error}"), "write the order of bytes as ABCD or CDAB")
        })?),
    };
    let access = access(cell("access"), table);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let description = some(cell("description"));
    let point = DraftPoint {
        order,
        scale: number(row, cell("scale"))?,
        offset: number(row, cell("offset"))?,
        unit: some(cell("unit")).filter(|_| !is_bit),
        access,
        description: description.or_else(|| some(&label)),
        ..DraftPoint::new(name(&label, taken), Site::Table(table, address.into()), data_type)
    };
    Ok(Some(point))
}

fn table(row: &Row, text: &str, default: Table) -> Result<Table, Problem> {
    let word = text.to_ascii_lowercase().replace([' ', '-', '_'], "");
    Ok(match word.trim_end_matches('s') {
        "" => default,
        "coil" | "co" | "1" | "fc1" | "0x" => Table::Coil,
        "discrete" | "discreteinput" | "di" | "2" | "fc2" | "1x" => Table::Discrete,
        "input" | "inputregister" | "ir" | "4" | "fc4" | "3x" => Table::Input,
        "holding" | "holdingregister" | "hr" | "3" | "fc3" | "4x" => Table::Holding,
        _ => {
            return Err(row.problem(
                format!("`{text}` is no table"),
                "write coil, discrete, input or holding, or the function that reads it: 1 to 4",
            ));
        }
    })
}

fn address(row: &Row, text: &str, options: &Options) -> Result<u16, Problem> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let number = match hex {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse::<u32>().ok(),
    };
    let number = number.and_then(|number| number.checked_sub(options.first.into()));
    let number = number.and_then(|number| u16::try_from(number + u32::from(options.base)).ok());
    number.ok_or_else(|| {
        let remedy = "write a number from 0 to 65535; --first 1 if the map counts from 1";
        row.problem(format!("`{text}` is no address"), remedy)
    })
}

fn length(row: &Row, text: &str) -> Result<Length, Problem> {
    text.parse().ok().and_then(Length::new).ok_or_else(|| {
        let remedy = "give the registers of a text in the column `length`: 1 to 125";
        row.problem(format!("`{text}` is no length of a text"), remedy)
    })
}

fn number(row: &Row, text: &str) -> Result<Option<Decimal>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let number: Option<Decimal> = text.parse().ok();
    let remedy = "write a number such as 0.1, with a point";
    number.map(Some).ok_or_else(|| row.problem(format!("`{text}` is no number"), remedy))
}

/// Less than the table allows.
pub(super) fn access(text: &str, table: Table) -> Option<&'static str> {
    if !table.is_writable() {
        return None;
    }
    match text.to_ascii_lowercase().as_str() {
        "r" | "ro" | "read" => Some("read"),
        "w" | "wo" | "write" => Some("write"),
        _ => None,
    }
}
