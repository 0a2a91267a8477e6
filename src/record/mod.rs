//! What a run leaves behind: events as they happen, and the record that they fold to.
//!
//! ```text
//! Event ─▶ Journal (events.jsonl, synced) ─▶ display
//!                                         └▶ Fold ─▶ RunDocument (passline-run/1) ─▶ report
//! ```
//!
//! The types serialise to the contract of the record (`passline-record/1`); field order is the
//! canonical order of keys. Knows nothing of links, specs or terminals.

mod class;
mod digest;
mod document;
mod event;
mod fold;
mod identity;
mod journal;
mod json;
#[cfg(test)]
pub(crate) mod samples;
mod stamp;
mod transaction;
mod verdict;

pub use class::{ErrorClass, OtherException, UnknownClass};
pub use digest::{Digest, Hex, NotHex};
pub use document::{
    Attempt, AttemptError, Check, Input, Kind, Measurement, Output, ReadError, Record,
    RecordFormat, RunDocument, RunFormat, SpecSource, SubUnit, Test, Tool, Uut,
};
pub use event::{
    CheckFinished, CheckResult, Event, EventsFormat, Line, PlannedCheck, RecordFinished,
    RecordStarted, RunFinished, RunStarted, TestFinished, TestPlanned,
};
pub use fold::{Fold, FoldError};
pub use identity::{draw_seed, record_id, run_id};
pub(crate) use journal::sync_folder;
pub use journal::{
    EVENTS, Evidence, EvidenceError, Journal, ReplayError, create_run_folder, replay,
};
pub use json::Json;
pub use stamp::Stamp;
pub use transaction::{Direction, Frame, Note, Transaction};
pub use verdict::{Conformity, Counts, Mode, Outcome, Phase, Scope, Verdict};
