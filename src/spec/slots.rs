//! Which unit is tested in which slot, and whether the bench can take them all at once.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use passline_modbus::address::Place;

use super::given::{Given, Unit};
use super::load::Loaded;
use super::model::{Device, Spec};
use super::station::{Slot, Station};
use crate::language::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::language::shape::one_of;

/// A slot, and the unit in it. Without slots, the bench is one position.
pub(super) type Seat<'s> = (Option<&'s Slot>, &'s Unit);

/// Which slots are meant where none is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unnamed {
    /// The only one; of several, one must be named.
    Only,
    /// All.
    All,
}

/// The slots that are meant. Something is reported for each that cannot be.
pub(super) fn seats<'s>(
    station: Option<&'s Station>,
    given: &'s Given,
    unnamed: Unnamed,
    diagnostics: &Diagnostics,
) -> Vec<Seat<'s>> {
    let slots = station.map_or(&[][..], |station| &station.slots);
    if given.slots.is_empty() {
        return match (slots, unnamed) {
            ([], _) => vec![(None, &given.unit)],
            (slots, Unnamed::All) => slots.iter().map(|slot| (Some(slot), &given.unit)).collect(),
            ([slot], Unnamed::Only) => vec![(Some(slot), &given.unit)],
            (several, Unnamed::Only) => {
                let at = station.map(|station| station.at);
                let error = Diagnostic::error(at, "the station has several slots: which is meant?");
                let names = names(several);
                diagnostics.push(error.remedy(format!(
                    "add --slot SLOT=SERIAL for each unit under test; the slots are {names}"
                )));
                Vec::new()
            }
        };
    }
    let mut seats: Vec<Seat<'s>> = Vec::new();
    for (name, unit) in &given.slots {
        if let Some(problem) = refused(&seats, (name, unit)) {
            diagnostics.push(problem);
        } else if let Some(slot) = slots.iter().find(|slot| slot.name == *name) {
            seats.push((Some(slot), unit));
        } else {
            diagnostics.push(unknown(station, slots, name));
        }
    }
    seats
}

