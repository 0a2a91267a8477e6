//! How a line is to be treated: what a device can stand, and how long to wait.

use std::time::Duration;

/// How many requests may be open on a connection at once: 1 to 16 (TCP guide V1.0b, clause 4.2.1:
/// `NumberMaxOfClientTransaction`). Most devices lose requests above one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InFlight(u8);

impl InFlight {
    /// One at a time: safe with every device.
    pub const ONE: Self = Self(1);
    /// The most that the standard foresees.
    pub const MAX: Self = Self(16);

    /// `None` unless `count` is 1 to 16.
    pub const fn new(count: u8) -> Option<Self> {
        match count {
            1..=16 => Some(Self(count)),
            _ => None,
        }
    }

    /// 1 to 16.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for InFlight {
    fn default() -> Self {
        Self::ONE
    }
}

/// How a line is to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many requests may be open at once.
    pub in_flight: InFlight,
    /// How long to stay silent before a request, counted from the end of the last one written and
    /// from the last call answered or expired. Above zero, requests are written one by one.
    pub pause: Duration,
    /// How long to stay silent after connecting.
    pub pause_after_connect: Duration,
    /// How long opening a connection may take.
    pub connect_timeout: Duration,
    /// How long writing may take. What is written at once is at most a window full of requests.
    pub write_timeout: Duration,
}

impl Default for Options {
    /// One request at a time, no pauses, three seconds to connect and to write.
    fn default() -> Self {
        Self {
            in_flight: InFlight::ONE,
            pause: Duration::ZERO,
            pause_after_connect: Duration::ZERO,
            connect_timeout: Duration::from_secs(3),
            write_timeout: Duration::from_secs(3),
        }
    }
}
