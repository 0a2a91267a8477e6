//! `simulate:` of a device: how its simulation begins, and what it does wrong.

mod fault;
mod image;
mod kind;
mod rows;

use passline_modbus::address::Address;

use super::model::{Map, Simulation};
use crate::language::decode::Context;
use crate::language::fields::Fields;
use crate::language::shape::{Field, Object, Shape};

/// How a device is simulated.
pub(super) static SIMULATE: Object = Object {
    name: "simulation",
    doc: "Used by --simulate and `simulate`; ignored on hardware. A declared point with neither value nor image is zero, or empty.",
    fields: &[&[
        Field::optional("values", Shape::Map(&Shape::Scalar), "Values by point."),
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
    ]],
};

/// The simulation of a device; all of its declared points exist. Without an address it is on a
/// line of its own that speaks Modbus TCP.
pub(super) fn simulation(
    context: &Context<'_>,
    map: &Map,
    address: Option<&Address>,
    fields: Option<Fields<'_, '_>>,
) -> Simulation {
    let mut simulation = Simulation { image: image::blank(map), faults: Vec::new() };
    let Some(fields) = fields else { return simulation };
    for node in fields.list("image") {
        image::entry(context, &mut simulation.image, node);
    }
    image::values(context, map, &mut simulation.image, &fields);
    let device = fault::Faulty { context, map, image: &simulation.image, address };
    let faults = fields.list("faults").into_iter();
    simulation.faults = faults.filter_map(|node| device.fault(node)).collect();
    simulation
}
