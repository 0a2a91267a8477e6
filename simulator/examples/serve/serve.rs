//! Who serves what, and the comparison.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::future::pending;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use passline_modbus::point::Table;
use passline_simulator::device::Device;
use passline_simulator::endpoint::Endpoint;
use passline_simulator::image::Image;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::time::Instant;

use crate::{idle, load, raw};

pub(crate) type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How long each server is loaded at a time.
const TURN: Duration = Duration::from_secs(1);

pub(crate) fn run() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        [] => rate(5).and_then(|()| measured_idle()),
        ["rate"] => rate(5),
        ["rate", rounds] => rate(rounds.parse()?),
        ["idle"] => measured_idle(),
        ["load", address, seconds] => {
            let time = Duration::from_secs(seconds.parse()?);
            let (answers, rate) = load::run(address.parse()?, time)?;
            println!("answers={answers:.0} rate={rate:.0}");
            Ok(())
        }
        // What this starts of itself.
        ["raw"] => raw::serve(),
        ["simulator"] => simulator(),
        ["fleet"] => idle::fleet(),
        _ => Err("usage: serve [rate [ROUNDS] | idle | load ADDRESS SECONDS]".into()),
    }
}

/// The memory of a device: registers 0 to 9 hold their addresses.
pub(crate) fn image() -> Outcome<Image> {
    let mut image = Image::new();
    image.set_words(Table::Holding, 0, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])?;
    Ok(image)
}

fn simulator() -> Outcome<()> {
    let image = image()?;
    Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let line = Endpoint::new(BTreeMap::from([(1, Device::new(image))]), Instant::now());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        tokio::spawn(line.serve(listener, pending())).await?;
        Ok(())
    })
}

fn measured_idle() -> Outcome<()> {
    let ended = Command::new(std::env::current_exe()?).arg("fleet").status()?;
    if ended.success() { Ok(()) } else { Err("the fleet ended badly".into()) }
}

fn rate(rounds: usize) -> Outcome<()> {
    let (raw, simulator) = (Server::start("raw")?, Server::start("simulator")?);
    // What is not counted warms them up.
    raw.load(TURN / 4)?;
    simulator.load(TURN / 4)?;
    let turns = (0..rounds.max(1)).map(|_| Ok((raw.load(TURN)?, simulator.load(TURN)?)));
    let turns = turns.collect::<Outcome<Vec<(Turn, Turn)>>>()?;
    let of = |figure: fn(&(Turn, Turn)) -> f64| median(turns.iter().map(figure).collect());
    println!("16 connections, 16 requests of ten registers in flight on each; medians");
    println!("                  answers/s  ns of processor time for each");
    println!("raw epoll server  {:>9.0}  {:>6.0}", of(|turn| turn.0.rate), of(|turn| turn.0.cost));
    println!("simulator         {:>9.0}  {:>6.0}", of(|turn| turn.1.rate), of(|turn| turn.1.cost));
    let rates = of(|(raw, simulator)| simulator.rate / raw.rate);
    let costs = of(|(raw, simulator)| raw.cost / simulator.cost);
    println!("ratio             {rates:>9.3}  {costs:>6.3}");
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// What a server did in its turn.
struct Turn {
    /// Answers per second.
    rate: f64,
    /// Nanoseconds of its processor time for each answer.
    cost: f64,
}

/// A server in a process of its own.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(what: &str) -> Outcome<Self> {
        let mut child =
            Command::new(std::env::current_exe()?).arg(what).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("no output")?;
        BufReader::new(output).read_line(&mut line)?;
        Ok(Self { child, address: line.trim().parse()? })
    }

    fn load(&self, time: Duration) -> Outcome<Turn> {
        let before = self.processor_time()?;
        let (answers, rate) = load::run(self.address, time)?;
        let spent = self.processor_time()?.saturating_sub(before);
        Ok(Turn { rate, cost: spent.as_secs_f64() * 1e9 / answers })
    }

    /// What its threads have had so far.
    fn processor_time(&self) -> Outcome<Duration> {
        let mut time = Duration::ZERO;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let nanoseconds = text.split(' ').next().unwrap_or_default();
            time += Duration::from_nanos(nanoseconds.parse()?);
        }
        Ok(time)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
