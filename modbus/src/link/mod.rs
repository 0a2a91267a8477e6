//! One task owns one physical line: a queue, a window of requests in flight, a deadline each,
//! reconnection. Knows frames and PDUs; nothing of points, values or tests.
//!
//! # Layout
//!
//! | module | what it is for |
//! | --- | --- |
//! | `mod` | the handle: [`Link`], [`Call`], [`Completed`] |
//! | `options`, `event`, `error` | what goes in besides, what is reported, what can go wrong |
//! | `tolerance` | what answers may have wrong, where the line is told so |
//! | `window` | whose answer is it? Pure: no I/O, no clock |
//! | `queue` | what the handles ask for, in order |
//! | `exchange` | the calls on the wire: matched, expired, completed, reported. No I/O |
//! | `connection` | one connection from its beginning to its end: bytes and one timer |
//! | `bus` | half-duplex lines, in place of `window`, `exchange` and `connection` |
//! | `line` | the task: connects when a call needs it |
//! | `open` | from an address to bytes: sockets, ports, certificates |
//!
//! # What a call can rely on
//!
//! - An answer is the answer to *this* request: its transaction id and its unit id are those of
//!   the request, on the connection that the request was written to, after its last byte was
//!   written; and its PDU fits the request strictly. Anything else is reported and never used, but
//!   for what [`Options::tolerance`] names; what of that was used comes with the answer. On a bus
//!   there are no transaction ids; how answers are told apart there, `bus` says.
//! - Where transaction ids are put up with, a connection ends with the first request that has no
//!   answer: nothing would tell a late one from the next.
//! - The id of a request that went without a usable answer is not used again on its connection.
//! - The timeout runs from the request's last byte written: time in the queue never counts. An
//!   answer that is there when the deadline is looked at still counts, so that a stall of this
//!   program is not held against the device.
//! - A write is never sent twice. A read is sent once more if the device turns out to have closed
//!   the idle connection: closing idle connections is normal; and on a bus if what answered it
//!   could have been owed to an earlier request. Everything else is the caller's to
//!   repeat; there is no retry and no backoff here.
//! - A connection on which one request after the other went without an answer, and not a byte came,
//!   is renewed before the next request: it may be half open.
//! - All frames of a call are reported before the call completes.
//! - A call may be dropped at any time. If its request is already written, its place in the window
//!   is taken until it is answered or expires.

mod bus;
mod connection;
mod error;
mod event;
mod exchange;
mod line;
mod open;
mod options;
mod queue;
mod tolerance;
mod window;

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    time::Instant,
};

pub use self::{
    error::{CloseReason, LinkError, Malformed},
    event::{Counters, Direction, Event, EventKind, What},
    open::{ConnectError, TlsError, serial, tcp},
    options::{Bus, Discipline, InFlight, Options, Pace},
    tolerance::{Oddities, Oddity, Tolerance},
};
use self::{
    event::{Reporter, Tally},
    exchange::Exchange,
    line::Line,
    queue::{Command, Reply, Waiting},
};
use crate::{
    framing::serial::Mode,
    pdu::{Answer, Request},
};

/// How many calls may wait in the queue before [`Link::call`] waits for a place in it.
const QUEUE: usize = 64;

/// The unit id that means all units of a bus (V1.02, clause 2.2).
const BROADCAST: u8 = 0;

/// One request to one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The caller's own id for it, repeated in every [`EventKind::Frame`] that belongs to it.
    pub id: u64,
    /// Unit id. In MBAP frames, 0 is a unit like any other; on a [`Bus`] it is everyone:
    /// see [`Link::broadcast`].
    pub unit: u8,
    /// The request.
    pub request: Request<'static>,
    /// How long to wait for the answer, from the request's last byte written.
    pub timeout: Duration,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed {
    /// When the last byte of the request was written, as far as we know; `None` if it never was: then
    /// nobody can have done what it asks for.
    pub sent: Option<Instant>,
    /// When the answer was read, or the call was given up.
    pub ended: Instant,
    /// The answer, which may be an exception, or why there is none.
    pub result: Result<Answer, LinkError>,
    /// What was put up with in the answer.
    pub tolerated: Oddities,
}

impl Completed {
    /// Nothing was sent.
    fn unsent(error: LinkError) -> Self {
        let (ended, tolerated) = (Instant::now(), Oddities::NONE);
        Self { sent: None, ended, result: Err(error), tolerated }
    }
}

/// A handle to a line. Clones share the line; when the last one is dropped, it is closed.
#[derive(Debug, Clone)]
pub struct Link {
    commands: mpsc::Sender<Command>,
    tally: Arc<Tally>,
    is_bus: bool,
}

