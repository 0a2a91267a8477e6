//! Points of devices, as they are resolved: profiles extended, groups repeated.

use std::collections::BTreeSet;
use std::sync::Arc;

use passline_modbus::point::Point;

use super::{Change, What};
use crate::spec::Spec;
use crate::spec::model::Device;

/// What changed in the points of devices that both have. Two profiles by themselves are one device
/// each, whatever that is called.
pub(super) fn changes(old: &Spec, new: &Spec) -> Vec<Change> {
    let mut found: Vec<(Vec<String>, Change)> = Vec::new();
    for device in &old.devices {
        let lone = old.devices.len() == 1 && old.tests.is_empty() && new.tests.is_empty();
        let same = |other: &&Device| other.name == device.name || lone && new.devices.len() == 1;
        let Some(other) = new.devices.iter().find(same) else { continue };
        for change in of_device(device, other) {
            // Devices of one profile change alike: that is said once.
            match found.iter_mut().find(|(_, known)| *known == change) {
                Some((devices, _)) => devices.push(device.name.clone()),
                None => found.push((vec![device.name.clone()], change)),
            }
        }
    }
    let named = |(devices, mut change): (Vec<String>, Change)| {
        let word = if devices.len() == 1 { "device" } else { "devices" };
        let names: Vec<String> = devices.iter().map(|name| format!("`{name}`")).collect();
        change.place.insert(0, format!("{word} {}", names.join(", ")));
        change
    };
    found.into_iter().map(named).collect()
}

fn of_device(old: &Device, new: &Device) -> Vec<Change> {
    let names = |device: &Device| device.map.points.keys().cloned().collect::<BTreeSet<String>>();
    let mut changes = Vec::new();
    for name in names(old).union(&names(new)) {
        let place = vec![format!("point `{name}`")];
        let change = |what, place, before, after| Change {
            place,
            what,
            before,
            after,
            effect: None,
            simulation_only: false,
        };
        match (old.map.points.get(name), new.map.points.get(name)) {
            (Some(_), None) => changes.push(change(What::Removed, place, None, None)),
            (None, Some(point)) => {
                let shown = format!("{} ({})", point.location(), point.data_type());
                changes.push(change(What::Added, place, None, Some(shown)));
            }
            (Some(old), Some(new)) if old != new => {
                let facts = facts(old).into_iter().zip(facts(new));
                let facts: Vec<_> = facts.filter(|(old, new)| old.1 != new.1).collect();
                if facts.is_empty() {
                    changes.push(change(What::Changed, place, None, None));
                    continue;
                }
                for ((key, before), (_, after)) in facts {
                    let place = [place.clone(), vec![key.to_owned()]].concat();
                    changes.push(change(What::Changed, place, Some(before), Some(after)));
                }
            }
            _ => {}
        }
    }
    changes
}

/// What a point says, key by key.
fn facts(point: &Arc<Point>) -> Vec<(&'static str, String)> {
    let none = || "none".to_owned();
    let text = |text: Option<&str>| text.map_or_else(none, |text| format!("`{text}`"));
    let labels: Vec<String> =
        point.labels().map(|(number, label)| format!("{number}: {label}")).collect();
    let range = point.range().map(|(low, high)| format!("{low} to {high}"));
    let field = point.field().map(|field| format!("{}..{}", field.first(), field.last()));
    vec![
        ("address", point.location().to_string()),
        ("at", point.at().map_or_else(none, |at| at.to_string())),
        ("type", point.data_type().to_string()),
        ("order", point.order().to_string()),
        ("bits", field.unwrap_or_else(none)),
        ("scale", point.scale().to_string()),
        ("offset", point.offset().to_string()),
        ("scale_factor", text(point.scale_factor())),
        ("unit", text(point.unit())),
        ("values", if labels.is_empty() { none() } else { labels.join(", ") }),
        ("invalid", format!("{:?}", point.invalid())),
        ("access", format!("{:?}", point.access()).to_lowercase()),
        ("range", range.unwrap_or_else(none)),
        ("alone", point.alone().to_string()),
        ("clears_on_read", point.clears_on_read().to_string()),
        ("description", text(point.description())),
    ]
}
