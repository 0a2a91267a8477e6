//! What steps do to the bench, one file for each kind of act.

mod alive;
mod request;
mod write;

pub(super) use alive::Alive;
