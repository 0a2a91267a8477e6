//! Simulated devices with one thing wrong, and what has to become of a check then.

use std::collections::BTreeMap;
use std::sync::Arc;

use passline_modbus::pdu::ExceptionCode;
use passline_modbus::point::{Location, Raw};
use passline_simulator::fault::{AnswerFault, Fault, Kind, RequestFault, Scope, Trigger};
use passline_simulator::image::Image;

use super::place::Content;
use super::sight::Outcome;
use crate::engine::{Alteration, Simulate};
use crate::spec::model::Device;

/// A simulation with one thing wrong.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mutant {
    /// What is wrong, for people: `at 253.1`, `no answer`.
    pub(super) what: String,
    pub(super) change: Change,
    pub(super) expected: Expected,
    /// The key of the limit that it is about.
    pub(super) limit: Option<&'static str>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// The devices show this content, whatever they do.
    Contents(Vec<Content>),
    /// A device says nothing of this place.
    Silent(usize, Location),
    /// A device answers an exception.
    Exception(usize, Location, ExceptionCode),
    /// There is something at a place, and the device shows none of the faults of its spec.
    Answers(usize, Location),
    /// Registers in the wrong order.
    Swapped(Content),
}

/// What has to become of the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// Just this.
    As(Outcome),
    /// Anything but a pass.
    NoPass,
}

impl Change {
    /// The simulation in which it is so. `None`: nobody can make that content.
    pub(super) fn simulate(&self, devices: &[Device]) -> Option<Simulate> {
        let mut altered = BTreeMap::new();
        match self {
            Self::Contents(contents) => {
                for content in contents {
                    show(&mut altered, devices, content)?;
                }
            }
            Self::Swapped(content) => show(&mut altered, devices, content)?,
            Self::Silent(device, location) => {
                let fault = always(AnswerFault::Silent.into(), *location);
                entry(&mut altered, devices, *device)?.faults.push(fault);
            }
            Self::Exception(device, location, code) => {
                let fault = always(RequestFault::Exception { code: *code }.into(), *location);
                entry(&mut altered, devices, *device)?.faults.push(fault);
            }
            Self::Answers(device, location) => {
                let image = &devices.get(*device)?.simulation.image;
                let alteration = entry(&mut altered, devices, *device)?;
                alteration.faultless = true;
                alteration.image = Some(there(image.clone(), *location));
            }
        }
        Some(Simulate::Altered(altered))
    }
}

fn entry<'a>(
    altered: &'a mut BTreeMap<String, Alteration>,
    devices: &[Device],
    device: usize,
) -> Option<&'a mut Alteration> {
    Some(altered.entry(devices.get(device)?.name.clone()).or_default())
}

/// Content of a table is what is answered, whatever moves it; beyond the tables it is what the
/// device begins with.
fn show(
    altered: &mut BTreeMap<String, Alteration>,
    devices: &[Device],
    content: &Content,
) -> Option<()> {
    let image = &devices.get(content.device)?.simulation.image;
    let alteration = entry(altered, devices, content.device)?;
    if content.location.span().is_some() {
        let mut cells = Image::new();
        put(&mut cells, content)?;
        let kind = AnswerFault::Value { cells: Arc::new(cells) };
        alteration.faults.push(always(kind.into(), content.location));
    } else {
        let mut image = alteration.image.take().unwrap_or_else(|| image.clone());
        put(&mut image, content)?;
        alteration.image = Some(image);
    }
    Some(())
}

fn put(image: &mut Image, content: &Content) -> Option<()> {
    match (content.location, &content.raw) {
        (Location::Table(span), Raw::Bit(bit)) => {
            image.set_bits(span.table(), span.address(), &[*bit]).ok()
        }
        (Location::Table(span), Raw::Registers(words)) => {
            image.set_words(span.table(), span.address(), words).ok()
        }
        (Location::DeviceId(id), Raw::Bytes(bytes)) => image.set_object(id, bytes).ok(),
        (Location::ServerId, Raw::Bytes(bytes)) => image.set_server_id(bytes).ok(),
        (Location::Diagnostic(counter), Raw::Registers(words)) => {
            image.set_counter(counter, words.first().copied()?);
            Some(())
        }
        (Location::ExceptionStatus, Raw::Registers(words)) => {
            image.set_exception_status(u8::try_from(words.first().copied()?).ok()?);
            Some(())
        }
        (Location::File(section), Raw::Registers(words)) => {
            image.set_records(section.file, section.first, words).ok()
        }
        (Location::Fifo(address), Raw::Registers(words)) => image.set_queue(address, words).ok(),
        _ => None,
    }
}

/// The memory with something at a place.
fn there(mut image: Image, location: Location) -> Image {
    if let Location::Table(span) = location {
        let count = usize::from(span.count());
        // A span is within its table.
        let _ = if span.table().is_bits() {
            image.set_bits(span.table(), span.address(), &vec![true; count])
        } else {
            image.set_words(span.table(), span.address(), &vec![1; count])
        };
    }
    image
}

fn always(kind: Kind, location: Location) -> Fault {
    let scope = match location {
        Location::Table(span) => Scope { span: Some(span), ..Scope::default() },
        beyond => Scope { beyond: Some(beyond), ..Scope::default() },
    };
    Fault { kind, scope, trigger: Trigger::default() }
}
