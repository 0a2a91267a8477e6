//! Which device answers for which unit id.

use std::collections::BTreeMap;
use std::future::pending;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use passline_modbus::framing::Framing;
use passline_modbus::pdu::ExceptionCode;
use tokio::time::{Instant, sleep};

use super::clients::Clients;
use super::clock::Clock;
use super::event::{Observer, Peer, Transaction, What};
use super::later::Later;
use crate::access::strangers;
use crate::device::{Device, Pending, Question, Saying, Turn};
use crate::fault::{Arrival, End, Manners, Reaction, Received, Transmission};

/// The unit id of all units of a serial line at once.
const BROADCAST: u8 = 0;

/// How long devices with rules are left to themselves at most.
const STEP: Duration = Duration::from_millis(500);

/// The function codes that write and do nothing else.
const WRITES: [u8; 6] = [5, 6, 15, 16, 21, 22];

/// Who is meant by a request, and what that one does.
enum Meant {
    Nobody,
    One(Turn),
    /// They do it and say nothing; what is still to be done, by unit id.
    All(Vec<(u8, Question)>),
}

/// What a line does about a request.
pub(super) enum Reply {
    /// `None` is silence.
    Now(Option<Reaction>),
    /// Whoever answers for the device is at work; for all devices where all are meant.
    Later(Vec<Later>),
}