/// Why this unit cannot be in that slot beside the others.
fn refused(seats: &[Seat<'_>], (name, unit): (&String, &Unit)) -> Option<Diagnostic> {
    for (slot, other) in seats {
        let taken = slot.is_some_and(|slot| slot.name == *name);
        if taken {
            let error = Diagnostic::error(None, format!("--slot {name} is given twice"));
            return Some(error.remedy("one unit is in a slot: name each slot once"));
        }
        if let (Some(serial), Some(slot)) = (&unit.serial, slot)
            && other.serial.as_ref() == Some(serial)
        {
            let message =
                format!("slots {} and {name} have the same serial number {serial}", slot.name);
            let remedy = "no unit is in two slots: give each its own serial number";
            return Some(Diagnostic::error(None, message).remedy(remedy));
        }
    }
    None
}

fn unknown(station: Option<&Station>, slots: &[Slot], name: &str) -> Diagnostic {
    let Some(station) = station else {
        let message = format!("--slot {name}: no station file says what is in that slot");
        return Diagnostic::error(None, message).remedy("add --station FILE");
    };
    let message = format!("--slot {name}: the station has no such slot");
    let error = Diagnostic::error(station.at, message);
    let remedy = match slots {
        [] => "name it under `slots:`".to_owned(),
        slots => format!("its slots are {}", names(slots)),
    };
    error.remedy(remedy).suggest(name, slots.iter().map(|slot| slot.name.as_str()))
}

fn names(slots: &[Slot]) -> String {
    let names: Vec<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
    one_of(&names)
}

/// Reports devices of these slots that no spec has: a name that is written wrong there would leave
/// a device where its spec says, in every slot the same.
pub(super) fn name_devices(seats: &[Seat<'_>], specs: &[Spec], diagnostics: &Diagnostics) {
    let devices = || specs.iter().flat_map(|spec| &spec.devices);
    let known: BTreeSet<&str> = devices().map(|device| device.name.as_str()).collect();
    for slot in seats.iter().filter_map(|(slot, _)| *slot) {
        for (name, binding) in slot.devices.iter().filter(|(name, _)| !known.contains(&***name)) {
            let message = format!("no spec of this run has a device {}", quoted(name));
            let error = Diagnostic::error(binding.at, message);
            let error = error.remedy("name the devices as the spec does, or remove this one");
            diagnostics.push(error.suggest(name, known.iter().copied()));
        }
    }
}

impl Loaded {
    /// Reports what stands against a run on this bench on this day: devices without a link, a unit
    /// that two slots would test, overdue calibrations. `simulated` says which devices the run
    /// simulates, whatever the files say.
    pub fn check_bench(&self, simulated: impl Fn(&Device) -> bool, today: Date) -> Diagnostics {
        let real = |device: &&Device| !(device.simulated_there || simulated(device));
        let found = Diagnostics::new();
        for spec in &self.specs {
            let devices = spec.devices.iter().filter(real);
            devices.filter_map(|device| self.unlinked(spec, device)).for_each(|e| found.push(e));
        }
        self.check_units(&real, &found);
        let hardware =
            self.specs.iter().any(|spec| spec.devices.iter().all(|device| real(&device)));
        if let Some(station) = &self.station {
            check_instruments(station, hardware && station.overdue_forbids, today, &found);
        }
        found
    }

    fn unlinked(&self, spec: &Spec, device: &Device) -> Option<Diagnostic> {
        if device.line.is_some() {
            return None;
        }
        let error =
            Diagnostic::error(device.at.name, format!("device {} has no link", device.name));
        let remedy = "give it a `link:` and a `unit_id:`, or run with --simulate";
        let station = self.station.as_ref();
        let slots = station.map_or(&[][..], |station| &station.slots);
        Some(match slots.iter().find(|slot| spec.slot.as_ref() == Some(&slot.name)) {
            None => error.remedy(remedy),
            Some(slot) => error
                .related(slot.at, "this slot says nothing of it")
                .remedy(format!("name it in the slot or under `shared:`, or {remedy}")),
        })
    }

    /// Two slots that test one unit would both call it theirs.
    fn check_units(&self, real: &dyn Fn(&&Device) -> bool, found: &Diagnostics) {
        let mut taken: HashMap<(&Place, u8), (&Spec, &Device)> = HashMap::new();
        for spec in &self.specs {
            for device in spec.devices.iter().filter(real) {
                let Some(line) = &device.line else { continue };
                let unit = (&line.place, device.unit_id);
                let (first, other) = *taken.entry(unit).or_insert((spec, device));
                if first.slot == spec.slot || device.shared && other.shared {
                    continue;
                }
                let slot = |spec: &Spec| spec.slot.clone().unwrap_or_default();
                let message = format!(
                    "{} of slot {} and {} of slot {} are the same device: unit {} on {}",
                    quoted(&other.name),
                    slot(first),
                    quoted(&device.name),
                    slot(spec),
                    device.unit_id,
                    line.place
                );
                let error = Diagnostic::error(device.at.unit, message);
                let error = error.related(other.at.unit, "the first one");
                found.push(error.remedy(
                    "give each slot a link or a unit id of its own, or name what they share under \
                     `shared:`",
                ));
            }
        }
    }
}

fn check_instruments(station: &Station, forbids: bool, today: Date, found: &Diagnostics) {
    for instrument in &station.instruments {
        let overdue = instrument.overdue(today).zip(instrument.calibration.as_ref());
        let Some((due, calibration)) = overdue else { continue };
        let message =
            format!("the calibration of instrument {} ran out on {due}", quoted(&instrument.id));
        let (diagnostic, remedy) = if forbids {
            let error = Diagnostic::error(calibration.at, message);
            (error, "have it calibrated and enter the new day; `overdue: warn` runs all the same")
        } else {
            let warning = Diagnostic::warning(calibration.at, message);
            (warning, "have it calibrated and enter the new day")
        };
        found.push(diagnostic.remedy(remedy));
    }
}
