//! A bus on which everything goes wrong at random; and the proof that no value ever goes to a wrong
//! request, that nothing hangs, and that every byte is reported once.
//!
//! What a register holds follows from its unit, function and address, and no two calls of the same
//! time read the same: a value that is given to a wrong call shows.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    future::{Ready, ready},
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use passline_modbus::{
    link::{Bus, Call, Direction, Discipline, Event, EventKind, Link, LinkError, Options, Pace},
    pdu::{Answer, ExceptionCode, Request, Response},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    select,
    time::{Instant, sleep_until, timeout},
};

use super::{
    bench::{ascii_frame, frame, ms},
    workbench::chance::{Chance, mix},
};

const TIMEOUT: Duration = Duration::from_millis(100);

/// No call takes that long, whatever happens to it: it hangs.
const HANG: Duration = Duration::from_hours(1);

/// Registers per read: 64 bits, so that two reads never hold the same by chance.
const COUNT: u16 = 4;

/// The unit that nobody asks, and the function.
const NOBODY: u8 = 77;
const UNUSED: u8 = 0x41;

impl Chance {
    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    fn index(&mut self, limit: usize) -> usize {
        usize::try_from(self.below(limit as u64)).unwrap()
    }

    fn noise(&mut self) -> Vec<u8> {
        let length = 1 + self.index(30);
        (0..length).map(|_| self.byte()).collect()
    }
}

/// What the line does to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Deed {
    Answer,
    Exception,
    Crc,
    Truncated,
    NoiseBefore,
    NoiseAfter,
    Gap,
    LongGap,
    Foreign,
    ForeignRequest,
    Echo,
    Duplicate,
    Silent,
    WrongFunction,
    WrongLength,
    WrongUnit,
    Close,
    CloseInside,
}

impl Deed {
    const FAULTS: [Self; 17] = [
        Self::Exception,
        Self::Crc,
        Self::Truncated,
        Self::NoiseBefore,
        Self::NoiseAfter,
        Self::Gap,
        Self::LongGap,
        Self::Foreign,
        Self::ForeignRequest,
        Self::Echo,
        Self::Duplicate,
        Self::Silent,
        Self::WrongFunction,
        Self::WrongLength,
        Self::WrongUnit,
        Self::Close,
        Self::CloseInside,
    ];

    fn draw(chance: &mut Chance) -> Self {
        match chance.below(100) {
            0..55 => Self::Answer,
            _ => Self::FAULTS[chance.index(Self::FAULTS.len())],
        }
    }
}

/// A request as the device reads it: all that are sent here are as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Asked {
    unit: u8,
    function: u8,
    address: u16,
}

impl Asked {
    fn number(self) -> u64 {
        u64::from(self.unit) << 32 | u64::from(self.function) << 16 | u64::from(self.address)
    }

    fn words(self) -> Vec<u16> {
        let bits = mix(self.number());
        (0..COUNT).map(|n| u16::try_from(bits >> (16 * n) & 0xFFFF).unwrap()).collect()
    }

    fn exception(self) -> u8 {
        [1, 2, 3, 4, 6][usize::from(self.address % 5)]
    }

    /// What a write writes, and its answer repeats.
    fn value(self) -> u16 {
        self.words()[0]
    }

    fn request(self) -> Request<'static> {
        match self.function {
            3 => Request::ReadHoldingRegisters(self.address, COUNT),
            4 => Request::ReadInputRegisters(self.address, COUNT),
            _ => Request::WriteSingleRegister(self.address, self.value()),
        }
    }

    fn response(self) -> Response {
        match self.function {
            3 => Response::ReadHoldingRegisters(self.words()),
            4 => Response::ReadInputRegisters(self.words()),
            _ => Response::WriteSingleRegister(self.address, self.value()),
        }
    }

    fn body(self) -> Vec<u8> {
        let words = |words: &[u16]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<_>>();
        match self.function {
            6 => [&[self.unit, 6][..], &words(&[self.address, self.value()])].concat(),
            _ => [&[self.unit, self.function, 8][..], &words(&self.words())].concat(),
        }
    }

    fn request_body(self) -> Vec<u8> {
        let [high, low] = self.address.to_be_bytes();
        let [h, l] = if self.function == 6 { self.value() } else { COUNT }.to_be_bytes();
        vec![self.unit, self.function, high, low, h, l]
    }
}

