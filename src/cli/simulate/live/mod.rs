//! A simulation as it is served, for people at a terminal: who asks what, values, faults, counters. It
//! is drawn a few times a second by a thread of its own, on the terminal's other screen, so that what
//! was there before is there again when it ends. What is asked meanwhile costs a counter each; only
//! the first few of each time are looked at.

mod screen;

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Zoned;
use passline_modbus::pdu::Request;
use passline_modbus::point::{Location, Span, Table};
use passline_simulator::endpoint::{Endpoint, Event, Transaction, What};
use passline_simulator::fault::Kind;
use tokio::time::Instant;

use self::screen::Screen;
use super::line::{Answered, Watched};
use crate::cli::terminal::{count, printable};

/// From one look at the simulation to the next.
const PERIOD: Duration = Duration::from_millis(100);

/// So many transactions are told in each period; the others are counted.
const MOST: usize = 32;

/// So many transactions are kept.
const KEPT: usize = 200;

/// How long the terminal may take to show the last of it: it may be stopped.
const PATIENCE: Duration = Duration::from_millis(500);

/// What is seen of a simulation.
pub(super) struct Live {
    links: Arc<[Watched]>,
    clients: Box<[AtomicUsize]>,
    /// Transactions since the last look.
    since: AtomicUsize,
    all: AtomicU64,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    last: VecDeque<String>,
    /// How often each kind of fault showed.
    faults: BTreeMap<&'static str, u64>,
}

impl Live {
    /// Whether there is somebody to see it: with standard output elsewhere, that is read by a program.
    pub(super) fn has_terminal() -> bool {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        io::stdout().is_terminal() && io::stderr().is_terminal() && !is_dumb
    }

