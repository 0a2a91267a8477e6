//! Models of `SunSpec` (sunspec/models, `json/model_*.json`): groups of points one behind the other.

use std::collections::BTreeSet;

use passline_modbus::point::{DataType, Field, Length, Site};
use passline_modbus::value::Decimal;
use serde_json::Value;

use super::json::{Part, parse};
use super::{Format, Import, Options, Problem};
use crate::draft::{DraftPoint, name};

pub(super) static FORMAT: Format = Format {
    name: "sunspec",
    doc: "a model of SunSpec as JSON; --base says at which address its ID is",
    read,
};

const MODEL: &str = "a model has a `group` with `points`, each with a `name` and a `type`";
/// Groups within groups: no model has more than three.
const DEEP: usize = 8;

fn read(text: &str, options: &Options) -> Result<Import, Problem> {
    let document = parse(text)?;
    let whole = Part::whole(&document);
    let group = whole.required("group", MODEL)?;
    let mut import = Import::of(options);
    import.draft.model = group.text("label").map(str::to_owned);
    let mut reader = Reader {
        import,
        taken: BTreeSet::new(),
        at: options.base.into(),
        scope: Vec::new(),
        options,
    };
    reader.group(&group, "", 0)?;
    Ok(reader.import)
}

struct Reader<'o> {
    import: Import,
    taken: BTreeSet<String>,
    at: u32,
    /// The model's own names and ours, innermost group last.
    scope: Vec<(String, String)>,
    options: &'o Options,
}

