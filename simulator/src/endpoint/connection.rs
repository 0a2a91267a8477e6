//! One client's connection: frames in, reactions out. Requests that are answered at once do not
//! wait for those that are answered later.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use passline_modbus::framing::{Framing, mbap};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, sleep_until};

use super::clients::Client;
use super::event::What;
use super::later::Queue;
use super::outbox::Outbox;
use super::units::Reply;
use crate::device::encode_answer;
use crate::fault::{End, Reaction, Received};

/// Bytes taken from the stream at a time: some hundred requests.
const CHUNK: usize = 4096;

/// Serves the units on one stream, until the client closes it, or it breaks, or what comes in is
/// not Modbus TCP any more. How the device wants it to end.
pub(super) async fn serve<S>(stream: &mut S, client: &Client) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut connection = Connection::new(client, Instant::now());
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
                    Ok(count @ 1..) => connection.sent(count),
                    _ => return End::Close,
                }
            }
            () = time(due), if due.is_some() => {}
            sent = connection.later.next(), if !connection.later.is_empty() => {
                connection.outbox.put(Instant::now(), sent);
            }
            read = feed(&mut reader, &mut connection.decoder, client), if connection.takes_input() => {
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
    client: &Client,
) -> io::Result<usize> {
    poll_fn(|context| {
        let mut chunk = [0; CHUNK];
        let mut chunk = ReadBuf::new(&mut chunk);
        ready!(Pin::new(&mut *reader).poll_read(context, &mut chunk))?;
        let bytes = chunk.filled();
        if !bytes.is_empty() {
            client.tell(What::Received(bytes));
        }
        decoder.feed(bytes);
        Poll::Ready(Ok(bytes.len()))
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
    client: &'a Client,
    decoder: mbap::Decoder,
    outbox: Outbox,
    /// What is answered later.
    later: Queue,
    /// Where one PDU is written at a time.
    pdu: Vec<u8>,
    /// When it was made.
    made: Instant,
    /// Whether more requests can come.
    open: bool,
}

impl<'a> Connection<'a> {
    fn new(client: &'a Client, made: Instant) -> Self {
        let (decoder, outbox) = (mbap::Decoder::new(), Outbox::default());
        let later = Queue::default();
        Self { client, decoder, outbox, later, pdu: Vec::new(), made, open: true }
    }

    /// Does whatever can be done without the stream.
    fn work(&mut self, now: Instant) {
        self.outbox.release(now);
        while self.open && self.has_room() {
            match self.decoder.next_frame() {
                Some(Ok(frame)) => {
                    let received = Received {
                        framing: Framing::Mbap,
                        transaction: frame.transaction,
                        unit_id: frame.unit,
                        pdu: frame.pdu,
                        bytes: frame.bytes,
                    };
                    let overlaps = self.outbox.is_busy() || !self.later.is_empty();
                    let arrival = self.client.units().arrival(now, self.made, overlaps);
                    match self.client.react(&received, arrival) {
                        Reply::Now(None) => {}
                        Reply::Later(later) => self.later.push(later),
                        Reply::Now(Some(Reaction::Wire(sent))) => self.outbox.put(now, sent),
                        Reply::Now(Some(Reaction::Answer(answer))) => {
                            self.pdu.clear();
                            encode_answer(received.function(), &answer, &mut self.pdu);
                            self.outbox.put_now(now, |out| received.frame(&self.pdu, out));
                        }
                    }
                }
                // After a bad header nobody can say where the next frame begins.
                Some(Err(defect)) => {
                    self.client.tell(What::Defect(defect.label()));
                    self.open = false;
                }
                None => return,
            }
        }
    }

    /// The first `count` bytes of what was ready have been sent.
    fn sent(&mut self, count: usize) {
        self.client.tell(What::Sent(self.outbox.ready().get(..count).unwrap_or_default()));
        self.outbox.sent(count);
    }

    fn has_output(&self) -> bool {
        !self.outbox.ready().is_empty()
    }

    fn takes_input(&self) -> bool {
        self.open && self.has_room()
    }

    fn has_room(&self) -> bool {
        self.outbox.has_room() && self.later.has_room()
    }

    /// How it is over: the device has ended it, or there are no more requests and what was due is
    /// sent. What was still to wait is not waited for: most clients that close are gone.
    fn end(&self) -> Option<End> {
        let is_over = !self.open && !self.has_output();
        self.outbox.end().or(is_over.then_some(End::Close))
    }
}
