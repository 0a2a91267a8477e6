//! One client's connection: frames in, reactions out. Requests that are answered at once do not
//! wait for those that are answered later.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use passline_modbus::framing::mbap;
use passline_modbus::pdu::{self, Answer, ExceptionCode};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, sleep_until};

use super::outbox::Outbox;
use super::units::Units;
use crate::fault::Reply;

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
    /// Where one PDU is written at a time.
    pdu: Vec<u8>,
    /// Whether more requests can come.
    open: bool,
}

impl<'a> Connection<'a> {
    fn new(units: &'a Units) -> Self {
        let (decoder, outbox) = (mbap::Decoder::new(), Outbox::default());
        Self { units, decoder, outbox, pdu: Vec::new(), open: true }
    }

    /// Does whatever can be done without the stream.
    fn work(&mut self, now: Instant) {
        self.outbox.release(now);
        while self.open && self.outbox.has_room() {
            match self.decoder.next_frame() {
                Some(Ok(frame)) => {
                    let reaction = self.units.react(frame.unit, frame.pdu, now);
                    let Reply::Answer(answer) = reaction.reply else { continue };
                    encode(frame.pdu, &answer, &mut self.pdu);
                    let pdu = &self.pdu;
                    self.outbox.put(now, reaction.delay, |out| {
                        // Fails only for what is no PDU, and `encode` made one.
                        let _ = mbap::encode(frame.transaction, frame.unit, pdu, out);
                    });
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

/// Puts into `out` the PDU of an answer to the request PDU `asked`. An answer that has none says
/// something about the device: it has failed (exception 4).
fn encode(asked: &[u8], answer: &Answer, out: &mut Vec<u8>) {
    let function = asked.first().copied().unwrap_or_default();
    out.clear();
    if pdu::encode_answer(function, answer, out).is_err() {
        let _ = pdu::encode_answer(function, &Err(ExceptionCode::ServerDeviceFailure), out);
    }
}