/// How frames look.
#[derive(Clone, Copy)]
struct Code {
    frame: fn(&[u8]) -> Vec<u8>,
    /// Of a request.
    length: usize,
    read: fn(&[u8]) -> Vec<u8>,
}

const RTU: Code = Code { frame, length: 8, read: <[u8]>::to_vec };

const ASCII: Code = Code {
    frame: ascii_frame,
    length: 17,
    read: |text| {
        let digits = std::str::from_utf8(&text[1..13]).unwrap();
        (0..6).map(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).unwrap()).collect()
    },
};

/// What happened on the line, over all connections.
#[derive(Default)]
struct Book {
    deeds: BTreeMap<Deed, u64>,
    /// Of each call, what became of its requests; taken out when it ends.
    calls: HashMap<Asked, Vec<Deed>>,
    late: u64,
    /// What the devices sent and nobody was told of yet.
    wire: VecDeque<u8>,
    told: BTreeMap<String, u64>,
    connections: u64,
    is_open: bool,
}

impl Book {
    /// What goes out on a connection that is over is lost.
    fn goes_out(&mut self, connection: u64, bytes: &[u8]) {
        if self.is_open && self.connections == connection {
            self.wire.extend(bytes);
        }
    }
}

/// The devices of one connection: one after the other, as they come.
struct Devices {
    stream: DuplexStream,
    connection: u64,
    code: Code,
    chance: Chance,
    book: Arc<Mutex<Book>>,
    /// What is to be put on the line, and when: in the order of the requests.
    due: VecDeque<(Instant, Vec<u8>)>,
    /// How much later than usual, and for how many requests.
    slow: (Duration, u64),
    /// The connection ends when all is put on the line.
    closes: bool,
}

impl Devices {
    async fn serve(mut self) {
        let mut request = vec![0; self.code.length];
        let mut filled = 0;
        loop {
            let next = self.due.front().map(|(at, _)| *at);
            let Some(until) = next.or((!self.closes).then(|| Instant::now() + HANG)) else {
                return;
            };
            select! {
                biased;
                () = sleep_until(until) => self.put().await,
                read = self.stream.read(&mut request[filled..]), if !self.closes => match read {
                    Ok(count @ 1..) => {
                        filled += count;
                        if filled == request.len() {
                            filled = 0;
                            self.hear(&request);
                        }
                    }
                    _ => return,
                },
            }
        }
    }

    async fn put(&mut self) {
        let Some((_, bytes)) = self.due.pop_front() else { return };
        self.book.lock().unwrap().goes_out(self.connection, &bytes);
        let _ = self.stream.write_all(&bytes).await;
    }

    fn hear(&mut self, request: &[u8]) {
        let bytes = (self.code.read)(request);
        let [unit, function, high, low, ..] = bytes[..] else { panic!("{bytes:?}") };
        let asked = Asked { unit, function, address: u16::from_be_bytes([high, low]) };
        assert_eq!(bytes[..6], asked.request_body()[..], "requests go out as they are");
        let deed = Deed::draw(&mut self.chance);
        // Who is slow stays so for a while, and does not become slow while answers are missing.
        if self.slow.1 == 0 && self.due.is_empty() && self.chance.below(50) == 0 {
            let timeouts = 1 + self.chance.below(5);
            let delay = TIMEOUT * u32::try_from(timeouts).unwrap();
            self.slow = (delay, 1 + self.chance.below(6));
        }
        let mut delay = ms(1 + self.chance.below(20));
        if self.slow.1 > 0 {
            self.slow.1 -= 1;
            delay += self.slow.0;
        }
        {
            let mut book = self.book.lock().unwrap();
            book.late += u64::from(delay > TIMEOUT);
            *book.deeds.entry(deed).or_default() += 1;
            book.calls.entry(asked).or_default().push(deed);
        }
        let last = self.due.back().map_or(Instant::now(), |(at, _)| *at);
        self.closes = matches!(deed, Deed::Close | Deed::CloseInside);
        for (after, bytes) in self.parts(deed, asked) {
            let at = last.max(Instant::now() + delay) + ms(after);
            self.due.push_back((at, bytes));
        }
    }

