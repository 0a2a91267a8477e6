//! `uut:`: what the record must identify, and what serial numbers look like.

use std::collections::BTreeMap;

use super::given::Unit;
use super::model::{Matches, Serial, SerialPattern, SubUnit, Uut};
use super::serial_format::Format;
use crate::judge;
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::variables::{Scalar, Variable};

/// The unit under test.
pub(super) static UUT: Object = Object {
    name: "unit under test",
    doc: "What the record must identify.",
    fields: &[
        &[
            Field::optional("revision", Shape::Text, "Which revision of that."),
            Field::optional(
                "batch",
                Shape::Text,
                "The lot it was made in; `--batch` gives another one.",
            ),
            Field::optional(
                "sub_units",
                Shape::Map(&Shape::Object(&SUB_UNIT)),
                "What is built into it and has an identity of its own, by name.",
            ),
        ],
        IDENTITY,
    ],
};

static SUB_UNIT: Object = Object {
    name: "sub-unit",
    doc: "A part of the unit under test that has an identity of its own.",
    fields: &[IDENTITY],
};

const IDENTITY: &[Field] = &[
    Field::optional("part_number", Shape::Text, "What it is."),
    Field::optional(
        "serial",
        Shape::Object(&SERIAL),
        "Its serial number, which a run is given: `--serial`, `--slot`, `--sub-unit`.",
    ),
];

static SERIAL: Object = Object {
    name: "serial number",
    doc: "What a serial number looks like. A run needs one.",
    fields: &[&[
        Field::optional("pattern", Shape::Text, "A regular expression for the whole of it."),
        Field::optional(
            "matches",
            Shape::Text,
            "The point (`device.point`) that must hold it. It is compared right after `setup`.",
        ),
        Field::optional(
            "format",
            Shape::Text,
            "How the number in that point is written: `%08d` with eight digits at least. Default `%s` for a text, `%d` for a number.",
        ),
    ]],
};

/// Reads `uut:` for the unit that is given.
pub(super) fn uut(context: &Context<'_>, fields: Option<&Fields<'_, '_>>, unit: &Unit) -> Uut {
    let text = |key| fields?.text(key).map(|text| text.value);
    let sub_units = fields.map(|fields| sub_units(context, fields, unit)).unwrap_or_default();
    for name in unit.sub_units.keys() {
        if !sub_units.iter().any(|sub_unit| sub_unit.name == *name) {
            let message = format!("--sub-unit {name}: the unit under test has no such sub-unit");
            let error = Diagnostic::error(None, message).remedy("declare it under `uut.sub_units`");
            let names = sub_units.iter().map(|sub_unit| sub_unit.name.as_str());
            context.report(error.suggest(name, names));
        }
    }
    Uut {
        serial: serial(context, fields, unit.serial.as_ref()),
        part_number: text("part_number"),
        revision: text("revision"),
        batch: text("batch").filter(|_| unit.batch.is_none()).or_else(|| unit.batch.clone()),
        sub_units,
    }
}

fn sub_units(context: &Context<'_>, fields: &Fields<'_, '_>, unit: &Unit) -> Vec<SubUnit> {
    let mut sub_units = Vec::new();
    for entry in fields.map("sub_units") {
        let name = context.name(entry.key_node);
        let (Some(name), Some(fields)) = (name, context.fields(entry.value, &SUB_UNIT)) else {
            continue;
        };
        sub_units.push(SubUnit {
            serial: serial(context, Some(&fields), unit.sub_units.get(&name.value)),
            part_number: fields.text("part_number").map(|text| text.value),
            name: name.value,
        });
    }
    sub_units
}

fn serial(
    context: &Context<'_>,
    fields: Option<&Fields<'_, '_>>,
    given: Option<&String>,
) -> Serial {
    let given = given.cloned();
    let Some(fields) = fields.and_then(|fields| fields.object("serial")) else {
        return Serial { given, ..Serial::default() };
    };
    let pattern =
        fields.text("pattern").and_then(|pattern| match judge::whole_text(&pattern.value) {
            Ok(whole) => Some(SerialPattern { text: pattern.value, whole }),
            Err(error) => {
                let error = Diagnostic::error(pattern.span, error.to_string());
                context.report(error.remedy(judge::PATTERN));
                None
            }
        });
    let matches = matches(context, &fields);
    Serial { given, needed: true, pattern, matches }
}

fn matches(context: &Context<'_>, fields: &Fields<'_, '_>) -> Option<Matches> {
    let path = fields.text("matches");
    let Some(format) = fields.text("format") else {
        let path = path?;
        return Some(Matches { format_at: path.span, path, format: None });
    };
    if !fields.has("matches") {
        let error = Diagnostic::error(format.span, "there is no point that this is the format of");
        context.report(error.remedy("name it: `matches: device.point`"));
    }
    let parsed = Format::parse(&format.value);
    if parsed.is_none() {
        let message = format!("{} is no format of a serial number", quoted(&format.value));
        context.report(Diagnostic::error(format.span, message).remedy(Format::REMEDY));
    }
    Some(Matches { path: path?, format: Some(parsed?), format_at: format.span })
}

impl Uut {
    /// What is known of it, as variables.
    pub(super) fn variables(&self) -> BTreeMap<String, Variable> {
        let own = [
            ("serial".to_owned(), &self.serial.given),
            ("part_number".to_owned(), &self.part_number),
            ("revision".to_owned(), &self.revision),
            ("batch".to_owned(), &self.batch),
        ];
        let of_sub_units = self.sub_units.iter().flat_map(|sub_unit| {
            let SubUnit { name, part_number, serial } = sub_unit;
            [
                (format!("{name}.serial"), &serial.given),
                (format!("{name}.part_number"), part_number),
            ]
        });
        let known = own.into_iter().chain(of_sub_units);
        let known = known.filter_map(|(name, text)| Some((name, text.clone()?)));
        known
            .map(|(name, text)| (format!("uut.{name}"), Variable::from(Scalar::Text(text))))
            .collect()
    }

    /// Whether a unit with these serial numbers may be tested.
    ///
    /// # Errors
    /// Why not, in words, with what helps.
    pub fn admits(&self) -> Result<(), String> {
        self.serial.admits("the unit under test", "add --serial SN, or set PASSLINE_SERIAL")?;
        for SubUnit { name, serial, .. } in &self.sub_units {
            let whose = format!("sub-unit {}", quoted(name));
            serial.admits(&whose, &format!("add --sub-unit {name}=SN"))?;
        }
        Ok(())
    }
}

impl Serial {
    fn admits(&self, whose: &str, remedy: &str) -> Result<(), String> {
        match (&self.given, &self.pattern) {
            (None, _) if self.needed => {
                Err(format!("this spec needs the serial number of {whose}\n  help: {remedy}"))
            }
            (Some(given), Some(pattern)) if !pattern.whole.is_match(given) => {
                Err(format!("serial number {given} is not of the form {}", pattern.text))
            }
            (Some(given), _) if self.needed && given.trim().is_empty() => {
                Err(format!("the serial number of {whose} is empty\n  help: {remedy}"))
            }
            _ => Ok(()),
        }
    }
}
