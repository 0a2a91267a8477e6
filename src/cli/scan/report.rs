//! What a scan found, for people and as JSON. Knows nothing of how it was found.

use std::fmt;

use passline_modbus::address::Address;
use passline_modbus::pdu::ExceptionCode;
use serde::Serialize;

use super::probe::{Identity, Object, Sign};
use super::settings::Traffic;
use crate::judge::exception;
use crate::learn::Run;

/// What a scan found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    format: &'static str,
    link: String,
    /// Whether it came to its end.
    pub(super) complete: bool,
    /// Line settings with which anything came, in the order in which they were tried.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) settings: Vec<Tried>,
    pub(super) units: Vec<Found>,
}

impl Report {
    pub(super) fn new(link: &Address) -> Self {
        let link = link.to_string();
        let (settings, units) = (Vec::new(), Vec::new());
        Self { format: "passline-scan/1", link, complete: false, settings, units }
    }
}

/// Line settings, and what came over the line with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Tried {
    /// `9600 8N1`.
    pub(super) settings: String,
    /// The link with these settings.
    pub(super) link: String,
    /// Who answered.
    pub(super) unit_ids: Vec<u8>,
    #[serde(flatten)]
    pub(super) traffic: Traffic,
}

/// A unit that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Found {
    pub(super) unit_id: u8,
    pub(super) answer: Sign,
    #[serde(flatten)]
    pub(super) identity: Identity,
    /// What it lets read, of what was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) readable: Option<Vec<Run>>,
    /// Whether it stopped to answer meanwhile.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) stopped: bool,
}

impl Found {
    pub(super) fn new(unit_id: u8, answer: Sign) -> Self {
        Self { unit_id, answer, identity: Identity::default(), readable: None, stopped: false }
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units: Vec<String> = self.unit_ids.iter().map(u8::to_string).collect();
        match units.as_slice() {
            [] => write!(formatter, "{}: no answer; {}", self.settings, self.traffic),
            units => write!(
                formatter,
                "{}: unit {} answers; {}; {}",
                self.settings,
                units.join(","),
                self.traffic,
                self.link
            ),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "unit {}: {}", self.unit_id, self.answer)?;
        for object in &self.identity.identification {
            write!(formatter, "; {object}")?;
        }
        if let Some(server) = &self.identity.server_id {
            write!(formatter, "; server id {}", server.hex)?;
            match server.running {
                Some(true) => formatter.write_str(", running")?,
                Some(false) => formatter.write_str(", not running")?,
                None => {}
            }
        }
        if let Some(runs) = &self.readable {
            let runs: Vec<String> = runs.iter().map(Run::to_string).collect();
            let runs = if runs.is_empty() { "nothing".to_owned() } else { runs.join(", ") };
            write!(formatter, "; readable: {runs}")?;
        }
        if self.stopped {
            formatter.write_str("; it stopped to answer")?;
        }
        Ok(())
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value => formatter.write_str("answers"),
            Self::Exception(code) => {
                write!(formatter, "answers with {}", exception::named(ExceptionCode::new(*code)))
            }
            Self::Damaged(text) => {
                write!(formatter, "{text}: two devices with this unit id, or wrong line settings?")
            }
            Self::Late => formatter.write_str("answers late: a longer --timeout helps"),
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // V1.1b3, clause 6.21.
        let names =
            ["vendor", "product", "revision", "url", "product name", "model", "application"];
        match names.get(usize::from(self.id)) {
            Some(name) => write!(formatter, "{name} \"{}\"", self.text),
            None => write!(formatter, "object {:02X} \"{}\"", self.id, self.text),
        }
    }
}
