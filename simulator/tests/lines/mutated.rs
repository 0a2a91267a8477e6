//! Requests of random bytes, and frames with something wrong about them, by the million: nothing
//! panics, memory stays as it is, every sound frame is answered, and so is everybody else.
//!
//! The seed is printed; `PASSLINE_TEST_SEED` repeats a run.

#![expect(clippy::panic, reason = "a test ends where it fails")]
#![expect(
    clippy::print_stdout,
    reason = "the seed is needed to repeat a run, and memory is a figure"
)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use passline_modbus::framing::Framing;
use passline_modbus::pdu::counter::Counter;
use passline_modbus::point::{Declaration, Point, Table};
use passline_modbus::value::Value;
use passline_simulator::device::Device;
use passline_simulator::endpoint::{Endpoint, Wire};
use passline_simulator::fault::{
    AnswerFault, Fault, FrameFault, Probability, Scope, Seed, Trigger,
};
use passline_simulator::image::Image;
use passline_simulator::program::{Action, Held, Rule, Script, Test, When};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use crate::support::{PATIENCE, READ, ascii, device, mbap, rtu, take, value};

/// Holds all there is to be asked for. Answers everything.
const PLAIN: u8 = 1;
/// The same with counters, rules and faults. May say nothing.
const MOODY: u8 = 2;
/// Asked by the client that behaves.
const OTHER: u8 = 3;

/// What memory may grow by, once the first tenth is done: what an allocator keeps differs from time
/// to time.
const GROWTH: u64 = 16 * 1024 * 1024;

/// Requests over one connection.
const PER_CONNECTION: u64 = 500;

/// Longer than any silence that ends a frame.
const QUIET: Duration = Duration::from_secs(2);

#[test]
fn whatever_comes_over_tcp_is_answered_or_ends_its_connection() {
    tcp(20_000);
}

#[test]
fn whatever_comes_over_a_bus_is_answered_or_ignored() {
    serial(Framing::Rtu, 5_000);
    serial(Framing::Ascii, 5_000);
}

#[test]
#[ignore = "minutes, and only with --release"]
fn ten_million_most_of_them_over_tcp() {
    tcp(8_500_000);
}

#[test]
#[ignore = "minutes, and only with --release"]
fn ten_million_the_rest_over_buses() {
    serial(Framing::Rtu, 1_200_000);
    serial(Framing::Ascii, 300_000);
}

/// Chance without a library: `SplitMix64`.
struct Chance(u64);

