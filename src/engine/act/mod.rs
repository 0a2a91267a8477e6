//! What steps do to the bench, one file for each kind of act.

mod alive;
mod ask;
mod outside;
mod program;
mod request;
mod write;

pub(super) use alive::Alive;
pub use ask::{NoAnswer, Question, Questions};
