//! YAML to a typed spec, with every diagnostic at once. Knows no I/O.

mod criteria;
pub mod decode;
mod device;
pub mod diagnostic;
pub mod fields;
mod load;
mod map;
pub mod model;
mod point;
mod quirks;
pub mod retry;
pub mod schema;
pub mod shape;
mod simulate;
pub mod source;
mod step;
mod test;
pub mod variables;
pub mod yaml;

pub use load::{Given, Loaded, SPEC, files, load};
pub use map::PROFILE;
pub use model::Spec;
