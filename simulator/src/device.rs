//! One simulated unit: its image, and what it answers.

/// One simulated unit.
#[derive(Debug)]
pub struct Device {}
