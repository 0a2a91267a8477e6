//! Answers that came a short while ago. Repeaters and radio modems bring some of them twice, and so
//! do gateways that ask again by themselves: then nothing but their bytes tells that an answer is not
//! to the request that is on the wire. Pure.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::pdu::Request;

/// How many answers are remembered.
const MOST: usize = 64;

/// How long the true answer may take behind a repeated one, beside twice what answers took lately.
const SLACK: Duration = Duration::from_millis(20);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Recent {
    answers: VecDeque<Seen>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Seen {
    /// The request that it was put to.
    pub(super) request: Request<'static>,
    pub(super) bytes: Vec<u8>,
    pub(super) at: Instant,
    /// From the end of the request.
    pub(super) took: Duration,
}

impl Recent {
    /// An answer came.
    pub(super) fn note(&mut self, seen: Seen) {
        if self.answers.len() == MOST {
            self.answers.pop_front();
        }
        self.answers.push_back(seen);
    }

    /// Only what came from this moment on matters.
    pub(super) fn forget(&mut self, before: Instant) {
        self.answers.retain(|seen| seen.at >= before);
    }

    /// Whether these bytes answered a request for something else.
    pub(super) fn has_other(&self, bytes: &[u8], request: &Request<'static>) -> bool {
        self.answers.iter().any(|seen| seen.bytes == bytes && seen.request != *request)
    }

    /// How long to listen for the true answer behind a repeated one.
    pub(super) fn patience(&self) -> Duration {
        let longest = self.answers.iter().map(|seen| seen.took).max().unwrap_or_default();
        longest.saturating_mul(2).saturating_add(SLACK)
    }
}
