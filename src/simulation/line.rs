//! The lines that the devices of some files are on, and where each is served.

use std::collections::BTreeMap;

use passline_modbus::address::Address;

use super::listen::Listen;
use crate::spec::model::{Device, Spec, label};

/// A link of the specs and the devices on it.
pub(crate) struct Line<'s> {
    pub(crate) name: String,
    /// Where it is said to be.
    address: Option<Address>,
    pub(crate) devices: Vec<&'s Device>,
}

/// The links in file order. Two specs may speak of the same unit only in the same words.
pub(crate) fn lines(specs: &[Spec]) -> Result<Vec<Line<'_>>, String> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let with_slots = specs.iter().flat_map(|spec| spec.devices.iter().map(move |d| (spec, d)));
    for (spec, device) in with_slots {
        let slot = spec.slot.as_deref().filter(|_| !device.shared);
        let (key, name) = match &device.line {
            Some(line) => (line.place.to_string(), line.name.clone()),
            None => (label(&device.name, slot), label(&device.name, slot)),
        };
        let index = *places.entry(key).or_insert_with(|| {
            let address = device.line.as_ref().map(|line| line.address.clone());
            lines.push(Line { name, address, devices: Vec::new() });
            lines.len() - 1
        });
        let Some(line) = lines.get_mut(index) else { continue };
        if let Some(other) = line.devices.iter().find(|other| other.unit_id == device.unit_id) {
            if device.shared && other.shared && device.name == other.name {
                continue;
            }
            return Err(format!(
                "{} and {} are both unit {} on {}\n  help: simulate their specs one at a time",
                other.name, device.name, device.unit_id, line.name
            ));
        }
        line.devices.push(device);
    }
    lines.iter().try_for_each(Line::has_one_for_each)?;
    Ok(lines)
}

impl Line<'_> {
    /// Two specs may not both have somebody answer for the unit ids that nobody has.
    fn has_one_for_each(&self) -> Result<(), String> {
        for (index, device) in self.devices.iter().enumerate() {
            let ids = &device.simulation.unit_ids;
            let mut others = self.devices.iter().take(index);
            let Some((other, what)) =
                others.find_map(|other| Some((other, other.simulation.unit_ids.shared(ids)?)))
            else {
                continue;
            };
            return Err(format!(
                "{} and {} both answer for {what} on {}\n  help: correct the `unit_ids` of one of \
                 the two, or simulate their specs one at a time",
                other.name, device.name, self.name
            ));
        }
        Ok(())
    }
}

/// Where each line is served: as the command line says, else on its own kind of line.
pub(crate) fn places(lines: &[Line<'_>], listens: &[Listen]) -> Result<Vec<Listen>, String> {
    match listens {
        [] => lines.iter().map(own_place).collect(),
        [only] if lines.len() > 1 && !only.has_room_for_several() => {
            let text = "only one link can be served there: give --listen once for each link";
            Err(format!("{text}, in their order:{}", names(lines)))
        }
        [only] => (0..lines.len()).map(|index| only.nth(index)).collect(),
        several if several.len() == lines.len() => Ok(several.to_vec()),
        several => Err(format!(
            "--listen is given {} times; give it once, or once for each link, in their order:{}",
            several.len(),
            names(lines)
        )),
    }
}

fn own_place(line: &Line<'_>) -> Result<Listen, String> {
    let place = match &line.address {
        Some(address) => Listen::like(address),
        None => "tcp://127.0.0.1:0".parse(),
    };
    place.map_err(|error| format!("{}: {error}", line.name))
}

fn names(lines: &[Line<'_>]) -> String {
    lines.iter().flat_map(|line| ["\n  ", &line.name]).collect()
}
