//! Which device answers for which unit id.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use passline_modbus::framing::Framing;
use passline_modbus::pdu::ExceptionCode;
use tokio::time::Instant;

use super::answer::Asked;
use crate::device::Device;
use crate::fault::Reaction;

/// The unit id of all units of a serial line at once.
const BROADCAST: u8 = 0;

/// The function codes that write and do nothing else.
const WRITES: [u8; 6] = [5, 6, 15, 16, 21, 22];

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

    /// What the line does about a request that arrives `now`; `None` is silence.
    ///
    /// For a unit id that nobody has, Modbus TCP is answered as by a gateway: the target did not
    /// respond (V1.1b3, clause 7, exception 0B). On serial framings nobody speaks, also where they
    /// travel over TCP: a gateway that passes frames through knows of no units. Unit id 0 is there
    /// a broadcast (Serial Line V1.02, clause 2.1).
    pub(super) fn react(
        &self,
        framing: Framing,
        asked: Asked<'_>,
        now: Instant,
    ) -> Option<Reaction> {
        let elapsed = now.saturating_duration_since(self.started);
        let react = |device: &mut Device| device.react(asked.unit, asked.pdu, elapsed);
        match framing {
            Framing::Mbap => {
                let nobody = || Err(ExceptionCode::GatewayTargetDevice).into();
                Some(self.with(asked.unit, react).unwrap_or_else(nobody))
            }
            Framing::Rtu | Framing::Ascii if asked.unit == BROADCAST => {
                self.broadcast(asked.pdu, react);
                None
            }
            Framing::Rtu | Framing::Ascii => self.with(asked.unit, react),
        }
    }

    /// Every unit does what is asked and says nothing. Only writes may be broadcast.
    fn broadcast(&self, pdu: &[u8], react: impl Fn(&mut Device) -> Reaction) {
        if !pdu.first().is_some_and(|function| WRITES.contains(function)) {
            return;
        }
        for (unit_id, _) in &self.devices {
            self.with(*unit_id, &react);
        }
    }
}
