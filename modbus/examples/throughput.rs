//! How fast a link is, measured against the simplest client there can be.
//!
//! ```text
//! throughput compare                                    # everything below, as ratios
//! throughput server PORT DEVICES                        # PORT 0: any; prints the port
//! throughput pingpong HOST PORT READS                   # plain tokio, unchecked, one at a time
//! throughput client HOST PORT DEVICES READS [--in-flight N]
//! throughput rtu DEVICE BAUD READS                      # a serial port, beside what its wire allows
//! ```
//!
//! `client` connects to the devices at PORT, PORT + 1, ..., all at once, and reads holding
//! registers 0 to 9 of unit 1 READS times from each; register `a` must hold `a`. It and `pingpong`
//! print `reads=<n> seconds=<s> connect=<s> cpu=<s>`: all reads; from the last connection opened to
//! the last answer; the time to open all connections; processor time, user and system, of it all.
//!
//! `rtu` reads holding registers 0 to 9 of unit 1 on a serial port, 8N1, READS times, one after the
//! other, with 3.5 characters of silence between frames (1.75 ms above 19200 baud). It prints
//! `reads_per_second=<n> limit=<n> ratio=<n>`: the limit is what the wire allows a device that
//! answers at once: 8 characters, 25 characters, and the silence twice.
//!
//! The server and the ping-pong share no code with the link: prebuilt bytes on plain tokio.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a command")]

use std::{
    error::Error,
    io::{self, BufRead, BufReader},
    process::{Child, Command, ExitCode, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use cpu_time::ProcessTime;
use passline_modbus::{
    address::Address,
    link::{Call, InFlight, Link, Options, tcp},
    pdu::{Request, Response},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const USAGE: &str = "usage: throughput compare | server PORT DEVICES | pingpong HOST PORT READS \
                     | client HOST PORT DEVICES READS [--in-flight N] | rtu DEVICE BAUD READS";

/// Read holding registers 0 to 9 of unit 1.
const REQUEST: [u8; 12] = [0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 10];

/// They hold 0 to 9.
const ANSWER: [u8; 29] =
    [0, 1, 0, 0, 0, 23, 1, 3, 20, 0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match *arguments {
        ["compare"] => compare(),
        ["server", port, devices] => runtime.block_on(server(port.parse()?, devices.parse()?)),
        ["pingpong", host, port, reads] => {
            runtime.block_on(pingpong(host, port.parse()?, reads.parse()?))
        }
        ["client", host, port, devices, reads] => {
            runtime.block_on(client((host, port.parse()?), devices.parse()?, reads.parse()?, 1))
        }
        ["client", host, port, devices, reads, "--in-flight", in_flight] => {
            let in_flight = in_flight.parse()?;
            let address = (host, port.parse()?);
            runtime.block_on(client(address, devices.parse()?, reads.parse()?, in_flight))
        }
        ["rtu", device, baud, reads] => runtime.block_on(rtu(device, baud, reads.parse()?)),
        _ => Err(USAGE.into()),
    }
}

/// Characters of the request and of the answer on a serial line.
const CHARACTERS: usize = 8 + 25;

async fn rtu(device: &str, baud: &str, reads: u64) -> Outcome<()> {
    let address: Address = format!("rtu://{device}?baud={baud}&parity=none&stop=1").parse()?;
    let settings = address.settings().ok_or("no serial port")?;
    let link = Link::open(&address, Options::of(&address), |_| {});
    link.connect().await?;
    let begin = Instant::now();
    for id in 0..reads {
        let request = Request::ReadHoldingRegisters(0, 10);
        let call = Call { id, unit: 1, request, timeout: Duration::from_secs(5) };
        match link.call(call).await.result? {
            Ok(Response::ReadHoldingRegisters(words)) if words.len() == 10 => {}
            other => return Err(format!("registers 0 to 9 hold {other:?}").into()),
        }
    }
    let cycle = settings.wire_time(CHARACTERS) + 2 * settings.silence();
    let limit = cycle.as_secs_f64().recip();
    let seconds = begin.elapsed().as_secs_f64();
    let rate = Duration::from_secs(reads).as_secs_f64() / seconds;
    println!("reads_per_second={rate:.2} limit={limit:.2} ratio={:.4}", rate / limit);
    Ok(())
}

async fn client((host, port): (&str, u16), devices: u16, reads: u64, in_flight: u8) -> Outcome<()> {
    let in_flight = InFlight::new(in_flight).ok_or("--in-flight takes 1 to 16")?;
    let begin = Instant::now();
    let links: Vec<Link> =
        (0..devices).map(|device| link(host, port.wrapping_add(device), in_flight)).collect();
    let mut connecting = JoinSet::new();
    for link in links.clone() {
        connecting.spawn(async move { link.connect().await });
    }
    while let Some(connected) = connecting.join_next().await {
        connected??;
    }
    let connected = Instant::now();
    let mut readers = JoinSet::new();
    for link in &links {
        let left = Arc::new(AtomicU64::new(reads));
        for _ in 0..in_flight.get() {
            readers.spawn(reader(link.clone(), Arc::clone(&left)));
        }
    }
    while let Some(read) = readers.join_next().await {
        read??;
    }
    print(reads * u64::from(devices), connected.elapsed(), connected - begin)
}

fn link(host: &str, port: u16, in_flight: InFlight) -> Link {
    let host = host.to_owned();
    let options = Options { in_flight, ..Options::default() };
    Link::spawn(move || tcp::connect(host.clone(), port), options, |_| {})
}

/// One request after the other, until all of this device's are done.
async fn reader(link: Link, left: Arc<AtomicU64>) -> Outcome<()> {
    let take_one = |left: u64| left.checked_sub(1);
    while let Ok(id) = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take_one) {
        let request = Request::ReadHoldingRegisters(0, 10);
        let timeout = Duration::from_secs(5);
        let completed = link.call(Call { id, unit: 1, request, timeout }).await;
        match completed.result? {
            Ok(Response::ReadHoldingRegisters(words)) if words.iter().copied().eq(0..10) => {}
            other => return Err(format!("registers 0 to 9 hold {other:?}").into()),
        }
    }
    Ok(())
}

async fn pingpong(host: &str, port: u16, reads: u64) -> Outcome<()> {
    let begin = Instant::now();
    let mut stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let connected = Instant::now();
    let mut answer = [0; 512];
    for _ in 0..reads {
        stream.write_all(&REQUEST).await?;
        if stream.read(&mut answer).await? == 0 {
            return Err("the server closed the connection".into());
        }
    }
    print(reads, connected.elapsed(), connected - begin)
}

fn print(reads: u64, reading: Duration, connecting: Duration) -> Outcome<()> {
    // Of the whole process, from its start.
    let cpu = ProcessTime::try_now()?.as_duration();
    let [seconds, connect, cpu] = [reading, connecting, cpu].map(|time| time.as_secs_f64());
    println!("reads={reads} seconds={seconds:.6} connect={connect:.6} cpu={cpu:.6}");
    Ok(())
}

/// Answers whatever asks, on one port per device, until it is stopped.
async fn server(port: u16, devices: u16) -> Outcome<()> {
    let mut listeners = JoinSet::new();
    for device in 0..devices {
        let port = if port == 0 { 0 } else { port.wrapping_add(device) };
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        println!("{}", listener.local_addr()?.port());
        listeners.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await?;
                tokio::spawn(serve(stream));
            }
        });
    }
    while let Some(ended) = listeners.join_next().await {
        let ended: io::Result<()> = ended?;
        ended?;
    }
    Ok(())
}

