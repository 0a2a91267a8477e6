//! Station files: the bench, its slots, what is on which line there, and what measures beside
//! Passline. Knows nothing of the specs that run on it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;
use passline_modbus::value::Value;

use super::device::{Links, line_of, links};
use super::load::Loader;
use super::model::Line;
use crate::language::decode::{Context, Entry};
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::{SourceId, Span, Spanned};
use crate::language::variables::{Scalar, Variable, Variables};
use crate::language::yaml::Node;
use crate::record::{Json, Mode};

/// A station.
pub static STATION: Object = Object {
    name: "station",
    doc: "A bench: its fixture positions, the lines of each, and the instruments it measures with.",
    fields: &[&[
        Field::required("station", Shape::Text, "Its name, for the record."),
        Field::optional("location", Shape::Text, "Where it stands."),
        Field::optional(
            "mode",
            Shape::Choice(&["production", "development"]),
            "What a full run on its hardware is filed as. Default `development`.",
        ),
        Field::optional(
            "links",
            Shape::Map(&Shape::Text),
            "Lines by name, for this file, and instead of those of the same names in specs.",
        ),
        Field::optional(
            "slots",
            Shape::Map(&Shape::Map(&Shape::Object(&BINDING))),
            "Fixture positions by name, and in each where the devices of a spec are.",
        ),
        Field::optional(
            "shared",
            Shape::Map(&Shape::Object(&BINDING)),
            "Devices that all slots use: one at a time while a test writes to them.",
        ),
        Field::optional(
            "instruments",
            Shape::List(&Shape::Object(&INSTRUMENT)),
            "What measures beside Passline, for the record.",
        ),
        Field::optional(
            "overdue",
            Shape::Choice(&["error", "warn"]),
            "What an overdue calibration is. Default `error`: nothing runs.",
        ),
        Field::optional(
            "environment",
            Shape::Map(&Shape::Scalar),
            "Readings of the surroundings by name, for the record.",
        ),
    ]],
};

static BINDING: Object = Object {
    name: "binding",
    doc: "Where a device of a spec is. What is not said here the spec says.",
    fields: &[&[
        Field::optional(
            "link",
            Shape::Text,
            "A name of `links:`, a URL, or `simulate`: there the device is simulated.",
        ),
        Field::optional(
            "unit_id",
            Shape::Integer { min: 0, max: 255 },
            "Its Modbus address on the link.",
        ),
    ]],
};

static INSTRUMENT: Object = Object {
    name: "instrument",
    doc: "An instrument, for the record.",
    fields: &[&[
        Field::required("id", Shape::Text, "What the inventory calls it."),
        Field::optional("model", Shape::Text, "What it is."),
        Field::optional("serial", Shape::Text, "Its serial number."),
        Field::optional("calibration", Shape::Object(&CALIBRATION), "Its last calibration."),
        Field::optional("uncertainty", Shape::Scalar, "How far it may be off, as it is stated."),
    ]],
};

static CALIBRATION: Object = Object {
    name: "calibration",
    doc: "A calibration.",
    fields: &[&[
        Field::required(
            "due",
            Shape::Text,
            "The last day on which it counts, as `2027-03-31`; days begin and end in UTC.",
        ),
        Field::optional("certificate", Shape::Text, "The number of its certificate."),
    ]],
};

/// What the record calls the place of a station, beside the readings of its surroundings.
const LOCATION: &str = "location";

/// A bench.
#[derive(Debug)]
pub struct Station {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub location: Option<String>,
    /// What a full run on its hardware is filed as.
    pub mode: Mode,
    /// Its fixture positions, in the order of the file.
    pub slots: Vec<Slot>,
    /// What measures beside Passline.
    pub instruments: Vec<Instrument>,
    /// Whether nothing runs where a calibration is overdue.
    pub overdue_forbids: bool,
    /// Readings of the surroundings by name.
    pub environment: Vec<(String, Scalar)>,
    pub(super) links: Links,
    pub(super) shared: BTreeMap<String, Binding>,
    /// Its file.
    pub(super) source: SourceId,
    /// Where its slots are.
    pub(super) at: Span,
}

/// A fixture position.
#[derive(Debug)]
pub struct Slot {
    /// Its name.
    pub name: String,
    pub(super) at: Span,
    pub(super) devices: BTreeMap<String, Binding>,
}

/// Where a device is.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    /// Where the device is named.
    pub(super) at: Span,
    pub(super) link: Option<Spanned<Target>>,
    pub(super) unit_id: Option<Spanned<u8>>,
}

/// What a device hangs on.
#[derive(Debug, Clone)]
pub(super) enum Target {
    Simulated,
    Line(Box<Line>),
}

