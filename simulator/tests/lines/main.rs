//! Lines of every kind through their bytes: buses in memory, in paused time; pseudo-terminals and
//! sockets in real time, where nothing is asserted that a slow machine would break.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod bus;
mod hosted;
mod mutated;
mod paced;
#[cfg(unix)]
mod pty;
mod sockets;
mod support;
mod tls;
mod unkind;
