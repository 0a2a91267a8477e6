//! What slots share. A test that changes a shared device has it for itself until the test ends;
//! reads of other slots go on meanwhile. Which tests follow which is not decided here.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::{Mutex, MutexGuard};

use crate::plan::Plan;
use crate::spec::model::{Spec, Test};

/// The shared devices of a run, by name.
#[derive(Default)]
pub(super) struct Shared(BTreeMap<String, Mutex<()>>);

impl Shared {
    pub(super) fn new(plans: &[Plan<'_>]) -> Self {
        let devices = plans.iter().flat_map(|plan| &plan.spec.devices);
        let shared = devices.filter(|device| device.shared);
        Self(shared.map(|device| (device.name.clone(), Mutex::default())).collect())
    }

    /// Waits for every shared device that a test changes, always in the order of their names: no two
    /// tests wait for each other.
    pub(super) async fn hold(&self, spec: &Spec, test: &Test) -> Vec<MutexGuard<'_, ()>> {
        let devices = test.changes();
        let devices = devices.iter().filter_map(|device| spec.devices.get(*device));
        let names: BTreeSet<&str> = devices.map(|device| device.name.as_str()).collect();
        let mut held = Vec::new();
        for lock in names.into_iter().filter_map(|name| self.0.get(name)) {
            held.push(lock.lock().await);
        }
        held
    }
}
