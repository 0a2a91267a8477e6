//! The first stage: whether a device begins to do what it is asked.

use std::time::Duration;

use passline_modbus::pdu::ExceptionCode;

use super::wire::Arrival;

/// A fault at the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestFault {
    /// This exception is the answer, and what was asked is not done.
    Exception {
        /// The code answered.
        code: ExceptionCode,
    },
    /// What is written is answered as if it were stored, and is not.
    NotStored,
    /// A request is ignored that comes sooner than this after the device's last answer, or after
    /// a request that it did not answer.
    Pause {
        /// The silence that the device needs.
        by: Duration,
    },
    /// A request is ignored that comes sooner than this after its connection was made.
    PauseAfterConnect {
        /// The silence that the device needs.
        by: Duration,
    },
    /// A request is ignored that comes while an earlier one of its connection is unanswered.
    OneInFlight,
}

/// What a device does about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Course {
    /// What it is asked.
    #[default]
    Do,
    /// It says that it did.
    Pretend,
    /// It says that it does not.
    Refuse(ExceptionCode),
    /// It has heard nothing.
    Ignore,
}

impl RequestFault {
    /// Changes the course. To be ignored is final, then the first refusal.
    pub(super) fn act(self, arrival: Arrival, rested: Option<Duration>, course: &mut Course) {
        let ignored = match self {
            Self::Exception { code } => {
                if matches!(course, Course::Do | Course::Pretend) {
                    *course = Course::Refuse(code);
                }
                false
            }
            Self::NotStored => {
                if *course == Course::Do {
                    *course = Course::Pretend;
                }
                false
            }
            Self::Pause { by } => rested.is_some_and(|rested| rested < by),
            Self::PauseAfterConnect { by } => arrival.connected < by,
            Self::OneInFlight => arrival.overlaps,
        };
        if ignored {
            *course = Course::Ignore;
        }
    }
}
