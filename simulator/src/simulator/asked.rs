//! What a simulator was asked, for tests to look at.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use passline_modbus::pdu::{self, Answer, Request};
use tokio::sync::watch;

use crate::endpoint::Transaction;
use crate::fault::Kind;

/// So many are kept.
const KEPT: usize = 65_536;

/// A request, and what was done about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The unit id that it was for, whether there is such a unit or not.
    pub unit_id: u8,
    /// The function code and the data, as they came.
    pub pdu: Vec<u8>,
    /// The same, if it makes sense.
    pub request: Option<Request<'static>>,
    /// What was answered, if that was a sound answer to the request.
    pub answer: Option<Answer>,
    /// All bytes that went out about it.
    pub sent: Vec<u8>,
    /// The faults that showed.
    pub faults: Vec<Kind>,
    /// When it came, since the simulation started, by its own clock.
    pub elapsed: Duration,
}

impl Asked {
    pub(super) fn of(transaction: &Transaction<'_>) -> Self {
        let received = transaction.request;
        let pieces = transaction.transmission().pieces.into_iter();
        Self {
            unit_id: received.unit_id,
            pdu: received.pdu.to_vec(),
            request: pdu::decode_request(received.pdu).ok(),
            answer: transaction.answer(),
            sent: pieces.flat_map(|piece| piece.bytes).collect(),
            faults: transaction.faults().to_vec(),
            elapsed: transaction.arrival.elapsed,
        }
    }
}

/// Nobody asked that in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such request came within {time:?}; others: {others}{}",
    if *in_runtime {
        "\n  help: this blocked a thread of an asynchronous runtime, and maybe the client with it: \
         wait with `asked` there"
    } else {
        ""
    }
)]
pub struct NotAsked {
    time: Duration,
    others: usize,
    in_runtime: bool,
}

/// What was asked so far.
#[derive(Debug, Default)]
pub(super) struct Record {
    list: Mutex<VecDeque<Asked>>,
    arrived: Condvar,
    /// The same for those who wait asynchronously.
    told: watch::Sender<()>,
}

impl Record {
    fn list(&self) -> MutexGuard<'_, VecDeque<Asked>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, asked: Asked) {
        let mut list = self.list();
        if list.len() == KEPT {
            list.pop_front();
        }
        list.push_back(asked);
        drop(list);
        self.arrived.notify_all();
        self.told.send_replace(());
    }

    pub(super) fn all(&self) -> Vec<Asked> {
        self.list().iter().cloned().collect()
    }

    pub(super) fn forget(&self) {
        self.list().clear();
    }

    pub(super) fn wait(
        &self,
        time: Duration,
        is_it: impl Fn(&Asked) -> bool,
    ) -> Result<Asked, NotAsked> {
        let begin = Instant::now();
        let mut list = self.list();
        loop {
            if let Some(found) = list.iter().find(|asked| is_it(asked)) {
                return Ok(found.clone());
            }
            let rest = time.saturating_sub(begin.elapsed());
            if rest.is_zero() {
                let in_runtime = tokio::runtime::Handle::try_current().is_ok();
                return Err(NotAsked { time, others: list.len(), in_runtime });
            }
            let waited = self.arrived.wait_timeout(list, rest);
            list = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(super) async fn asked(&self, is_it: impl Fn(&Asked) -> bool) -> Asked {
        let mut told = self.told.subscribe();
        loop {
            let found = self.list().iter().find(|asked| is_it(asked)).cloned();
            if let Some(found) = found {
                return found;
            }
            // The sender is in `self`.
            let _ = told.changed().await;
        }
    }
}
