//! Stopping a run: once, after what is under way, with a teardown that has so much time and no more;
//! twice, at once.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::record::Phase;

/// How long teardown may go on after a stop, unless somebody says otherwise.
pub const TEARDOWN: Duration = Duration::from_secs(30);

/// How urgently a run is to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not at all.
    #[default]
    No,
    /// After the transaction under way; teardown runs.
    Soon,
    /// The time that teardown had is over: nothing more is sent, and what is left says so.
    Over,
    /// At once.
    Now,
}

impl Stop {
    /// How urgent a stop must be to end what belongs to this phase.
    fn ending(phase: Phase) -> Self {
        match phase {
            Phase::Setup | Phase::Main => Self::Soon,
            Phase::Teardown => Self::Over,
        }
    }
}

/// What was asked for, and when.
#[derive(Debug, Clone, Copy, Default)]
enum Asked {
    #[default]
    Nothing,
    /// A stop, with a teardown until then; without end, if there is no such moment.
    Once(Option<Instant>),
    Twice,
}

impl Asked {
    fn level(self) -> Stop {
        match self {
            Self::Nothing => Stop::No,
            Self::Once(Some(until)) if Instant::now() >= until => Stop::Over,
            Self::Once(_) => Stop::Soon,
            Self::Twice => Stop::Now,
        }
    }
}

/// The handle that stops a run.
#[derive(Debug)]
pub struct Stopper {
    asked: watch::Sender<Asked>,
    teardown: Duration,
}

/// What the run looks at.
#[derive(Debug, Clone)]
pub struct StopSignal(watch::Receiver<Asked>);

/// A stopper that leaves teardown so much time, and its signal.
pub fn stopper(teardown: Duration) -> (Stopper, StopSignal) {
    let (asked, receiver) = watch::channel(Asked::Nothing);
    (Stopper { asked, teardown }, StopSignal(receiver))
}

impl Stopper {
    /// Stops soon; the second time, at once.
    pub fn stop(&self) {
        self.asked.send_modify(|asked| {
            *asked = match asked {
                Asked::Nothing => Asked::Once(Instant::now().checked_add(self.teardown)),
                Asked::Once(_) | Asked::Twice => Asked::Twice,
            }
        });
    }
}

impl StopSignal {
    /// A signal that never comes.
    pub fn never() -> Self {
        stopper(TEARDOWN).1
    }

    /// How urgently the run is to end.
    pub fn level(&self) -> Stop {
        self.0.borrow().level()
    }

    /// Resolves when the run is to end this urgently; never, if that can no longer happen.
    pub async fn reached(&self, level: Stop) {
        let mut receiver = self.0.clone();
        loop {
            let asked = *receiver.borrow_and_update();
            if asked.level() >= level {
                return;
            }
            let over = async {
                match asked {
                    Asked::Once(Some(until)) if level <= Stop::Over => sleep_until(until).await,
                    _ => std::future::pending().await,
                }
            };
            let more = async {
                if receiver.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = over => {}
                () = more => {}
            }
        }
    }

    /// Whether what belongs to this phase is to end. The first stop leaves teardown its time.
    pub(super) fn ends(&self, phase: Phase) -> bool {
        self.level() >= Stop::ending(phase)
    }

    /// Waits for the future, but not past a stop that ends this phase.
    pub(super) async fn unless_ended(&self, phase: Phase, future: impl Future<Output = ()>) {
        tokio::select! {
            () = future => {}
            () = self.reached(Stop::ending(phase)) => {}
        }
    }
}
