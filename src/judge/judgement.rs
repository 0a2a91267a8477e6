//! What an attempt brought, and what judging made of it.

use passline_modbus::pdu::ExceptionCode;
use passline_modbus::point::{Reading, Undecodable};

use crate::record::{Conformity, ErrorClass, Verdict};

/// What one attempt brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// An answer to this attempt's request, decoded.
    Reading(Reading),
    /// An answer that carries no value: a write was accepted.
    Acknowledged,
    /// An exception answer.
    Exception(ExceptionCode),
    /// An answer that means nothing as this point.
    Undecodable(Undecodable),
    /// No usable answer.
    NoAnswer {
        /// Why, in one word.
        class: ErrorClass,
        /// Why, in words.
        text: String,
    },
}

/// What became of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// Every limit was evaluated and held.
    Pass {
        /// Whether the value is outside of the marginal limit.
        marginal: bool,
        /// What the decision rule says, if there is one.
        conformity: Option<Conformity>,
        /// How it is marginal or conditional.
        remark: Option<String>,
    },
    /// Kept on purpose without a limit.
    Recorded,
    /// The device answered, and the answer is out of limits.
    Fail {
        /// What the decision rule says, if there is one.
        conformity: Option<Conformity>,
        /// How.
        message: String,
    },
    /// Nothing could be judged.
    Error {
        /// Why, in one word.
        class: ErrorClass,
        /// Why, in words.
        message: String,
    },
}

impl Judgement {
    /// The verdict of the attempt.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Pass { .. } => Verdict::Pass,
            Self::Recorded => Verdict::Recorded,
            Self::Fail { .. } => Verdict::Fail,
            Self::Error { .. } => Verdict::Error,
        }
    }

    /// Whether it is a pass outside of the marginal limit.
    pub fn is_marginal(&self) -> bool {
        matches!(self, Self::Pass { marginal: true, .. })
    }

    /// What the decision rule says of the measurement, if there is one.
    pub fn conformity(&self) -> Option<Conformity> {
        match self {
            Self::Pass { conformity, .. } | Self::Fail { conformity, .. } => *conformity,
            Self::Recorded | Self::Error { .. } => None,
        }
    }

    /// The class of an error.
    pub fn error_class(&self) -> Option<ErrorClass> {
        match self {
            Self::Error { class, .. } => Some(*class),
            _ => None,
        }
    }

    /// What there is to say: how it failed, why nothing was judged, or how it is marginal or
    /// conditional.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Pass { remark, .. } => remark.as_deref(),
            Self::Recorded => None,
            Self::Fail { message, .. } | Self::Error { message, .. } => Some(message),
        }
    }

    /// All held, and there is nothing more to say.
    pub const PASS: Self = Self::Pass { marginal: false, conformity: None, remark: None };

    /// Out of limits, for this reason.
    pub fn fail(message: impl Into<String>) -> Self {
        Self::Fail { conformity: None, message: message.into() }
    }
}

impl Observed {
    /// The judgement of a write that is only to be done.
    pub fn as_written(&self) -> Judgement {
        self.unusable().unwrap_or(Judgement::PASS)
    }

    /// The error for a check that needs another kind of answer. `None` for the answers that carry
    /// what can be judged.
    pub(super) fn unusable(&self) -> Option<Judgement> {
        let (class, message) = match self {
            Self::Reading(_) | Self::Acknowledged => return None,
            Self::Exception(code) => (
                ErrorClass::of_exception((*code).into()),
                format!("the device answered {}", super::exception::named(*code)),
            ),
            Self::Undecodable(why) => (ErrorClass::Decode, why.to_string()),
            Self::NoAnswer { class, text } => (*class, text.clone()),
        };
        Some(Judgement::Error { class, message })
    }
}
