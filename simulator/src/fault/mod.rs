//! Faults: how a simulated device deviates from the device it simulates.
//!
//! Each kind acts at one stage of the way from a request to the wire, and the stages follow each
//! other: whether the device does what it is [asked](RequestFault), what it [says](AnswerFault), the
//! [header](HeaderFault) around that, what becomes of the [frame](FrameFault) on its way. Within a
//! stage faults act in the order in which they are listed, so all of them compose: delays add up,
//! the first exception wins, a request that is ignored is not answered whatever else there is.
//! Beside that way, the line treats [connections](ConnectionFault) badly.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `request`, `answer`, `header`, `frame`, `connection` | the kinds of one stage, and what they do |
//! | `kind` | the list of the stages |
//! | `scope`, `trigger`, `chance` | at which requests a fault shows |
//! | `wire` | what a device is told of a request, and what it leaves on the wire |

mod answer;
mod beyond;
mod chance;
mod connection;
mod frame;
mod header;
mod kind;
mod request;
mod scope;
mod trigger;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use passline_modbus::pdu::Request;

pub use answer::AnswerFault;
pub use chance::{Chance, Seed};
pub(crate) use connection::Manners;
pub use connection::{Beyond, ConnectionFault};
pub use frame::{FrameFault, Noise, Sent};
pub use header::{HeaderFault, Length, TransactionId};
pub use kind::Kind;
pub(crate) use request::Course;
pub use request::RequestFault;
pub use scope::Scope;
pub(crate) use scope::{Asked, is_write, reads, writes};
pub use trigger::{Probability, Trigger};
pub use wire::{Arrival, End, Order, Piece, Reaction, Received, Transmission};

use crate::image::Image;

/// One deviation: what it is, to which requests, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What it does.
    pub kind: Kind,
    /// Which requests it is about.
    pub scope: Scope,
    /// When it shows.
    pub trigger: Trigger,
}

/// From here on are the places of faults that are added later: no rule means one of them.
const ADDED: usize = 1 << 16;

/// The faults of one device, and what they have to remember of its requests.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    armed: Vec<Armed>,
    /// The PDU of the last answer, faults in it aside.
    previous: Option<Vec<u8>>,
    /// When the last answer went out, since the start of the simulation by the time of its clients.
    rests_since: Option<Duration>,
}

#[derive(Debug)]
struct Armed {
    /// Its place among all faults of the device.
    index: usize,
    fault: Fault,
    /// Whether it does not show, whatever its trigger says.
    dormant: bool,
    chance: chance::Chance,
    /// How many requests there were in its scope.
    count: u64,
    /// What the device held when it first showed, if it has to know.
    frozen: Option<Arc<Image>>,
}

impl Faults {
    pub(crate) fn new(faults: impl IntoIterator<Item = Fault>, seed: Seed) -> Self {
        let armed = faults.into_iter().enumerate();
        let armed = armed.map(|(index, fault)| {
            let chance = seed.chance(index as u64);
            Armed { index, fault, dormant: false, chance, count: 0, frozen: None }
        });
        Self { armed: armed.collect(), ..Self::default() }
    }

    /// Lets a fault show, or not; each time as if it were new.
    pub(crate) fn wake(&mut self, index: usize, shows: bool) {
        let found = self.armed.iter_mut().filter(|armed| armed.index == index);
        found.for_each(|armed| armed.begin(!shows));
    }

    /// Begins anew, with all faults awake.
    pub(crate) fn begin(&mut self) {
        self.armed.iter_mut().for_each(|armed| armed.begin(false));
        (self.previous, self.rests_since) = (None, None);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.armed.is_empty()
    }

    /// Adds one that acts after all others.
    pub(crate) fn add(&mut self, fault: Fault, seed: Seed) {
        let index = self.armed.last().map_or(0, |last| last.index + 1).max(ADDED);
        let chance = seed.chance(index as u64);
        self.armed.push(Armed { index, fault, dormant: false, chance, count: 0, frozen: None });
    }

    /// Removes all of them.
    pub(crate) fn clear(&mut self) {
        self.armed.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.armed.iter().map(|armed| &armed.fault)
    }

    /// Takes out those of connections.
    pub(crate) fn split_off_connections(&mut self) -> Self {
        let armed = std::mem::take(&mut self.armed).into_iter();
        let (line, own) = armed.partition(|armed| matches!(armed.fault.kind, Kind::Connection(_)));
        self.armed = own;
        Self { armed: line, ..Self::default() }
    }

    /// Counts a connection in while `others` are open, and changes how it is treated.
    pub(crate) fn admit(&mut self, others: usize, elapsed: Duration, manners: &mut Manners) {
        for armed in &mut self.armed {
            if let Some(mut dice) = armed.counted(elapsed)
                && let Kind::Connection(fault) = &armed.fault.kind
            {
                fault.act(others, &mut dice, manners);
            }
        }
    }