impl Reader<'_> {
    fn group(&mut self, group: &Part<'_>, prefix: &str, depth: usize) -> Result<(), Problem> {
        if depth > DEEP {
            return Err(group.problem("these groups are nested too deep", MODEL));
        }
        let known = self.scope.len();
        let points = group.list("points", MODEL)?;
        // Scale factors stand behind the points that they scale.
        for point in &points {
            let own = required_text(point, "name")?;
            let ours = name(&format!("{prefix}{own}"), &mut self.taken);
            self.scope.push((own.to_owned(), ours));
        }
        for (index, point) in points.iter().enumerate() {
            let ours = self.scope.get(known + index).map(|(_, ours)| ours.clone());
            self.point(point, ours.unwrap_or_default())?;
        }
        for inner in group.list("groups", MODEL)? {
            let own = required_text(&inner, "name")?;
            let times = self.times(&inner, own)?;
            for time in 1..=times {
                let number = if times > 1 { format!("{time}_") } else { String::new() };
                self.group(&inner, &format!("{prefix}{own}_{number}"), depth + 1)?;
            }
        }
        self.scope.truncate(known);
        Ok(())
    }

    /// How often a group occurs.
    fn times(&mut self, group: &Part<'_>, own: &str) -> Result<u16, Problem> {
        let Some(count) = group.get("count") else { return Ok(1) };
        match count.value {
            Value::Number(_) => match count.number("a count is 0 to 1000")? {
                0 => {}
                times @ 1..=1000 => return Ok(times),
                _ => return Err(count.problem("so many groups fit no device", MODEL)),
            },
            Value::String(_) => {}
            _ => return Err(count.problem("a number or a point is needed here", MODEL)),
        }
        self.import.note(format!("the device says how often `{own}` occurs: it is written once"));
        Ok(1)
    }

    fn point(&mut self, point: &Part<'_>, ours: String) -> Result<(), Problem> {
        let kind = required_text(point, "type")?;
        let size = match point.get("size") {
            Some(size) => Some(size.number("a size is 1 to 125 registers")?),
            None => None,
        };
        let data_type = typed(kind, size)
            .ok_or_else(|| point.problem(format!("the type `{kind}` is unknown"), MODEL))?;
        let at = self.at;
        self.at += u32::from(data_type.registers());
        if self.at > 0x1_0000 {
            let remedy = "give a smaller --base";
            return Err(point.problem("it passes address 65535", remedy));
        }
        if kind == "pad" {
            return Ok(());
        }
        let (scale, scale_factor) = self.factor(point, kind)?;
        let text = |key: &str| point.text(key).filter(|text| !text.trim().is_empty());
        let labels = if kind.starts_with("enum") { symbols(point)? } else { Vec::new() };
        let bits =
            if kind.starts_with("bitfield") { self.bits(point, data_type)? } else { Vec::new() };
        let no_number = data_type.has_length() || !labels.is_empty() || !bits.is_empty();
        // An accumulator counts through all values, and an address of the network is none.
        let sunspec = !kind.starts_with("acc") && kind != "count" && !data_type.has_length();
        let writable = text("access").is_some_and(|access| access.contains('W'));
        if point.get("value").is_some() {
            self.import.note("values that a model fixes are left out: check them in a spec");
        }
        self.import.draft.points.push(DraftPoint {
            scale,
            scale_factor,
            unit: text("units").filter(|_| !no_number).map(str::to_owned),
            bits,
            labels,
            sunspec,
            access: (self.options.table.is_writable() && !writable).then_some("read"),
            description: text("desc").or(text("label")).map(str::to_owned),
            ..DraftPoint::new(ours, Site::Table(self.options.table, at), data_type)
        });
        Ok(())
    }

    /// What a point is scaled by: a power of ten, or the point that holds it.
    fn factor(
        &mut self,
        point: &Part<'_>,
        kind: &str,
    ) -> Result<(Option<Decimal>, Option<String>), Problem> {
        let Some(factor) = point.get("sf").filter(|_| kind != "sunssf") else {
            return Ok((None, None));
        };
        if let Some(power) = factor.value.as_i64() {
            let power = i32::try_from(power).ok().filter(|power| (-10..=10).contains(power));
            let scale = power.and_then(|power| Decimal::one().times_power_of_ten(power).ok());
            let remedy = "a scale factor is -10 to 10";
            return match scale {
                Some(scale) => Ok((Some(scale), None)),
                None => Err(factor.problem("it is too large", remedy)),
            };
        }
        let Some(own) = factor.value.as_str() else {
            return Err(factor.problem("a number or a point is needed here", MODEL));
        };
        let found = self.scope.iter().rev().find(|(known, _)| known == own);
        if found.is_none() {
            self.import.note(format!("{}: there is no point `{own}` to scale by", point.place));
        }
        Ok((None, found.map(|(_, ours)| ours.clone())))
    }

    fn bits(
        &mut self,
        point: &Part<'_>,
        data_type: DataType,
    ) -> Result<Vec<(String, Field)>, Problem> {
        let mut taken = BTreeSet::new();
        let mut bits = Vec::new();
        for (number, label) in symbols(point)? {
            let bit = u8::try_from(number).ok();
            let bit = bit.filter(|bit| u16::from(*bit) < 16 * data_type.registers());
            match bit.and_then(|bit| Field::new(bit, bit).ok()) {
                Some(field) => bits.push((name(&label, &mut taken), field)),
                None => self.import.note(format!("{}: it has no bit {number}", point.place)),
            }
        }
        Ok(bits)
    }
}

fn required_text<'v>(part: &Part<'v>, key: &str) -> Result<&'v str, Problem> {
    let found = part.required(key, MODEL)?;
    match found.value.as_str() {
        Some(text) => Ok(text),
        None => Err(found.problem("a text is needed here", MODEL)),
    }
}

/// Names by number, each number and each name once.
fn symbols(point: &Part<'_>) -> Result<Vec<(u64, String)>, Problem> {
    let mut symbols: Vec<(u64, String)> = Vec::new();
    for symbol in point.list("symbols", MODEL)? {
        let label = required_text(&symbol, "name")?;
        let value = symbol.required("value", MODEL)?;
        let Some(number) = value.value.as_u64() else {
            return Err(value.problem("a whole number is needed here", MODEL));
        };
        if symbols.iter().any(|(known, name)| *known == number || name == label) {
            return Err(symbol.problem(format!("`{label}` or {number} is there twice"), MODEL));
        }
        symbols.push((number, label.to_owned()));
    }
    Ok(symbols)
}

