//! Which device answers for which unit id.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use passline_modbus::pdu::ExceptionCode;
use tokio::time::Instant;

use crate::device::Device;
use crate::fault::Reaction;

/// The devices of one line, shared by its connections.
#[derive(Debug)]
pub(super) struct Units {
    /// In the order of the unit ids. No map: its nodes are much larger than a single device.
    devices: Box<[(u8, Mutex<Device>)]>,
    started: Instant,
}

impl Units {
    pub(super) fn new(devices: BTreeMap<u8, Device>, started: Instant) -> Self {
        let devices = devices.into_iter().map(|(unit_id, device)| (unit_id, Mutex::new(device)));
        Self { devices: devices.collect(), started }
    }

    pub(super) fn with<R>(&self, unit_id: u8, look: impl FnOnce(&mut Device) -> R) -> Option<R> {
        let at = self.devices.binary_search_by_key(&unit_id, |(unit_id, _)| *unit_id).ok()?;
        let (_, device) = self.devices.get(at)?;
        // A caller's panic between two requests leaves a device as whole as before.
        Some(look(&mut device.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// What the line does about a request that arrives `now`. For a unit id that nobody has, it
    /// answers as a gateway does: the target did not respond (V1.1b3, clause 7, exception 0B).
    pub(super) fn react(&self, unit_id: u8, pdu: &[u8], now: Instant) -> Reaction {
        let elapsed = now.saturating_duration_since(self.started);
        self.with(unit_id, |device| device.react(unit_id, pdu, elapsed))
            .unwrap_or_else(|| Err(ExceptionCode::GatewayTargetDevice).into())
    }
}
