//! `simulate:` of a device: how its simulation begins, how it moves, what it refuses, and what it
//! does wrong.

mod access;
mod fault;
mod image;
mod kind;
pub(crate) mod live;
mod moving;
mod names;
mod rows;
mod rule;
mod script;

use passline_modbus::address::Address;

use names::{Names, ReadFile};

use super::model::{Map, Simulation};
use crate::language::decode::Context;
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};

/// How a device is simulated.
pub(super) use image::held;

pub(super) static SIMULATE: Object = Object {
    name: "simulation",
    doc: "Used by --simulate and `simulate`; ignored on hardware. A declared point with neither value nor image is zero, or empty.",
    fields: &[&[
        Field::optional(
            "values",
            Shape::Map(&Shape::AnyOf(&[Shape::Scalar, Shape::Object(&moving::BEHAVIOUR)])),
            "Values by point, or what moves them.",
        ),
        Field::optional(
            "image",
            Shape::List(&Shape::Object(&image::IMAGE)),
            "Raw memory; later entries win, and `values` over all of them.",
        ),
        Field::optional(
            "faults",
            Shape::List(&Shape::Object(&fault::FAULT)),
            "What the device does wrong, and when. Several compose.",
        ),
        Field::optional(
            "access",
            Shape::Object(&access::ACCESS),
            "How it refuses what its points do not allow.",
        ),
        Field::optional(
            "locks",
            Shape::List(&Shape::Object(&access::LOCK)),
            "What can be read or written only after a password.",
        ),
        Field::optional(
            "together",
            Shape::List(&Shape::Object(&access::TOGETHER)),
            "What is written or read as a whole or not at all.",
        ),
        Field::optional(
            "overrides",
            Shape::List(&Shape::Object(&access::OVERRIDE)),
            "Requests that are answered whatever the memory holds. The first that fits counts.",
        ),
        Field::optional(
            "unit_ids",
            access::UNIT_IDS,
            "Unit ids that it answers for beside its own: a list, or `any` that no other device of its line has.",
        ),
        Field::optional(
            "states",
            Shape::List(&Shape::Name),
            "The states that rules are about; the device begins in the first.",
        ),
        Field::optional(
            "rules",
            Shape::List(&Shape::Object(&rule::RULE)),
            "What the device does when something happens.",
        ),
    ]],
};

/// The simulation of a device; all of its declared points exist. Without an address it is on a
/// line of its own that speaks Modbus TCP.
pub(super) fn simulation(
    context: &Context<'_>,
    (map, address): (&Map, Option<&Address>),
    fields: Option<&Fields<'_, '_>>,
    read_file: &mut ReadFile<'_>,
) -> Simulation {
    let mut simulation = Simulation { image: image::blank(map), ..Simulation::default() };
    let Some(fields) = fields else {
        simulation.access = access::access(context, (map, &simulation.image), None);
        return simulation;
    };
    for node in fields.list("image") {
        image::entry(context, &mut simulation.image, node);
    }
    let moving = image::values(context, map, &mut simulation, fields);
    let device = fault::Faulty { context, map, image: &simulation.image, address };
    let faults = fields.list("faults").into_iter();
    let (faults, labels): (_, Vec<fault::Label>) =
        faults.filter_map(|node| device.fault(node)).unzip();
    simulation.access = access::access(context, (map, &simulation.image), Some(fields));
    simulation.unit_ids = access::unit_ids(context, address, fields);
    let names = Names::new(context, map, read_file, &simulation.image);
    simulation.script = script::script(names, fields, &moving, &labels);
    simulation.faults = faults;
    simulation
}
