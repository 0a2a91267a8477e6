//! Opens UDP sockets: one datagram is one frame, there and back.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{UdpSocket, lookup_host},
};

/// A socket that hears one peer only. A read is one datagram; a write sends the first of its
/// frames, and says how long that was.
#[derive(Debug)]
pub(super) struct Datagrams(UdpSocket);

/// Opens a socket to the first address of `host`. Nothing is sent.
pub(super) async fn connect(host: String, port: u16) -> io::Result<Datagrams> {
    let not_found =
        |text: String| io::Error::new(io::ErrorKind::NotFound, format!("{host}: {text}"));
    let mut addresses =
        lookup_host((host.as_str(), port)).await.map_err(|error| not_found(error.to_string()))?;
    let peer = addresses.next().ok_or_else(|| not_found("no address".to_owned()))?;
    let any: SocketAddr = match peer {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(peer).await?;
    Ok(Datagrams(socket))
}

/// The first frame of a batch: its header says how long it is (TCP guide V1.0b, clause 3.1.3).
fn first(batch: &[u8]) -> &[u8] {
    let length = match batch {
        [_, _, _, _, high, low, ..] => 6 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => batch.len(),
    };
    batch.get(..length).unwrap_or(batch)
}

impl AsyncRead for Datagrams {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let before = buffer.filled().len();
            match self.0.poll_recv(context, buffer) {
                // An empty datagram is not the end: there is none.
                Poll::Ready(Ok(())) if buffer.filled().len() == before => {}
                Poll::Ready(result) => return Poll::Ready(result),
                // That nobody listens there makes no socket readable; it is found by who looks, at
                // the latest when the answer is overdue.
                Poll::Pending => {
                    return self.0.take_error()?.map_or(Poll::Pending, |e| Poll::Ready(Err(e)));
                }
            }
        }
    }
}

impl AsyncWrite for Datagrams {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_send(context, first(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