impl Chance {
    /// A new one for each run, or that of the run to repeat.
    fn new(what: &str) -> Self {
        let given = std::env::var("PASSLINE_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let seed = given.unwrap_or(now.as_secs());
        println!("{what}: PASSLINE_TEST_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }

    fn index(&mut self, limit: usize) -> usize {
        usize::try_from(self.below(limit as u64)).unwrap()
    }

    fn byte(&mut self) -> u8 {
        // Those at which something begins or ends are tried more often.
        const EDGES: [u8; 8] = [0, 1, 2, 0x7D, 0x7F, 0x80, 0xFE, 0xFF];
        match self.index(3) {
            0 => EDGES[self.index(EDGES.len())],
            _ => u8::try_from(self.below(256)).unwrap(),
        }
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..=self.index(most)).map(|_| self.byte()).collect()
    }

    /// A request that makes sense, mostly with something changed, or no request at all.
    fn pdu(&mut self) -> Vec<u8> {
        let mut pdu = if self.below(5) == 0 {
            self.bytes(253)
        } else {
            SENSIBLE[self.index(SENSIBLE.len())].to_vec()
        };
        for _ in 0..self.below(4) {
            self.change(&mut pdu);
        }
        pdu.truncate(253);
        pdu
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.index(bytes.len());
        match self.index(5) {
            0 => bytes[at] ^= 1 << self.index(8),
            1 => bytes[at] = self.byte(),
            2 => bytes.truncate(at.max(1)),
            3 => bytes.insert(at, self.byte()),
            _ => bytes.extend(self.bytes(20)),
        }
    }
}

/// One of each function.
const SENSIBLE: [&[u8]; 20] = [
    &[1, 0, 0, 0, 8],
    &[2, 0, 0, 0, 8],
    &[3, 0, 0, 0, 10],
    &[4, 0, 0, 0, 10],
    &[5, 0, 3, 0xFF, 0],
    &[6, 0, 3, 0x12, 0x34],
    &[7],
    &[8, 0, 0, 0xA5, 0x37],
    &[8, 0, 1, 0, 0],
    &[0x0B],
    &[0x0C],
    &[0x0F, 0, 0, 0, 8, 1, 0xA5],
    &[0x10, 0, 0, 0, 2, 4, 0, 1, 0, 2],
    &[0x11],
    &[0x14, 7, 6, 0, 4, 0, 1, 0, 2],
    &[0x15, 9, 6, 0, 4, 0, 1, 0, 1, 0xAB, 0xCD],
    &[0x16, 0, 4, 0, 0xF2, 0, 0x25],
    &[0x17, 0, 0, 0, 2, 0, 3, 0, 1, 2, 0, 9],
    &[0x18, 0, 7],
    &[0x2B, 0x0E, 1, 0],
];

fn image() -> Image {
    let mut image = Image::new();
    image.set_bits(Table::Coil, 0, &[false; 64]).unwrap();
    image.set_bits(Table::Discrete, 0, &[true; 2000]).unwrap();
    image.set_words(Table::Input, 0, &[7; 200]).unwrap();
    image.set_words(Table::Holding, 0, &[9; 200]).unwrap();
    image.set_words(Table::Holding, 65530, &[1; 6]).unwrap();
    image.set_server_id(&[1, 0xFF, b'x']).unwrap();
    image.set_exception_status(5);
    image.set_records(4, 1, &[1, 2, 3]).unwrap();
    image.set_queue(7, &[1, 2, 3]).unwrap();
    for id in 0..3 {
        image.set_object(id, b"object").unwrap();
    }
    image
}

/// A unit with counters, rules that answer each other, and a fault of every tenth answer.
fn moody() -> Device {
    let mut image = image();
    image.set_counter(Counter::BusMessages, 0);
    let held = |address| {
        let point = Point::new(Declaration::new("point", Table::Holding, address)).unwrap();
        Held { point: Arc::new(point), factor: None }
    };
    let rule = |when, actions| Rule { when, state: None, after: Duration::ZERO, actions };
    let set = |point, number: i128| Action::Set(point, Value::Number(number.into()));
    let rules = vec![
        rule(When::Written(0, Test::default()), vec![set(1, 5)]),
        rule(When::Every(Duration::from_millis(100)), vec![set(1, 6)]),
    ];
    let one_in_ten = Trigger { probability: Probability::new(0.1), ..Trigger::default() };
    let fault = |kind| Fault { kind, scope: Scope::default(), trigger: one_in_ten };
    let faults = [
        fault(AnswerFault::Stale.into()),
        fault(FrameFault::Truncate { count: 3 }.into()),
        fault(FrameFault::Delay { by: Duration::from_millis(1) }.into()),
    ];
    let seed = Seed::of_device(1, "moody");
    let script = Script::new(vec![held(0), held(1)], vec![], rules).unwrap();
    Device::new(image).with_faults(faults, seed).with_script(script, seed, Timestamp::UNIX_EPOCH)
}

fn line() -> Endpoint {
    let units = [(PLAIN, Device::new(image())), (MOODY, moody()), (OTHER, device(OTHER, &[]))];
    Endpoint::new(BTreeMap::from(units), Instant::now())
}

/// Watches what the process has in memory, tenth by tenth.
struct Memory {
    all: u64,
    told: u64,
    first: Option<u64>,
}

impl Memory {
    fn new(all: u64) -> Self {
        Self { all, told: 0, first: None }
    }

    fn look(&mut self, done: u64) {
        let tenth = done * 10 / self.all;
        if tenth == self.told {
            return;
        }
        self.told = tenth;
        let Some(resident) = resident() else { return };
        println!("{done} of {}: {} KiB", self.all, resident / 1024);
        let first = *self.first.get_or_insert(resident);
        assert!(resident < first + GROWTH, "grew from {first} to {resident} bytes");
    }
}

/// Bytes of this process in memory, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

fn tcp(requests: u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let line = line();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(line.serve(listener, std::future::pending()));
        let (left, over) = (Arc::new(AtomicU64::new(requests)), Arc::new(AtomicBool::new(false)));
        let good = tokio::spawn(behave(address, Arc::clone(&over)));
        let mut chance = Chance::new("tcp");
        let bad = (0..4).map(|_| {
            let (mut chance, left) = (Chance(chance.below(u64::MAX)), Arc::clone(&left));
            tokio::spawn(async move {
                while left.load(Ordering::Relaxed) > 0 {
                    let done = misbehave(address, &mut chance).await;
                    let before = left.load(Ordering::Relaxed);
                    left.fetch_sub(done.min(before), Ordering::Relaxed);
                }
            })
        });
        let bad: Vec<_> = bad.collect();
        let mut memory = Memory::new(requests);
        for task in bad {
            while !task.is_finished() {
                memory.look(requests - left.load(Ordering::Relaxed));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            task.await.unwrap();
        }
        over.store(true, Ordering::Relaxed);
        assert!(good.await.unwrap() > 0);
    });
}

/// Reads one register until told to end: each answer must be the one to its request.
async fn behave(address: SocketAddr, over: Arc<AtomicBool>) -> u64 {
    let mut client = TcpStream::connect(address).await.unwrap();
    let mut count = 0;
    while !over.load(Ordering::Relaxed) {
        let id = u16::try_from(count % 65536).unwrap();
        client.write_all(&mbap(id, OTHER, &READ)).await.unwrap();
        assert_eq!(take(&mut client, 11).await, mbap(id, OTHER, &value(OTHER)));
        count += 1;
    }
    count
}

/// One connection: sound frames around PDUs of any kind, and at its end perhaps what is no frame.
/// How many requests that was.
async fn misbehave(address: SocketAddr, chance: &mut Chance) -> u64 {
    let unit = if chance.below(2) == 0 { PLAIN } else { MOODY };
    let pdus: Vec<Vec<u8>> = (0..PER_CONNECTION).map(|_| chance.pdu()).collect();
    let frames = (0..).zip(&pdus).map(|(id, pdu)| mbap(id, unit, pdu));
    let mut bytes = frames.collect::<Vec<_>>().concat();
    match chance.below(4) {
        0 => {}
        1 => bytes.extend(chance.bytes(400)),
        2 => {
            let mut frame = mbap(1, unit, &chance.pdu());
            // Within the header.
            frame[2 + chance.index(4)] ^= 0x80;
            bytes.extend(frame);
        }
        _ => bytes.extend(&mbap(1, unit, &READ)[..=chance.index(11)]),
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    if chance.below(8) == 0 {
        // Gone before the answers come, or in the middle of them.
        stream.set_zero_linger().unwrap();
        let count = chance.index(bytes.len());
        let _ = stream.write_all(&bytes[..count.min(60_000)]).await;
        return PER_CONNECTION;
    }
    let (mut reader, mut writer) = stream.split();
    let mut answers = Vec::new();
    let write = async {
        // The line may end the connection before it has read all of that.
        let _ = writer.write_all(&bytes).await;
        let _ = writer.shutdown().await;
    };
    let both = async { tokio::join!(write, reader.read_to_end(&mut answers)) };
    // It ends or goes on, and does not stand still.
    let ((), read) = timeout(PATIENCE, both).await.unwrap();
    if unit == PLAIN {
        read.unwrap();
        check(&pdus, &answers);
    }
    PER_CONNECTION
}

/// Every request was answered, in order, by its own function or an exception of it.
fn check(pdus: &[Vec<u8>], mut answers: &[u8]) {
    for (id, pdu) in (0_u16..).zip(pdus) {
        let [high, low, 0, 0, more, less, PLAIN, function, ..] = *answers else {
            panic!("{pdu:02x?} is not answered: {answers:02x?}")
        };
        assert_eq!(u16::from_be_bytes([high, low]), id, "{pdu:02x?}");
        assert!(function == pdu[0] || function == pdu[0] | 0x80, "{pdu:02x?}: {function:02x}");
        answers = &answers[6 + usize::from(u16::from_be_bytes([more, less]))..];
    }
}

/// On a line in memory, in paused time: silence costs nothing.
fn serial(framing: Framing, requests: u64) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().unwrap();
    let frame = if framing == Framing::Rtu { rtu } else { ascii };
    runtime.block_on(async {
        let line = line();
        let mut chance = Chance::new(&format!("{framing:?}"));
        let [mut client, mut other] = [(); 2].map(|()| line.connect_by(Wire::instant(framing)));
        let (mut memory, mut unanswered) = (Memory::new(requests), 0);
        for done in 0..requests {
            memory.look(done);
            let unit = if chance.below(2) == 0 { PLAIN } else { MOODY };
            let pdu = chance.pdu();
            let mut bytes = frame(unit, &pdu);
            let is_sound = chance.below(2) == 0;
            match is_sound {
                true => {}
                false if chance.below(2) == 0 => bytes = chance.bytes(300),
                false => chance.change(&mut bytes),
            }
            client.write_all(&bytes).await.unwrap();
            let heard = hear(&mut client).await;
            if is_sound && unit == PLAIN && !is_answer(&heard, &pdu, frame) {
                unanswered += 1;
            }
            if done % 64 == 0 {
                other.write_all(&frame(OTHER, &READ)).await.unwrap();
                assert_eq!(hear(&mut other).await, frame(OTHER, &value(OTHER)));
            }
        }
        // By chance the beginning of one frame in 65536 is one by itself.
        assert!(unanswered <= requests / 10_000 + 3, "{unanswered} of {requests} not answered");
    });
}

/// What comes until the line is silent.
async fn hear(client: &mut DuplexStream) -> Vec<u8> {
    let (mut heard, mut chunk) = (Vec::new(), [0; 1024]);
    while let Ok(read) = timeout(QUIET, client.read(&mut chunk)).await {
        match read.unwrap() {
            0 => panic!("the line has ended"),
            count => heard.extend_from_slice(&chunk[..count]),
        }
    }
    heard
}

/// Whether that is one frame, and the answer to this request.
fn is_answer(heard: &[u8], asked: &[u8], frame: fn(u8, &[u8]) -> Vec<u8>) -> bool {
    let (bytes, checksum) = match heard {
        [b':', digits @ .., b'\r', b'\n'] => (hex(digits), 1),
        _ => (heard.to_vec(), 2),
    };
    let sum = bytes.len().saturating_sub(checksum);
    let Some([PLAIN, pdu @ ..]) = bytes.get(..sum) else { return false };
    let function = pdu.first().copied().unwrap_or_default();
    (function == asked[0] || function == asked[0] | 0x80) && frame(PLAIN, pdu) == heard
}

fn hex(digits: &[u8]) -> Vec<u8> {
    let digit =
        |digit: u8| (char::from(digit)).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?);
    digits.chunks(2).filter_map(byte).collect()
}
