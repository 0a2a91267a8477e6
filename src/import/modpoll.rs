//! The configuration of modpoll (gavinying/modpoll): rows `device`, `poll` and `ref`.

use std::collections::BTreeSet;

use passline_modbus::point::{DataType, Length, Order, Site, Table};
use passline_modbus::value::Decimal;

use super::csv::access;
use super::rows::{Row, rows};
use super::{Format, Import, Options, Problem, data_type};
use crate::draft::{DraftPoint, name};

pub(super) static FORMAT: Format =
    Format { name: "modpoll", doc: "modpoll's CSV: rows device, poll and ref", read };

const ROWS: &str = "rows are `device,NAME,ID`, `poll,TABLE,ADDRESS,COUNT,ENDIAN` and \
                    `ref,NAME,ADDRESS,TYPE,RW,UNIT,SCALE`";

/// What a `poll` says for the rows behind it.
struct Poll {
    table: Table,
    order: Option<Order>,
}

fn read(text: &str, options: &Options) -> Result<Import, Problem> {
    let mut import = Import::of(options);
    let mut taken = BTreeSet::new();
    let mut wanted = options.device.clone();
    let (mut device, mut poll) = (None, None);
    for row in rows(text, options.delimiter)? {
        let kind = row.cell(0).to_ascii_lowercase();
        if kind == "device" {
            let own = row.cell(1).to_owned();
            if wanted.get_or_insert_with(|| own.clone()) == &own {
                import.note(format!("its unit id {} belongs into a spec", row.cell(2)));
            } else {
                import.note(format!("the device `{own}` is left out: --device chooses one"));
            }
            (device, poll) = (Some(own), None);
            continue;
        }
        if !matches!(kind.as_str(), "poll" | "ref") {
            return Err(row.problem(format!("no row begins with `{kind}`"), ROWS));
        }
        if device.is_none() {
            return Err(row.problem(format!("`{kind}` comes before any `device`"), ROWS));
        }
        if device != wanted {
            continue;
        }
        if kind == "poll" {
            poll = Some(polled(&row)?);
        } else {
            let Some(poll) = &poll else {
                return Err(row.problem("`ref` comes before any `poll`", ROWS));
            };
            import_point(&row, poll, options, (&mut import, &mut taken))?;
        }
    }
    if device.is_none() || !import.notes.iter().any(|note| note.starts_with("its unit id")) {
        let missing = wanted.map_or("there is no `device`".to_owned(), |wanted| {
            format!("there is no device `{wanted}`")
        });
        return Err(Problem::new("the file", missing, ROWS));
    }
    Ok(import)
}

fn polled(row: &Row) -> Result<Poll, Problem> {
    let table = match row.cell(1).to_ascii_lowercase().as_str() {
        "coil" => Table::Coil,
        "discrete_input" => Table::Discrete,
        "input_register" => Table::Input,
        "holding_register" => Table::Holding,
        other => return Err(row.problem(format!("`{other}` is no table of modpoll"), ROWS)),
    };
    // The bytes of a word, then the words; what is none of the first three is taken for the last.
    let order = match row.cell(4).to_ascii_uppercase().as_str() {
        "BE_BE" => None,
        "LE_BE" => "BADC".parse().ok(),
        "LE_LE" => "DCBA".parse().ok(),
        _ => "CDAB".parse().ok(),
    };
    Ok(Poll { table, order })
}

fn import_point(
    row: &Row,
    poll: &Poll,
    options: &Options,
    (import, taken): (&mut Import, &mut BTreeSet<String>),
) -> Result<(), Problem> {
    let label = row.cell(1);
    let number = row.cell(2).parse::<u16>().ok();
    let Some(address) = number.and_then(|number| number.checked_add(options.base)) else {
        let remedy = "write a number from 0 to 65535";
        return Err(row.problem(format!("`{}` is no address", row.cell(2)), remedy));
    };
    let Some(data_type) = typed(row, poll, import) else { return Ok(()) };
    let scale = match row.cell(6) {
        "" => None,
        text => {
            let scale: Option<Decimal> = text.parse().ok();
            if scale.is_none() {
                import.note(format!("line {}: the scale `{text}` is no number", row.line));
            }
            scale
        }
    };
    let is_number = !data_type.has_length() && data_type != DataType::Bool;
    let unit = Some(row.cell(5)).filter(|unit| !unit.is_empty() && is_number);
    import.draft.points.push(DraftPoint {
        order: poll.order.filter(|_| is_number),
        scale: scale.filter(|_| is_number),
        unit: unit.map(str::to_owned),
        access: access(row.cell(4), poll.table),
        description: Some(label.to_owned()),
        ..DraftPoint::new(name(label, taken), Site::Table(poll.table, address.into()), data_type)
    });
    Ok(())
}

/// The type; `None` if it is none of ours, which is noted.
fn typed(row: &Row, poll: &Poll, import: &mut Import) -> Option<DataType> {
    let given = row.cell(3).to_ascii_lowercase();
    let place = format!("line {}: `{}`", row.line, row.cell(1));
    if poll.table.is_bits() {
        if matches!(given.as_str(), "bool8" | "bool16") {
            import.note(format!("{place} is {given}: its first bit only"));
        }
        return Some(DataType::Bool);
    }
    if let Some(digits) = given.strip_prefix("string") {
        // What modpoll does with a number that is none.
        let length = digits.parse().ok().and_then(Length::new).or(Length::new(2));
        return length.map(|length| DataType::String(Some(length)));
    }
    match data_type(&given) {
        Some(DataType::Bool) => {
            import.note(format!("{place} is {given}: it becomes a word, whose bits have no names"));
            Some(DataType::U16)
        }
        None if matches!(given.as_str(), "bool8" | "bool16") => {
            import.note(format!("{place} is {given}: it becomes a word, whose bits have no names"));
            Some(DataType::U16)
        }
        None => {
            import.note(format!("{place} is left out: its type is `{given}`"));
            None
        }
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_out_of_order_are_refused_with_their_line() {
        let options = super::super::tests::options();
        let problem = |text| read(text, &options).expect_err("refused").to_string();
        assert!(problem("poll,coil,0,1,BE_BE").starts_with("line 1: `poll` comes before"));
        assert!(problem("device,a,1\nref,b,0,uint16,r").starts_with("line 2: `ref` comes before"));
        assert!(problem("device,a,1\npoll,coils,0,1,BE_BE").contains("`coils` is no table"));
        assert!(problem("hello").contains("no row begins with `hello`"));
        assert!(problem("").contains("there is no `device`"));
        let text = "device,a,1\npoll,input_register,0,1,BE_BE\nref,b,70000,uint16,r";
        assert!(problem(text).starts_with("line 3: `70000` is no address"));
    }
}
