//! Serial lines as such: how characters are formed, how long they take, and which spellings mean
//! the same port. Opens nothing.

mod resolve;
mod settings;

pub use resolve::resolve;
pub use settings::{Baud, DataBits, Parity, Settings, StopBits};
