//! The connections of a line: how many there are, and how each is treated beside what is asked over
//! it. Knows nothing of frames.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep};

use super::event::{Peer, What};
use super::units::{Reply, Units};
use crate::fault::{Arrival, End, Manners, Received};

/// Bytes of a client that nobody listens to, taken at a time.
const CHUNK: usize = 256;

/// How many connections a line has.
#[derive(Debug, Default)]
pub(super) struct Clients {
    count: Mutex<Count>,
    /// Tells all of them when they are lost.
    lost: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Count {
    open: usize,
    /// How many there have been.
    all: u64,
}

impl Clients {
    /// All connections that there are end.
    pub(super) fn lose(&self) {
        self.lost.send_replace(());
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection; it counts until it is dropped.
#[derive(Debug)]
pub(super) struct Client {
    units: Arc<Units>,
    manners: Manners,
    peer: Peer,
    lost: watch::Receiver<()>,
}

impl Client {
    /// One more connection, from this address; `None`: it is refused.
    pub(super) fn admit(
        units: &Arc<Units>,
        address: Option<SocketAddr>,
        now: Instant,
    ) -> Option<Self> {
        let clients = units.clients();
        let (manners, number) = {
            let mut count = clients.count();
            let manners = units.admit(count.open, now);
            count.open += usize::from(!manners.refused);
            count.all += 1;
            (manners, count.all)
        };
        let peer = Peer { number, address };
        units.tell(peer, if manners.refused { What::Refused } else { What::Connected });
        // What its own arrival has shown to be lost is what was there before it.
        let lost = clients.lost.subscribe();
        (!manners.refused).then(|| Self { units: Arc::clone(units), manners, peer, lost })
    }

    /// Until the line loses its connections.
    pub(super) async fn lost(&self) {
        // The sender lives as long as the units do.
        let _ = self.lost.clone().changed().await;
    }

    /// Tells whoever watches the line what happens with it.
    pub(super) fn tell(&self, what: What<'_>) {
        self.units.tell(self.peer, what);
    }

    /// What the line does about its request.
    pub(super) fn react(&self, request: &Received<'_>, arrival: Arrival) -> Reply {
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
        self.units.clients().count().open -= 1;
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
