//! How frames travel: their framing, and the time that it takes.

use std::time::Duration;

use passline_modbus::framing::Framing;
use passline_modbus::serial::Settings;

/// How long the line is silent within an ASCII frame at most (Serial Line V1.02, clause 2.5.2.1).
const ASCII_SILENCE: Duration = Duration::from_secs(1);

/// How long a network may take to bring the rest of a frame: much longer than any wire.
const NETWORK_SILENCE: Duration = Duration::from_millis(50);

/// What passes on a paced wire at a time.
const CHUNK: Duration = Duration::from_millis(1);

/// How frames travel on a line. Modbus TCP has no time of its own: for it all wires are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wire {
    framing: Framing,
    /// Silence that ends a frame, or ends the hope for the rest of it.
    silence: Duration,
    /// Silence that is kept before a frame.
    gap: Duration,
    /// Where bytes take time.
    pace: Option<Settings>,
}

impl Wire {
    /// One that takes no time: answers follow their requests at once.
    pub fn instant(framing: Framing) -> Self {
        let silence = silence(framing, Settings::default());
        Self { framing, silence, gap: Duration::ZERO, pace: None }
    }

    /// As [`Self::instant`], through a network, which may cut frames into pieces.
    pub fn network(framing: Framing) -> Self {
        let silence = silence(framing, Settings::default()).max(NETWORK_SILENCE);
        Self { silence, ..Self::instant(framing) }
    }

    /// A serial port: it takes its time by itself. The silence between frames is kept.
    pub fn port(framing: Framing, settings: Settings) -> Self {
        let gap = match framing {
            Framing::Rtu => settings.silence(),
            Framing::Ascii | Framing::Mbap => Duration::ZERO,
        };
        Self { framing, silence: silence(framing, settings), gap, pace: None }
    }

    /// A serial line that exists in software only: each byte takes the time that it takes on a
    /// real one, in both directions, and the silence between frames is kept.
    pub fn paced(framing: Framing, settings: Settings) -> Self {
        Self { pace: Some(settings), ..Self::port(framing, settings) }
    }

    /// How frames are told apart on it.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    pub(super) fn silence(&self) -> Duration {
        self.silence
    }

    pub(super) fn gap(&self) -> Duration {
        self.gap
    }

    pub(super) fn is_paced(&self) -> bool {
        self.pace.is_some()
    }

    /// How many bytes are sent at a time: on a paced wire as few as pass in a millisecond. So
    /// nobody hears silence within a frame, and a fast line does not cost a wake-up for each byte.
    pub(super) fn chunk(&self) -> usize {
        let Some(settings) = self.pace else { return usize::MAX };
        let count = CHUNK.as_nanos() / settings.character().as_nanos().max(1);
        usize::try_from(count).unwrap_or(usize::MAX).max(1)
    }

    /// What so many bytes take, one behind the other.
    pub(super) fn time(&self, bytes: usize) -> Duration {
        self.pace.map_or(Duration::ZERO, |settings| settings.wire_time(bytes))
    }
}

fn silence(framing: Framing, settings: Settings) -> Duration {
    match framing {
        Framing::Ascii => ASCII_SILENCE,
        Framing::Rtu | Framing::Mbap => settings.silence(),
    }
}