/// The devices of one line, shared by its connections.
#[derive(Debug)]
pub(super) struct Units {
    /// In the order of the unit ids. No map: its nodes are much larger than a single device.
    devices: Box<[(u8, Mutex<Device>)]>,
    /// Further unit ids, and the one of who answers for them.
    strangers: BTreeMap<u8, u8>,
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
        let ids = devices.iter().map(|(unit_id, device)| (*unit_id, device.unit_ids()));
        let strangers = strangers(ids);
        let devices = devices.into_iter().map(|(unit_id, device)| (unit_id, Mutex::new(device)));
        Self { devices: devices.collect(), strangers, clients, clock, observer }
    }

    pub(super) fn with<R>(&self, unit_id: u8, look: impl FnOnce(&mut Device) -> R) -> Option<R> {
        let at = self.devices.binary_search_by_key(&unit_id, |(unit_id, _)| *unit_id).ok()?;
        let (_, device) = self.devices.get(at)?;
        // A caller's panic between two requests leaves a device as whole as before.
        Some(look(&mut device.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Has devices with rules do by the clock what they do, for ever, whether or not anybody asks: who
    /// asks after an hour does not wait for all that an hour brings. What they do is the same.
    pub(super) fn keep_up(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let is_ruled = |(unit_id, _): &(u8, _)| self.with(*unit_id, |device| device.has_rules());
        if !self.devices.iter().any(|unit| is_ruled(unit) == Some(true)) {
            return Box::pin(pending());
        }
        Box::pin(async move {
            loop {
                sleep(STEP).await;
                for (unit_id, _) in &self.devices {
                    let elapsed = self.elapsed(Instant::now());
                    self.with(*unit_id, |device| device.advance(elapsed));
                }
            }
        })
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

    /// What the line does about a request of `peer`.
    pub(super) fn react(
        self: &Arc<Self>,
        peer: Peer,
        request: &Received<'_>,
        arrival: Arrival,
    ) -> Reply {
        let reaction = match self.turn(request, arrival) {
            Meant::Nobody => None,
            Meant::All(questions) => {
                let told = Transaction { request, arrival, reaction: None };
                self.tell(peer, What::Transaction(told));
                if questions.is_empty() {
                    return Reply::Now(None);
                }
                let all = questions.into_iter();
                return Reply::Later(all.map(|(unit, asked)| Later::silent(unit, asked)).collect());
            }
            Meant::One(Turn::Asks(question)) => {
                let whose = (Arc::clone(self), peer);
                return Reply::Later(vec![Later::new(whose, request, arrival, question)]);
            }
            Meant::One(Turn::Reacts(reaction)) => Some(reaction),
        };
        Reply::Now(self.told(peer, request, arrival, reaction))
    }

    /// What a device does once this was said for it.
    pub(super) fn conclude(
        &self,
        pending: Pending,
        request: &Received<'_>,
        saying: Saying,
    ) -> Option<Reaction> {
        let passed = self.clock.passed(Instant::now());
        let own = self.own(request.unit_id);
        self.with(own, |device| device.conclude(pending, request, passed, saying))
    }

    /// Tells whoever watches the line what is done about a request; what is then to be done.
    pub(super) fn told(
        &self,
        peer: Peer,
        request: &Received<'_>,
        arrival: Arrival,
        mut reaction: Option<Reaction>,
    ) -> Option<Reaction> {
        let told = Transaction { request, arrival, reaction: reaction.as_ref() };
        self.tell(peer, What::Transaction(told));
        if let Some(Reaction::Wire(sent)) = &mut reaction {
            // It is told; what waits to be sent is not to hold it as well.
            sent.faults = Vec::new();
        }
        reaction
    }

    /// What those do about a request who are meant.
    ///
    /// For a unit id that nobody has, Modbus TCP is answered as by a gateway: the target did not
    /// respond (V1.1b3, clause 7, exception 0B). On serial framings nobody speaks, also where they
    /// travel over TCP: a gateway that passes frames through knows of no units. Unit id 0 is there
    /// a broadcast (Serial Line V1.02, clause 2.1).
    fn turn(&self, received: &Received<'_>, arrival: Arrival) -> Meant {
        match received.framing {
            Framing::Mbap => {
                let nobody = || Reaction::Answer(Err(ExceptionCode::GatewayTargetDevice));
                let turn = self.ask(self.own(received.unit_id), received, arrival);
                Meant::One(turn.unwrap_or_else(|| Turn::Reacts(nobody())))
            }
            Framing::Rtu | Framing::Ascii if received.unit_id == BROADCAST => {
                Meant::All(self.broadcast(received, arrival))
            }
            Framing::Rtu | Framing::Ascii => {
                let own = self.own(received.unit_id);
                self.overhear(Some(own));
                let turn = self.ask(own, received, arrival);
                turn.map_or(Meant::Nobody, Meant::One)
            }
        }
    }

    /// The unit id of the device that answers for this one.
    fn own(&self, unit_id: u8) -> u8 {
        self.strangers.get(&unit_id).copied().unwrap_or(unit_id)
    }

    /// What the device of a unit id does about a request. A device that is alone takes the
    /// connections with it when it begins anew; one of several does not, for they are those of the
    /// gateway in front of them. On a serial line there is none to lose.
    fn ask(&self, unit_id: u8, received: &Received<'_>, arrival: Arrival) -> Option<Turn> {
        let is_alone = self.devices.len() == 1;
        let (turn, restarted) = self.with(unit_id, |device| {
            device.advance(arrival.elapsed);
            let was_there = !device.take_restarted();
            if !was_there && is_alone && received.framing == Framing::Mbap {
                // Who asks over a connection of before is not heard any more.
                return (Turn::Reacts(Reaction::Wire(Transmission::default())), true);
            }
            let turn = device.meet(received, arrival);
            (turn, device.take_restarted() || !was_there)
        })?;
        if !restarted || !is_alone {
            return Some(turn);
        }
        self.clients.lose();
        Some(match received.framing {
            Framing::Mbap => Turn::Reacts(Reaction::Wire(Transmission {
                end: Some(End::Reset),
                ..Transmission::default()
            })),
            Framing::Rtu | Framing::Ascii => turn,
        })
    }

    /// All units on the line hear a message: all but the one that it is for; without one it was
    /// corrupt.
    pub(super) fn overhear(&self, meant: Option<u8>) {
        for (unit_id, _) in self.devices.iter().filter(|(unit_id, _)| Some(*unit_id) != meant) {
            self.with(*unit_id, |device| device.overheard(meant.is_none()));
        }
    }

    /// Every unit does what is asked and says nothing; what is still to be done, by unit id. Only
    /// writes may be broadcast.
    fn broadcast(&self, received: &Received<'_>, arrival: Arrival) -> Vec<(u8, Question)> {
        if !WRITES.contains(&received.function()) {
            self.overhear(Some(BROADCAST));
            return Vec::new();
        }
        let asks =
            |(unit_id, _): &(u8, Mutex<Device>)| match self.ask(*unit_id, received, arrival)? {
                Turn::Asks(question) => Some((*unit_id, question)),
                Turn::Reacts(_) => None,
            };
        self.devices.iter().filter_map(asks).collect()
    }
}
