//! What was captured of one device, and the file that it is kept in: progress while the capture
//! goes on, a description of a unit once it is complete.

use std::collections::BTreeMap;

use passline_modbus::point::Table;
use passline_modbus::value::Value;
use serde::{Deserialize, Serialize};

use super::search::Search;
use super::table;

/// The word that says what a file is.
const FORMAT: &str = "passline-capture/1";

/// What was captured of one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    format: String,
    /// Where the device was.
    pub link: String,
    /// Its unit id there.
    pub unit_id: u8,
    /// Whether all was captured that was asked for.
    pub complete: bool,
    /// How far the search for addresses is.
    #[serde(default)]
    pub searches: Vec<Search>,
    /// The objects of its device identification, as `0A FF`.
    #[serde(default)]
    pub identification: BTreeMap<u8, String>,
    /// Its server id with the state, as `0A FF`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_id: Option<String>,
    /// What it held, one round of reads after the other.
    #[serde(default)]
    pub samples: Vec<Sample>,
}

/// What a device held at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// When, in milliseconds since the first.
    pub at_ms: u64,
    /// What was there.
    pub memory: Vec<Cells>,
}

/// What was at one address and those behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cells {
    /// In which table.
    #[serde(with = "table")]
    pub table: Table,
    /// The first address.
    pub first: u16,
    /// Registers; of bits 0 and 1.
    pub values: Vec<u16>,
}

/// Why a text is no capture.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// Not this kind of document.
    #[error("this is no capture: {0}")]
    Json(String),
    /// Of another version.
    #[error("this is of the format `{0}`, not `passline-capture/1`")]
    Format(String),
    /// Contents that no device can have.
    #[error("{table}:{first}: {problem}")]
    Cells {
        /// In which table.
        table: Table,
        /// The first address.
        first: u16,
        /// What is wrong.
        problem: &'static str,
    },
    /// Bytes that are none.
    #[error("`{0}` is no sequence of bytes such as `0A FF`")]
    Bytes(String),
}

/// Contiguous registers or bits over all rounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// In which table.
    pub table: Table,
    /// The first address.
    pub first: u16,
    /// What was there, one list for each round; all of one length.
    pub rounds: Vec<Vec<u16>>,
}

impl Capture {
    /// Nothing known yet.
    pub fn new(link: String, unit_id: u8, searches: Vec<Search>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            link,
            unit_id,
            complete: false,
            searches,
            identification: BTreeMap::new(),
            server_id: None,
            samples: Vec::new(),
        }
    }

    /// Reads a capture from its file.
    ///
    /// # Errors
    /// Why the text is none.
    pub fn from_json(text: &str) -> Result<Self, CaptureError> {
        let capture: Self =
            serde_json::from_str(text).map_err(|error| CaptureError::Json(error.to_string()))?;
        if capture.format != FORMAT {
            return Err(CaptureError::Format(capture.format));
        }
        for cells in capture.samples.iter().flat_map(|sample| &sample.memory) {
            cells.check()?;
        }
        for text in capture.identification.values().chain(&capture.server_id) {
            if Value::bytes(text).is_none() {
                return Err(CaptureError::Bytes(text.clone()));
            }
        }
        Ok(capture)
    }

    /// As it is kept in a file.
    pub fn to_json(&self) -> String {
        // Numbers, texts and lists only: nothing that JSON has no form for.
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// An object of the identification, if it is text.
    pub fn object(&self, id: u8) -> Option<String> {
        let Some(Value::Bytes(bytes)) = Value::bytes(self.identification.get(&id)?) else {
            return None;
        };
        String::from_utf8(bytes).ok()
    }

    /// What the addresses held that are in every round, over all rounds, ascending.
    pub fn stretches(&self) -> Vec<Stretch> {
        let mut columns: BTreeMap<(Table, u16), Vec<u16>> = BTreeMap::new();
        for (round, sample) in self.samples.iter().enumerate() {
            for cells in &sample.memory {
                for (address, value) in (cells.first..=u16::MAX).zip(&cells.values) {
                    let column = columns.entry((cells.table, address)).or_default();
                    // An address that is there twice counts once.
                    if column.len() == round {
                        column.push(*value);
                    }
                }
            }
        }
        let rounds = self.samples.len();
        let mut stretches: Vec<Stretch> = Vec::new();
        for ((table, address), column) in columns {
            if column.len() < rounds {
                continue;
            }
            let behind = stretches
                .last()
                .is_some_and(|last| last.table == table && last.end() == u32::from(address));
            if !behind {
                stretches.push(Stretch { table, first: address, rounds: vec![Vec::new(); rounds] });
            }
            let Some(stretch) = stretches.last_mut() else { continue };
            for (round, value) in stretch.rounds.iter_mut().zip(column) {
                round.push(value);
            }
        }
        stretches
    }
}

impl Cells {
    fn check(&self) -> Result<(), CaptureError> {
        let fault =
            |problem| Err(CaptureError::Cells { table: self.table, first: self.first, problem });
        if self.values.is_empty() || usize::from(self.first) + self.values.len() > 0x1_0000 {
            return fault("there are no values, or they pass address 65535");
        }
        if self.table.is_bits() && self.values.iter().any(|bit| *bit > 1) {
            return fault("bits are 0 or 1");
        }
        Ok(())
    }
}

impl Stretch {
    /// How many addresses.
    pub fn len(&self) -> usize {
        self.rounds.first().map_or(0, Vec::len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The address behind the last.
    pub fn end(&self) -> u32 {
        u32::from(self.first) + u32::try_from(self.len()).unwrap_or(u32::MAX)
    }

    /// The address of a place in it.
    pub fn address(&self, at: usize) -> u16 {
        self.first.saturating_add(u16::try_from(at).unwrap_or(u16::MAX))
    }

    /// What one address held, round after round.
    pub fn column(&self, at: usize) -> impl Iterator<Item = u16> + Clone {
        self.rounds.iter().filter_map(move |round| round.get(at).copied())
    }

    /// The one value that an address held in all rounds.
    pub fn constant(&self, at: usize) -> Option<u16> {
        let first = self.column(at).next()?;
        self.column(at).all(|value| value == first).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_capture_is_refused_with_the_place() {
        let sample = |cells: &str| {
            format!(
                r#"{{"format":"passline-capture/1","link":"x","unit_id":1,"complete":true,
                   "samples":[{{"at_ms":0,"memory":[{cells}]}}]}}"#
            )
        };
        let error = |text: &str| Capture::from_json(text).expect_err("refused").to_string();
        assert!(error("").contains("line 1"));
        assert!(error("[1]").contains("no capture"));
        assert!(error(r#"{"format":"x/1","link":"","unit_id":1,"complete":true}"#).contains("x/1"));
        let past = sample(r#"{"table":"input","first":65535,"values":[1,2]}"#);
        assert_eq!(error(&past), "input:65535: there are no values, or they pass address 65535");
        assert!(error(&sample(r#"{"table":"coil","first":0,"values":[2]}"#)).contains("0 or 1"));
        assert!(error(&sample(r#"{"table":"input","first":0,"values":[65536]}"#)).contains("line"));
        assert!(error(&sample(r#"{"table":"inputs","first":0,"values":[1]}"#)).contains("inputs"));
        assert!(Capture::from_json(&sample(r#"{"table":"input","first":0,"values":[1]}"#)).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            let _ = Capture::from_json(&text);
        }
    }
}