    /// What comes on the line instead of the answer, each after so many milliseconds.
    fn parts(&mut self, deed: Deed, asked: Asked) -> Vec<(u64, Vec<u8>)> {
        let Asked { unit, function, address } = asked;
        let body = asked.body();
        let code = self.code.frame;
        let mut good = code(&body);
        let cut = 1 + self.chance.index(good.len() - 1);
        let other = Asked { address: !address, ..asked };
        match deed {
            Deed::Silent | Deed::Close => vec![],
            Deed::Answer => vec![(0, good)],
            Deed::Exception => {
                vec![(0, code(&[unit, function | 0x80, asked.exception()]))]
            }
            Deed::Crc => {
                let at = self.chance.index(good.len());
                good[at] ^= 1 << self.chance.below(8);
                vec![(0, good)]
            }
            Deed::Truncated | Deed::CloseInside => vec![(0, good[..cut].to_vec())],
            Deed::NoiseBefore => vec![(0, [self.chance.noise(), good].concat())],
            Deed::NoiseAfter => vec![(0, [good, self.chance.noise()].concat())],
            Deed::Gap => vec![(0, good[..cut].to_vec()), (30, good[cut..].to_vec())],
            Deed::LongGap => vec![(0, good[..cut].to_vec()), (80, good[cut..].to_vec())],
            Deed::Foreign => {
                let foreign = Asked { unit: NOBODY, ..other };
                vec![(0, code(&foreign.body())), (5, good)]
            }
            Deed::ForeignRequest => {
                vec![(0, code(&other.request_body())), (5, code(&other.body())), (10, good)]
            }
            Deed::Echo => vec![(0, code(&asked.request_body())), (5, good)],
            Deed::Duplicate => vec![(0, good.clone()), (0, good)],
            Deed::WrongFunction => vec![(0, code(&[unit, UNUSED, 1, 2, 3]))],
            Deed::WrongLength => vec![(0, code(&[unit, 3, 4, 1, 2, 3, 4]))],
            Deed::WrongUnit => vec![(0, code(&[&[NOBODY], &body[1..]].concat()))],
        }
    }
}

/// Whether a call may end like this, after what happened to its requests.
fn check(asked: Asked, deeds: &[Deed], result: &Result<Answer, LinkError>) -> &'static str {
    match result {
        Ok(Ok(response)) => {
            assert_eq!(*response, asked.response(), "a wrong value for {asked:?}: {deeds:?}");
            "value"
        }
        Ok(Err(code)) => {
            assert_eq!(*code, ExceptionCode::new(asked.exception()), "{asked:?}: {deeds:?}");
            "exception"
        }
        Err(error) => error.class(),
    }
}

struct Run {
    calls: u32,
    seed: u64,
    code: Code,
    discipline: Discipline,
}

/// Makes calls from three clients at once. Returns how they ended.
async fn run(run: Run) -> (BTreeMap<&'static str, u64>, Book) {
    let book = Arc::new(Mutex::new(Book::default()));
    let told = Arc::clone(&book);
    let connect = connect(run.seed, run.code, Arc::clone(&book));
    let options = Options { discipline: run.discipline, ..Options::default() };
    let link = Link::spawn(connect, options, move |event| tell(&mut told.lock().unwrap(), &event));
    let mut clients = tokio::task::JoinSet::new();
    for unit in 1..=3 {
        let (link, book) = (link.clone(), Arc::clone(&book));
        clients.spawn(async move {
            let mut chance = Chance(mix(u64::from(unit) ^ run.seed << 8));
            let mut ends: BTreeMap<_, u64> = BTreeMap::new();
            for n in 0..run.calls / 3 {
                let function = [3, 3, 3, 3, 4, 6][chance.index(6)];
                let address = u16::try_from(n % 30_000).unwrap();
                let asked = Asked { unit, function, address };
                let call = Call { id: n.into(), unit, request: asked.request(), timeout: TIMEOUT };
                let done = timeout(HANG, link.call(call)).await.unwrap();
                let deeds = book.lock().unwrap().calls.remove(&asked).unwrap_or_default();
                *ends.entry(check(asked, &deeds, &done.result)).or_default() += 1;
                if chance.below(3) == 0 {
                    tokio::time::sleep(ms(chance.below(300))).await;
                }
            }
            ends
        });
    }
    let mut ends: BTreeMap<&'static str, u64> = BTreeMap::new();
    for client in clients.join_all().await {
        for (end, count) in client {
            *ends.entry(end).or_default() += count;
        }
    }
    // What is late may still be under way.
    tokio::time::sleep(Duration::from_secs(10)).await;
    link.close().await;
    let book = std::mem::take(&mut *book.lock().unwrap());
    (ends, book)
}