/// Every twelve bytes are a request; all that came at once are answered at once.
async fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut requests, mut filled) = ([0; 12 * 512], 0);
    let mut answers = Vec::new();
    loop {
        let count = stream.read(requests.get_mut(filled..).unwrap_or_default()).await?;
        if count == 0 {
            return Ok(());
        }
        filled += count;
        answers.clear();
        for request in requests.get(..filled).unwrap_or_default().chunks_exact(REQUEST.len()) {
            let begin = answers.len();
            answers.extend_from_slice(&ANSWER);
            answers.get_mut(begin..begin + 2).unwrap_or_default().copy_from_slice(&request[..2]);
        }
        stream.write_all(&answers).await?;
        let whole = filled - filled % REQUEST.len();
        requests.copy_within(whole..filled, 0);
        filled -= whole;
    }
}

const ROUNDS: usize = 7;

/// Runs all of it in turn, several times over, so that whatever else the machine does hits all
/// alike; prints the medians of the ratios of each round. To keep everything on one core:
/// `taskset -c 0 throughput compare`.
fn compare() -> Outcome<()> {
    let (server, port) = ServerProcess::start()?;
    let mut ratios = [const { Vec::new() }; 2];
    println!("reads/s   ping-pong    1 in flight           16 in flight");
    for round in 1..=ROUNDS {
        let base = rate(&["pingpong", "127.0.0.1", &port, "20000"])?;
        let client = ["client", "127.0.0.1", &port, "1"];
        let one = rate(&[&client[..], &["20000"]].concat())?;
        let many = rate(&[&client[..], &["200000", "--in-flight", "16"]].concat())?;
        let [first, second] = [one / base, many / base];
        println!(
            "round {round} {base:11.0} {one:11.0} = {first:5.2} x {many:13.0} = {second:5.2} x"
        );
        for (ratios, ratio) in ratios.iter_mut().zip([first, second]) {
            ratios.push(ratio);
        }
    }
    drop(server);
    for (ratios, (name, target)) in ratios.iter_mut().zip([("1", 0.95), ("16", 10.0)]) {
        ratios.sort_by(f64::total_cmp);
        let median = ratios.get(ROUNDS / 2).ok_or("no rounds")?;
        println!("{name:>2} in flight: {median:.2} times the ping-pong (target: {target})");
    }
    Ok(())
}

/// Reads per second of this program run with `arguments`.
fn rate(arguments: &[&str]) -> Outcome<f64> {
    let output = Command::new(std::env::current_exe()?).args(arguments).output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let mut numbers = printed.split_whitespace().filter_map(|field| field.split_once('='));
    let mut number = |name| -> Outcome<f64> {
        let found = numbers.find(|(found, _)| *found == name);
        let missing = || String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(found.ok_or_else(missing)?.1.parse()?)
    };
    Ok(number("reads")? / number("seconds")?)
}

/// Stopped when dropped.
struct ServerProcess(Child);

impl ServerProcess {
    fn start() -> Outcome<(Self, String)> {
        let mut command = Command::new(std::env::current_exe()?);
        let child = command.args(["server", "0", "1"]).stdout(Stdio::piped()).spawn()?;
        let mut server = Self(child);
        let mut port = String::new();
        let output = server.0.stdout.take().ok_or("the server has no output")?;
        BufReader::new(output).read_line(&mut port)?;
        Ok((server, port.trim().to_owned()))
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It is only ours, and keeps nothing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