    /// Counts a request in, and gives what shows at it. `image` is what the device holds.
    pub(crate) fn shown(&mut self, asked: &Asked<'_>, elapsed: Duration, image: &Image) -> Shown {
        let armed = self.armed.iter_mut().filter(|armed| armed.fault.scope.covers(asked));
        let shown = armed.filter_map(|armed| armed.shows(elapsed, image));
        Shown(shown.collect())
    }

    /// What the device is to do, first of all.
    pub(crate) fn course(&self, shown: &Shown, arrival: Arrival) -> Course {
        let rested = self.rests_since.map(|since| arrival.passed.saturating_sub(since));
        let mut course = Course::default();
        for showing in &shown.0 {
            if let Kind::Request(fault) = showing.kind {
                fault.act(arrival, rested, &mut course);
            }
        }
        course
    }

    /// What goes out instead of `sound`, the PDU of the answer. `replaced`: see
    /// [`Device`](crate::device::Device); `None`: nothing was heard.
    pub(crate) fn transmission(
        &mut self,
        shown: &mut Shown,
        exchange: &Exchange<'_>,
        sound: Vec<u8>,
    ) -> Transmission {
        let received = exchange.received;
        let mut said = Some(sound.clone());
        shown.spoil(exchange, self.previous.as_deref(), &mut said);
        let mut header = header::Header::of(received);
        for showing in &shown.0 {
            if let Kind::Header(fault) = showing.kind {
                fault.act(showing.count, &mut header);
            }
        }
        let frame = said.map(|pdu| header.frame(&pdu));
        let mut sent = frame.map(Transmission::frame).unwrap_or_default();
        let context = frame::Context { received, sound: &sound };
        for showing in &mut shown.0 {
            if let Kind::Frame(fault) = &showing.kind {
                fault.act(context, &mut showing.dice, &mut sent);
            }
        }
        self.previous = Some(sound);
        sent.faults = shown.kinds();
        sent
    }

    /// The device is done with a request that came at `passed`, and sends an answer after `delay`.
    pub(crate) fn rest(&mut self, passed: Duration, delay: Duration) {
        self.rests_since = Some(passed.saturating_add(delay));
    }
}

impl Armed {
    fn begin(&mut self, dormant: bool) {
        self.dormant = dormant;
        self.count = 0;
        self.frozen = None;
    }

    /// Counts, and if it shows, what it draws from.
    fn counted(&mut self, elapsed: Duration) -> Option<chance::Dice> {
        if self.dormant {
            return None;
        }
        self.count += 1;
        let holds = self.fault.trigger.holds(self.count, elapsed, self.chance);
        holds.then(|| self.chance.dice(self.count))
    }

    fn shows(&mut self, elapsed: Duration, image: &Image) -> Option<Showing> {
        let dice = self.counted(elapsed)?;
        let kind = self.fault.kind.clone();
        if kind == Kind::Answer(AnswerFault::Frozen) {
            self.frozen.get_or_insert_with(|| Arc::new(image.clone()));
        }
        let (span, frozen) = (self.fault.scope.span, self.frozen.clone());
        Some(Showing { kind, count: self.count, dice, span, frozen })
    }
}

/// The kinds that show at one request, in their order.
#[derive(Debug)]
pub(crate) struct Shown(Vec<Showing>);

#[derive(Debug)]
struct Showing {
    kind: Kind,
    count: u64,
    dice: chance::Dice,
    span: Option<passline_modbus::point::Span>,
    frozen: Option<Arc<Image>>,
}

/// What happened at the device.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) received: &'a Received<'a>,
    /// What was asked, if it was understood.
    pub(crate) request: Option<&'a Request<'a>>,
    /// What a write of one register or coil replaced, as it is on the wire.
    pub(crate) replaced: Option<u16>,
}

impl Shown {
    pub(crate) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    pub(crate) fn kinds(&self) -> Vec<Kind> {
        self.0.iter().map(|showing| showing.kind.clone()).collect()
    }

    fn spoil(
        &mut self,
        exchange: &Exchange<'_>,
        previous: Option<&[u8]>,
        said: &mut Option<Vec<u8>>,
    ) {
        for showing in &mut self.0 {
            let context = answer::Context {
                request: exchange.request,
                span: showing.span,
                frozen: showing.frozen.as_deref(),
                previous,
                replaced: exchange.replaced,
            };
            if let Kind::Answer(fault) = &showing.kind {
                fault.act(&context, &mut showing.dice, said);
            }
        }
    }
}
