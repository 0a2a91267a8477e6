//! One client's connection: frames in, reactions out. Requests that are answered at once do not
//! wait for those that are answered later.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use passline_modbus::framing::{Framing, mbap};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, sleep_until};

use super::answer::{Asked, answer};
use super::outbox::Outbox;
use super::units::Units;

/// Bytes taken from the stream at a time: some hundred requests.
const CHUNK: usize = 4096;

/// Serves the units on one stream, until the client closes it, or it breaks, or what comes in is
/// not Modbus TCP any more.
pub(super) async fn serve<S: AsyncRead + AsyncWrite>(stream: S, units: &Units) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut connection = Connection::new(units);
    loop {
        connection.work(Instant::now());
        if connection.is_over() {
            return;
        }
        let due = connection.outbox.next_due();
        tokio::select! {
            biased;
            written = writer.write(connection.outbox.ready()), if connection.has_output() => {
                match written {
                    Ok(count @ 1..) => connection.outbox.sent(count),
                    _ => return,
                }
            }
            () = time(due), if due.is_some() => {}
            read = feed(&mut reader, &mut connection.decoder), if connection.takes_input() => {
                connection.open = matches!(read, Ok(1..));
            }
        }
    }
}

/// Feeds the decoder what the stream has; how many bytes that was, 0 at its end. While it waits it
/// holds no memory: a thousand idle connections are not to cost a thousand buffers.
async fn feed(
    reader: &mut (impl AsyncRead + Unpin),
    decoder: &mut mbap::Decoder,
) -> io::Result<usize> {
    poll_fn(|context| {
        let mut chunk = [0; CHUNK];
        let mut chunk = ReadBuf::new(&mut chunk);
        ready!(Pin::new(&mut *reader).poll_read(context, &mut chunk))?;
        decoder.feed(chunk.filled());
        Poll::Ready(Ok(chunk.filled().len()))
    })
    .await
}

/// Until `due`; for ever without.
async fn time(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

struct Connection<'a> {
    units: &'a Units,
    decoder: mbap::Decoder,
    outbox: Outbox,
    /// Whether more requests can come.
    open: bool,
}

impl<'a> Connection<'a> {
    fn new(units: &'a Units) -> Self {
        let (decoder, outbox) = (mbap::Decoder::new(), Outbox::default());
        Self { units, decoder, outbox, open: true }
    }

    /// Does whatever can be done without the stream.
    fn work(&mut self, now: Instant) {
        self.outbox.release(now);
        while self.open && self.outbox.has_room() {
            match self.decoder.next_frame() {
                Some(Ok(frame)) => {
                    let asked =
                        Asked { transaction: frame.transaction, unit: frame.unit, pdu: frame.pdu };
                    if let Some(out) = answer(self.units, Framing::Mbap, asked, now) {
                        self.outbox.put(now, out.delay, out.bytes);
                    }
                }
                // After a bad header nobody can say where the next frame begins.
                Some(Err(_)) => self.open = false,
                None => return,
            }
        }
    }

    fn has_output(&self) -> bool {
        !self.outbox.ready().is_empty()
    }

    fn takes_input(&self) -> bool {
        self.open && self.outbox.has_room()
    }

    /// No more requests, and what was due is sent. What was still to wait is not waited for: most
    /// clients that close are gone.
    fn is_over(&self) -> bool {
        !self.open && !self.has_output()
    }
}
