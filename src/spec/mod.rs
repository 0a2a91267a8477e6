//! The spec language: from files to a typed spec, with every mistake at once. Each file holds one
//! object of the language, its table of keys and what it becomes. Knows no I/O of its own: files are
//! read by `language`.

mod act;
mod criteria;
mod device;
mod expression;
mod given;
mod identify;
mod load;
mod map;
pub mod model;
mod place;
mod point;
mod profile;
pub mod quirks;
pub mod retry;
mod saved;
mod serial_format;
pub(crate) mod simulate;
mod slots;
pub mod station;
mod step;
mod tables;
mod test;
pub mod timing;
mod uut;

pub use given::{Given, Unit};
pub use load::{
    Loaded, SIMULATOR, SPEC, check, check_text, files, load, simulated, simulated_text,
};
pub use model::Spec;
pub use profile::PROFILE;
pub use station::STATION;
pub use step::SHARED_STEPS;
