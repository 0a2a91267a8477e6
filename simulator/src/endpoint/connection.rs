//! One client's connection: frames in, reactions out. Requests that are answered at once do not
//! wait for those that are answered later.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use passline_modbus::framing::{Framing, mbap};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, sleep_until};

use super::outbox::Outbox;
use super::units::Units;
use crate::device::encode_answer;
use crate::fault::{Arrival, End, Reaction, Received};

/// Bytes taken from the stream at a time: some hundred requests.
const CHUNK: usize = 4096;

/// Serves the units on one stream, until the client closes it, or it breaks, or what comes in is
/// not Modbus TCP any more. How the device wants it to end.
pub(super) async fn serve<S>(stream: &mut S, units: &Units) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut connection = Connection::new(units, Instant::now());
    loop {
        connection.work(Instant::now());
        if let Some(end) = connection.end() {
            return end;
        }
        let due = connection.outbox.next_due();
        tokio::select! {
            biased;
            written = writer.write(connection.outbox.ready()), if connection.has_output() => {
                match written {
                    Ok(count @ 1..) => connection.outbox.sent(count),
                    _ => return End::Close,
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
    /// Where one PDU is written at a time.
    pdu: Vec<u8>,
    /// When it was made.
    made: Instant,
    /// Whether more requests can come.
    open: bool,
}

impl<'a> Connection<'a> {
    fn new(units: &'a Units, made: Instant) -> Self {
        let (decoder, outbox) = (mbap::Decoder::new(), Outbox::default());
        Self { units, decoder, outbox, pdu: Vec::new(), made, open: true }
    }

    /// Does whatever can be done without the stream.
    fn work(&mut self, now: Instant) {
        self.outbox.release(now);
        while self.open && self.outbox.has_room() {
            match self.decoder.next_frame() {
                Some(Ok(frame)) => {
                    let received = Received {
                        framing: Framing::Mbap,
                        transaction: frame.transaction,
                        unit_id: frame.unit,
                        pdu: frame.pdu,
                        bytes: frame.bytes,
                    };
                    let arrival = Arrival {
                        elapsed: self.units.elapsed(now),
                        connected: now.saturating_duration_since(self.made),
                        overlaps: self.outbox.is_busy(),
                    };
                    match self.units.react(&received, arrival) {
                        None => {}
                        Some(Reaction::Wire(sent)) => self.outbox.put(now, sent),
                        Some(Reaction::Answer(answer)) => {
                            self.pdu.clear();
                            encode_answer(received.function(), &answer, &mut self.pdu);
                            self.outbox.put_now(now, |out| received.frame(&self.pdu, out));
                        }
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

    /// How it is over: the device has ended it, or there are no more requests and what was due is
    /// sent. What was still to wait is not waited for: most clients that close are gone.
    fn end(&self) -> Option<End> {
        let is_over = !self.open && !self.has_output();
        self.outbox.end().or(is_over.then_some(End::Close))
    }
}
