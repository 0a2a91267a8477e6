//! The connections of a line: how many there are, and how each is treated beside what is asked over
//! it. Knows nothing of frames.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::event::{Peer, What};
use super::units::Units;
use crate::fault::{Arrival, End, Faults, Manners, Reaction, Received};

/// Bytes of a client that nobody listens to, taken at a time.
const CHUNK: usize = 256;

/// How many connections a line has, and the faults of connections.
#[derive(Debug)]
pub(super) struct Clients(Mutex<State>);

#[derive(Debug)]
struct State {
    faults: Vec<Faults>,
    open: usize,
    /// How many there have been.
    count: u64,
}

impl Clients {
    pub(super) fn new(faults: Vec<Faults>) -> Self {
        Self(Mutex::new(State { faults, open: 0, count: 0 }))
    }

    fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One connection; it counts until it is dropped.
#[derive(Debug)]
pub(super) struct Client {
    units: Arc<Units>,
    manners: Manners,
    peer: Peer,
}

impl Client {
    /// One more connection, from this address; `None`: it is refused.
    pub(super) fn admit(
        units: &Arc<Units>,
        address: Option<SocketAddr>,
        now: Instant,
    ) -> Option<Self> {
        let elapsed = units.elapsed(now);
        let (manners, number) = units.clients().with(|state| {
            let mut manners = Manners::default();
            for faults in &mut state.faults {
                faults.admit(state.open, elapsed, &mut manners);
            }
            state.open += usize::from(!manners.refused);
            state.count += 1;
            (manners, state.count)
        });
        let peer = Peer { number, address };
        units.tell(peer, if manners.refused { What::Refused } else { What::Connected });
        (!manners.refused).then(|| Self { units: Arc::clone(units), manners, peer })
    }

    /// Tells whoever watches the line what happens with it.
    pub(super) fn tell(&self, what: What<'_>) {
        self.units.tell(self.peer, what);
    }

    /// What the line does about its request; `None` is silence.
    pub(super) fn react(&self, request: &Received<'_>, arrival: Arrival) -> Option<Reaction> {
        self.units.react(self.peer, request, arrival)
    }

    /// The units that it talks to.
    pub(super) fn units(&self) -> &Units {
        &self.units
    }

    /// Sends what it is greeted with. Whether it is then served; else it was ignored until it left.
    pub(super) async fn is_served<S>(&self, stream: &mut S) -> bool
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if !self.manners.greeting.is_empty() {
            self.tell(What::Sent(&self.manners.greeting));
            if stream.write_all(&self.manners.greeting).await.is_err() {
                return false;
            }
        }
        if !self.manners.mute {
            return true;
        }
        let mut chunk = [0; CHUNK];
        while let Ok(count @ 1..) = stream.read(&mut chunk).await {
            self.tell(What::Received(chunk.get(..count).unwrap_or_default()));
        }
        false
    }

    /// After how much time without a request it is closed.
    pub(super) fn idle_close(&self) -> Option<Duration> {
        self.manners.idle_close
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.units.clients().with(|state| state.open -= 1);
    }
}

/// How long a client that was closed in order is listened to: what it still sends would otherwise
/// reset the connection, and it might lose what it has not read.
const LINGER: Duration = Duration::from_secs(1);

/// Ends a stream as a device wants it. What is to be reset is left to its owner.
pub(super) async fn close<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, end: End) {
    if end == End::Reset || stream.shutdown().await.is_err() {
        return;
    }
    let mut chunk = [0; CHUNK];
    let rest = async { while matches!(stream.read(&mut chunk).await, Ok(1..)) {} };
    let _ = tokio::time::timeout(LINGER, rest).await;
}

/// A stream that ends when nothing came in for some time.
#[derive(Debug)]
pub(super) struct Idle<S> {
    stream: S,
    by: Duration,
    end: Pin<Box<Sleep>>,
}

impl<S> Idle<S> {
    pub(super) fn new(stream: S, by: Duration) -> Self {
        Self { stream, by, end: Box::pin(sleep(by)) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Idle<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            let by = self.by;
            self.end.set(sleep(by));
            return Poll::Ready(read);
        }
        ready!(self.end.as_mut().poll(context));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Idle<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