/// The type, and with it the size; `None` if there is no such type, or none of that size.
fn typed(kind: &str, size: Option<u16>) -> Option<DataType> {
    let (data_type, own) = match kind {
        "int16" | "sunssf" => (DataType::I16, 1),
        "uint16" | "enum16" | "bitfield16" | "acc16" | "count" | "raw16" | "pad" => {
            (DataType::U16, 1)
        }
        "int32" => (DataType::I32, 2),
        "uint32" | "enum32" | "bitfield32" | "acc32" => (DataType::U32, 2),
        "int64" => (DataType::I64, 4),
        "uint64" | "bitfield64" | "acc64" => (DataType::U64, 4),
        "float32" => (DataType::F32, 2),
        "float64" => (DataType::F64, 4),
        "string" => return Some(DataType::String(Some(Length::new(size?)?))),
        "ipaddr" => return Some(DataType::Bytes(Some(Length::new(2)?))),
        "ipv6addr" => return Some(DataType::Bytes(Some(Length::new(8)?))),
        "eui48" => return Some(DataType::Bytes(Some(Length::new(size.unwrap_or(4))?))),
        _ => return None,
    };
    match size {
        // Padding and vendors' registers may be longer.
        Some(size) if size != own && kind.len() < 6 => {
            Some(DataType::Bytes(Some(Length::new(size)?)))
        }
        Some(size) if size != own => None,
        _ => Some(data_type),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_one_behind_the_other_and_find_their_scale_factors() {
        let text = r#"{"id": 9, "group": {"name": "m", "points": [
            {"name": "ID", "type": "uint16"}, {"name": "V", "type": "int16", "sf": "V_SF"},
            {"name": "Pad", "type": "pad"}, {"name": "V_SF", "type": "sunssf"}],
            "groups": [{"name": "g", "count": 2, "points": [
                {"name": "A", "type": "uint32", "sf": "V_SF", "units": "A"},
                {"name": "E", "type": "enum16", "symbols": [{"name": "ON", "value": 1}]}]}]}}"#;
        let mut options = super::super::tests::options();
        options.base = 100;
        let import = read(text, &options).expect("a model");
        let shown: Vec<String> = import
            .draft
            .points
            .iter()
            .map(|p| format!("{} {:?} {:?}", p.name, p.site, p.scale_factor.as_deref()))
            .collect();
        assert_eq!(shown[1], "v Table(Holding, 101) Some(\"v_sf\")");
        assert_eq!(shown[2], "v_sf Table(Holding, 103) None");
        assert_eq!(shown[5], "g_2_a Table(Holding, 107) Some(\"v_sf\")");
        assert_eq!(import.draft.points[6].labels, [(1, "ON".to_owned())]);
    }

    #[test]
    fn what_no_model_has_is_refused_with_its_place() {
        let options = super::super::tests::options();
        let problem = |points: &str| {
            let text = format!(r#"{{"group": {{"points": [{points}]}}}}"#);
            read(&text, &options).expect_err("refused").to_string()
        };
        assert!(problem("1").starts_with("group.points[0]: there is no `name`"));
        assert!(problem(r#"{"name": "A", "type": "uint17"}"#).contains("`uint17` is unknown"));
        assert!(problem(r#"{"name": 1, "type": "uint16"}"#).contains("group.points[0].name"));
        assert!(problem(r#"{"name": "A", "type": "string", "size": 999}"#).contains("unknown"));
        assert!(read(r#"{"group": []}"#, &options).expect("nothing").draft.points.is_empty());
        let nested = format!("{}{}", r#"{"name":"g","groups":["#.repeat(30), "]}".repeat(30));
        let deep = read(&format!(r#"{{"group": {nested}}}"#), &options).expect_err("refused");
        assert!(deep.message.contains("too deep"), "{deep}");
    }
}
