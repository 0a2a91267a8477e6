//! The configuration of pymodbus's simulator: `device_list` with its entries by type.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use passline_modbus::point::{DataType, Length, Site, Table};
use serde_json::Value;

use super::json::{Part, parse};
use super::{Format, Import, Options, Problem, data_type};
use crate::draft::{DraftPoint, name};

pub(super) static FORMAT: Format = Format {
    name: "pymodbus",
    doc: "the JSON of pymodbus's simulator; --device says which of its devices",
    read,
};

const ENTRY: &str = "entries are an address, [first, last], or {\"addr\": …, \"value\": …}, with \
                     addresses from 0 to 65535";
const DEVICES: &str = "the file needs a `device_list` with a device in it";
const TYPES: [&str; 6] = ["bits", "uint16", "uint32", "float32", "float64", "string"];

/// Where the four tables are in the one memory of pymodbus.
enum Layout {
    /// All tables are the same cells.
    Shared,
    /// One table behind the other: coils, discrete inputs, holding registers, input registers.
    Apart([(Table, u32); 4]),
}

fn read(text: &str, options: &Options) -> Result<Import, Problem> {
    let mut import = Import::of(options);
    let document = parse(text)?;
    let whole = Part::whole(&document);
    if whole.get("server_list").is_some() {
        import.note("`server_list` is left out: links belong into a spec");
    }
    let list = whole.required("device_list", DEVICES)?;
    let devices = list.entries(DEVICES)?;
    let wanted = options.device.as_deref();
    let found = devices.iter().find(|(name, _)| wanted.is_none_or(|wanted| wanted == *name));
    let Some((own, device)) = found else {
        return Err(list.problem("there is no such device", "see --device"));
    };
    for (other, _) in devices.iter().filter(|(other, _)| other != own) {
        import.note(format!("the device `{other}` is left out: --device chooses one"));
    }
    let layout = layout(device, &mut import)?;
    let writable = addresses(device, "write")?;
    let invalid = addresses(device, "invalid")?;
    if !device.list("repeat", ENTRY)?.is_empty() {
        import.note("`repeat` is left out");
    }
    for (key, part) in device.entries(ENTRY)? {
        if !TYPES.contains(&key) && !["setup", "write", "invalid", "repeat"].contains(&key) {
            return Err(part.problem(format!("pymodbus has no `{key}`"), ENTRY));
        }
    }
    let mut reader = Reader { import, layout, writable, invalid, taken: BTreeSet::new(), options };
    for key in TYPES {
        for entry in device.list(key, ENTRY)? {
            reader.entry(key, &entry)?;
        }
    }
    Ok(reader.import)
}

fn layout(device: &Part<'_>, import: &mut Import) -> Result<Layout, Problem> {
    let remedy = "`setup` needs `co size`, `di size`, `hr size` and `ir size`";
    let setup = device.required("setup", remedy)?;
    if setup.value.get("shared blocks").and_then(Value::as_bool) == Some(true) {
        import.note("`shared blocks`: the points are holding registers only");
        return Ok(Layout::Shared);
    }
    let mut end = 0;
    let mut tables =
        [(Table::Coil, 0), (Table::Discrete, 0), (Table::Holding, 0), (Table::Input, 0)];
    for (place, key) in tables.iter_mut().zip(["co size", "di size", "hr size", "ir size"]) {
        end += u32::from(setup.required(key, remedy)?.number(remedy)?);
        place.1 = end;
    }
    Ok(Layout::Apart(tables))
}

/// First and last address of an entry that is nothing else.
fn range(part: &Part<'_>) -> Result<RangeInclusive<u16>, Problem> {
    let Value::Array(ends) = part.value else {
        let address = part.number(ENTRY)?;
        return Ok(address..=address);
    };
    let end =
        |at: usize| ends.get(at).and_then(Value::as_u64).and_then(|end| u16::try_from(end).ok());
    match (end(0), end(1)) {
        (Some(first), Some(last)) if first <= last && ends.len() == 2 => Ok(first..=last),
        _ => Err(part.problem(format!("{} is no range of addresses", part.value), ENTRY)),
    }
}

fn addresses(device: &Part<'_>, key: &str) -> Result<Vec<RangeInclusive<u16>>, Problem> {
    device.list(key, ENTRY)?.iter().map(range).collect()
}

struct Reader<'o> {
    import: Import,
    layout: Layout,
    writable: Vec<RangeInclusive<u16>>,
    invalid: Vec<RangeInclusive<u16>>,
    taken: BTreeSet<String>,
    options: &'o Options,
}

