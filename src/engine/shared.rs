//! What slots share. A test that changes a shared device has it for itself until the test ends;
//! reads of other slots go on meanwhile. Which tests follow which is not decided here.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::{Mutex, MutexGuard};

use super::Running;
use super::bounds::Bounds;
use crate::plan::{Plan, PlannedTest};
use crate::spec::model::{Device, Spec};

/// Why a test never began that waited for others until its time was over.
pub(super) const HELD: &str =
    "not run: the time for it was over before other slots let go of what it changes";

/// The shared devices of a run, by what tells them apart.
#[derive(Default)]
pub(super) struct Shared(BTreeMap<String, Mutex<()>>);

/// What tells shared devices apart: one may have several names.
fn key(device: &Device) -> String {
    match &device.line {
        Some(line) => format!("{} {}", line.place, device.unit_id),
        None => device.name.clone(),
    }
}

impl Shared {
    pub(super) fn new(plans: &[Plan<'_>]) -> Self {
        let devices = plans.iter().flat_map(|plan| &plan.spec.devices);
        let shared = devices.filter(|device| device.shared);
        Self(shared.map(|device| (key(device), Mutex::default())).collect())
    }

    /// The locks of the shared devices that a test changes, always in the same order: so no two
    /// tests wait for each other.
    fn locks(&self, spec: &Spec, test: &PlannedTest<'_>) -> impl Iterator<Item = &Mutex<()>> {
        let devices = test.acted_on().filter_map(|device| spec.devices.get(device));
        let keys: BTreeSet<String> = devices.filter(|device| device.shared).map(key).collect();
        keys.into_iter().filter_map(|key| self.0.get(&key))
    }
}

impl<'r> Running<'r> {
    /// Waits for every shared device that a test changes, and has them for it alone. `None`: not
    /// within these bounds.
    pub(super) async fn hold(
        &self,
        test: &PlannedTest<'_>,
        bounds: Bounds,
    ) -> Option<Vec<MutexGuard<'r, ()>>> {
        let mut held = Vec::new();
        for lock in self.shared.locks(self.plan.spec, test) {
            let taken = Cell::new(None);
            self.unless_over(bounds, async { taken.set(Some(lock.lock().await)) }).await;
            held.push(taken.into_inner()?);
        }
        Some(held)
    }
}
