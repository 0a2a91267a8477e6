//! The link from both outsides: its handle on one side, hand-written bytes on the other. Time is
//! paused wherever the line is in memory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "../workbench/mod.rs"]
mod workbench;

mod adversary;
mod answers;
mod bench;
mod connections;
mod tcp;
mod timing;
mod tolerance;
