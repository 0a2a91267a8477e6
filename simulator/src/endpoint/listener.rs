//! What a line can be served on, and how each is: connections are accepted, or there is but one
//! stream. Knows nothing of frames.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use passline_modbus::framing::Framing;
use tokio::io::{AsyncRead, AsyncWrite};
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
                        let end = on_stream(&mut stream, &units, address, wire).await;
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
                on_stream(&mut pty, &units, None, wire).await;
                sleep(REST).await;
            },
            Self::Port(mut port, wire) => loop {
                on_stream(port.stream(), &units, None, wire).await;
                port.reopen().await;
            },
        }
    }
}

/// Serves the units on one stream if the line takes one more connection.
async fn on_stream<S>(
    stream: &mut S,
    units: &Arc<Units>,
    address: Option<SocketAddr>,
    wire: Wire,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match Client::admit(units, address, Instant::now()) {
        Some(client) => serve(stream, &client, wire).await,
        None => End::Reset,
    }
}

/// Serves Modbus TCP inside TLS. A client that is refused sees no handshake.
async fn on_tls(stream: TcpStream, tls: &Tls, units: &Arc<Units>) {
    let Some(client) = Client::admit(units, stream.peer_addr().ok(), Instant::now()) else {
        return finish(&stream, End::Reset);
    };
    let Ok(mut stream) = tls.accept(stream).await else { return };
    let end = serve(&mut stream, &client, Wire::instant(Framing::Mbap)).await;
    finish(stream.get_ref().0, end);
}

/// Has a connection end as the line wants it to, once it is dropped.
fn finish(stream: &TcpStream, end: End) {
    if end == End::Reset {
        // Without it, it is closed in order.
        let _ = stream.set_zero_linger();
    }
}

/// Serves a connection that the line has taken, as its framing asks for.
pub(super) async fn serve<S>(stream: &mut S, client: &Client, wire: Wire) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let end = if !client.is_served(stream).await {
        End::Close
    } else if let Some(by) = client.idle_close() {
        frames(&mut Idle::new(&mut *stream, by), client, wire).await
    } else {
        frames(stream, client, wire).await
    };
    client.tell(What::Ended(end));
    clients::close(stream, end).await;
    end
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
