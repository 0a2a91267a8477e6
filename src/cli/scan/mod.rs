//! `passline scan`: which units answer on a line, what they say they are, and with which line
//! settings. Asks each thing once; ends at any time with what was found so far.

pub(super) mod probe;
mod report;
mod settings;
mod units;

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use passline_modbus::address::Address;
use passline_modbus::framing::Framing;
use passline_modbus::link::{LinkError, Options};
use passline_modbus::pdu::Request;

use super::arguments::ScanArguments;
use super::document::Document;
use super::exchange::{self, Exchange, Failure, block_on, failed};
use super::exit::Exit;
use super::hold;
use super::terminal;
use probe::{PROBES, Sign};
use report::{Found, Report, Tried};
pub(super) use settings::Bauds;
use settings::Traffic;
pub(super) use units::Units;

/// Longer than nearly all devices take: silence is what a scan mostly waits for.
const TIMEOUT: Duration = Duration::from_millis(200);

/// Runs the command.
pub(super) fn scan(arguments: &ScanArguments) -> Exit {
    if arguments.baud.is_some() && arguments.link.settings().is_none() {
        return failed("--baud: only a serial port has line settings", None, Exit::Usage);
    }
    block_on(async {
        let _line = match hold::lines([&arguments.link], &arguments.lock).await {
            Ok(line) => line,
            Err(exit) => return exit,
        };
        let mut signals = match exchange::signals() {
            Ok(signals) => signals,
            Err(exit) => return exit,
        };
        let scan = Scan::new(arguments);
        let end = tokio::select! {
            end = scan.run() => Some(end),
            _ = signals.next() => None,
        };
        scan.finish(end)
    })
}

/// A scan under way.
struct Scan<'a> {
    arguments: &'a ScanArguments,
    units: Units,
    bar: ProgressBar,
    report: RefCell<Report>,
}

/// What comes over a line, told from the link's task.
type Seen = Arc<Mutex<Traffic>>;

