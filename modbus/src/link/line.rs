//! The line's task: opens a connection whenever one is needed, and serves it to its end.

use std::{io, sync::Arc};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    time::timeout,
};

use super::{
    ConnectError, Event, LinkError, Options,
    connection::Connection,
    event::Tally,
    exchange::Exchange,
    queue::{Command, Queue},
};

/// What outlives a connection.
pub(super) struct Line<O> {
    pub(super) queue: Queue,
    pub(super) exchange: Exchange<O>,
    pub(super) options: Options,
}

impl<O: FnMut(Event<'_>)> Line<O> {
    pub(super) fn new(
        commands: mpsc::Receiver<Command>,
        options: Options,
        observer: O,
        tally: Arc<Tally>,
    ) -> Self {
        let exchange = Exchange::new(options.in_flight, observer, tally);
        Self { queue: Queue::new(commands), exchange, options }
    }

    /// Serves the queue until it is closed and empty. What waits in it then learns of the end by
    /// being dropped with it.
    pub(super) async fn run<C, F, S>(mut self, mut connect: C)
    where
        C: FnMut() -> F,
        F: Future<Output = io::Result<S>>,
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut is_first = true;
        while self.queue.needs_connection().await {
            let limit = self.options.connect_timeout;
            let error = match timeout(limit, connect()).await {
                Ok(Ok(stream)) => {
                    self.exchange.connected(is_first);
                    self.queue.connected(&Ok(()));
                    is_first = false;
                    Connection::new(stream, &mut self).run().await;
                    continue;
                }
                Ok(Err(error)) => ConnectError::new(&error),
                Err(_) => ConnectError::TimedOut { after: limit },
            };
            self.queue.fail(&LinkError::Connect(error));
        }
    }
}
