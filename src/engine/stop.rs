//! Stopping a run: once, after what is under way, with teardown; twice, at once.

use tokio::sync::watch;

use crate::record::Phase;

/// How urgently a run is to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not at all.
    #[default]
    No,
    /// After the transaction under way; teardown runs.
    Soon,
    /// At once.
    Now,
}

impl Stop {
    /// How urgent a stop must be to end what belongs to this phase.
    fn ending(phase: Phase) -> Self {
        match phase {
            Phase::Setup | Phase::Main => Self::Soon,
            Phase::Teardown => Self::Now,
        }
    }
}

/// The handle that stops a run.
#[derive(Debug)]
pub struct Stopper(watch::Sender<Stop>);

/// What the run looks at.
#[derive(Debug, Clone)]
pub struct StopSignal(watch::Receiver<Stop>);

/// A stopper and its signal.
pub fn stopper() -> (Stopper, StopSignal) {
    let (sender, receiver) = watch::channel(Stop::No);
    (Stopper(sender), StopSignal(receiver))
}

impl Stopper {
    /// Stops soon; the second time, at once.
    pub fn stop(&self) {
        self.0.send_modify(|stop| {
            *stop = match stop {
                Stop::No => Stop::Soon,
                Stop::Soon | Stop::Now => Stop::Now,
            }
        });
    }
}

impl StopSignal {
    /// A signal that never comes.
    pub fn never() -> Self {
        stopper().1
    }

    /// How urgently the run is to end.
    pub fn level(&self) -> Stop {
        *self.0.borrow()
    }

    /// Resolves when the run is to end this urgently; never, if that can no longer happen.
    pub async fn reached(&self, level: Stop) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|stop| *stop >= level).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether what belongs to this phase is to end. The first stop leaves teardown alone.
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
