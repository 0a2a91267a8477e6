//! What the tries of a read brought, and how the tries of several reads make the attempts of a
//! check. Pure.

use std::time::Duration;

use passline_modbus::inquiry::{Data, Finding, Unusable};
use passline_modbus::link::LinkError;
use passline_modbus::pdu::ExceptionCode;
use passline_modbus::point::Location;
use tokio::time::Instant;

use crate::record::ErrorClass;

/// Why there is no answer to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) class: ErrorClass,
    pub(crate) text: String,
}

impl From<LinkError> for Trouble {
    fn from(error: LinkError) -> Self {
        // The link's classes are the words of the one list.
        let class = error.class().parse().unwrap_or(ErrorClass::Internal);
        Self { class, text: error.to_string() }
    }
}

/// What one try of a read brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Brought {
    Data(Data),
    Exception(ExceptionCode),
    Trouble(Trouble),
    /// The run was stopped before this was sent.
    Stopped,
}

impl From<Finding> for Brought {
    fn from(finding: Finding) -> Self {
        match finding {
            Finding::Data(data) => Self::Data(data),
            Finding::Exception(code) => Self::Exception(code),
            Finding::Nothing(reason) => {
                let class = match reason {
                    // The codec gives only answers of the request's own function.
                    Unusable::Function => ErrorClass::Internal,
                    Unusable::NoObject(_) | Unusable::Circle { .. } => ErrorClass::Decode,
                };
                Self::Trouble(Trouble { class, text: reason.to_string() })
            }
        }
    }
}

impl Brought {
    /// Whether nobody answered at all: then asking for more of that device is pointless.
    pub(crate) fn silent(&self) -> Option<&Trouble> {
        match self {
            Self::Trouble(trouble) => trouble.class.is_silence().then_some(trouble),
            _ => None,
        }
    }
}

/// One try of a read.
#[derive(Debug, Clone)]
pub(crate) struct Try {
    pub(crate) started: Instant,
    pub(crate) ended: Instant,
    /// The transactions that it took; none if it was never sent.
    pub(crate) transactions: Vec<u64>,
    pub(crate) brought: Brought,
}

/// Every try of a read, in order; never empty.
#[derive(Debug, Clone)]
pub(crate) struct Tries(Vec<Try>);

impl Tries {
    pub(crate) fn new(first: Try) -> Self {
        Self(vec![first])
    }

    /// A read that was never sent.
    pub(crate) fn unsent(at: Instant, brought: Brought) -> Self {
        Self::new(Try { started: at, ended: at, transactions: Vec::new(), brought })
    }

    pub(crate) fn push(&mut self, next: Try) {
        self.0.push(next);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The transactions that they took.
    pub(crate) fn transactions(&self) -> Vec<u64> {
        self.0.iter().flat_map(|one| one.transactions.iter().copied()).collect()
    }

    pub(crate) fn last(&self) -> &Try {
        &self.0[self.0.len() - 1]
    }

    /// The tries of the transaction `whole` as those of its member `part`.
    pub(crate) fn of_member(&self, whole: Location, part: Location) -> Tries {
        let spans = whole.span().zip(part.span());
        let cut = |data: &Data| match spans {
            Some((whole, part)) => data.part(whole, part),
            None => (whole == part).then(|| data.clone()),
        };
        let member = |one: &Try| Try {
            brought: match &one.brought {
                Brought::Data(data) => cut(data).map_or_else(
                    || {
                        Brought::Trouble(Trouble {
                            class: ErrorClass::Internal,
                            text: "the answer does not cover the point".to_owned(),
                        })
                    },
                    Brought::Data,
                ),
                other => other.clone(),
            },
            ..one.clone()
        };
        Self(self.0.iter().map(member).collect())
    }

    /// The tries of a member whose merged read was refused last and which was then read `singly`:
    /// the refusal and the first single read are one try, for a split is not a failed attempt.
    pub(crate) fn split_into(mut self, singly: Tries) -> Tries {
        let Some(refused) = self.0.pop() else { return singly };
        for (index, mut single) in singly.0.into_iter().enumerate() {
            if index == 0 {
                single.started = refused.started;
                single.transactions.splice(0..0, refused.transactions.iter().copied());
            }
            self.0.push(single);
        }
        self
    }
}

/// One attempt of a check: what each of its reads brought by then.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) started: Instant,
    pub(crate) ended: Instant,
    pub(crate) transactions: Vec<u64>,
    /// How far apart two of the readings can be at most: from when one was handed to its line to
    /// when the answer of the other came in. What one answer brings is of one moment.
    pub(crate) skew: Duration,
    /// In the order of the check's inputs.
    pub(crate) brought: Vec<&'a Brought>,
}

/// How far apart two of these readings can be at most.
fn skew(readings: &[&Try]) -> Duration {
    let apart = |one: &Try| {
        let others = readings.iter().filter(|other| other.transactions != one.transactions);
        others.map(|other| other.ended.saturating_duration_since(one.started)).max()
    };
    readings.iter().filter_map(|one| apart(one)).max().unwrap_or_default()
}

/// The attempts of a check with these inputs. Attempt `n` is the n-th try of each input; an input
/// that needed fewer tries stands at its last one.
pub(crate) fn attempts<'a>(inputs: &[&'a Tries]) -> Vec<Attempt<'a>> {
    let most = inputs.iter().map(|tries| tries.len()).max().unwrap_or(0);
    (0..most)
        .map(|n| {
            let new = || inputs.iter().filter_map(move |tries| tries.0.get(n));
            let standing =
                || inputs.iter().map(move |tries| tries.0.get(n).unwrap_or(tries.last()));
            let mut transactions: Vec<u64> =
                standing().flat_map(|one| one.transactions.iter().copied()).collect();
            transactions.sort_unstable();
            transactions.dedup();
            Attempt {
                started: new().map(|one| one.started).min().unwrap_or_else(Instant::now),
                ended: new().map(|one| one.ended).max().unwrap_or_else(Instant::now),
                transactions,
                skew: skew(&standing().collect::<Vec<_>>()),
                brought: standing().map(|one| &one.brought).collect(),
            }
        })
        .collect()
}
