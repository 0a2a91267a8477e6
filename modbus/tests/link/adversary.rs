//! A device that answers late, out of order, twice, for another unit or transaction, malformed,
//! or not at all, at random; and the proof that no value ever goes to a wrong request.
//!
//! What a register holds follows from its unit and address, and no two calls read the same
//! registers: a value that is given to a wrong call shows. The device remembers what it did to
//! each request, and what was reported must add up to exactly that.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet, VecDeque},
    future::{Ready, ready},
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use passline_modbus::{
    link::{
        Call, CloseReason, Event, EventKind, InFlight, Link, LinkError, Malformed, Options, What,
    },
    pdu::{Answer, ExceptionCode, Request, Response},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    bench::{frame, ms},
    workbench::chance::{Chance, mix},
};

const TIMEOUT: Duration = Duration::from_millis(100);

/// Registers per read: 64 bits, so that two reads never hold the same by chance.
const COUNT: u16 = 4;

/// What the registers of `call` hold; unit and address follow from the call.
fn words(unit: u8, address: u16) -> Vec<u16> {
    let bits = mix(u64::from(unit) << 16 | u64::from(address));
    (0..COUNT).map(|n| u16::try_from(bits >> (16 * n) & 0xFFFF).unwrap()).collect()
}

fn place(call: u32) -> (u8, u16) {
    (1 + u8::try_from(call / 50_000).unwrap(), u16::try_from(call % 50_000).unwrap())
}

fn number(unit: u8, address: u16) -> u32 {
    u32::from(unit - 1) * 50_000 + u32::from(address)
}

/// What the device does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Deed {
    Answer,
    Exception,
    Twice,
    TwiceLater,
    Late,
    Silence,
    OtherUnit,
    OtherTransaction,
    Malformed,
    /// The next three end the connection.
    BadHeader,
    Close,
    CloseInside,
}

impl Deed {
    fn draw(chance: &mut Chance, breaks: bool) -> Self {
        match chance.below(1000) {
            0..2 if breaks => Self::BadHeader,
            2..4 if breaks => Self::Close,
            4..6 if breaks => Self::CloseInside,
            0..520 => Self::Answer,
            520..570 => Self::Exception,
            570..650 => Self::Twice,
            650..700 => Self::TwiceLater,
            700..780 => Self::Late,
            780..840 => Self::Silence,
            840..890 => Self::OtherUnit,
            890..940 => Self::OtherTransaction,
            _ => Self::Malformed,
        }
    }

    /// Whether the true answer can still come, or never came: the id must stay out of use.
    fn leaves_id_due(self) -> bool {
        !matches!(self, Self::Answer | Self::Exception | Self::Twice | Self::TwiceLater)
    }
}

/// What the device did, over all connections.
#[derive(Debug, Default)]
struct Book {
    /// The last thing done to each call; a call can come twice if the connection was stale.
    deeds: HashMap<u32, Deed>,
    /// Frames that the link must have taken for what they are.
    frames: BTreeMap<&'static str, u64>,
    requests: u64,
    most_open: usize,
}

impl Book {
    fn count(&mut self, what: &'static str) {
        *self.frames.entry(what).or_default() += 1;
    }
}

/// One connection of the device.
struct Device {
    stream: DuplexStream,
    chance: Chance,
    book: Arc<Mutex<Book>>,
    breaks: bool,
    /// What is to be written, and when.
    due: BinaryHeap<Reverse<(Instant, u64, Vec<u8>)>>,
    order: u64,
    /// When each request that has no answer yet stops being open.
    open: Vec<(u16, Instant)>,
    /// Ids that must not come again.
    unusable: HashSet<u16>,
    recent: VecDeque<u16>,
    /// The last request had nothing in time.
    was_mute: bool,
}

