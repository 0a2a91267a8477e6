//! The register map of a device: its profile and what it adds to it, merged into points. One map is
//! shared by every device that says the same.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use passline_modbus::planner::{self, Rules};
use passline_modbus::point::{Access, Point};

use super::load::Loader;
use super::model::Map;
use super::place::{Common, Notation};
use super::point::{self, Declared};
use super::profile::Profile;
use super::quirks::Quirks;
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::source::{SourceId, Spanned};

/// What makes two devices have the same map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct MapKey {
    profile: SourceId,
    base: u32,
    max_registers: Option<u16>,
    max_bits: Option<u16>,
    max_gap: Option<u16>,
    merge: Option<bool>,
}

/// The maps of one load.
pub(super) type Maps = HashMap<MapKey, (Arc<Map>, Quirks)>;

impl Loader<'_> {
    /// The map of a device: its profile's points moved by `base`, its own added. `None` if it was
    /// reported to be wrong.
    pub(super) fn map(
        &mut self,
        context: &Context<'_>,
        device: &Fields<'_, '_>,
        folder: &Path,
    ) -> Option<(Arc<Map>, Quirks)> {
        let base = device.integer("base").map_or(0, |base| base.value);
        let own = Quirks::decode(context, device);
        let profile = device.text("profile");
        let source = match &profile {
            Some(file) => Some(self.source(context, file, folder)?),
            None => None,
        };
        let key = source.filter(|_| !device.has("points")).map(|profile| MapKey {
            profile,
            base,
            max_registers: own.max_registers,
            max_bits: own.max_bits,
            max_gap: own.max_gap,
            merge: own.merge,
        });
        if let Some((map, quirks)) = key.and_then(|key| self.maps.get(&key)) {
            return Some((Arc::clone(map), own.or(*quirks)));
        }
        let mut merged = match source {
            Some(source) => self.profile(context, source, base, &mut Vec::new())?,
            None => Profile { common: Common { base, ..Common::default() }, ..Profile::default() },
        };
        let inline = Common { notation: Notation::From0, ..merged.common };
        for entry in device.map("points") {
            if let Some(name) = context.name(entry.key_node) {
                merged.declare(context, &inline, (name, entry.value));
            }
        }
        let of_type = merged.quirks;
        merged.quirks = own.or(of_type);
        let map = Arc::new(finish(context, &merged));
        if let Some(key) = key {
            // What this device alone says is not its neighbour's.
            self.maps.insert(key, (Arc::clone(&map), of_type));
        }
        Some((map, merged.quirks))
    }
}

/// Declarations to points, and what can only be checked with all of them at hand.
pub(super) fn finish(context: &Context<'_>, profile: &Profile) -> Map {
    let mut points: HashMap<String, Arc<Point>> = HashMap::new();
    let mut refused = profile.refused.clone();
    for declared in profile.points.iter() {
        match Point::new(declared.declaration.clone()) {
            Ok(point) => {
                points.insert(declared.name.value.clone(), Arc::new(point));
            }
            Err(errors) => {
                refused.insert(stem(&declared.name.value).to_owned());
                for error in errors {
                    point::report(context, &error, declared.span_of(error.key()));
                }
            }
        }
    }
    let most = most(profile).max_registers;
    for declared in profile.points.iter() {
        let Some(point) = points.get(&declared.name.value) else { continue };
        let registers = point.span().filter(|span| !span.table().is_bits());
        if let Some(span) = registers.filter(|span| span.count() > most) {
            let message = format!(
                "{} has {} registers, and the device lets read {most} at once",
                quoted(&declared.name.value),
                span.count()
            );
            let remedy = "a point is never read in parts: shorten it, or raise `max_registers`";
            context.report(Diagnostic::error(declared.name.span, message).remedy(remedy));
        }
        check_scale_factor(context, declared, (&points, &refused));
        check_place(context, profile, (declared, point));
    }
    check_whole(context, profile);
    let rules = rules(profile, &points);
    Map { points, refused, rules }
}

/// The point of a name. `None`: there is none, which is reported, or it was reported to be wrong
/// where it is declared.
pub(super) fn named<'m>(
    context: &Context<'_>,
    map: &'m Map,
    name: &Spanned<String>,
    whose: &str,
) -> Option<&'m Arc<Point>> {
    let found = map.points.get(&name.value);
    if found.is_none() && !map.refused.contains(stem(&name.value)) {
        let message = format!("{whose} has no point {}", quoted(&name.value));
        let error = Diagnostic::error(name.span, message);
        let error = error.remedy("declare it under `points:` of the device or of its profile");
        context.report(error.suggest(&name.value, map.points.keys().map(String::as_str)));
    }
    found
}