/// What measures beside Passline.
#[derive(Debug, Clone)]
pub struct Instrument {
    /// What the inventory calls it.
    pub id: String,
    /// What it is.
    pub model: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its last calibration.
    pub calibration: Option<Calibration>,
    /// How far it may be off.
    pub uncertainty: Option<Json>,
}

/// A calibration.
#[derive(Debug, Clone)]
pub struct Calibration {
    /// The last day on which it counts.
    pub due: Date,
    /// The number of its certificate.
    pub certificate: Option<String>,
    /// Where the day stands.
    pub(super) at: Span,
}

/// A fixture position of a bench; none where the bench is one position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position<'s> {
    pub(super) station: &'s Arc<Station>,
    pub(super) slot: Option<&'s Slot>,
}

impl<'s> Position<'s> {
    /// Where a device is, if the station says so.
    pub(super) fn binding(&self, device: &str) -> Option<&'s Binding> {
        let own = self.slot.and_then(|slot| slot.devices.get(device));
        own.or_else(|| self.station.shared.get(device))
    }

    /// What is known of it, as variables.
    pub(super) fn variables(&self) -> BTreeMap<String, Variable> {
        let known = [
            ("station.name", Some(&self.station.name)),
            ("station.location", self.station.location.as_ref()),
            ("station.slot", self.slot.map(|slot| &slot.name)),
        ];
        let known = known.into_iter().filter_map(|(name, text)| Some((name, text?)));
        known.map(|(name, text)| (name.to_owned(), Scalar::Text(text.clone()).into())).collect()
    }

    /// Whether other slots use the device as well.
    pub(super) fn shares(&self, device: &str) -> bool {
        self.slot.is_some() && self.station.shared.contains_key(device)
    }
}

impl Station {
    /// Its surroundings, for the record.
    pub fn surroundings(&self) -> Option<Json> {
        let location = self.location.as_deref().map(|place| (LOCATION, Some(Json::from(place))));
        let readings = self
            .environment
            .iter()
            .map(|(name, scalar)| (name.as_str(), Some(Json::from(&Value::from(scalar.clone())))));
        let all: Vec<_> = location.into_iter().chain(readings).collect();
        (!all.is_empty()).then(|| object(all))
    }
}

/// What of these is there.
fn object<'k>(entries: impl IntoIterator<Item = (&'k str, Option<Json>)>) -> Json {
    let entries = entries.into_iter().filter_map(|(key, value)| Some((key, value?)));
    let entries: BTreeMap<&str, Json> = entries.collect();
    Json::of(&entries).unwrap_or_else(|_| Json::null())
}

impl Instrument {
    /// The day on which its calibration ran out, if that was before this one.
    pub fn overdue(&self, today: Date) -> Option<Date> {
        self.calibration.as_ref().map(|calibration| calibration.due).filter(|due| *due < today)
    }

    /// It for a record of this day, with `overdue` where its calibration is.
    pub fn to_json(&self, today: Date) -> Json {
        let text = |text: &Option<String>| text.as_deref().map(Json::from);
        let calibration = self.calibration.as_ref().map(|calibration| {
            let due = Some(Json::from(calibration.due.to_string().as_str()));
            object([("due", due), ("certificate", text(&calibration.certificate))])
        });
        let overdue = self.overdue(today).map(|_| Json::from(serde_json::Value::Bool(true)));
        object([
            ("id", Some(Json::from(self.id.as_str()))),
            ("model", text(&self.model)),
            ("serial", text(&self.serial)),
            ("calibration", calibration),
            ("overdue", overdue),
            ("uncertainty", self.uncertainty.clone()),
        ])
    }
}

impl Loader<'_> {
    /// The station of a file. `None`: reported. One with errors may come back, too.
    pub(super) fn station(&mut self, path: &Path) -> Option<Arc<Station>> {
        let source = match self.sources.read(path) {
            Ok(source) => source,
            Err(error) => {
                self.diagnostics.push(error.diagnostic(None));
                return None;
            }
        };
        let tree = self.tree(source)?;
        let variables = Variables::new(super::load::environment());
        let context = Context::new(self.diagnostics, &variables);
        let root = context.fields(tree.root(), &STATION)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let links = links(&context, &root, folder);
        let read = Reading { context: &context, links: &links, folder };
        let shared = read.bindings(root.map("shared"));
        let slots = read.slots(&root, &shared);
        let production = root.choice("mode").is_some_and(|mode| mode.value == "production");
        Some(Arc::new(Station {
            name: root.text("station")?.value,
            location: root.text("location").map(|location| location.value),
            mode: if production { Mode::Production } else { Mode::Development },
            slots,
            instruments: read.instruments(&root),
            overdue_forbids: root.choice("overdue").is_none_or(|overdue| overdue.value == "error"),
            environment: environment(&context, &root),
            shared,
            source,
            at: root.key_span("slots"),
            links,
        }))
    }
}

