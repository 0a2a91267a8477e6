//! Half-duplex lines from both outsides: the link's handle on one side, hand-written bytes on the
//! other. Time is paused.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "../workbench/mod.rs"]
mod workbench;

mod answers;
mod bench;
mod chaos;
mod debts;
mod doubts;
mod echo;
mod turns;
