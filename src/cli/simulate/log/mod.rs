//! `--log`: what happens on the links, in a file. Each event is written whole and at once, so that
//! the file can be read whenever the simulator ends, and however.

mod capture;
mod lines;
mod packet;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Display, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use passline_simulator::endpoint::Event;

use self::capture::Capture;
use super::line::Watched;
use crate::cli::terminal;

/// Where to log, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Log {
    path: PathBuf,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Lines,
    Capture,
}

impl FromStr for Log {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = PathBuf::from(text);
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl") => Format::Lines,
            Some("pcapng") => Format::Capture,
            _ => {
                let text = "the name of a log ends in .jsonl (a line for each transaction) or .pcapng \
                            (a capture for Wireshark)";
                return Err(text.to_owned());
            }
        };
        Ok(Self { path, format })
    }
}

/// A log that is being written.
pub(super) struct Writer {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    /// `None`: it could not be written.
    file: Option<File>,
    format: Written,
}

enum Written {
    Lines,
    Capture(Capture),
}

impl Log {
    /// Begins the log of these links. A file that is there is replaced.
    pub(super) fn create(&self, links: &[Watched]) -> Result<Writer, String> {
        let failed = |error: io::Error| format!("{}: {error}", self.path.display());
        let mut file = File::create(&self.path).map_err(failed)?;
        let format = match self.format {
            Format::Lines => Written::Lines,
            Format::Capture => {
                file.write_all(&Capture::header(links)).map_err(failed)?;
                Written::Capture(Capture::default())
            }
        };
        let state = Mutex::new(State { file: Some(file), format });
        Ok(Writer { path: self.path.clone(), state })
    }
}

impl Writer {
    /// Writes what happened on the link of this index.
    pub(super) fn write(&self, index: usize, link: &Watched, event: &Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Within the lock: what is written later has happened later.
        let now = jiff::Timestamp::now();
        let bytes = match &mut state.format {
            Written::Lines => lines::line(link, event, now),
            Written::Capture(capture) => capture.packets(index, link, event, now),
        };
        let Some(file) = &mut state.file else { return };
        if let Err(error) = file.write_all(&bytes) {
            state.file = None;
            terminal::aside(&format!(
                "error: {}: {error}: nothing more is logged there",
                self.path.display()
            ));
        }
    }

    /// The file.
    pub(super) fn path(&self) -> Display<'_> {
        self.path.display()
    }

    /// Whether all of it could be written so far.
    pub(super) fn is_whole(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).file.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_the_format() {
        let format = |text: &str| text.parse::<Log>().map(|log| log.format);
        assert_eq!(format("/tmp/a.jsonl"), Ok(Format::Lines));
        assert_eq!(format("b.pcapng"), Ok(Format::Capture));
        assert!(format("a.pcap").is_err() && format("pcapng").is_err());
    }
}