impl Reader<'_> {
    fn entry(&mut self, key: &str, entry: &Part<'_>) -> Result<(), Problem> {
        let at = match entry.value {
            Value::Object(_) => entry.required("addr", ENTRY)?,
            _ => entry.clone(),
        };
        let range = range(&at)?;
        if entry.value.get("value").is_some() {
            self.import.note("start values are left out: they belong into `simulate` of a spec");
        }
        if let Some(action) = entry.text("action") {
            self.import.note(format!("the action `{action}` is left out"));
        }
        let registers = range.end() - range.start() + 1
            - u16::from(*range.end() == u16::MAX && *range.start() == 0);
        let data_type = match key {
            "bits" => DataType::U16,
            "string" => DataType::String(Some(Length::new(registers).ok_or_else(|| {
                at.problem(format!("a text of {registers} registers"), "a text has 1 to 125")
            })?)),
            key => data_type(key).unwrap_or(DataType::U16),
        };
        let size = data_type.registers().max(1);
        if registers % size != 0 {
            let message = format!("{registers} registers are no whole number of {key}");
            return Err(at.problem(message, ENTRY));
        }
        for first in range.step_by(size.into()) {
            self.point((key, data_type), first, &at)?;
        }
        Ok(())
    }

    fn point(
        &mut self,
        (key, data_type): (&str, DataType),
        first: u16,
        at: &Part<'_>,
    ) -> Result<(), Problem> {
        let last = first.saturating_add(data_type.registers().max(1) - 1);
        if self.invalid.iter().any(|range| *range.start() <= last && first <= *range.end()) {
            self.import.note(format!("{key} at {first} is left out: it is in `invalid`"));
            return Ok(());
        }
        let Some((table, address)) = self.place(first) else {
            return Err(at.problem(format!("{first} is in none of the blocks of `setup`"), ENTRY));
        };
        let address = address + u32::from(self.options.base);
        let label = format!("{key}_{first}");
        if table.is_bits() {
            for bit in 0..16 {
                let own = name(&format!("{label}_{bit}"), &mut self.taken);
                let site = Site::Table(table, address * 16 + bit);
                self.import.draft.points.push(DraftPoint::new(own, site, DataType::Bool));
            }
            return Ok(());
        }
        let may_write = self.writable.iter().any(|range| range.contains(&first));
        let own = name(&label, &mut self.taken);
        self.import.draft.points.push(DraftPoint {
            access: (table == Table::Holding && !may_write).then_some("read"),
            ..DraftPoint::new(own, Site::Table(table, address), data_type)
        });
        Ok(())
    }

    /// The table and the address that clients use.
    fn place(&self, cell: u16) -> Option<(Table, u32)> {
        let cell = u32::from(cell);
        let Layout::Apart(tables) = &self.layout else { return Some((Table::Holding, cell)) };
        let mut first = 0;
        for (table, end) in tables {
            if cell < *end {
                return Some((*table, cell - first));
            }
            first = *end;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(entries: &str) -> String {
        format!(r#"{{"device_list": {{"d": {{"setup": {{"shared blocks": true}}, {entries}}}}}}}"#)
    }

    #[test]
    fn entries_have_the_way_to_what_is_wrong_with_them() {
        let options = super::super::tests::options();
        let problem = |text: &str| read(text, &options).expect_err("refused").to_string();
        assert!(problem("{").starts_with("line 1, column 1: this is no JSON"));
        assert!(problem("[]").starts_with("the file: there is no `device_list`"));
        assert!(problem(r#"{"device_list": 1}"#).starts_with("device_list: a mapping"));
        let one = |entries: &str| problem(&device(entries));
        assert!(one(r#""uint16": [3, "x"]"#).starts_with("device_list.d.uint16[1]: "));
        assert!(one(r#""uint16": [{"value": 1}]"#).contains("there is no `addr`"));
        assert!(one(r#""uint16": [65536]"#).contains("65536 is no number here"));
        assert!(one(r#""uint32": [[4, 6]]"#).contains("3 registers are no whole number"));
        assert!(one(r#""uint32": [[6, 4]]"#).contains("no range"));
        assert!(one(r#""uint23": [1]"#).contains("pymodbus has no `uint23`"));
        assert!(one(r#""uint16": {}"#).contains("a list is needed"));
        assert!(one(r#""uint16": [NaN]"#).contains("no JSON"));
    }

    #[test]
    fn blocks_apart_are_tables_one_behind_the_other() {
        let text = r#"{"device_list": {"d": {
            "setup": {"co size": 2, "di size": 2, "hr size": 10, "ir size": 10},
            "bits": [1], "uint16": [[4, 5], 14], "invalid": [5]}}}"#;
        let import = read(text, &super::super::tests::options()).expect("a map");
        let sites: Vec<Site> = import.draft.points.iter().map(|point| point.site).collect();
        assert_eq!(sites.len(), 18);
        assert_eq!(sites[0], Site::Table(Table::Coil, 16));
        assert_eq!(sites[16], Site::Table(Table::Holding, 0));
        assert_eq!(sites[17], Site::Table(Table::Input, 0));
        assert!(import.notes.iter().any(|note| note.contains("uint16 at 5 is left out")));
    }
}
