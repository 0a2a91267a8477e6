//! Runs tests against altered simulations: engine, links and simulator are the real ones, only the
//! clock stands still while nobody works.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::{self, Emit, Options, Simulate, StopSignal};
use crate::plan::Plan;
use crate::record::{CheckResult, Event, Stamp, Tool, Verdict};

/// What became of checks, by the place of the test and of the check in it.
pub(super) type Seen = BTreeMap<(usize, usize), CheckResult>;

/// What is collected while it runs.
#[derive(Default)]
struct Log {
    seen: Seen,
    /// Tests that are made again, by the place of another time.
    repeats: HashMap<usize, usize>,
    /// Why tests did not run.
    skipped: BTreeMap<usize, String>,
}

/// The checks that ended, and why tests did not run.
pub(super) struct Ran {
    pub(super) seen: Seen,
    pub(super) skipped: BTreeMap<usize, String>,
}

/// Runs a plan once. Everything that chance decides follows from the seed. `None`: the system gives
/// no event loop.
pub(super) fn run(plan: &Plan<'_>, simulate: Simulate, seed: u64) -> Option<Ran> {
    let log: Arc<Mutex<Log>> = Arc::default();
    let keeper = Arc::clone(&log);
    let emit: Emit = Arc::new(move |event| {
        keeper.lock().unwrap_or_else(PoisonError::into_inner).note(event);
    });
    let options = Options {
        tool: Tool::this(),
        started: Stamp::new(jiff::Timestamp::UNIX_EPOCH),
        seed,
        simulate,
        fail_fast: false,
        arguments: Vec::new(),
        selection: Vec::new(),
        operator: None,
        questions: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .ok()?;
    runtime.block_on(engine::run(std::slice::from_ref(plan), &options, emit, StopSignal::never()));
    drop(runtime);
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    let Log { seen, skipped, .. } = std::mem::take(&mut *log);
    Some(Ran { seen, skipped })
}

impl Log {
    fn note(&mut self, event: Event) {
        match event {
            Event::TestPlanned(test) => {
                if let Some(first) = test.repeats {
                    self.repeats.insert(test.test, first);
                }
            }
            Event::TestSkipped { test, reason, .. } => {
                self.skipped.insert(test, reason);
            }
            Event::CheckFinished(check) => {
                let test = self.repeats.get(&check.test).copied().unwrap_or(check.test);
                let key = (test, check.check);
                // Of a test that is made again and again the first time that is no pass counts.
                let better = |old: &CheckResult| old.verdict == Verdict::Pass;
                if self.seen.get(&key).is_none_or(better) {
                    self.seen.insert(key, check.result);
                }
            }
            _ => {}
        }
    }
}