impl<'a> Scan<'a> {
    fn new(arguments: &'a ScanArguments) -> Self {
        let framing = arguments.link.framing();
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg} {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            arguments,
            units: arguments.units.clone().unwrap_or_else(|| Units::of(framing)),
            bar,
            report: RefCell::new(Report::new(&arguments.link)),
        }
    }

    /// # Errors
    /// Nothing can be asked of anyone.
    async fn run(&self) -> Result<(), Failure> {
        let address = match &self.arguments.baud {
            None => Some(self.arguments.link.clone()),
            Some(bauds) => self.search(bauds).await?,
        };
        let Some(address) = address else { return Ok(()) };
        for probe in PROBES {
            self.round(&address, &probe).await?;
            if !self.report.borrow().units.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Tries line settings until someone answers, or all of them; gives the link with the first
    /// that did.
    async fn search(&self, bauds: &Bauds) -> Result<Option<Address>, Failure> {
        let link = &self.arguments.link;
        let mut first = None;
        for lot in self.units.lots() {
            let settings = bauds.settings(link.framing());
            self.bar.reset();
            self.bar.set_length(settings.len() as u64);
            for settings in settings {
                self.bar.set_message(settings::short(settings));
                // A `silence` in the link that these settings cannot keep.
                let Ok(address) = link.clone().with_settings(settings) else { continue };
                let tried = self.attempt(&address, lot, settings::short(settings)).await?;
                self.bar.inc(1);
                if tried.traffic.is_silence() && tried.unit_ids.is_empty() {
                    continue;
                }
                self.say(&tried.to_string());
                let answered = !tried.unit_ids.is_empty();
                self.report.borrow_mut().settings.push(tried);
                if answered {
                    first.get_or_insert(address);
                    if !self.arguments.all {
                        return Ok(first);
                    }
                }
            }
        }
        Ok(first)
    }

    /// What comes of some units with one choice of line settings.
    async fn attempt(
        &self,
        address: &Address,
        units: &[u8],
        settings: String,
    ) -> Result<Tried, Failure> {
        let (exchange, seen) = self.open(address);
        let mut unit_ids = Vec::new();
        for unit in units {
            match probe::sign(&exchange, *unit, PROBES[0].clone()).await {
                Ok(Some(Sign::Value | Sign::Exception(_))) => unit_ids.push(*unit),
                Ok(_) => {}
                // Somebody else's traffic at another speed: nobody can be asked.
                Err(Failure::Link(LinkError::Babble { .. })) => break,
                Err(failure) => return Err(failure),
            }
        }
        // The port must be free before it is opened with other settings.
        exchange.close().await;
        let traffic = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Tried { settings, link: address.to_string(), unit_ids, traffic })
    }

    /// Asks all units, and those that answer what they are.
    async fn round(&self, address: &Address, probe: &Request<'static>) -> Result<(), Failure> {
        let (exchange, seen) = self.open(address);
        let units = self.units.as_slice();
        self.bar.reset();
        self.bar.set_length(units.len() as u64);
        self.bar.set_message("units");
        let in_flight = usize::from(Options::of(address).in_flight.get());
        let asked = units.iter().map(|unit| self.unit(&exchange, *unit, probe.clone()));
        let mut answers = stream::iter(asked).buffered(in_flight);
        while let Some(found) = answers.next().await {
            self.bar.inc(1);
            if let Some(found) = found? {
                self.found(found);
            }
        }
        drop(answers);
        exchange.close().await;
        let late = seen.lock().unwrap_or_else(PoisonError::into_inner).late.clone();
        for unit_id in late {
            let known = self.report.borrow().units.iter().any(|found| found.unit_id == unit_id);
            if !known {
                self.found(Found::new(unit_id, Sign::Late));
            }
        }
        Ok(())
    }

    async fn unit(
        &self,
        exchange: &Exchange,
        unit: u8,
        probe: Request<'static>,
    ) -> Result<Option<Found>, Failure> {
        let Some(sign) = probe::sign(exchange, unit, probe).await? else { return Ok(None) };
        let mut found = Found::new(unit, sign);
        if !matches!(found.answer, Sign::Damaged(_)) {
            found.identity = probe::identity(exchange, unit).await;
            if let Some(windows) = &self.arguments.ranges {
                let (readable, whole) = probe::ranges(exchange, unit, windows).await;
                found.readable = Some(readable);
                found.stopped = !whole;
            }
        }
        Ok(Some(found))
    }

    fn open(&self, address: &Address) -> (Exchange, Seen) {
        let timeout = self.arguments.timeout.or(address.overrides().response_timeout);
        let seen = Seen::default();
        let (observer, framing) = (Arc::clone(&seen), address.framing());
        let exchange = Exchange::searching(address, timeout.or(Some(TIMEOUT)), move |event| {
            observer.lock().unwrap_or_else(PoisonError::into_inner).see(framing, &event.kind);
        });
        (exchange, seen)
    }

    fn found(&self, found: Found) {
        self.say(&found.to_string());
        self.report.borrow_mut().units.push(found);
    }

    /// A line of what was found.
    fn say(&self, text: &str) {
        self.bar.suspend(|| self.document().say(text));
    }

    fn document(&self) -> Document<'a> {
        Document::of(self.arguments.json.as_ref())
    }

    /// Shows what is left to show. `None`: it was interrupted.
    fn finish(self, end: Option<Result<(), Failure>>) -> Exit {
        self.bar.finish_and_clear();
        let document = self.document();
        let mut report = self.report.into_inner();
        report.complete = matches!(end, Some(Ok(())));
        let asked = self.units.as_slice().len();
        let everyone = asked > 2 && report.units.len() == asked;
        if everyone && self.arguments.link.framing() == Framing::Mbap {
            terminal::aside("note: every unit id answers: the device does not look at it");
        }
        let exit = match end {
            None => failed("interrupted: not everything was asked", None, Exit::Aborted),
            Some(Err(failure)) => failed(&failure.to_string(), failure.remedy(), Exit::Error),
            Some(Ok(())) if report.units.is_empty() => {
                failed("nobody answers", Some(NOBODY), Exit::Error)
            }
            Some(Ok(())) => Exit::Pass,
        };
        document.write(&report, exit)
    }
}

const NOBODY: &str = "is there a device, is it on, are A and B the right way round? a slow one needs a longer \
     --timeout; --baud auto tries the settings of a serial line";
