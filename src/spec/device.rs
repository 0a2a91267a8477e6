//! `links:` and `devices:`: what is on which line.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use passline_modbus::address::{Address, Overrides, Place};
use passline_modbus::change::Manner;
use passline_modbus::framing::Framing;
use passline_modbus::link::Tolerance;
use passline_modbus::serial;
use passline_simulator::access::UnitIds;

use super::load::Loader;
use super::model::{Device, KeepAlive, Line, Places};
use super::point::POINT;
use super::quirks::{QUIRKS, Quirks};
use super::retry::RETRY;
use super::simulate::{self, SIMULATE};
use super::station::{Position, Target};
use super::step::{self, KEEP_ALIVE};
use super::test::Names;
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::{Span, Spanned};

/// A device.
pub(super) static DEVICE: Object = Object {
    name: "device",
    doc: "A named thing with a link and a unit id, and the register map of its type.",
    fields: &[
        &[
            Field::optional(
                "profile",
                Shape::Text,
                "The file of its register map, relative to this one.",
            ),
            Field::optional(
                "points",
                Shape::Map(&Shape::Object(&POINT)),
                "Points that add to or replace the profile's; protocol addresses from 0.",
            ),
            Field::optional("base", Shape::U16, "Added to every address of its points. Default 0."),
            Field::optional(
                "link",
                Shape::Text,
                "A name of `links:` or a URL: `tcp://192.0.2.10:502`, `rtu:///dev/ttyUSB0?baud=9600`.",
            ),
            Field::optional(
                "unit_id",
                Shape::Integer { min: 0, max: 255 },
                "Its Modbus address on the link.",
            ),
            Field::optional("retry", Shape::Object(&RETRY), "When a request is made again."),
            Field::optional(
                "keep_alive",
                Shape::Object(&KEEP_ALIVE),
                "What it is written again and again, so that it goes on.",
            ),
            Field::optional(
                "simulate",
                Shape::Object(&SIMULATE),
                "How its simulation begins and misbehaves.",
            ),
        ],
        QUIRKS,
    ],
};

/// From the last byte of a request to its answer, where nothing says otherwise.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);

/// `links:` as declared, and where.
pub(super) type Links = BTreeMap<String, Spanned<Address>>;

/// Reads `links:`.
pub(super) fn links(context: &Context<'_>, root: &Fields<'_, '_>, folder: &Path) -> Links {
    let mut links = Links::new();
    for entry in root.map("links") {
        let (Some(name), Some(url)) = (context.name(entry.key_node), context.text(entry.value))
        else {
            continue;
        };
        if let Some(address) = address(context, &url, folder) {
            links.insert(name.value, Spanned { value: address, span: url.span });
        }
    }
    links
}

/// The address of a URL; the files that it names are relative to the folder of the spec.
fn address(context: &Context<'_>, url: &Spanned<String>, folder: &Path) -> Option<Address> {
    let parsed = url.value.parse::<Address>();
    match parsed.and_then(|address| address.check_client().map(|()| address)) {
        Ok(address) => Some(address.relative_to(folder)),
        Err(error) => {
            let message = format!("{}: {error}", quoted(&url.value));
            let remedy = "write a URL such as `tcp://192.0.2.10:502?in_flight=4`, \
                          `rtu:///dev/ttyUSB0?baud=9600` or `tls://meter.plant:802?ca=plant-ca.pem`";
            context.report(Diagnostic::error(url.span, message).remedy(remedy));
            None
        }
    }
}

impl Line {
    fn new(name: String, address: Address) -> Self {
        let place = serial::resolve(address.place());
        Self { name, address, place }
    }
}

