//! What steps do besides reading and computing: programs, and questions to the operator. Each brings
//! a value that its check judges. Knows no processes and no terminals.

use std::str::FromStr;
use std::sync::Arc;

use passline_modbus::point::Domain;
use passline_modbus::value::{Decimal, Value};
use regex::Regex;
use serde_json::{Map, Value as Json};

use super::model::Check;
use crate::record::Kind;

/// What an action tells that is no read: an answer, a text that a program wrote.
#[derive(Debug)]
pub struct Told {
    /// What the step does.
    pub kind: Kind,
    /// How the value is come by, for the record.
    pub how: Map<String, Json>,
    /// What it can be.
    pub domain: Domain,
    /// Its measuring unit.
    pub unit: Option<Arc<str>>,
}

/// A program that is run.
#[derive(Debug)]
pub struct Run {
    /// Judges what was captured; without that, the exit status.
    pub check: Check,
    /// The program: a name to be looked up, or a path relative to the spec's folder.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The exit statuses that are expected; at least one.
    pub exit: Vec<i32>,
    /// What of its standard output is judged.
    pub capture: Option<Capture>,
    /// What stands for its standard output where everything is simulated: it is not run then.
    pub simulated: Option<String>,
}

/// A part of what a program writes.
#[derive(Debug)]
pub struct Capture {
    /// What is looked for.
    pub pattern: Regex,
    /// What the captured text is read as.
    pub typed: Typed,
}

/// What a text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// An exact number.
    Number,
    /// The text itself.
    Text,
}

/// A question to the operator.
#[derive(Debug)]
pub struct Prompt {
    /// Judges the answer.
    pub check: Check,
    /// What is shown.
    pub text: String,
    /// What is asked for.
    pub ask: Ask,
    /// The answer where everything is simulated.
    pub simulated: Option<String>,
}

/// What an operator is asked for.
#[derive(Debug, Clone)]
pub enum Ask {
    /// That something has been done.
    Confirm,
    /// Whether something is as it should be.
    PassFail,
    /// A text, typed or scanned.
    Text {
        /// What the whole of it looks like, as it was written and for the whole text.
        pattern: Option<(String, Regex)>,
    },
    /// An exact number.
    Number,
}

/// The longest answer, in bytes.
const LONGEST_ANSWER: usize = 4096;

impl Capture {
    /// What a program's output holds: the first group of the pattern, else all that matches.
    ///
    /// # Errors
    /// Why there is nothing, in words.
    pub fn of(&self, output: &str) -> Result<Value, String> {
        let found = self.pattern.captures(output);
        let found = found.as_ref().and_then(|found| found.get(1).or_else(|| found.get(0)));
        let found = found
            .ok_or_else(|| format!("nothing that it wrote matches /{}/", self.pattern.as_str()))?;
        self.typed.value(found.as_str())
    }
}

impl Typed {
    /// The value that a text is.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub fn value(self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        match self {
            Self::Text => Ok(Value::Text(text.to_owned())),
            Self::Number => Decimal::from_str(text)
                .map(Value::Number)
                .map_err(|_| format!("`{}` is no number such as 12.5", text.escape_debug())),
        }
    }

    /// The values that there can be.
    pub(super) fn domain(self) -> Domain {
        match self {
            Self::Number => Domain::Unbounded { width: None },
            Self::Text => Domain::Text { max_bytes: u16::MAX },
        }
    }
}

impl Ask {
    /// Its word in the language.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::PassFail => "pass_fail",
            Self::Text { .. } => "text",
            Self::Number => "number",
        }
    }

    /// What an answer means.
    ///
    /// # Errors
    /// Why it is none, in words for who gave it.
    pub fn understand(&self, answer: &str) -> Result<Value, String> {
        if answer.len() > LONGEST_ANSWER {
            return Err(format!("an answer has {LONGEST_ANSWER} bytes at most"));
        }
        let answer = answer.trim();
        let word = answer.to_ascii_lowercase();
        match self {
            Self::Confirm => match word.as_str() {
                "" | "y" | "yes" | "ok" | "true" => Ok(Value::Bool(true)),
                "n" | "no" | "false" => Ok(Value::Bool(false)),
                _ => Err("answer yes, or just press Enter; or no".to_owned()),
            },
            Self::PassFail => match word.as_str() {
                "y" | "yes" | "p" | "pass" | "true" => Ok(Value::Bool(true)),
                "n" | "no" | "f" | "fail" | "false" => Ok(Value::Bool(false)),
                _ => Err("answer yes or no".to_owned()),
            },
            Self::Number => Typed::Number.value(answer),
            Self::Text { .. } if answer.is_empty() => Err("nothing was typed".to_owned()),
            Self::Text { pattern: Some((pattern, whole)) } if !whole.is_match(answer) => {
                Err(format!("`{}` does not match /{pattern}/", answer.escape_debug()))
            }
            Self::Text { .. } => Ok(Value::Text(answer.to_owned())),
        }
    }
}
