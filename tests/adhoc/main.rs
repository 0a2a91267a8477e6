//! `read`, `write`, `scan` and `doctor` through the real binary, against the simulator's.
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod bench;
#[path = "../binary/mod.rs"]
mod binary;
mod doctor;
#[cfg(unix)]
#[path = "../pty/mod.rs"]
mod pty;
mod read;
mod scan;
#[cfg(unix)]
mod serial;
#[cfg(unix)]
mod terminal;
mod write;
