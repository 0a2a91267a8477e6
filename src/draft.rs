//! Profiles before they are files: what was learned or imported, and the text that says it in the
//! language of profiles. Knows that language's words, and nothing of where a draft comes from.

use std::collections::BTreeSet;
use std::fmt::Write;

use passline_modbus::point::{DataType, Field, Order, Site};
use passline_modbus::value::Decimal;

/// A profile to be written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// Its id.
    pub name: String,
    /// What it describes.
    pub model: Option<String>,
    /// What stands above it, for people.
    pub remarks: Vec<String>,
    /// The most registers of one read, if fewer than the protocol allows.
    pub max_registers: Option<u16>,
    /// The most bits of one read, if fewer than the protocol allows.
    pub max_bits: Option<u16>,
    /// Its points.
    pub points: Vec<DraftPoint>,
}

/// A point to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftPoint {
    /// Its name, unique in the profile.
    pub name: String,
    /// Where it is.
    pub site: Site,
    /// How its registers make a value.
    pub data_type: DataType,
    /// In which order its bytes travel, if that is not `ABCD`.
    pub order: Option<Order>,
    /// Value = raw × scale + offset.
    pub scale: Option<Decimal>,
    /// Added after scaling.
    pub offset: Option<Decimal>,
    /// The measuring unit.
    pub unit: Option<String>,
    /// The point that holds a further power of ten.
    pub scale_factor: Option<String>,
    /// Bit fields by name.
    pub bits: Vec<(String, Field)>,
    /// Labels by number.
    pub labels: Vec<(u64, String)>,
    /// Whether contents mean "not available" as `SunSpec` has it.
    pub sunspec: bool,
    /// What one may do with it, if less than its table allows.
    pub access: Option<&'static str>,
    /// What it is, for people.
    pub description: Option<String>,
}

impl DraftPoint {
    /// A point that is nothing but a place and a type.
    pub fn new(name: impl Into<String>, site: Site, data_type: DataType) -> Self {
        Self {
            name: name.into(),
            site,
            data_type,
            order: None,
            scale: None,
            offset: None,
            unit: None,
            scale_factor: None,
            bits: Vec::new(),
            labels: Vec::new(),
            sunspec: false,
            access: None,
            description: None,
        }
    }
}

/// Any text as a text of a file: variables are not inserted into it.
pub fn quoted(text: &str) -> String {
    // The escapes of JSON are escapes of YAML.
    serde_json::Value::from(text.replace("$(", "$$(")).to_string()
}

/// Any text as a name of the language, which no other of `taken` has.
pub fn name(text: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            name.push(character.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    let base = match name.trim_end_matches('_') {
        "" => "point",
        name => name,
    };
    let mut name = base.to_owned();
    let mut number = 1;
    while !taken.insert(name.clone()) {
        number += 1;
        name = format!("{base}_{number}");
    }
    name
}

impl Draft {
    /// The profile as a file.
    pub fn to_yaml(&self) -> String {
        let mut text = String::new();
        for remark in &self.remarks {
            for line in remark.lines() {
                let _ = writeln!(text, "# {}", line.replace(char::is_control, " "));
            }
        }
        let _ = writeln!(text, "profile: {}", self.name);
        if let Some(model) = &self.model {
            let _ = writeln!(text, "model: {}", quoted(model));
        }
        for (key, most) in [("max_registers", self.max_registers), ("max_bits", self.max_bits)] {
            if let Some(most) = most {
                let _ = writeln!(text, "{key}: {most}");
            }
        }
        text.push_str(if self.points.is_empty() { "points: {}\n" } else { "points:\n" });
        for point in &self.points {
            let _ = writeln!(text, "  {}: {{ {} }}", point.name, point.keys().join(", "));
        }
        text
    }
}

impl DraftPoint {
    fn keys(&self) -> Vec<String> {
        let mut keys = vec![site(self.site)];
        let mut say = |key: &str, value: Option<String>| {
            keys.extend(value.map(|value| format!("{key}: {value}")));
        };
        let is_bit = matches!(self.site, Site::Table(table, _) if table.is_bits());
        say("type", (!is_bit).then(|| self.data_type.to_string()));
        let length = self.data_type.has_length().then(|| self.data_type.registers());
        say("length", length.filter(|length| *length > 0).map(|length| length.to_string()));
        say("order", self.order.map(|order| order.to_string()));
        say("scale", self.scale.as_ref().map(Decimal::to_string));
        say("offset", self.offset.as_ref().map(Decimal::to_string));
        say("unit", self.unit.as_deref().map(quoted));
        say("scale_factor", self.scale_factor.clone());
        say(
            "bits",
            listed(self.bits.iter().map(|(name, field)| format!("{name}: {}", bits(*field)))),
        );
        let labels = self.labels.iter();
        say("values", listed(labels.map(|(number, label)| format!("{number}: {}", quoted(label)))));
        say("invalid", self.sunspec.then(|| "sunspec".to_owned()));
        say("access", self.access.map(str::to_owned));
        say("description", self.description.as_deref().map(quoted));
        keys
    }
}

fn site(site: Site) -> String {
    match site {
        Site::Table(table, address) => format!("{table}: {address}"),
        Site::DeviceId(id) => format!("device_id: {id}"),
        Site::ServerId => "server_id: true".to_owned(),
        Site::Diagnostic(counter) => format!("diagnostic: {}", counter.sub_function()),
        Site::ExceptionStatus => "exception_status: true".to_owned(),
        Site::File(number, record) => format!("file: {{ number: {number}, record: {record} }}"),
        Site::Fifo(address) => format!("fifo: {address}"),
    }
}

fn bits(field: Field) -> String {
    if field.is_single() {
        field.first().to_string()
    } else {
        format!("{}..{}", field.first(), field.last())
    }
}

fn listed(entries: impl Iterator<Item = String>) -> Option<String> {
    let entries: Vec<String> = entries.collect();
    (!entries.is_empty()).then(|| format!("{{ {} }}", entries.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_makes_a_name_of_its_own() {
        let mut taken = BTreeSet::new();
        let mut named = |text| name(text, &mut taken);
        assert_eq!(named("(current) Total import"), "current_total_import");
        assert_eq!(named("Current total  import!"), "current_total_import_2");
        assert_eq!(named("°"), "point");
        assert_eq!(named(""), "point_2");
    }

    #[test]
    fn no_text_inserts_a_variable_or_ends_its_line() {
        assert_eq!(quoted("a\n\"$(b)\""), r#""a\n\"$$(b)\"""#);
    }
}
