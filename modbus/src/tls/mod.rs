//! What both sides of Modbus over TLS need: certificates and keys from files, and the role that a
//! certificate gives. Opens no connection.

mod pem;
mod role;

pub use pem::{FileError, certificates, private_key};
pub use role::role;
