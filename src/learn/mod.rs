//! What can be found out about a device by reading it: which addresses answer, what they hold over
//! a while, and what that may mean. Pure: says what to ask, is told what came of it, and gives
//! texts. Knows no links, no files and no clock.

mod capture;
mod compare;
mod guess;
mod limits;
pub(crate) mod plausible;
mod round;
mod search;
mod table;
mod texts;

pub use capture::{Capture, CaptureError, Cells, Sample, Stretch};
pub use compare::differences;
pub use guess::{Guess, guesses};
pub use limits::{LimitsError, Proposal, propose};
pub use round::Round;
pub use search::{Run, Search, Told, Window, WindowError};
pub use texts::{Texts, texts};
