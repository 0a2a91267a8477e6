//! That Passline fails closed: through the binary, real sockets and signals, and once through the
//! library where time must stand still.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bench;
mod refused;
