//! A TLS connection that can tell a refusal that comes late from an end.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use super::diagnose::Diagnosis;

/// See the module. Until the first byte has come, an error may mean that the connection never
/// stood: it is then an [`io::Error`] around a [`ConnectError`](crate::link::ConnectError).
#[derive(Debug)]
pub(in crate::link::open) struct Stream {
    stream: TlsStream<TcpStream>,
    /// `None` once a byte has come.
    unproven: Option<Diagnosis>,
}

impl Stream {
    pub(super) fn new(stream: TlsStream<TcpStream>, diagnosis: Diagnosis) -> Self {
        Self { stream, unproven: Some(diagnosis) }
    }

    fn refused(&self, error: io::Error) -> io::Error {
        let refused = self.unproven.as_ref().and_then(|diagnosis| diagnosis.of_beginning(&error));
        refused.map_or(error, io::Error::other)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            this.unproven = None;
        }
        match result {
            Poll::Ready(Ok(())) if buffer.filled().len() == before && buffer.remaining() > 0 => {
                Poll::Ready(Err(this.refused(io::ErrorKind::UnexpectedEof.into())))
            }
            result => result.map_err(|error| this.refused(error)),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        Pin::new(&mut this.stream).poll_write(context, bytes).map_err(|error| this.refused(error))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        Pin::new(&mut this.stream).poll_flush(context).map_err(|error| this.refused(error))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
