//! A stream as a half-duplex line: one frame at a time, in one direction at a time, told apart by
//! silence. Knows of a frame what its decoder says, and of an answer its bytes.
//!
//! On a paced wire bytes count as arrived when it would have brought them, and what comes in while
//! an answer goes out is lost. An answer waits until the line is silent; so a late one follows the
//! next request, as the hardest case for a client.

use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::time::Duration;

use passline_modbus::framing::serial::{Decoder, Mode, Part};
use passline_modbus::wait::Alarm;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::Instant;

use super::clients::Client;
use super::event::What;
use super::later::Queue;
use super::sending::Sending;
use super::units::Reply;
use super::wire::Wire;
use crate::fault::{End, Order, Received, Transmission};

/// Bytes taken from the stream at a time: the longest frame.
const CHUNK: usize = 256;

/// From so many bytes on their way, or answers that wait, no more bytes are taken.
const FULL: usize = 2 * CHUNK;

/// Serves the units on one stream, until its other side is gone or a device ends it.
pub(super) async fn serve<S>(stream: &mut S, client: &Client, mode: Mode, wire: Wire) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut bus = Bus::new(client, mode, wire, Instant::now());
    let mut later = Queue::default();
    let mut alarm = Alarm::new();
    let mut chunk = [0; CHUNK];
    loop {
        let now = Instant::now();
        bus.work(now, &mut later);
        if let Some(end) = bus.end(now) {
            return end;
        }
        let next = bus.next();
        let ready = bus.ready(now);
        tokio::select! {
            biased;
            written = writer.write(ready), if !ready.is_empty() => match written {
                Ok(count @ 1..) => bus.sent(count),
                _ => return End::Close,
            },
            // Before the time: the line was silent only if nothing has come by then.
            read = reader.read(&mut chunk), if bus.listens() => match read {
                Ok(count @ 1..) => {
                    bus.receive(chunk.get(..count).unwrap_or_default(), Instant::now());
                }
                _ => bus.open = false,
            },
            sent = later.next(), if !later.is_empty() => bus.put(sent),
            () = time(&mut alarm, next), if ready.is_empty() && next.is_some() => {}
        }
    }
}

/// Until `due`; for ever without.
async fn time(alarm: &mut Alarm, due: Option<Instant>) {
    match due {
        Some(due) => alarm.until(due).await,
        None => pending().await,
    }
}

struct Bus<'a> {
    client: &'a Client,
    wire: Wire,
    decoder: Decoder,
    /// When it was connected.
    made: Instant,
    /// What has been taken from the stream and is still on the wire.
    arriving: Vec<u8>,
    /// When the last byte, in either direction, is through.
    busy_until: Instant,
    /// Whether the decoder knows that the line has been silent since.
    silent: bool,
    /// Answers, by when they may begin and in the order of their requests.
    waiting: BTreeMap<(Instant, u64), Transmission>,
    /// Requests ever answered.
    order: u64,
    /// What is due but goes with the next answer.
    held: Option<Transmission>,
    sending: Sending,
    /// What the client's adapter gives back: it takes no time, and goes out before all else.
    echo: Vec<u8>,
    /// How a device has ended the connection.
    end: Option<End>,
    /// Whether more requests can come.
    open: bool,
}

impl<'a> Bus<'a> {
    fn new(client: &'a Client, mode: Mode, wire: Wire, now: Instant) -> Self {
        Self {
            client,
            wire,
            decoder: mode.requests(),
            made: now,
            arriving: Vec::new(),
            busy_until: now,
            silent: true,
            waiting: BTreeMap::new(),
            order: 0,
            held: None,
            sending: Sending::none(now),
            echo: Vec::new(),
            end: None,
            open: true,
        }
    }

    /// Does whatever can be done without the stream.
    fn work(&mut self, now: Instant, later: &mut Queue) {
        if self.sending.is_over() {
            self.hear(now, later);
            self.speak(now);
        }
    }

    /// Gives the decoder what has arrived, silence included.
    fn hear(&mut self, now: Instant, later: &mut Queue) {
        if !self.arriving.is_empty() && self.busy_until <= now {
            self.decoder.feed(&self.arriving);
            self.arriving.clear();
            self.answer(now, later);
        }
        if !self.silent && self.silent_from() <= now {
            self.silent = true;
            self.decoder.silence();
            self.answer(now, later);
        }
    }

    /// Lets the units react to all whole requests; what is answered later is left there.
    fn answer(&mut self, now: Instant, later: &mut Queue) {
        while let Some(part) = self.decoder.next_part() {
            let frame = match part {
                Part::Frame(frame) => frame,
                Part::Damaged { bytes, defect } | Part::Noise { bytes, defect } => {
                    self.client.tell(What::Received(bytes));
                    self.client.tell(What::Defect(defect.label()));
                    self.client.units().overhear(None);
                    continue;
                }
            };
            self.client.tell(What::Received(frame.bytes));
            let received = Received {
                framing: self.wire.framing(),
                transaction: 0,
                unit_id: frame.unit,
                pdu: frame.pdu,
                bytes: frame.bytes,
            };
            let overlaps = !self.waiting.is_empty() || !later.is_empty();
            let arrival = self.client.units().arrival(now, self.made, overlaps);
            match self.client.react(&received, arrival) {
                Reply::Now(None) => {}
                Reply::Now(Some(reaction)) => {
                    let sent = reaction.transmission(&received);
                    self.put(sent);
                }
                Reply::Later(asked) => later.push_heard(asked),
            }
        }
    }

