//! Before a command uses lines: keeps other runs off them, and waits for those that have them.

use std::collections::BTreeSet;

use passline_modbus::address::{Address, Place};
use passline_modbus::duration::write_duration;

use super::arguments::LockArguments;
use super::exchange::{self, failed};
use super::exit::Exit;
use super::signals::Signals;
use super::terminal;
use crate::engine::Simulate;
use crate::lock::{self, Busy, Locks};
use crate::plan::Plan;

/// Takes the lines at these addresses, as far as they are for one run at a time.
///
/// # Errors
/// They are not ours; why has been said.
pub(super) async fn lines<'a>(
    addresses: impl IntoIterator<Item = &'a Address>,
    arguments: &LockArguments,
) -> Result<Locks, Exit> {
    lines_unless(addresses, arguments, &mut exchange::signals()?).await
}

/// The same with signals that are listened to further on.
///
/// # Errors
/// As [`lines`].
pub(super) async fn lines_unless<'a>(
    addresses: impl IntoIterator<Item = &'a Address>,
    arguments: &LockArguments,
    signals: &mut Signals,
) -> Result<Locks, Exit> {
    let places: BTreeSet<Place> = addresses.into_iter().filter_map(lock::place).collect();
    if places.is_empty() {
        return Ok(Locks::default());
    }
    let (folder, limit) = (&arguments.folder.lock_dir, arguments.lock_timeout);
    let waits = |busy: &Busy| {
        let limit = write_duration(limit);
        terminal::aside(&format!("waiting: {busy}; for up to {limit}, see --lock-timeout"));
    };
    tokio::select! {
        taken = Locks::take(folder, &places, limit, waits) => taken.map_err(|error| {
            failed(&error.to_string(), Some(error.remedy()), Exit::Error)
        }),
        _ = signals.next() => Err(failed("interrupted: nothing was done", None, Exit::Aborted)),
    }
}

/// Takes the lines of all devices that are not simulated.
///
/// # Errors
/// As [`lines`].
pub(super) async fn of_run(
    plans: &[Plan<'_>],
    simulate: &Simulate,
    arguments: &LockArguments,
    signals: &mut Signals,
) -> Result<Locks, Exit> {
    let devices = plans.iter().flat_map(|plan| &plan.spec.devices);
    let real = devices.filter(|device| !simulate.includes(device));
    let addresses = real.filter_map(|device| device.line.as_ref()).map(|line| &line.address);
    lines_unless(addresses, arguments, signals).await
}
