//! Passline: test automation for Modbus devices.
//!
//! # The way of the data
//!
//! ```text
//! specs/*.yaml ─spec─▶ Spec ─plan─▶ Plan ─engine─▶ Attempt ─judge─▶ Event ─record─▶ Record ─report─▶ JUnit, JSON
//!                └ diagnostics                                        └▶ terminal
//! ```
//!
//! The folders are the stages, on three layers that they share: `language` (YAML to typed values),
//! `expression`, and the verdicts of `judge`. `plan` knows no I/O; `report` knows only records; the
//! engine never prints; only `cli` knows the argument parser. `learn` goes the other way, from what a
//! device answers to a profile, and `import` from what other programs know; `draft` writes both. `lock`
//! keeps other runs off the lines of this one. `prove` runs specs against simulations with one thing wrong.

pub mod cli;
pub mod diff;
pub mod draft;
pub mod engine;
pub mod expression;
pub mod harness;
pub mod import;
pub mod judge;
pub mod language;
pub mod learn;
pub mod lock;
pub mod plan;
pub mod prove;
pub mod record;
pub mod report;
pub mod simulation;
pub mod spec;