impl Loader<'_> {
    /// Reads `devices:`. Of a device that is reported to be wrong only the name is given.
    pub(super) fn devices(
        &mut self,
        context: &Context<'_>,
        root: &Fields<'_, '_>,
        folder: &Path,
    ) -> (Vec<Device>, HashSet<String>) {
        let mut links = links(context, root, folder);
        if let Some(Position { station, .. }) = self.position {
            let own = station.links.iter();
            links.extend(own.map(|(name, address)| (name.clone(), address.clone())));
        }
        let mut devices = Vec::new();
        let mut refused = HashSet::new();
        for entry in root.map("devices") {
            let Some(name) = context.name(entry.key_node) else { continue };
            let fields = context.fields(entry.value, &DEVICE);
            let device = fields
                .as_ref()
                .and_then(|fields| self.device(context, (&name, fields), &links, folder));
            let Some(device) = device else {
                refused.insert(name.value);
                continue;
            };
            devices.push(device);
        }
        let mut taken =
            Taken { lines: self.lines, units: HashMap::new(), strangers: HashMap::new() };
        for device in &devices {
            taken.take(context, device);
        }
        (devices, refused)
    }

    fn device(
        &mut self,
        context: &Context<'_>,
        (name, fields): (&Spanned<String>, &Fields<'_, '_>),
        links: &Links,
        folder: &Path,
    ) -> Option<Device> {
        let at = Places {
            name: name.span,
            link: fields.key_span("link"),
            unit: fields.key_span("unit_id"),
        };
        let name = name.value.clone();
        let bound = Bound::of(self.position, &name, at);
        let own = line(context, fields, links, folder);
        let line = bound.line.clone().or(own);
        let map = self.map(context, fields, folder);
        let retry = fields.object("retry").map(|retry| super::retry::retry(context, &retry));
        let has_points = fields.has("profile") || fields.has("points");
        if !has_points {
            let message = format!("device {} has no points", quoted(&name));
            let error = Diagnostic::error(fields.span(), message);
            context.report(error.remedy("give it a `profile:`, or `points:` of its own"));
        }
        // Without a place or a unit id it goes on as one that has none: its points are known, and
        // what is wrong with their use is told at once.
        let (line, unit_id) = match unit_id(context, (&name, fields), line.as_ref(), &bound) {
            Some(unit_id) => (line, unit_id),
            None => (None, 1),
        };
        let (map, quirks) = map.filter(|_| has_points)?;
        let address = line.as_ref().map(|line| &line.address);
        let mut read_file =
            |context: &Context<'_>, file: &Spanned<String>| self.file(context, file, folder);
        let simulated = fields.object("simulate");
        let simulation =
            simulate::simulation(context, (&map, address), simulated.as_ref(), &mut read_file);
        let asked = line.as_ref().and_then(|line| line.address.overrides().response_timeout);
        let timeout = asked.or(quirks.response_timeout).unwrap_or(RESPONSE_TIMEOUT);
        let tolerance = tolerance(line.as_ref(), &quirks);
        Some(Device {
            name,
            line,
            simulated_there: bound.simulated,
            shared: bound.shared,
            at: bound.at,
            unit_id,
            map,
            in_flight: quirks.in_flight,
            pause: quirks.pause,
            pause_after_connect: quirks.pause_after_connect,
            idle_close: quirks.idle_close,
            max_clients: quirks.max_clients,
            manner: Manner {
                function: quirks.write_function.unwrap_or_default(),
                bits: quirks.write_bits.unwrap_or_default(),
            },
            tolerance,
            response_timeout: timeout,
            retry: retry.unwrap_or_default(),
            keep_alive: None,
            simulation,
        })
    }
}

/// What keeps the devices alive, by their index; their points have to be known before.
pub(super) fn kept_alive(
    context: &Context<'_>,
    names: &Names<'_>,
    root: &Fields<'_, '_>,
) -> Vec<(usize, KeepAlive)> {
    let mut kept = Vec::new();
    for entry in root.map("devices") {
        let Some(device) = names.device(&entry.key.value) else { continue };
        let Some(fields) = context.fields(entry.value, &DEVICE) else { continue };
        let Some(alive) = fields.object("keep_alive") else { continue };
        kept.extend(step::keep_alive(context, names, device, &alive).map(|alive| (device, alive)));
    }
    kept
}

/// What of the answers of a device is put up with: what its link says counts first.
fn tolerance(line: Option<&Line>, quirks: &Quirks) -> Tolerance {
    let own = line.map(|line| line.address.overrides());
    let of_type = quirks.tolerance.unwrap_or_default();
    Tolerance {
        oddities: own.and_then(|own| own.tolerate).unwrap_or(of_type.oddities),
        answer_unit_id: own.and_then(|own| own.answer_unit_id).or(of_type.answer_unit_id),
    }
}

/// The line of a device that has one. `None`: reported.
fn line(
    context: &Context<'_>,
    fields: &Fields<'_, '_>,
    links: &Links,
    folder: &Path,
) -> Option<Line> {
    line_of(context, fields.text("link")?, links, folder)
}

/// The line that a text names, or is the URL of. `None`: reported.
pub(super) fn line_of(
    context: &Context<'_>,
    link: Spanned<String>,
    links: &Links,
    folder: &Path,
) -> Option<Line> {
    if let Some(named) = links.get(&link.value) {
        return Some(Line::new(link.value, named.value.clone()));
    }
    if !link.value.contains("://") {
        let message = format!("there is no link {}", quoted(&link.value));
        let error = Diagnostic::error(link.span, message);
        let error =
            error.remedy("name one under `links:`, or write a URL such as `tcp://192.0.2.10:502`");
        context.report(error.suggest(&link.value, links.keys().map(String::as_str)));
        return None;
    }
    let address = address(context, &link, folder)?;
    Some(Line::new(address.without_options(), address))
}

/// What the station says of a device.
struct Bound {
    line: Option<Line>,
    unit_id: Option<Spanned<u8>>,
    simulated: bool,
    shared: bool,
    /// Where link and unit id are given: there, or in the spec.
    at: Places,
}

impl Bound {
    fn of(position: Option<Position<'_>>, device: &str, at: Places) -> Self {
        let nothing = Self { line: None, unit_id: None, simulated: false, shared: false, at };
        let Some(position) = position else { return nothing };
        let Some(binding) = position.binding(device) else { return nothing };
        let link = binding.link.as_ref();
        let line = link.and_then(|link| match &link.value {
            Target::Simulated => None,
            Target::Line(line) => Some(Line::clone(line)),
        });
        Self {
            simulated: link.is_some() && line.is_none(),
            line,
            unit_id: binding.unit_id,
            shared: position.shares(device),
            at: Places {
                name: at.name,
                link: link.map_or(at.link, |link| link.span),
                // A link of its own makes the unit another one, too.
                unit: binding
                    .unit_id
                    .map_or_else(|| link.map_or(at.unit, |link| link.span), |unit_id| unit_id.span),
            },
        }
    }
}

