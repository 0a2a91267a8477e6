//! What a line can be served on, and how each is: connections are accepted, or there is but one
//! stream. Knows nothing of frames.
//!
//! A future is as large as the largest that it can ever wait for. So that a thousand listeners and
//! ten thousand idle connections stay small, what is rare or late is boxed.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use passline_modbus::framing::Framing;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::clients::{self, Client, Idle};
use super::event::What;
use super::port::Port;
#[cfg(unix)]
use super::pty::Pty;
use super::tls::Tls;
use super::units::Units;
use super::wire::Wire;
use super::{bus, connection, udp};
use crate::fault::End;

/// How long a listener rests after it could not accept, or its only stream failed: what it lacks,
/// most often file descriptors, comes back only when connections end.
const REST: Duration = Duration::from_millis(20);

/// What a line is served on.
#[derive(Debug)]
pub enum Listener {
    /// Connections, with any framing. A wire that is paced is one for each connection.
    Tcp(TcpListener, Wire),
    /// Connections with Modbus TCP inside TLS.
    Tls(TcpListener, Tls),
    /// Modbus TCP in datagrams.
    Udp(UdpSocket),
    /// A pseudo-terminal.
    #[cfg(unix)]
    Pty(Pty, Wire),
    /// A serial port.
    Port(Port, Wire),
}

impl From<TcpListener> for Listener {
    /// Modbus TCP.
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener, Wire::instant(Framing::Mbap))
    }
}

impl Listener {
    /// What serves the units, for ever: as large as that kind of listener needs it.
    pub(super) fn serve(self, units: Arc<Units>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match self {
            Self::Tcp(listener, wire) => {
                Box::pin(accept(listener, move |stream| on_tcp(stream, wire, Arc::clone(&units))))
            }
            Self::Tls(listener, tls) => Box::pin(accept(listener, move |stream| {
                on_tls(stream, tls.clone(), Arc::clone(&units))
            })),
            Self::Udp(socket) => Box::pin(udp::serve(socket, units)),
            #[cfg(unix)]
            Self::Pty(pty, wire) => Box::pin(on_pty(pty, wire, units)),
            Self::Port(port, wire) => Box::pin(on_port(port, wire, units)),
        }
    }
}

/// Serves a pseudo-terminal. No client can end it, and no device.
#[cfg(unix)]
async fn on_pty(mut pty: Pty, wire: Wire, units: Arc<Units>) {
    loop {
        on_stream(&mut pty, &units, wire).await;
        sleep(REST).await;
    }
}

/// Serves a serial port, whenever it is there.
async fn on_port(mut port: Port, wire: Wire, units: Arc<Units>) {
    loop {
        on_stream(port.stream(), &units, wire).await;
        port.reopen().await;
    }
}

/// Serves the units on the one stream of a serial line, if they take it.
async fn on_stream<S>(stream: &mut S, units: &Arc<Units>, wire: Wire)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if let Some(client) = Client::admit(units, None, Instant::now()) {
        let end = converse(stream, &client, wire).await;
        ended(stream, &client, end).await;
    }
}

/// Serves a connection with any framing.
async fn on_tcp(mut stream: TcpStream, wire: Wire, units: Arc<Units>) {
    let address = stream.peer_addr().ok();
    let end = match Client::admit(&units, address, Instant::now()) {
        Some(client) => connected(&mut stream, &client, wire).await,
        None => End::Reset,
    };
    finish(&stream, end);
}

/// Serves Modbus TCP inside TLS. A client that is refused sees no handshake.
async fn on_tls(stream: TcpStream, tls: Tls, units: Arc<Units>) {
    let Some(client) = Client::admit(&units, stream.peer_addr().ok(), Instant::now()) else {
        return finish(&stream, End::Reset);
    };
    let Ok(mut stream) = Box::pin(tls.accept(stream)).await else { return };
    let end = connected(&mut stream, &client, Wire::instant(Framing::Mbap)).await;
    finish(stream.get_ref().0, end);
}

/// Has a connection end as the line wants it to, once it is dropped.
fn finish(stream: &TcpStream, end: End) {
    if end == End::Reset {
        // Without it, it is closed in order.
        let _ = stream.set_zero_linger();
    }
}

/// Serves a stream in memory that the line has taken. One of Modbus TCP is a connection, and one of
/// serial frames a serial line.
pub(super) async fn in_memory(stream: &mut DuplexStream, client: &Client, wire: Wire) {
    if wire.framing() == Framing::Mbap {
        connected(stream, client, wire).await;
    } else {
        let end = converse(stream, client, wire).await;
        ended(stream, client, end).await;
    }
}

/// Serves a connection that the line has taken, until it ends or the line loses it.
async fn connected<S>(stream: &mut S, client: &Client, wire: Wire) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let end = tokio::select! {
        end = converse(stream, client, wire) => end,
        () = client.lost() => End::Reset,
    };
    ended(stream, client, end).await;
    end
}

/// Serves a stream as its framing asks for. How the device wants it to end.
async fn converse<S>(stream: &mut S, client: &Client, wire: Wire) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if !Box::pin(client.is_served(stream)).await {
        End::Close
    } else if let Some(by) = client.idle_close() {
        Box::pin(frames(&mut Idle::new(&mut *stream, by), client, wire)).await
    } else {
        frames(stream, client, wire).await
    }
}

/// Ends a stream, and tells so.
async fn ended<S>(stream: &mut S, client: &Client, end: End)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    client.tell(What::Ended(end));
    Box::pin(clients::close(stream, end)).await;
}

async fn frames<S>(stream: &mut S, client: &Client, wire: Wire) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match wire.framing().mode() {
        None => connection::serve(stream, client).await,
        Some(mode) => Box::pin(bus::serve(stream, client, mode, wire)).await,
    }
}

/// Accepts for ever. The connections are its own: they end when it is dropped.
async fn accept<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    serve: impl Fn(TcpStream) -> F,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // Answers would be late without it, but not wrong.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(serve(stream));
                }
                Err(_) => sleep(REST).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
