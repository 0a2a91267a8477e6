//! The JSON document that `--json` asks for: on standard output, where it is then alone, or in a
//! file.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::exchange::failed;
use super::exit::Exit;
use super::terminal;
use crate::record::EvidenceError;
use crate::report::file;

/// Where the document goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Document<'a> {
    /// Nowhere: text for people is all.
    None,
    /// To standard output, in place of the text.
    Output,
    /// To a file, beside the text.
    File(&'a Path),
}

impl<'a> Document<'a> {
    /// `-` is standard output.
    pub(super) fn of(option: Option<&'a PathBuf>) -> Self {
        match option.map(PathBuf::as_path) {
            None => Self::None,
            Some(path) if path.as_os_str() == "-" => Self::Output,
            Some(path) => Self::File(path),
        }
    }

    /// Shows a line for people, unless the document takes its place.
    pub(super) fn say(self, text: &str) {
        if self != Self::Output {
            terminal::line(text);
        }
    }

    /// Writes the document. Gives `exit`, or that of an error.
    pub(super) fn write(self, document: &impl Serialize, exit: Exit) -> Exit {
        let text = match serde_json::to_string_pretty(document) {
            Ok(text) => text,
            Err(error) => return failed(&error.to_string(), None, Exit::Error),
        };
        match self {
            Self::None => exit,
            Self::Output => {
                terminal::line(&text);
                exit
            }
            Self::File(path) => match written(path, &text) {
                Ok(()) => exit,
                Err(error) => failed(&error.to_string(), None, Exit::Error),
            },
        }
    }
}

fn written(path: &Path, text: &str) -> Result<(), EvidenceError> {
    file::replace(path, |out| writeln!(out, "{text}"))
}