/// The unit id of a device; 1 where its line is not known. `None`: reported.
fn unit_id(
    context: &Context<'_>,
    (name, fields): (&str, &Fields<'_, '_>),
    line: Option<&Line>,
    bound: &Bound,
) -> Option<u8> {
    let own = fields.has("unit_id").then(|| fields.integer::<u8>("unit_id"));
    let given = match (bound.unit_id, own) {
        (Some(there), _) => Some(there),
        (None, Some(own)) => Some(own?),
        (None, None) => None,
    };
    if let Some(unit) = given {
        let framing = line.map_or(Framing::Mbap, |line| line.address.framing());
        if framing == Framing::Mbap || (1..=247).contains(&unit.value) {
            return Some(unit.value);
        }
        let message = match unit.value {
            0 => "unit 0 of a serial line is all devices at once, and none of them answers",
            _ => "a serial line has no such unit: 248 to 255 are reserved",
        };
        let remedy = "write the address that is set on the device, 1 to 247";
        context.report(Diagnostic::error(unit.span, message).remedy(remedy));
        return None;
    }
    if line.is_none() && !fields.has("link") {
        return Some(1);
    }
    let message = format!("device {} has a link, but no `unit_id`", quoted(name));
    let remedy = "add `unit_id:`; a device with an address of its own often answers to 1 or 255";
    let error = Diagnostic::error(fields.span(), message).remedy(remedy);
    context.report(match bound.line {
        Some(_) => error.related(bound.at.link, "the link is given here"),
        None => error,
    });
    None
}

/// How each line is to be treated, by the device that named it first. One for all specs of a load:
/// in one run, a line is one.
pub(super) type Lines = HashMap<Place, (String, Framing, Overrides, Tolerance)>;

/// What is taken already: a line is treated in one way, and a unit has one name in a spec.
struct Taken<'l> {
    lines: &'l mut Lines,
    units: HashMap<(Place, u8), String>,
    /// Who answers for a unit id that nobody has; without one, for all of them.
    strangers: HashMap<(Place, Option<u8>), String>,
}

impl Taken<'_> {
    fn take(&mut self, context: &Context<'_>, device: &Device) {
        let Some(line) = &device.line else { return };
        let Places { link, unit, .. } = device.at;
        let (place, framing) = (&line.place, line.address.framing());
        let options = line.address.overrides();
        let first = self.lines.entry(place.clone());
        let tolerance = device.tolerance;
        let (first, spoken, treated, tolerated) =
            first.or_insert_with(|| (device.name.clone(), framing, options.clone(), tolerance));
        if (*spoken, &*treated) != (framing, options) {
            let what = if *spoken == framing { "options" } else { "schemes" };
            let message = format!(
                "{} and {} are on the same line {place}, with different {what}",
                quoted(first),
                quoted(&device.name)
            );
            let remedy = "give the line once under `links:`, and its name to both devices";
            context.report(Diagnostic::error(link, message).remedy(remedy));
        } else if *tolerated != tolerance {
            let message = format!(
                "{} and {} are on the same line {place}, and not the same is put up with",
                quoted(first),
                quoted(&device.name)
            );
            let remedy = "say it for the whole line: `?tolerate=…` in the URL of the link";
            context.report(Diagnostic::error(link, message).remedy(remedy));
        }
        let name = device.name.clone();
        if let Some(other) = self.units.insert((place.clone(), device.unit_id), name) {
            let message = format!(
                "{} and {} are the same device: unit {} on {place}",
                quoted(&other),
                quoted(&device.name),
                device.unit_id
            );
            let remedy = "give each its own `unit_id`, or use one name for both";
            context.report(Diagnostic::error(unit, message).remedy(remedy));
        }
        self.take_strangers(context, device, unit);
    }

    /// One device of a line answers for a unit id that nobody has.
    fn take_strangers(&mut self, context: &Context<'_>, device: &Device, unit: Span) {
        let Some(line) = &device.line else { return };
        let ids: Vec<Option<u8>> = match &device.simulation.unit_ids {
            UnitIds::Own => return,
            UnitIds::Any => vec![None],
            UnitIds::Also(ids) => ids.iter().copied().map(Some).collect(),
        };
        for id in ids {
            let of_line = (line.place.clone(), id);
            let other = self.strangers.insert(of_line, device.name.clone());
            let Some(other) = other.filter(|other| *other != device.name) else { continue };
            let (other, own) = (quoted(&other), quoted(&device.name));
            let message = match id {
                Some(id) => format!("{other} and {own} both answer for unit {id} in simulation"),
                None => format!("{other} and {own} both answer for any unit in simulation"),
            };
            let remedy = "correct the `unit_ids` of one of the two";
            context.report(Diagnostic::error(unit, message).remedy(remedy));
        }
    }
}