fn connect(
    seed: u64,
    code: Code,
    book: Arc<Mutex<Book>>,
) -> impl FnMut() -> Ready<io::Result<DuplexStream>> {
    move || {
        let (near, stream) = tokio::io::duplex(4096);
        let mut open = book.lock().unwrap();
        open.connections += 1;
        open.is_open = true;
        let connection = open.connections;
        drop(open);
        let devices = Devices {
            stream,
            connection,
            code,
            chance: Chance(mix(seed ^ connection << 32)),
            book: Arc::clone(&book),
            due: VecDeque::new(),
            slow: (Duration::ZERO, 0),
            closes: false,
        };
        tokio::spawn(devices.serve());
        ready(Ok(near))
    }
}

/// Every byte that comes is reported once, in the order of the line.
fn tell(book: &mut Book, event: &Event<'_>) {
    if let EventKind::Closed(_) = event.kind {
        book.is_open = false;
        book.wire.clear();
    }
    let EventKind::Frame { direction, bytes, what, .. } = &event.kind else { return };
    *book.told.entry(format!("{what:?}")).or_default() += 1;
    if *direction == Direction::In {
        let sent = book.wire.drain(..bytes.len().min(book.wire.len()));
        assert_eq!(sent.collect::<Vec<_>>(), *bytes, "what is reported is not what came");
    }
}

fn bus(pace: Option<Pace>) -> Bus {
    Bus { gap: ms(50), ..Bus::rtu(pace) }
}

const PACE: Pace = Pace { character: Duration::from_millis(1), silence: Duration::from_millis(4) };

async fn survives(calls: u32, seed: u64, code: Code, discipline: Discipline) {
    let (ends, book) = run(Run { calls, seed, code, discipline }).await;
    assert_eq!(book.deeds.len(), 18, "every deed was done: {:?}", book.deeds);
    assert!(book.wire.is_empty(), "{} bytes were never reported", book.wire.len());
    let ended = |end| ends.get(end).copied().unwrap_or(0);
    let least = u64::from(calls) / 1000;
    for end in ["value", "exception", "closed", "timeout", "crc", "frame", "foreign", "late"] {
        assert!(ended(end) >= least, "{end}: {ends:?}");
    }
    assert!(ended("value") > u64::from(calls) / 2, "{ends:?}");
    assert_eq!(ends.values().sum::<u64>(), u64::from(calls / 3 * 3));
}

#[tokio::test(start_paused = true)]
async fn rtu_on_a_serial_line() {
    survives(20_000, 1, RTU, Discipline::Rtu(bus(Some(PACE)))).await;
}

#[tokio::test(start_paused = true)]
async fn rtu_through_a_gateway() {
    survives(20_000, 2, RTU, Discipline::Rtu(bus(None))).await;
}

#[tokio::test(start_paused = true)]
async fn ascii_on_a_serial_line() {
    survives(20_000, 3, ASCII, Discipline::Ascii(bus(Some(PACE)))).await;
}

#[test]
#[ignore = "a million transactions take minutes where nothing is optimised"]
fn a_million_on_four_lines() {
    std::thread::scope(|scope| {
        for seed in 10..14 {
            let pace = (seed % 2 == 0).then_some(PACE);
            scope.spawn(move || {
                let mut builder = tokio::runtime::Builder::new_current_thread();
                let runtime = builder.enable_time().start_paused(true).build().unwrap();
                runtime.block_on(survives(250_000, seed, RTU, Discipline::Rtu(bus(pace))));
            });
        }
    });
}
