//! Bytes to frames: pure state machines, shared by client and simulator. No I/O, no clock.

pub mod mbap;
