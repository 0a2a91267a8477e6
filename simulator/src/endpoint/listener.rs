//! What a line can be served on, and how each is: connections are accepted, or there is but one
//! stream. Knows nothing of frames.

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
    /// Serves the units, for ever.
    pub(super) async fn serve(self, units: Arc<Units>) {
        match self {
            Self::Tcp(listener, wire) => {
                accept(listener, move |mut stream| {
                    let units = Arc::clone(&units);
                    async move {
                        let address = stream.peer_addr().ok();
                        let end = match Client::admit(&units, address, Instant::now()) {
                            Some(client) => connected(&mut stream, &client, wire).await,
                            None => End::Reset,
                        };
                        finish(&stream, end);
                    }
                })
                .await;
            }
            Self::Tls(listener, tls) => {
                accept(listener, move |stream| {
                    let (units, tls) = (Arc::clone(&units), tls.clone());
                    async move { on_tls(stream, &tls, &units).await }
                })
                .await;
            }
            Self::Udp(socket) => udp::serve(socket, units).await,
            #[cfg(unix)]
            Self::Pty(mut pty, wire) => loop {
                // No client can end it, and no device.
                on_stream(&mut pty, &units, wire).await;
                sleep(REST).await;
            },
            Self::Port(mut port, wire) => loop {
                on_stream(port.stream(), &units, wire).await;
                port.reopen().await;
            },
        }
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

/// Serves Modbus TCP inside TLS. A client that is refused sees no handshake.
async fn on_tls(stream: TcpStream, tls: &Tls, units: &Arc<Units>) {
    let Some(client) = Client::admit(units, stream.peer_addr().ok(), Instant::now()) else {
        return finish(&stream, End::Reset);
    };
    let Ok(mut stream) = tls.accept(stream).await else { return };
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
    if !client.is_served(stream).await {
        End::Close
    } else if let Some(by) = client.idle_close() {
        frames(&mut Idle::new(&mut *stream, by), client, wire).await
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
    clients::close(stream, end).await;
}

async fn frames<S>(stream: &mut S, client: &Client, wire: Wire) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match wire.framing().mode() {
        None => connection::serve(stream, client).await,
        Some(mode) => bus::serve(stream, client, mode, wire).await,
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
