//! Simulated devices that are not quite as their specs say: for who wants to know whether anybody
//! notices.

use passline_simulator::device::Device;
use passline_simulator::fault::{Fault, Seed};
use passline_simulator::image::Image;

/// How a simulated device differs from what its spec says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Alteration {
    /// Its memory at the start, if that is another.
    pub image: Option<Image>,
    /// Whether it has none of the faults that its spec gives it.
    pub faultless: bool,
    /// Faults behind those that it has.
    pub faults: Vec<Fault>,
}

impl Alteration {
    /// The device as it is then.
    pub(super) fn of(&self, mut device: Device, seed: Seed) -> Device {
        if let Some(image) = &self.image {
            device.image_mut().clone_from(image);
        }
        if self.faultless {
            device.clear_faults();
        }
        for fault in &self.faults {
            device.add_fault(fault.clone(), seed);
        }
        device
    }
}
