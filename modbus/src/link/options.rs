//! How a line is to be treated: what a device can stand, and how long to wait.

use std::time::Duration;

use super::Tolerance;

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

/// What tells frames apart, and who may speak when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Discipline {
    /// MBAP frames: transaction ids tell answers apart, so requests may overlap.
    #[default]
    Mbap,
    /// MBAP frames, each in a datagram of its own: one that is no frame spoils no other.
    Datagrams,
    /// RTU frames: nothing in an answer says which request it answers, so one request at a time,
    /// with silence between frames.
    Rtu(Bus),
    /// ASCII frames, otherwise like RTU.
    Ascii(Bus),
}

impl Discipline {
    /// How the line is to be treated if it is half-duplex.
    pub fn bus(&self) -> Option<&Bus> {
        match self {
            Self::Mbap | Self::Datagrams => None,
            Self::Rtu(bus) | Self::Ascii(bus) => Some(bus),
        }
    }

    /// The same for who searches through addresses: see [`Bus::trusts_refusals`].
    #[must_use]
    pub fn searching(self) -> Self {
        let searching = |bus| Bus { trusts_refusals: true, ..bus };
        match self {
            Self::Mbap | Self::Datagrams => self,
            Self::Rtu(bus) => Self::Rtu(searching(bus)),
            Self::Ascii(bus) => Self::Ascii(searching(bus)),
        }
    }
}

/// How a half-duplex line is to be treated: a serial line, or a gateway that passes its frames on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bus {
    /// How fast a serial line is. `None` for the stream of a gateway: bytes take no time of their
    /// own there, the gateway keeps the silence, and it may close the stream while it is idle.
    pub pace: Option<Pace>,
    /// How long silence inside a frame may last. USB adapters deliver in lumps 16 ms and more
    /// apart, so the 1.5 characters of the standard break links that are sound.
    pub gap: Duration,
    /// How long the line is listened to after a timeout before the next request to anyone; `None`:
    /// as long as the response timeout of the call that had no answer.
    pub settle: Option<Duration>,
    /// How long devices may take to do what a broadcast asks for: silence behind it (V1.02,
    /// clause 2.4.1: 100 to 200 ms).
    pub turnaround: Duration,
    /// Whether the line repeats to us what we send, as two-wire adapters without receiver control
    /// do. The repeated bytes are then due, and removed.
    pub echo: bool,
    /// Whether a refusal is believed at once although the same came to another request a moment ago,
    /// on a line that was not caught bringing answers twice. Who searches through addresses gets
    /// little else, and would wait each time; who judges a refusal waits.
    pub trusts_refusals: bool,
}

/// How fast a serial line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// What one character takes, start, parity and stop bits included.
    pub character: Duration,
    /// The least silence between frames: 3.5 characters, 1.75 ms above 19 200 baud (V1.02, clause
    /// 2.5.1.1).
    pub silence: Duration,
}

impl Bus {
    /// A line for RTU frames: 50 ms of silence end a frame, or the silence of `pace` if longer.
    pub fn rtu(pace: Option<Pace>) -> Self {
        let silence = pace.map_or(Duration::ZERO, |pace| pace.silence);
        Self {
            pace,
            gap: silence.max(Duration::from_millis(50)),
            settle: None,
            turnaround: Duration::from_millis(100),
            echo: false,
            trusts_refusals: false,
        }
    }

    /// A line for ASCII frames: a second of silence ends a frame (V1.02, clause 2.5.2.1).
    pub fn ascii(pace: Option<Pace>) -> Self {
        Self { gap: Duration::from_secs(1), ..Self::rtu(pace) }
    }
}

/// How a line is to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// What tells frames apart, and who may speak when.
    pub discipline: Discipline,
    /// How many requests may be open at once. On a [`Bus`] it is one, whatever this says, and so it
    /// is where [transaction ids](super::Oddity::TransactionId) or
    /// [lengths](super::Oddity::Length) are put up with.
    pub in_flight: InFlight,
    /// How long to stay silent before a request, counted from the end of the last one written and
    /// from the last call answered or expired. Above zero, requests are written one by one.
    pub pause: Duration,
    /// How long to stay silent after connecting.
    pub pause_after_connect: Duration,
    /// After how long the device closes an idle connection. It is closed from this side after
    /// three quarters of that, so that no request meets one that the device just closed; zero: as
    /// soon as nothing is asked.
    pub idle_close: Option<Duration>,
    /// What to put up with in answers.
    pub tolerance: Tolerance,
    /// How long opening a connection may take.
    pub connect_timeout: Duration,
    /// How long writing may take. What is written at once is at most a window full of requests.
    pub write_timeout: Duration,
}

impl Default for Options {
    /// MBAP, one request at a time, no pauses, three seconds to connect and to write.
    fn default() -> Self {
        Self {
            discipline: Discipline::Mbap,
            in_flight: InFlight::ONE,
            pause: Duration::ZERO,
            pause_after_connect: Duration::ZERO,
            idle_close: None,
            tolerance: Tolerance::default(),
            connect_timeout: Duration::from_secs(3),
            write_timeout: Duration::from_secs(3),
        }
    }
}
