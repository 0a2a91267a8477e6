//! The last stage: how a line treats a connection. Such a fault is of the whole line, whichever of
//! its devices has it: no scope is asked, and what its trigger counts are connections to the line.

use std::time::Duration;

use super::chance::Dice;
use super::frame::Noise;

/// A fault of connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionFault {
    /// It is refused.
    Refuse,
    /// It is accepted, and nothing that comes over it is heard.
    Mute,
    /// Bytes come as soon as it is made.
    NoiseAtOpen(Noise),
    /// It is closed after this time without a request.
    IdleClose {
        /// How long.
        by: Duration,
    },
    /// There are no more than so many at a time.
    MaxClients {
        /// How many.
        count: u16,
        /// What becomes of one more.
        beyond: Beyond,
    },
}

/// What becomes of a connection that is one too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Beyond {
    /// It is refused.
    #[default]
    Refuse,
    /// It is accepted, and nothing that comes over it is heard.
    Mute,
}

/// How a connection is treated. By default as by a sound device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Manners {
    /// It is refused.
    pub(crate) refused: bool,
    /// Nothing that comes over it is heard.
    pub(crate) mute: bool,
    /// What is sent as soon as it is made.
    pub(crate) greeting: Vec<u8>,
    /// It is closed after this time without a request.
    pub(crate) idle_close: Option<Duration>,
}

impl ConnectionFault {
    /// `others` connections are open beside this one.
    pub(super) fn act(&self, others: usize, dice: &mut Dice, manners: &mut Manners) {
        match self {
            Self::Refuse => manners.refused = true,
            Self::Mute => manners.mute = true,
            Self::NoiseAtOpen(noise) => manners.greeting.extend(noise.bytes(dice)),
            Self::IdleClose { by } => {
                let least = manners.idle_close.map_or(*by, |other| other.min(*by));
                manners.idle_close = Some(least);
            }
            Self::MaxClients { count, beyond } => {
                if others >= usize::from(*count) {
                    match beyond {
                        Beyond::Refuse => manners.refused = true,
                        Beyond::Mute => manners.mute = true,
                    }
                }
            }
        }
    }
}