impl Device {
    /// Serves until either side ends the connection.
    async fn serve(mut self) {
        let mut bytes = [0; 12];
        let mut filled = 0;
        loop {
            let next = self.due.peek().map(|Reverse((at, ..))| *at);
            tokio::select! {
                biased;
                read = self.stream.read(&mut bytes[filled..]) => match read {
                    Ok(1..) => filled += read.unwrap(),
                    _ => return,
                },
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                    let Reverse((_, _, frames)) = self.due.pop().unwrap();
                    if self.stream.write_all(&frames).await.is_err() {
                        return;
                    }
                }
            }
            if filled == bytes.len() {
                filled = 0;
                if !self.take(bytes).await {
                    return;
                }
            }
        }
    }

    async fn take(&mut self, bytes: [u8; 12]) -> bool {
        let [t1, t2, 0, 0, 0, 6, unit, 3, a1, a2, 0, count] = bytes else {
            panic!("not a request: {bytes:?}")
        };
        assert_eq!(u16::from(count), COUNT);
        let (transaction, address) = (u16::from_be_bytes([t1, t2]), u16::from_be_bytes([a1, a2]));
        assert!(!self.unusable.contains(&transaction), "id {transaction} is used again");
        let deed = match Deed::draw(&mut self.chance, self.breaks) {
            // Mute twice in a row, and the link takes another connection.
            Deed::Late | Deed::Silence if self.was_mute && !self.breaks => Deed::OtherUnit,
            deed => deed,
        };
        self.was_mute = matches!(deed, Deed::Late | Deed::Silence);
        self.note(deed, transaction, number(unit, address));
        match deed {
            Deed::BadHeader => {
                let bad: &[u8] = [&[0, 0, 0, 9][..], &[0, 0, 0, 0, 1, 0], &[0, 0, 0, 0, 0, 1]]
                    [usize::try_from(self.chance.below(3)).unwrap()];
                let _ = self.stream.write_all(bad).await;
                false
            }
            Deed::Close => false,
            Deed::CloseInside => {
                let _ = self.stream.write_all(&[t1, t2, 0, 0, 0, 11, unit, 3]).await;
                false
            }
            _ => {
                self.answer(deed, transaction, (unit, address));
                true
            }
        }
    }

    fn note(&mut self, deed: Deed, transaction: u16, call: u32) {
        let now = Instant::now();
        self.open.retain(|(_, until)| *until > now);
        self.open.push((transaction, now + TIMEOUT));
        self.recent.push_back(transaction);
        if self.recent.len() > 200 {
            self.recent.pop_front();
        }
        if deed.leaves_id_due() {
            self.unusable.insert(transaction);
        }
        let mut book = self.book.lock().unwrap();
        book.requests += 1;
        book.deeds.insert(call, deed);
        book.most_open = book.most_open.max(self.open.len());
    }

    fn answer(&mut self, deed: Deed, transaction: u16, (unit, address): (u8, u16)) {
        let in_time = [0, 0, self.chance.below(90)][usize::try_from(self.chance.below(3)).unwrap()];
        let right = frame(transaction, unit, &registers(&words(unit, address)));
        // Never at the deadline itself, where either is right.
        let late = 110 + self.chance.below(400);
        match deed {
            Deed::Answer => self.send(in_time, &[("answer", right)], Some(transaction)),
            Deed::Exception => {
                let refused = frame(transaction, unit, &[0x83, exception(address)]);
                self.send(in_time, &[("answer", refused)], Some(transaction));
            }
            Deed::Twice => {
                let frames = [("answer", right.clone()), ("duplicate", right)];
                self.send(in_time, &frames, Some(transaction));
            }
            Deed::TwiceLater => {
                self.send(in_time, &[("answer", right.clone())], Some(transaction));
                // By then it may be forgotten that this id had its answer.
                self.send(in_time + 1, &[("duplicate or foreign", right)], None);
            }
            Deed::Late => self.send(late, &[("late", right)], None),
            Deed::OtherUnit => {
                // With what the other unit holds: a plausible answer.
                let other = frame(transaction, 3 - unit, &registers(&words(3 - unit, address)));
                self.send(in_time, &[("foreign", other)], None);
            }
            Deed::OtherTransaction => {
                let other = self.unheard_of(transaction);
                let other = frame(other, unit, &registers(&words(unit, address)));
                self.send(in_time, &[("foreign", other)], None);
            }
            Deed::Malformed => {
                let pdu = malformed(self.chance.below(6), &words(unit, address));
                let wrong = frame(transaction, unit, &pdu);
                self.send(in_time, &[("answer", wrong)], Some(transaction));
            }
            Deed::Silence | Deed::BadHeader | Deed::Close | Deed::CloseInside => {}
        }
    }

    /// An id that is neither open, nor kept back, nor remembered.
    fn unheard_of(&mut self, transaction: u16) -> u16 {
        loop {
            let other = transaction.wrapping_add(u16::try_from(self.chance.below(60_000)).unwrap());
            let is_open = self.open.iter().any(|(open, _)| *open == other);
            if !is_open && !self.unusable.contains(&other) && !self.recent.contains(&other) {
                // Nor about to be used: the device must not guess the next request.
                if other.wrapping_sub(transaction) > 5000 {
                    return other;
                }
            }
        }
    }

    fn send(&mut self, after: u64, frames: &[(&'static str, Vec<u8>)], closes: Option<u16>) {
        let at = Instant::now() + ms(after);
        if let Some(transaction) = closes {
            for open in self.open.iter_mut().filter(|(open, _)| *open == transaction) {
                open.1 = at;
            }
        }
        let bytes = frames.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        self.order += 1;
        self.due.push(Reverse((at, self.order, bytes)));
        let mut book = self.book.lock().unwrap();
        for (what, _) in frames {
            book.count(what);
        }
    }
}

fn registers(words: &[u16]) -> Vec<u8> {
    let data = words.iter().flat_map(|word| word.to_be_bytes());
    [3, u8::try_from(words.len() * 2).unwrap()].into_iter().chain(data).collect()
}

/// Follows from the address, like everything that a device says.
fn exception(address: u16) -> u8 {
    [1, 2, 3, 4, 6][usize::from(address % 5)]
}

fn malformed(kind: u64, words: &[u16]) -> Vec<u8> {
    let mut pdu = registers(words);
    match kind {
        0 => pdu[0] = 4,
        1 => pdu[0] = 0x84,
        2 => pdu[1] += 2,
        3 => pdu.truncate(pdu.len() - 1),
        4 => pdu.push(0),
        _ => pdu = registers(&words[..3]),
    }
    pdu
}

/// Whether a call may end like this, after what the device did to it, if it came to that.
fn fits(deed: Option<Deed>, call: u32, result: &Result<Answer, LinkError>) -> bool {
    let (unit, address) = place(call);
    let ended = matches!(
        result,
        Err(LinkError::Closed(CloseReason::Eof) | LinkError::Frame(Malformed::Header(_)))
    );
    // Whoever is open goes down with the connection.
    let Some(deed) = deed.filter(|_| !ended) else { return ended };
    match deed {
        Deed::Answer | Deed::Twice | Deed::TwiceLater => {
            *result == Ok(Ok(Response::ReadHoldingRegisters(words(unit, address))))
        }
        Deed::Exception => *result == Ok(Err(ExceptionCode::new(exception(address)))),
        Deed::Late | Deed::Silence | Deed::OtherUnit | Deed::OtherTransaction => matches!(
            result,
            Err(LinkError::Timeout { .. } | LinkError::Late { .. } | LinkError::Foreign { .. })
        ),
        Deed::Malformed => matches!(result, Err(LinkError::Frame(Malformed::Pdu(_)))),
        Deed::BadHeader | Deed::Close | Deed::CloseInside => false,
    }
}

/// What was reported, by kind.
#[derive(Debug, Default)]
struct Reported {
    out: u64,
    answers: u64,
    late: u64,
    foreign: u64,
    duplicates: u64,
    garbage: u64,
    connections: u64,
}

impl Reported {
    fn take(&mut self, event: &Event<'_>) {
        let counter = match event.kind {
            EventKind::Connected => &mut self.connections,
            EventKind::Closed(_) => return,
            EventKind::Frame { what, .. } => match what {
                What::Request => &mut self.out,
                What::Answer => &mut self.answers,
                What::Late => &mut self.late,
                What::Foreign => &mut self.foreign,
                What::Duplicate => &mut self.duplicates,
                What::Garbage => &mut self.garbage,
                What::Tolerated(_) | What::Damaged | What::Echo | What::SetAside => {
                    panic!("{what:?} on a strict line")
                }
            },
        };
        *counter += 1;
    }
}

/// Makes `count` calls. Returns what the device did and what the observer was told.
async fn run(seed: u64, in_flight: InFlight, (count, breaks): (u32, bool)) -> (Book, Reported) {
    let book = Arc::new(Mutex::new(Book::default()));
    let reported = Arc::new(Mutex::new(Reported::default()));
    let told = Arc::clone(&reported);
    let connect = device(seed, Arc::clone(&book), breaks);
    let options = Options { in_flight, ..Options::default() };
    let link = Link::spawn(connect, options, move |event| told.lock().unwrap().take(&event));
    let next = Arc::new(AtomicU32::new(0));
    let mut callers = JoinSet::new();
    // More callers than places, so that some always wait in the queue.
    for _ in 0..40 {
        let (link, book, next) = (link.clone(), Arc::clone(&book), Arc::clone(&next));
        callers.spawn(async move {
            loop {
                let call = next.fetch_add(1, Ordering::Relaxed);
                if call >= count {
                    return;
                }
                ask(&link, call, &book).await;
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    // What is late may still be under way.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let counters = link.counters();
    link.close().await;
    let reported = std::mem::take(&mut *reported.lock().unwrap());
    let counted = [counters.late, counters.foreign, counters.duplicate, counters.garbage];
    let told = [reported.late, reported.foreign, reported.duplicates, reported.garbage];
    assert_eq!(counted, told);
    assert_eq!(counters.reconnects, reported.connections - 1);
    (std::mem::take(&mut *book.lock().unwrap()), reported)
}

/// Opens connections to the adversary.
fn device(
    seed: u64,
    book: Arc<Mutex<Book>>,
    breaks: bool,
) -> impl FnMut() -> Ready<io::Result<DuplexStream>> {
    let mut connections = 0;
    move || {
        connections += 1;
        let (near, stream) = tokio::io::duplex(100_000);
        let device = Device {
            stream,
            chance: Chance(mix(seed + connections)),
            book: Arc::clone(&book),
            breaks,
            due: BinaryHeap::new(),
            order: 0,
            open: Vec::new(),
            unusable: HashSet::new(),
            recent: VecDeque::new(),
            was_mute: false,
        };
        tokio::spawn(device.serve());
        ready(Ok(near))
    }
}

async fn ask(link: &Link, call: u32, book: &Mutex<Book>) {
    let (unit, address) = place(call);
    let request = Request::ReadHoldingRegisters(address, COUNT);
    let done = link.call(Call { id: u64::from(call), unit, request, timeout: TIMEOUT }).await;
    let deed = book.lock().unwrap().deeds.get(&call).copied();
    let result = done.result;
    assert!(fits(deed, call, &result), "the device did {deed:?} to call {call}: {result:?}");
}

/// On one connection, so that all ids are used more than once: every frame is accounted for.
async fn adds_up(seed: u64, in_flight: InFlight) {
    let (book, reported) = run(seed, in_flight, (100_000, false)).await;
    let sent = |what| book.frames.get(what).copied().unwrap_or(0);
    assert_eq!((book.requests, reported.out), (100_000, 100_000));
    assert_eq!(book.most_open, usize::from(in_flight.get()));
    assert_eq!(reported.connections, 1);
    assert_eq!(reported.answers, sent("answer"));
    assert_eq!(reported.late, sent("late"));
    let either = sent("duplicate or foreign");
    assert!(reported.duplicates >= sent("duplicate") && reported.foreign >= sent("foreign"));
    assert_eq!(
        reported.duplicates + reported.foreign,
        sent("duplicate") + sent("foreign") + either
    );
    assert_eq!(reported.garbage, 0);
    assert!(book.deeds.values().collect::<HashSet<_>>().len() == 9, "all but the breaks");
}

/// With connections that end at any time.
async fn survives(seed: u64, in_flight: InFlight) {
    let (book, reported) = run(seed, in_flight, (25_000, true)).await;
    // What the device no longer read is written all the same.
    assert!(book.requests <= reported.out);
    assert!(reported.connections > 80, "{reported:?}");
    assert!(reported.garbage > 50, "{reported:?}");
    assert!(reported.answers > 15_000, "{reported:?}");
    assert!(book.most_open <= usize::from(in_flight.get()));
}

#[tokio::test(start_paused = true)]
async fn one_at_a_time() {
    adds_up(1, InFlight::ONE).await;
}

#[tokio::test(start_paused = true)]
async fn sixteen_in_flight() {
    adds_up(2, InFlight::MAX).await;
}

#[tokio::test(start_paused = true)]
async fn one_at_a_time_with_broken_connections() {
    survives(3, InFlight::ONE).await;
}

#[tokio::test(start_paused = true)]
async fn sixteen_in_flight_with_broken_connections() {
    survives(4, InFlight::MAX).await;
}
