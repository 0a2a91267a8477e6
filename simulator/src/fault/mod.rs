//! Faults: how a simulated device deviates from the device it simulates.
//!
//! Faults act in the order in which they are
//! listed, and compose: delays add up, the first exception wins, silence wins over any answer.
//! An injected exception is a refusal: what was asked is not done. Under any other kind it is
//! done, and only the answer suffers.

mod chance;
mod kind;
mod scope;
mod trigger;

use std::time::Duration;

use passline_modbus::pdu::{Answer, ExceptionCode};

pub use chance::Seed;
pub use kind::Kind;
pub(crate) use scope::Asked;
pub use scope::Scope;
pub use trigger::{Probability, Trigger};

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

/// What a device does about one request, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// How long after the request.
    pub delay: Duration,
    /// What is then sent.
    pub reply: Reply,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// This answer.
    Answer(Answer),
    /// Not a byte.
    Nothing,
}

impl From<Answer> for Reaction {
    /// The reaction of a device without faults: the answer, at once.
    fn from(answer: Answer) -> Self {
        Self { delay: Duration::ZERO, reply: Reply::Answer(answer) }
    }
}

/// The faults of one device, and how many requests each has had in its scope.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Armed>);

#[derive(Debug)]
struct Armed {
    fault: Fault,
    chance: chance::Chance,
    count: u64,
}

impl Faults {
    pub(crate) fn new(faults: impl IntoIterator<Item = Fault>, seed: Seed) -> Self {
        let armed = (0..).zip(faults);
        let armed =
            armed.map(|(index, fault)| Armed { fault, chance: seed.chance(index), count: 0 });
        Self(armed.collect())
    }

    /// Counts a request in, and gives what shows at it.
    pub(crate) fn shown(&mut self, asked: &Asked, elapsed: Duration) -> Shown {
        let shown = self.0.iter_mut().filter_map(|armed| armed.shows(asked, elapsed));
        Shown(shown.collect())
    }
}

impl Armed {
    fn shows(&mut self, asked: &Asked, elapsed: Duration) -> Option<Kind> {
        if !self.fault.scope.covers(asked) {
            return None;
        }
        self.count += 1;
        let holds = self.fault.trigger.holds(self.count, elapsed, self.chance);
        holds.then(|| self.fault.kind.clone())
    }
}

/// The kinds that show at one request, in their order.
#[derive(Debug)]
pub(crate) struct Shown(Vec<Kind>);

impl Shown {
    pub(crate) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// The exception for which the device does not even begin to do what was asked.
    pub(crate) fn refusal(&self) -> Option<ExceptionCode> {
        self.0.iter().find_map(Kind::refusal)
    }

    /// What becomes of the answer.
    pub(crate) fn react(&self, answer: Answer) -> Reaction {
        let mut reaction = Reaction::from(answer);
        for kind in &self.0 {
            kind.act(&mut reaction);
        }
        reaction
    }
}
