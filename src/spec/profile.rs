//! Profiles: the reusable register maps of device types, each with those that it extends.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use passline_modbus::point::Span as Place;

use super::load::Loader;
use super::place::{self, Common, Notation, TABLES};
use super::point::{self, Declared, POINT};
use super::quirks::{QUIRKS, Quirks};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};
use crate::language::source::{SourceId, Span, Spanned};
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
            Field::optional(
                "holes",
                Shape::List(&Shape::Object(&HOLE)),
                "Stretches that no read may touch.",
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
    doc: "A stretch of one table that no merged read may leave.",
    fields: &[
        TABLES,
        COUNT,
        &[Field::optional(
            "whole",
            Shape::Bool,
            "Whether every read of a point in it asks for all of it. Default false.",
        )],
    ],
};

static HOLE: Object = Object {
    name: "hole",
    doc: "A stretch of one table that no read may touch.",
    fields: &[TABLES, COUNT],
};

const COUNT: &[Field] = &[Field::required(
    "count",
    Shape::Integer { min: 1, max: 65_536 },
    "How many registers or bits.",
)];

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
pub(super) struct Profile {
    pub(super) common: Common,
    pub(super) quirks: Quirks,
    pub(super) blocks: Vec<Place>,
    /// Blocks that are read whole, and where they are declared.
    pub(super) whole: Vec<Spanned<Place>>,
    pub(super) holes: Vec<Place>,
    pub(super) points: Declarations,
    /// The points that were reported to be wrong.
    pub(super) refused: HashSet<String>,
}

impl Profile {
    /// Declares a point in place of one of the same name.
    pub(super) fn declare(
        &mut self,
        context: &Context<'_>,
        common: &Common,
        (name, node): (Spanned<String>, Node<'_>),
    ) {
        let declared = point::declarations(context, common, &name, node);
        if declared.is_empty() {
            self.refused.insert(name.value);
        }
        self.points.replace(declared);
    }
}

/// Declarations in the order of the file; a later one of the same name replaces the earlier.
#[derive(Default)]
pub(super) struct Declarations {
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

    pub(super) fn iter(&self) -> impl Iterator<Item = &Declared> {
        self.groups.iter().flatten()
    }
}

impl Loader<'_> {
    /// Reads a profile and those that it extends.
    pub(super) fn profile(
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
                Some(text) => point::order(context, &text).unwrap_or(profile.common.order),
                None => profile.common.order,
            },
            base,
        };
        profile.quirks = Quirks::decode(context, &fields).or(profile.quirks);
        for node in fields.list("blocks") {
            let Some(block) = context.fields(node, &BLOCK) else { continue };
            let Some(place) = stretch(context, &profile.common, &block) else { continue };
            if block.boolean("whole").is_some_and(|whole| whole.value) {
                profile.whole.push(Spanned { value: place, span: node.span() });
            } else {
                profile.blocks.push(place);
            }
        }
        for node in fields.list("holes") {
            let hole = context.fields(node, &HOLE);
            profile.holes.extend(hole.and_then(|hole| stretch(context, &profile.common, &hole)));
        }
        let common = profile.common;
        let mut own = HashMap::new();
        for entry in fields.map("points") {
            if let Some(name) = context.name(entry.key_node) {
                own.insert(name.value.clone(), name.span);
                profile.declare(context, &common, (name, entry.value));
            }
        }
        for node in fields.list("repeat") {
            repeat(context, &mut profile, &mut own, node);
        }
        Some(profile)
    }
}

/// The stretch of a block or of a hole.
fn stretch(context: &Context<'_>, common: &Common, fields: &Fields<'_, '_>) -> Option<Place> {
    let (table, address) = place::table(context, common, fields)?;
    let count = fields.integer::<u32>("count")?;
    let place =
        (|| Place::new(table, u16::try_from(address).ok()?, u16::try_from(count.value).ok()?))();
    if place.is_none() {
        let message = format!("it passes address 65535: {} from address {address}", count.value);
        let error = Diagnostic::error(count.span, message);
        context.report(error.remedy("correct the address or the `count`"));
    }
    place
}

/// Declares every occurrence of a group. `own` are the points that this file has so far: one of the
/// same name would replace them without a word.
fn repeat(
    context: &Context<'_>,
    profile: &mut Profile,
    own: &mut HashMap<String, Span>,
    node: Node<'_>,
) {
    let Some(fields) = context.fields(node, &REPEAT) else { return };
    let (Some(count), Some(stride)) =
        (fields.integer::<u32>("count"), fields.integer::<u32>("stride"))
    else {
        return;
    };
    let first = fields.integer::<u32>("first").map_or(1, |first| first.value);
    let common = profile.common;
    for occurrence in 0..count.value {
        let index = Variable::from(Scalar::Number((first + occurrence).into()));
        let inner = context.variables.within([("index".to_owned(), index)].into());
        let inside = Context::new(context.diagnostics, &inner);
        let base = common.base.saturating_add(occurrence.saturating_mul(stride.value));
        let common = Common { base, ..common };
        for entry in inside.map(fields.node("points").unwrap_or(node)) {
            let Some(name) = inside.name(entry.key_node) else { continue };
            if count.value > 1 && !entry.key_node.written().contains("$(index)") {
                let message =
                    format!("every occurrence of {} would have the same name", quoted(&name.value));
                let error = Diagnostic::error(name.span, message);
                context.report(error.remedy("put `$(index)` into the name"));
                return;
            }
            if let Some(first) = own.insert(name.value.clone(), name.span) {
                let message = format!("{} is declared twice", quoted(&name.value));
                let error = Diagnostic::error(name.span, message).related(first, "the first one");
                context.report(error.remedy("give each its own name"));
            }
            profile.declare(&inside, &common, (name, entry.value));
        }
    }
}