impl Link {
    /// Makes a line whose connections `connect` opens, and which tells `observer` everything that
    /// happens. Opens nothing yet: the first call does, or [`Link::connect`].
    ///
    /// The observer is called on the link's task and holds it up while it runs.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with time enabled.
    pub fn spawn<C, F, S, E, O>(connect: C, options: Options, observer: O) -> Self
    where
        C: FnMut() -> F + Send + 'static,
        F: Future<Output = Result<S, E>> + Send + 'static,
        E: Into<ConnectError> + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        O: FnMut(Event<'_>) + Send + 'static,
    {
        let (commands, queue) = mpsc::channel(QUEUE);
        let tally = Arc::new(Tally::default());
        let reporter = Reporter::new(observer, Arc::clone(&tally));
        match options.discipline {
            Discipline::Mbap | Discipline::Datagrams => {
                let exchange = Exchange::new(&options, reporter);
                tokio::spawn(Line::new(queue, options, exchange).run(connect));
            }
            Discipline::Rtu(bus) => {
                let exchange = bus::Exchange::new(reporter, bus, Mode::Rtu);
                tokio::spawn(Line::new(queue, options, exchange).run(connect));
            }
            Discipline::Ascii(bus) => {
                let exchange = bus::Exchange::new(reporter, bus, Mode::Ascii);
                tokio::spawn(Line::new(queue, options, exchange).run(connect));
            }
        }
        Self { commands, tally, is_bus: options.discipline.bus().is_some() }
    }

    /// Sends one request and waits for its answer, connecting first if need be.
    ///
    /// Dropping the future gives the call up; the line stays in step.
    pub async fn call(&self, call: Call) -> Completed {
        if self.is_bus && call.unit == BROADCAST {
            return Completed::unsent(LinkError::Request(Malformed::Broadcast));
        }
        let (reply, completed) = oneshot::channel();
        // If the line is closed, so is the reply. Trying first is cheaper than waiting for a place.
        let command = Command::Call(Waiting::new(call, Reply::Call(reply)));
        if let Err(TrySendError::Full(command)) = self.commands.try_send(command) {
            let _ = self.commands.send(command).await;
        }
        let closed = |_| Completed::unsent(LinkError::Closed(CloseReason::Link));
        completed.await.unwrap_or_else(closed)
    }

    /// Sends a write to every unit of a bus, whatever unit `call` names, and waits for no answer:
    /// there is none. Returns when its last byte left. The next request keeps the turnaround of
    /// the [`Bus`].
    ///
    /// # Errors
    ///
    /// [`LinkError::Request`] for what is no write, or on a line of MBAP frames; else as
    /// [`Link::call`], but for what concerns answers.
    pub async fn broadcast(&self, call: Call) -> Result<Instant, LinkError> {
        if !self.is_bus {
            return Err(LinkError::Request(Malformed::NoBroadcast));
        }
        let (reply, sent) = oneshot::channel();
        let waiting = Waiting::new(Call { unit: BROADCAST, ..call }, Reply::Broadcast(reply));
        if !waiting.is_write() {
            return Err(LinkError::Request(Malformed::BroadcastRead));
        }
        let _ = self.commands.send(Command::Call(waiting)).await;
        sent.await.unwrap_or(Err(LinkError::Closed(CloseReason::Link)))
    }

    /// Opens the connection now, if it is not open.
    ///
    /// # Errors
    ///
    /// [`LinkError::Connect`], or [`LinkError::Closed`] after [`Link::close`].
    pub async fn connect(&self) -> Result<(), LinkError> {
        self.wants_connection(Command::Connect).await
    }

    async fn wants_connection(
        &self,
        command: fn(oneshot::Sender<Result<(), LinkError>>) -> Command,
    ) -> Result<(), LinkError> {
        let (reply, connected) = oneshot::channel();
        let _ = self.commands.send(command(reply)).await;
        connected.await.unwrap_or(Err(LinkError::Closed(CloseReason::Link)))
    }

    /// Finishes the calls made before, then closes the connection and opens a new one: what a
    /// device or a gateway knows of the old one is gone.
    ///
    /// # Errors
    ///
    /// Those of [`Link::connect`].
    pub async fn reconnect(&self) -> Result<(), LinkError> {
        self.wants_connection(Command::Reconnect).await
    }

    /// Finishes the calls made before, then closes the connection and ends the line; returns when
    /// that is done. Calls made later fail with [`CloseReason::Link`].
    pub async fn close(&self) {
        // A line that is closed already needs no telling.
        let _ = self.commands.send(Command::Close).await;
        self.commands.closed().await;
    }

    /// How often the line misbehaved so far.
    pub fn counters(&self) -> Counters {
        self.tally.read()
    }
}
