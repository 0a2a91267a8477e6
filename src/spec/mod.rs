//! YAML to a typed spec, with every diagnostic at once. Knows no I/O.

pub mod decode;
pub mod diagnostic;
pub mod fields;
pub mod schema;
pub mod shape;
pub mod source;
pub mod variables;
pub mod yaml;