    pub(super) fn new(links: Arc<[Watched]>) -> Self {
        let clients = links.iter().map(|_| AtomicUsize::new(0)).collect();
        let (since, all) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self { links, clients, since, all, seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees what happened on the link of this index.
    pub(super) fn see(&self, index: usize, event: &Event<'_>) {
        let Some(clients) = self.clients.get(index) else { return };
        match &event.what {
            What::Connected => {
                clients.fetch_add(1, Ordering::Relaxed);
            }
            What::Ended(_) => {
                clients.fetch_sub(1, Ordering::Relaxed);
            }
            What::Transaction(transaction) => self.asked(index, transaction),
            What::Refused | What::Received(_) | What::Defect(_) | What::Sent(_) => {}
        }
    }

    fn asked(&self, index: usize, transaction: &Transaction<'_>) {
        self.all.fetch_add(1, Ordering::Relaxed);
        let told = self.since.fetch_add(1, Ordering::Relaxed) < MOST;
        let line =
            told.then(|| self.links.get(index).map(|link| line(link, transaction))).flatten();
        if line.is_none() && transaction.faults().is_empty() {
            return;
        }
        let mut seen = self.seen();
        for fault in transaction.faults() {
            *seen.faults.entry(fault.word()).or_default() += 1;
        }
        if seen.last.len() == KEPT {
            seen.last.pop_front();
        }
        seen.last.extend(line);
    }

    /// All there is to see, on so many lines.
    fn frame(&self, endpoints: &[Arc<Endpoint>], started: Instant, rows: usize) -> Vec<String> {
        self.since.store(0, Ordering::Relaxed);
        let (seconds, all) = (started.elapsed().as_secs(), self.all.load(Ordering::Relaxed));
        let requests = match all {
            1 => "1 request".to_owned(),
            all => format!("{all} requests"),
        };
        let mut lines = vec![format!("passline simulate: {seconds} s, {requests}. Ctrl-C ends it")];
        let mut units = Vec::new();
        for ((link, endpoint), clients) in self.links.iter().zip(endpoints).zip(&self.clients) {
            let clients = count(clients.load(Ordering::Relaxed), "client");
            units.push(format!("{} for {}: {clients}", link.url, link.name));
            for (unit_id, unit) in &link.units {
                let counted = endpoint.with_device(*unit_id, |device| device.statistics());
                let counted = counted.unwrap_or_default();
                units.push(format!(
                    "  {unit_id:>3} {:<20} requests {:<9} answers {:<9} exceptions {:<7} faults {}",
                    unit.name,
                    counted.requests,
                    counted.answers,
                    counted.exceptions,
                    counted.faults
                ));
            }
        }
        // Half of it is for what is asked.
        let room = (rows / 2).max(2);
        if units.len() > room {
            let more = units.len() - room + 1;
            units.truncate(room - 1);
            units.push(format!("  … and {more} lines more: make the window higher"));
        }
        lines.append(&mut units);
        let seen = self.seen();
        if !seen.faults.is_empty() {
            let faults: Vec<String> =
                seen.faults.iter().map(|(word, count)| format!("{word} {count}")).collect();
            lines.push(format!("faults shown: {}", faults.join(", ")));
        }
        lines.push(String::new());
        let rest = rows.saturating_sub(lines.len());
        lines.extend(seen.last.iter().skip(seen.last.len().saturating_sub(rest)).cloned());
        lines.iter().map(|line| printable(line)).collect()
    }
}

/// A transaction, for people.
fn line(link: &Watched, transaction: &Transaction<'_>) -> String {
    let unit_id = transaction.request.unit_id;
    let unit = link.unit(unit_id);
    let mut line = format!("{} {} {unit_id}", Zoned::now().strftime("%H:%M:%S%.3f"), link.name);
    let told = Answered::new(transaction);
    // Nothing can go wrong when text is written into text.
    if let Some(unit) = unit {
        let _ = write!(line, " {}", unit.name);
    }
    let _ = write!(line, ": {}", what(told.request(), transaction.request.function()));
    let values = unit.map(|unit| unit.values(&told)).unwrap_or_default();
    for (name, value) in values {
        let value: serde_json::Value = value.read().unwrap_or_default();
        let _ = write!(line, " {name}={value}");
    }
    let sent = transaction.transmission();
    match told.exception() {
        Some(code) => drop(write!(line, " → exception {}", u8::from(code))),
        None if sent.is_empty() => line.push_str(" → no answer"),
        None => {}
    }
    let faults: Vec<&str> = transaction.faults().iter().map(Kind::word).collect();
    if !faults.is_empty() {
        let _ = write!(line, " [{}]", faults.join(", "));
    }
    line
}

/// What is asked for.
fn what(request: Option<&Request<'_>>, function: u8) -> String {
    let at = |word: &str, table, start: u16, count: usize| {
        let span = u16::try_from(count).ok().and_then(|count| Span::new(table, start, count));
        match span {
            Some(span) => format!("{word} {}", Location::Table(span)),
            None => format!("{word} {count} from {table} {start} on"),
        }
    };
    match request {
        Some(Request::ReadCoils(start, count)) => at("read", Table::Coil, *start, (*count).into()),
        Some(Request::ReadDiscreteInputs(start, count)) => {
            at("read", Table::Discrete, *start, (*count).into())
        }
        Some(Request::ReadHoldingRegisters(start, count)) => {
            at("read", Table::Holding, *start, (*count).into())
        }
        Some(Request::ReadInputRegisters(start, count)) => {
            at("read", Table::Input, *start, (*count).into())
        }
        Some(Request::WriteSingleCoil(address, _)) => at("write", Table::Coil, *address, 1),
        Some(Request::WriteMultipleCoils(start, bits)) => {
            at("write", Table::Coil, *start, bits.len())
        }
        Some(
            Request::WriteSingleRegister(address, _) | Request::MaskWriteRegister(address, ..),
        ) => at("write", Table::Holding, *address, 1),
        Some(Request::WriteMultipleRegisters(start, words)) => {
            at("write", Table::Holding, *start, words.len())
        }
        Some(Request::ReadWriteMultipleRegisters(read, count, write, words)) => {
            let written = at("write", Table::Holding, *write, words.len());
            format!("{written}, {}", at("read", Table::Holding, *read, (*count).into()))
        }
        Some(_) | None => format!("function {function}"),
    }
}

/// A view that is drawn until this is dropped.
pub(super) struct View {
    /// Gone when the view is to end.
    alive: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl View {
    /// Draws what is seen of these endpoints, which are those of the links.
    pub(super) fn open(live: Arc<Live>, endpoints: Vec<Arc<Endpoint>>) -> io::Result<Self> {
        let started = Instant::now();
        let (alive, stop) = channel();
        let (end, ended) = channel();
        let mut screen = Screen::open()?;
        std::thread::Builder::new().name("view".to_owned()).spawn(move || {
            while stop.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                let drawn = screen.draw(|rows| live.frame(&endpoints, started, rows));
                // A terminal that is gone is nobody's error.
                if drawn.is_err() {
                    break;
                }
            }
            drop(screen);
            drop(end);
        })?;
        Ok(Self { alive: Some(alive), ended })
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.alive = None;
        // Nothing is sent: it ends when the thread is done.
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}
