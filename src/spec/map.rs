//! Register maps: profiles and what devices add to them, merged into points. One map is shared by
//! every device that says the same.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use passline_modbus::planner::{self, Rules};
use passline_modbus::point::{Access, Point, Span as Place};

use super::load::Loader;
use super::model::Map;
use super::point::{self, Common, Declared, Notation, PLACE, POINT};
use super::quirks::{QUIRKS, Quirks};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::{SourceId, Spanned};
use crate::language::variables::{Scalar, Variable};
use crate::language::yaml::Node;

/// A profile: the reusable register map of a device type.
pub static PROFILE: Object = Object {
    name: "profile",
    doc: "The register map of a type of device, and what that type allows.",
    fields: &[
        &[
            Field::required("profile", Shape::Name, "Its id."),
            Field::optional("model", Shape::Text, "What it describes, for people."),
            Field::optional(
                "extends",
                Shape::Text,
                "A profile file whose points and rules this one adds to or replaces.",
            ),
            Field::optional(
                "addresses",
                Shape::Choice(Notation::NAMES),
                "What the addresses of this file mean. Default `from_0`: protocol addresses.",
            ),
            Field::optional(
                "order",
                Shape::Text,
                "Order of bytes of every point that has none of its own, texts and bytes excepted.",
            ),
            Field::optional(
                "blocks",
                Shape::List(&Shape::Object(&BLOCK)),
                "Stretches that no merged read may leave.",
            ),
            Field::optional("points", Shape::Map(&Shape::Object(&POINT)), "The points by name."),
            Field::optional(
                "repeat",
                Shape::List(&Shape::Object(&REPEAT)),
                "Groups of points that occur several times.",
            ),
        ],
        QUIRKS,
    ],
};

static BLOCK: Object = Object {
    name: "block",
    doc: "A stretch of one table.",
    fields: &[
        PLACE,
        &[Field::required(
            "count",
            Shape::Integer { min: 1, max: 65_536 },
            "How many registers or bits.",
        )],
    ],
};

static REPEAT: Object = Object {
    name: "repeat",
    doc: "A group of points that occurs several times; `$(index)` in a name is the number of the occurrence.",
    fields: &[&[
        Field::required("count", Shape::Integer { min: 1, max: 1000 }, "How many times."),
        Field::required(
            "stride",
            Shape::Integer { min: 1, max: 65_535 },
            "From one occurrence to the next, in registers or bits.",
        ),
        Field::optional(
            "first",
            Shape::Integer { min: 0, max: 65_535 },
            "The index of the first occurrence. Default 1.",
        ),
        Field::required(
            "points",
            Shape::Map(&Shape::Object(&POINT)),
            "The points of the first occurrence.",
        ),
    ]],
};

/// What a profile says, before a device moves or changes it.
#[derive(Default)]
struct Profile {
    common: Common,
    quirks: Quirks,
    blocks: Vec<Place>,
    points: Declarations,
}

/// Declarations in the order of the file; a later one of the same name replaces the earlier.
#[derive(Default)]
struct Declarations {
    /// A point and its bit fields each; empty where it was replaced.
    groups: Vec<Vec<Declared>>,
    by_name: HashMap<String, usize>,
}

impl Declarations {
    /// Adds a point and its bit fields in place of those of the same name.
    fn replace(&mut self, declared: Vec<Declared>) {
        let Some(first) = declared.first() else { return };
        let earlier = self.by_name.insert(first.name.value.clone(), self.groups.len());
        if let Some(group) = earlier.and_then(|index| self.groups.get_mut(index)) {
            group.clear();
        }
        self.groups.push(declared);
    }

    fn iter(&self) -> impl Iterator<Item = &Declared> {
        self.groups.iter().flatten()
    }
}

/// What makes two devices have the same map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct MapKey {
    profile: SourceId,
    base: u32,
    max_registers: Option<u16>,
    max_gap: Option<u16>,
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
            max_gap: own.max_gap,
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
                merged.points.replace(point::declarations(context, &inline, &name, entry.value));
            }
        }
        merged.quirks = own.or(merged.quirks);
        let quirks = merged.quirks;
        let map = Arc::new(finish(context, &merged));
        if let Some(key) = key {
            self.maps.insert(key, (Arc::clone(&map), quirks));
        }
        Some((map, quirks))
    }

    /// Reads a profile and those that it extends.
    fn profile(
        &mut self,
        context: &Context<'_>,
        source: SourceId,
        base: u32,
        above: &mut Vec<SourceId>,
    ) -> Option<Profile> {
        let tree = self.tree(source)?;
        let fields = context.fields(tree.root(), &PROFILE)?;
        above.push(source);
        let folder = tree.source().path().parent().unwrap_or(Path::new("")).to_owned();
        let mut profile = match fields.text("extends") {
            Some(file) => {
                let extended = self.source(context, &file, &folder)?;
                if above.contains(&extended) {
                    let message = format!("{} extends itself", quoted(&file.value));
                    let remedy =
                        "a profile cannot extend one that extends it: remove one `extends:`";
                    context.report(Diagnostic::error(file.span, message).remedy(remedy));
                    return None;
                }
                self.profile(context, extended, base, above)?
            }
            None => Profile::default(),
        };
        profile.common = Common {
            notation: fields
                .choice("addresses")
                .map_or(Notation::From0, |name| Notation::named(name.value)),
            order: match fields.text("order") {
                Some(text) => point::order(context, &text)?,
                None => profile.common.order,
            },
            base,
        };
        profile.quirks = Quirks::decode(context, &fields).or(profile.quirks);
        profile.blocks.extend(blocks(context, &profile.common, &fields));
        for entry in fields.map("points") {
            if let Some(name) = context.name(entry.key_node) {
                profile.points.replace(point::declarations(
                    context,
                    &profile.common,
                    &name,
                    entry.value,
                ));
            }
        }
        for node in fields.list("repeat") {
            repeat(context, &mut profile, node);
        }
        Some(profile)
    }
}

