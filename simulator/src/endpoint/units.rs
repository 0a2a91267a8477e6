//! Which device answers for which unit id.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use passline_modbus::framing::Framing;
use passline_modbus::pdu::ExceptionCode;
use tokio::time::Instant;

use super::clients::Clients;
use super::clock::Clock;
use super::event::{Observer, Peer, Transaction, What};
use crate::device::Device;
use crate::fault::{Arrival, End, Manners, Reaction, Received, Transmission};

/// The unit id of all units of a serial line at once.
const BROADCAST: u8 = 0;

/// The function codes that write and do nothing else.
const WRITES: [u8; 6] = [5, 6, 15, 16, 21, 22];

/// The devices of one line, shared by its connections.
#[derive(Debug)]
pub(super) struct Units {
    /// In the order of the unit ids. No map: its nodes are much larger than a single device.
    devices: Box<[(u8, Mutex<Device>)]>,
    clients: Clients,
    clock: Clock,
    observer: Option<Observer>,
}

impl Units {
    pub(super) fn new(
        devices: BTreeMap<u8, Device>,
        clock: Clock,
        observer: Option<Observer>,
    ) -> Self {
        let clients = Clients::default();
        let devices = devices.into_iter().map(|(unit_id, device)| (unit_id, Mutex::new(device)));
        Self { devices: devices.collect(), clients, clock, observer }
    }

    pub(super) fn with<R>(&self, unit_id: u8, look: impl FnOnce(&mut Device) -> R) -> Option<R> {
        let at = self.devices.binary_search_by_key(&unit_id, |(unit_id, _)| *unit_id).ok()?;
        let (_, device) = self.devices.get(at)?;
        // A caller's panic between two requests leaves a device as whole as before.
        Some(look(&mut device.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// The connections to the line.
    pub(super) fn clients(&self) -> &Clients {
        &self.clients
    }

    /// How the devices treat one more connection while `others` are open.
    pub(super) fn admit(&self, others: usize, now: Instant) -> Manners {
        let (elapsed, mut manners) = (self.elapsed(now), Manners::default());
        for (unit_id, _) in &self.devices {
            let restarted = self.with(*unit_id, |device| {
                device.admit(others, elapsed, &mut manners);
                device.take_restarted()
            });
            if restarted == Some(true) && self.devices.len() == 1 {
                self.clients.lose();
            }
        }
        manners
    }

    /// The time since the simulation started, by its own clock.
    pub(super) fn elapsed(&self, now: Instant) -> Duration {
        self.clock.elapsed(now)
    }

    /// When the simulation started.
    pub(super) fn started(&self) -> Instant {
        self.clock.started()
    }

    /// When and where a request comes: over a connection that was made then.
    pub(super) fn arrival(&self, now: Instant, made: Instant, overlaps: bool) -> Arrival {
        Arrival {
            elapsed: self.elapsed(now),
            passed: self.clock.passed(now),
            connected: now.saturating_duration_since(made),
            overlaps,
        }
    }

    /// Tells whoever watches the line.
    pub(super) fn tell(&self, peer: Peer, what: What<'_>) {
        if let Some(observer) = &self.observer {
            observer.tell(peer, what);
        }
    }

    /// What the line does about a request of `peer`; `None` is silence.
    pub(super) fn react(
        &self,
        peer: Peer,
        request: &Received<'_>,
        arrival: Arrival,
    ) -> Option<Reaction> {
        let mut reaction = self.reaction(request, arrival);
        let told = Transaction { request, arrival, reaction: reaction.as_ref() };
        self.tell(peer, What::Transaction(told));
        if let Some(Reaction::Wire(sent)) = &mut reaction {
            // It is told; what waits to be sent is not to hold it as well.
            sent.faults = Vec::new();
        }
        reaction
    }

    /// What the line does about a request; `None` is silence.
    ///
    /// For a unit id that nobody has, Modbus TCP is answered as by a gateway: the target did not
    /// respond (V1.1b3, clause 7, exception 0B). On serial framings nobody speaks, also where they
    /// travel over TCP: a gateway that passes frames through knows of no units. Unit id 0 is there
    /// a broadcast (Serial Line V1.02, clause 2.1).
    fn reaction(&self, received: &Received<'_>, arrival: Arrival) -> Option<Reaction> {
        match received.framing {
            Framing::Mbap => {
                let nobody = || Reaction::Answer(Err(ExceptionCode::GatewayTargetDevice));
                let reaction = self.ask(received.unit_id, received, arrival);
                Some(reaction.unwrap_or_else(nobody))
            }
            Framing::Rtu | Framing::Ascii if received.unit_id == BROADCAST => {
                self.broadcast(received, arrival);
                None
            }
            Framing::Rtu | Framing::Ascii => {
                self.overhear(Some(received.unit_id));
                self.ask(received.unit_id, received, arrival)
            }
        }
    }

    /// What the device of a unit id does about a request. A device that is alone takes the
    /// connections with it when it begins anew; one of several does not, for they are those of the
    /// gateway in front of them. On a serial line there is none to lose.
    fn ask(&self, unit_id: u8, received: &Received<'_>, arrival: Arrival) -> Option<Reaction> {
        let is_alone = self.devices.len() == 1;
        let (reaction, restarted) = self.with(unit_id, |device| {
            device.advance(arrival.elapsed);
            let was_there = !device.take_restarted();
            if !was_there && is_alone && received.framing == Framing::Mbap {
                // Who asks over a connection of before is not heard any more.
                return (Reaction::Wire(Transmission::default()), true);
            }
            let reaction = device.react(received, arrival);
            (reaction, device.take_restarted() || !was_there)
        })?;
        if !restarted || !is_alone {
            return Some(reaction);
        }
        self.clients.lose();
        Some(match received.framing {
            Framing::Mbap => {
                Reaction::Wire(Transmission { end: Some(End::Reset), ..Transmission::default() })
            }
            Framing::Rtu | Framing::Ascii => reaction,
        })
    }

    /// All units on the line hear a message: all but the one that it is for; without one it was
    /// corrupt.
    pub(super) fn overhear(&self, meant: Option<u8>) {
        for (unit_id, _) in self.devices.iter().filter(|(unit_id, _)| Some(*unit_id) != meant) {
            self.with(*unit_id, |device| device.overheard(meant.is_none()));
        }
    }

    /// Every unit does what is asked and says nothing. Only writes may be broadcast.
    fn broadcast(&self, received: &Received<'_>, arrival: Arrival) {
        if !WRITES.contains(&received.function()) {
            return self.overhear(Some(BROADCAST));
        }
        for (unit_id, _) in &self.devices {
            self.ask(*unit_id, received, arrival);
        }
    }
}
