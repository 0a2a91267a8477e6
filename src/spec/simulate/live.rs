//! What is asked of a device while its simulation runs: the value of a point, another value, one
//! more fault. In the words of the spec language.

use passline_modbus::point::Point;
use passline_modbus::value::Value;
use passline_simulator::fault::Fault;
use passline_simulator::image::Image;

use super::fault::Faulty;
use super::image::{held, scale_factor};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostics, Style};
use crate::language::source::Sources;
use crate::language::variables::{Scalar, Variables};
use crate::language::yaml;
use crate::spec::model::Device;

/// What a point is in this memory; `None`: nothing that can be said.
pub(crate) fn value(device: &Device, image: &Image, point: &Point) -> Option<Value> {
    let factor = scale_factor(&device.map, image, point);
    image.value(point, factor.as_ref())
}

/// Gives a point another value. `Err`: why it cannot have it.
pub(crate) fn set(
    device: &Device,
    image: &mut Image,
    point: &Point,
    value: Scalar,
) -> Result<(), String> {
    let factor = scale_factor(&device.map, image, point);
    let put = image.put(point, factor.as_ref(), &held(point, value));
    put.map_err(|error| error.to_string())
}

/// The fault that a text of a spec, which may be JSON, says. `Err`: what is wrong with it, and what
/// to do about it.
pub(crate) fn fault(device: &Device, text: &str) -> Result<Fault, String> {
    let (mut sources, diagnostics) = (Sources::new(), Diagnostics::default());
    let source = sources.add("fault", text);
    let variables = Variables::default();
    let context = Context::new(&diagnostics, &variables);
    let tree = sources.get(source).and_then(|source| yaml::parse(source, &diagnostics));
    let address = device.line.as_ref().map(|line| &line.address);
    let image = &device.simulation.image;
    let faulty = Faulty { context: &context, map: &device.map, image, address };
    let fault = tree.as_ref().and_then(|tree| faulty.fault(tree.root()));
    match fault.filter(|_| !diagnostics.has_errors()) {
        Some((_, label)) if !label.is_active => {
            Err("it would never show: there is no rule that injects it".to_owned())
        }
        Some((fault, _)) => Ok(fault),
        None => Err(diagnostics.render(&sources, Style::Plain).trim_end().to_owned()),
    }
}