    /// Takes a transmission, to be sent when it is due.
    fn put(&mut self, mut sent: Transmission) {
        if !sent.echo.is_empty() {
            self.client.tell(What::Sent(&sent.echo));
            self.echo.append(&mut sent.echo);
        }
        // A time that no clock will ever show does not come.
        let gap = self.gap(&sent);
        let Some(due) = (self.busy_until + gap).checked_add(sent.delay) else { return };
        if !sent.is_empty() || sent.end.is_some() {
            self.order += 1;
            self.waiting.insert((due, self.order), sent);
        }
    }

    /// The silence before an answer.
    fn gap(&self, sent: &Transmission) -> Duration {
        if sent.skips_silence { Duration::ZERO } else { self.wire.gap() }
    }

    /// Begins to send what is due, if the line is free.
    fn speak(&mut self, now: Instant) {
        while self.sending.is_over() && self.end.is_none() {
            let Some(start) = self.next_start().filter(|start| *start <= now) else { return };
            let Some((_, next)) = self.waiting.pop_first() else { return };
            match (self.held.take(), next.order) {
                (None, Order::InTurn) => self.send([next], start),
                (None, Order::WithNext | Order::AfterNext) => self.held = Some(next),
                (Some(held), _) if held.order == Order::WithNext => self.send([held, next], start),
                (Some(held), _) => self.send([next, held], start),
            }
        }
    }

    fn send<const N: usize>(&mut self, transmissions: [Transmission; N], start: Instant) {
        let mut pieces = VecDeque::new();
        for sent in transmissions {
            sent.pieces.iter().for_each(|piece| self.client.tell(What::Sent(&piece.bytes)));
            pieces.extend(sent.pieces);
            self.end = self.end.or(sent.end);
        }
        self.sending = Sending::new(pieces, start);
    }

    /// When the next answer may begin. Nobody knows while a request arrives.
    fn next_start(&self) -> Option<Instant> {
        let ((due, _), sent) = self.waiting.first_key_value()?;
        let free = self.busy_until + self.gap(sent);
        self.arriving.is_empty().then(|| free.max(*due))
    }

    fn silent_from(&self) -> Instant {
        self.busy_until + self.wire.silence()
    }

    /// When something is to be done next.
    fn next(&self) -> Option<Instant> {
        if let Some((due, _)) = self.sending.next(&self.wire) {
            return Some(due);
        }
        let arrived = (!self.arriving.is_empty()).then_some(self.busy_until);
        let silent = (!self.silent).then(|| self.silent_from());
        [arrived, silent, self.next_start()].into_iter().flatten().min()
    }

    /// The bytes to send now.
    fn ready(&self, now: Instant) -> &[u8] {
        if !self.echo.is_empty() {
            return &self.echo;
        }
        let next = self.sending.next(&self.wire).filter(|(due, _)| *due <= now);
        next.map(|(_, bytes)| bytes).unwrap_or_default()
    }

    /// The first `count` bytes of [`Self::ready`] have been sent.
    fn sent(&mut self, count: usize) {
        if !self.echo.is_empty() {
            self.echo.drain(..count.min(self.echo.len()));
            return;
        }
        self.sending.sent(count, &self.wire);
        if let Some(end) = self.sending.end() {
            self.busy_until = end;
        }
    }

    /// Whether bytes are taken from the stream.
    fn listens(&self) -> bool {
        let has_room = self.arriving.len() < FULL && self.waiting.len() < FULL;
        // Two who speak at once: what comes in is lost.
        let collides = !self.sending.is_over() && self.wire.is_paced();
        self.open && (collides || self.sending.is_over() && has_room)
    }

    /// Takes bytes from the stream.
    fn receive(&mut self, bytes: &[u8], now: Instant) {
        if self.sending.is_over() {
            self.arriving.extend_from_slice(bytes);
            self.busy_until = self.busy_until.max(now) + self.wire.time(bytes.len());
            self.silent = false;
        }
    }

    /// How it is over: a device has ended it, or nothing more can come in and what was due is
    /// sent. What was still to wait is not waited for: most clients that close are gone.
    fn end(&self, now: Instant) -> Option<End> {
        let is_idle = self.sending.is_over() && self.echo.is_empty() && self.arriving.is_empty();
        let is_over = !self.open && self.next_start().is_none_or(|start| start > now);
        self.end.or(is_over.then_some(End::Close)).filter(|_| is_idle)
    }
}