fn environment(context: &Context<'_>, root: &Fields<'_, '_>) -> Vec<(String, Scalar)> {
    let entries = root.map("environment").into_iter();
    let reading = entries.filter_map(|entry| {
        let name = context.name(entry.key_node)?;
        if name.value == LOCATION {
            let error = Diagnostic::error(name.span, "where the station stands is no reading");
            context.report(error.remedy("write it as `location:` of the station"));
        }
        Some((name.value, context.scalar(entry.value)?.value))
    });
    reading.collect()
}

/// A station file while it is read.
struct Reading<'a> {
    context: &'a Context<'a>,
    links: &'a Links,
    folder: &'a Path,
}

impl Reading<'_> {
    fn slots(&self, root: &Fields<'_, '_>, shared: &BTreeMap<String, Binding>) -> Vec<Slot> {
        let context = self.context;
        let mut slots = Vec::new();
        for entry in root.map("slots") {
            let Some(name) = context.name(entry.key_node) else { continue };
            let devices = self.bindings(context.map(entry.value));
            for (device, binding) in &devices {
                if let Some(other) = shared.get(device) {
                    let message = format!(
                        "slot {} has a device {} of its own, and it is shared",
                        quoted(&name.value),
                        quoted(device)
                    );
                    let error = Diagnostic::error(binding.at, message).related(other.at, "here");
                    context.report(error.remedy("name it here or under `shared:`, not in both"));
                }
            }
            slots.push(Slot { name: name.value, at: name.span, devices });
        }
        if slots.is_empty() && root.has("slots") {
            let error = Diagnostic::error(root.key_span("slots"), "there is no slot here");
            context.report(error.remedy("name one, or remove the key"));
        }
        slots
    }

    fn bindings(&self, entries: Vec<Entry<'_>>) -> BTreeMap<String, Binding> {
        let named = entries.into_iter().filter_map(|entry| {
            let name = self.context.name(entry.key_node)?;
            Some((name.value, self.binding(name.span, entry.value)?))
        });
        named.collect()
    }

    fn binding(&self, at: Span, node: Node<'_>) -> Option<Binding> {
        let fields = self.context.fields(node, &BINDING)?;
        if !fields.has("link") && !fields.has("unit_id") {
            let error = Diagnostic::error(fields.span(), "this says nothing of the device");
            self.context.report(error.remedy("give it a `link:` or a `unit_id:`, or remove it"));
        }
        let target = fields.text("link").and_then(|link| {
            let span = link.span;
            let target = if link.value == "simulate" {
                Target::Simulated
            } else {
                Target::Line(Box::new(line_of(self.context, link, self.links, self.folder)?))
            };
            Some(Spanned { value: target, span })
        });
        Some(Binding { at, link: target, unit_id: fields.integer("unit_id") })
    }

    fn instruments(&self, root: &Fields<'_, '_>) -> Vec<Instrument> {
        let context = self.context;
        let mut instruments: Vec<Instrument> = Vec::new();
        for node in root.list("instruments") {
            let Some(fields) = context.fields(node, &INSTRUMENT) else { continue };
            let Some(id) = fields.text("id") else { continue };
            if instruments.iter().any(|other| other.id == id.value) {
                let message = format!("two instruments have the id {}", quoted(&id.value));
                let error = Diagnostic::error(id.span, message);
                context.report(error.remedy("give each its own"));
            }
            let calibration = fields.object("calibration");
            let uncertainty = fields.scalar("uncertainty");
            let text = |key| fields.text(key).map(|text| text.value);
            instruments.push(Instrument {
                id: id.value,
                model: text("model"),
                serial: text("serial"),
                calibration: calibration.and_then(|fields| calibrated(context, &fields)),
                uncertainty: uncertainty.map(|scalar| Json::from(&Value::from(scalar.value))),
            });
        }
        instruments
    }
}

fn calibrated(context: &Context<'_>, fields: &Fields<'_, '_>) -> Option<Calibration> {
    let due = fields.text("due")?;
    let Ok(day) = due.value.parse::<Date>() else {
        let message = format!("{} is no day", quoted(&due.value));
        let remedy = "write year, month and day: `2027-03-31`";
        context.report(Diagnostic::error(due.span, message).remedy(remedy));
        return None;
    };
    let certificate = fields.text("certificate").map(|text| text.value);
    Some(Calibration { due: day, certificate, at: due.span })
}
