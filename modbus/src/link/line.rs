//! The line's task: opens a connection whenever one is needed, and serves it to its end.

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    time::{Instant, timeout},
};

use super::{
    ConnectError, LinkError, Options,
    queue::{Command, Queue},
};

/// The calls of a line that are on the wire. One kind for each way of telling answers apart.
pub(super) trait Exchanging: Sized {
    /// A connection was opened.
    fn connected(&mut self, is_first: bool);

    /// Serves the line over one connection, until that ends.
    fn serve<S>(line: &mut Line<Self>, stream: S) -> impl Future<Output = ()> + Send
    where
        S: AsyncRead + AsyncWrite + Unpin + Send;
}

/// What outlives a connection.
pub(super) struct Line<E> {
    pub(super) queue: Queue,
    pub(super) exchange: E,
    pub(super) options: Options,
}

impl<E: Exchanging> Line<E> {
    pub(super) fn new(commands: mpsc::Receiver<Command>, options: Options, exchange: E) -> Self {
        Self { queue: Queue::new(commands), exchange, options }
    }

    /// Serves the queue until it is closed and empty. What waits in it then learns of the end by
    /// being dropped with it.
    pub(super) async fn run<C, F, S, R>(mut self, mut connect: C)
    where
        C: FnMut() -> F,
        F: Future<Output = Result<S, R>>,
        R: Into<ConnectError>,
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let mut is_first = true;
        while self.queue.needs_connection().await {
            let (limit, begun) = (self.options.connect_timeout, Instant::now());
            let error = match timeout(limit, connect()).await {
                Ok(Ok(stream)) => {
                    self.exchange.connected(is_first);
                    self.queue.connected(&Ok(()));
                    is_first = false;
                    E::serve(&mut self, stream).await;
                    continue;
                }
                Ok(Err(error)) => error.into().timed(begun.elapsed()),
                Err(_) => ConnectError::TimedOut { after: limit },
            };
            self.queue.fail(&LinkError::Connect(error));
        }
    }
}
