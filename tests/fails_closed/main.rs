//! That Passline fails closed: through the binary, real sockets and signals, and once through the
//! library where time must stand still.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod bench;
mod beyond;
mod determinism;
mod device;
mod evidence;
#[cfg(unix)]
mod interrupt;
mod refused;
mod values;
mod wire_faults;