/// The point that a bit field belongs to; any other point itself.
fn stem(name: &str) -> &str {
    name.split_once('.').map_or(name, |(stem, _)| stem)
}

fn check_scale_factor(
    context: &Context<'_>,
    declared: &Declared,
    (points, refused): (&HashMap<String, Arc<Point>>, &HashSet<String>),
) {
    let Some(factor) = &declared.declaration.scale_factor else { return };
    let name = Spanned { value: factor.clone(), span: declared.span_of("scale_factor") };
    let problem = match points.get(factor) {
        None if refused.contains(stem(factor)) => return,
        None => format!("there is no point {} to scale by", quoted(factor)),
        Some(point) if point.access() == Access::Write => {
            format!("{} cannot be read", quoted(factor))
        }
        Some(point) if point.scale_factor().is_some() => {
            format!("{} has a scale factor itself", quoted(factor))
        }
        Some(_) => return,
    };
    let error = Diagnostic::error(name.span, problem);
    let error = error.remedy("name a point of this map that holds the power of ten");
    context.report(error.suggest(factor, points.keys().map(String::as_str)));
}

/// A point that could not be read as its profile says.
fn check_place(context: &Context<'_>, profile: &Profile, (declared, point): (&Declared, &Point)) {
    let Some(span) = point.span() else { return };
    let problem = if let Some(hole) = profile.holes.iter().find(|hole| hole.overlaps(span)) {
        format!("lies in the hole {hole}, and could not be read")
    } else {
        let mut touched = profile.whole.iter().filter(|block| block.value.overlaps(span));
        match touched.find(|block| point.is_barrier() || !block.value.contains(span)) {
            None => return,
            Some(block) if point.is_barrier() => {
                format!("would be read with the rest of {}, which is read whole", block.value)
            }
            Some(block) => format!("is only partly in {}, which is read whole", block.value),
        }
    };
    let message = format!("{} {problem}", quoted(&declared.name.value));
    let error = Diagnostic::error(declared.name.span, message);
    context.report(error.remedy("correct the point, or the `holes` or `blocks` of the profile"));
}

/// Blocks that no request could read whole.
fn check_whole(context: &Context<'_>, profile: &Profile) {
    let most = most(profile);
    for (index, block) in profile.whole.iter().enumerate() {
        let place = block.value;
        let limit = if place.table().is_bits() { most.max_bits } else { most.max_registers };
        let earlier = profile.whole.iter().take(index).map(|earlier| earlier.value);
        let mut obstacles = earlier.chain(profile.holes.iter().copied());
        let problem = if place.count() > limit {
            format!("{place} cannot be read whole: the device lets read {limit} at once")
        } else if let Some(other) = obstacles.find(|other| other.overlaps(place)) {
            format!("{place} cannot be read whole: it overlaps {other}")
        } else {
            continue;
        };
        let error = Diagnostic::error(block.span, problem);
        context.report(error.remedy("correct the block, or remove its `whole`"));
    }
}

/// The most that one read may ask for.
fn most(profile: &Profile) -> planner::Quirks {
    let defaults = planner::Quirks::default();
    planner::Quirks {
        max_registers: profile.quirks.max_registers.unwrap_or(defaults.max_registers),
        max_bits: profile.quirks.max_bits.unwrap_or(defaults.max_bits),
        ..defaults
    }
}

/// What the read planner must know of a map.
fn rules(profile: &Profile, points: &HashMap<String, Arc<Point>>) -> Rules {
    let spans = |barrier| {
        let spans = points.values().filter(move |point| point.is_barrier() == barrier);
        spans.filter_map(|point| point.span())
    };
    let most = most(profile);
    let quirks = planner::Quirks {
        max_gap: profile.quirks.max_gap.unwrap_or(most.max_gap),
        merge: profile.quirks.merge.unwrap_or(most.merge),
        blocks: profile.blocks.clone(),
        whole: profile.whole.iter().map(|block| block.value).collect(),
        declared: spans(false).collect(),
        barriers: spans(true).chain(profile.holes.iter().copied()).collect(),
        ..most
    };
    // The table of keys keeps the numbers within what the protocol allows, and blocks that overlap
    // are reported.
    Rules::new(quirks).unwrap_or_default()
}