fn blocks(context: &Context<'_>, common: &Common, fields: &Fields<'_, '_>) -> Vec<Place> {
    let block = |node| {
        let block = context.fields(node, &BLOCK)?;
        let (table, address) = point::place(context, common, &block)?;
        let count = block.integer::<u32>("count")?;
        let place =
            (|| Place::new(table, u16::try_from(address).ok()?, u16::try_from(count.value).ok()?))(
            );
        if place.is_none() {
            let message =
                format!("the block passes address 65535: {} from address {address}", count.value);
            context.report(Diagnostic::error(count.span, message));
        }
        place
    };
    fields.list("blocks").into_iter().filter_map(block).collect()
}

fn repeat(context: &Context<'_>, profile: &mut Profile, node: Node<'_>) {
    let Some(fields) = context.fields(node, &REPEAT) else { return };
    let (Some(count), Some(stride)) =
        (fields.integer::<u32>("count"), fields.integer::<u32>("stride"))
    else {
        return;
    };
    let first = fields.integer::<u32>("first").map_or(1, |first| first.value);
    for occurrence in 0..count.value {
        let index = Variable::from(Scalar::Number((first + occurrence).into()));
        let inner = context.variables.within([("index".to_owned(), index)].into());
        let inside = Context::new(context.diagnostics, &inner);
        let base = profile.common.base.saturating_add(occurrence.saturating_mul(stride.value));
        let common = Common { base, ..profile.common };
        for entry in inside.map(fields.node("points").unwrap_or(node)) {
            let Some(name) = inside.name(entry.key_node) else { continue };
            if count.value > 1 && !entry.key_node.written().contains("$(index)") {
                let message =
                    format!("every occurrence of {} would have the same name", quoted(&name.value));
                let error = Diagnostic::error(name.span, message);
                context.report(error.remedy("put `$(index)` into the name"));
                return;
            }
            profile.points.replace(point::declarations(&inside, &common, &name, entry.value));
        }
    }
}

/// Declarations to points, and what can only be checked with all of them at hand.
fn finish(context: &Context<'_>, profile: &Profile) -> Map {
    let mut points: HashMap<String, Arc<Point>> = HashMap::new();
    for declared in profile.points.iter() {
        match Point::new(declared.declaration.clone()) {
            Ok(point) => {
                points.insert(declared.name.value.clone(), Arc::new(point));
            }
            Err(errors) => {
                for error in errors {
                    point::report(context, &error, declared.span_of(error.key()));
                }
            }
        }
    }
    let most = profile.quirks.max_registers.unwrap_or(125);
    for declared in profile.points.iter() {
        let Some(point) = points.get(&declared.name.value) else { continue };
        if !point.span().table().is_bits() && point.span().count() > most {
            let message = format!(
                "{} has {} registers, and the device lets read {most} at once",
                quoted(&declared.name.value),
                point.span().count()
            );
            let remedy = "a point is never read in parts: shorten it, or raise `max_registers`";
            context.report(Diagnostic::error(declared.name.span, message).remedy(remedy));
        }
        check_scale_factor(context, declared, &points);
    }
    let rules = rules(profile, &points);
    Map { points, rules }
}

fn check_scale_factor(
    context: &Context<'_>,
    declared: &Declared,
    points: &HashMap<String, Arc<Point>>,
) {
    let Some(factor) = &declared.declaration.scale_factor else { return };
    let name = Spanned { value: factor.clone(), span: declared.span_of("scale_factor") };
    let problem = match points.get(factor) {
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
    context.report(error.suggest(factor, points.keys().map(String::as_str)));
}

/// What the read planner must know of a map.
fn rules(profile: &Profile, points: &HashMap<String, Arc<Point>>) -> Rules {
    let defaults = planner::Quirks::default();
    let spans = |barrier| {
        let spans = points.values().filter(move |point| point.is_barrier() == barrier);
        spans.map(|point| point.span()).collect()
    };
    let quirks = planner::Quirks {
        max_registers: profile.quirks.max_registers.unwrap_or(defaults.max_registers),
        max_gap: profile.quirks.max_gap.unwrap_or(defaults.max_gap),
        blocks: profile.blocks.clone(),
        declared: spans(false),
        barriers: spans(true),
        ..defaults
    };
    // The table of keys keeps both numbers within what the protocol allows.
    Rules::new(quirks).unwrap_or_default()
}
