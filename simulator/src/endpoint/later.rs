//! Requests whose answers take as long as whoever answers for a device takes. Those that one
//! connection has for one device are worked on one after the other, as by a server that reads the
//! next request when it has answered the last.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use passline_modbus::framing::Framing;

use super::event::Peer;
use super::units::Units;
use crate::device::Question;
use crate::fault::{Arrival, Received, Transmission};

/// From so many on, no more requests are taken from a connection.
const FULL: usize = 256;

/// So many requests wait for one device of a line that cannot hold its client back.
const MOST: usize = 16;

/// What goes out about a request, once it is answered.
pub(super) struct Later {
    unit_id: u8,
    sent: Pin<Box<dyn Future<Output = Transmission> + Send>>,
}

impl Later {
    pub(super) fn new(
        (units, peer): (Arc<Units>, Peer),
        request: &Received<'_>,
        arrival: Arrival,
        question: Question,
    ) -> Self {
        let frame = Frame::of(request);
        let (work, pending) = question.parts();
        let sent = Box::pin(async move {
            let saying = work.await;
            let request = frame.received();
            let reaction = units.conclude(pending, &request, saying);
            let reaction = units.told(peer, &request, arrival, reaction);
            reaction.map(|reaction| reaction.transmission(&request)).unwrap_or_default()
        });
        Self { unit_id: request.unit_id, sent }
    }

    /// The device of this unit id does it, and nothing goes out.
    pub(super) fn silent(unit_id: u8, question: Question) -> Self {
        let (work, _) = question.parts();
        let sent = Box::pin(async move {
            work.await;
            Transmission::default()
        });
        Self { unit_id, sent }
    }

    /// What goes out.
    pub(super) async fn transmission(self) -> Transmission {
        self.sent.await
    }
}

/// A request that outlives what it was read from.
struct Frame {
    framing: Framing,
    transaction: u16,
    unit_id: u8,
    pdu: Vec<u8>,
    bytes: Vec<u8>,
}

impl Frame {
    fn of(request: &Received<'_>) -> Self {
        Self {
            framing: request.framing,
            transaction: request.transaction,
            unit_id: request.unit_id,
            pdu: request.pdu.to_vec(),
            bytes: request.bytes.to_vec(),
        }
    }

    fn received(&self) -> Received<'_> {
        Received {
            framing: self.framing,
            transaction: self.transaction,
            unit_id: self.unit_id,
            pdu: &self.pdu,
            bytes: &self.bytes,
        }
    }
}

/// What is still to be answered on one connection, in the order of the requests.
#[derive(Default)]
pub(super) struct Queue(VecDeque<Later>);

impl Queue {
    pub(super) fn push(&mut self, all: Vec<Later>) {
        self.0.extend(all);
    }

    /// As [`Self::push`]; a device that has too much to do hears nothing.
    pub(super) fn push_heard(&mut self, all: Vec<Later>) {
        for later in all {
            let same = self.0.iter().filter(|other| other.unit_id == later.unit_id);
            if same.count() < MOST {
                self.0.push_back(later);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.0.len() < FULL
    }

    /// What goes out next; for ever, while there is nothing. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Transmission {
        poll_fn(|context| {
            let mut busy: Vec<u8> = Vec::new();
            for index in 0..self.0.len() {
                let Some(later) = self.0.get_mut(index) else { break };
                if busy.contains(&later.unit_id) {
                    continue;
                }
                if let Poll::Ready(sent) = later.sent.as_mut().poll(context) {
                    self.0.remove(index);
                    return Poll::Ready(sent);
                }
                busy.push(later.unit_id);
            }
            Poll::Pending
        })
        .await
    }
}
