//! The questions of `passline learn`, one after the other: addresses, identity, values. Keeps what
//! is known on disk, so that an interrupted capture goes on where it was.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use passline_modbus::pdu::{ReadCode, Request, Response};
use passline_modbus::planner;
use passline_modbus::point::Span;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::files::Files;
use crate::cli::arguments::LearnArguments;
use crate::cli::exchange::{Exchange, Failure, failed};
use crate::cli::exit::Exit;
use crate::cli::scan::probe;
use crate::learn::{Capture, Round, Sample, Told};

/// How often progress is kept.
const KEEP: Duration = Duration::from_secs(2);

/// How a capture ended.
pub(super) enum End {
    Complete,
    Interrupted,
    /// Nothing answers.
    Nobody,
    /// It stopped to answer.
    Stopped(Failure),
    /// An address that answered does not answer any more.
    Gone(Span),
    /// What is known could not be kept.
    Unkept(String),
}

/// A capture under way.
pub(super) struct Asking<'a> {
    exchange: &'a Exchange,
    arguments: &'a LearnArguments,
    files: &'a Files,
    capture: &'a mut Capture,
    bar: ProgressBar,
    kept: Instant,
}

impl<'a> Asking<'a> {
    pub(super) fn new(
        exchange: &'a Exchange,
        arguments: &'a LearnArguments,
        files: &'a Files,
        capture: &'a mut Capture,
    ) -> Self {
        let bar = ProgressBar::new(0);
        let style =
            ProgressStyle::with_template("{bar:24} {pos}/{len} {msg} {elapsed}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { exchange, arguments, files, capture, bar, kept: Instant::now() }
    }

    pub(super) async fn run(&mut self) -> End {
        if self.capture.complete {
            return End::Complete;
        }
        let steps = async {
            self.addresses().await?;
            self.identity().await;
            self.values().await?;
            self.capture.complete = true;
            self.keep(Duration::ZERO)
        };
        match steps.await {
            Ok(()) => End::Complete,
            Err(end) => end,
        }
    }

    /// Says how it ended, and keeps what is known.
    pub(super) fn finish(&mut self, end: End) -> Exit {
        self.bar.finish_and_clear();
        let (text, exit) = match end {
            End::Complete => return Exit::Pass,
            End::Interrupted => ("interrupted".to_owned(), Exit::Aborted),
            End::Nobody => return failed("no address answers", Some(NOBODY), Exit::Error),
            End::Stopped(failure) => {
                (format!("the device stopped to answer: {failure}"), Exit::Error)
            }
            End::Gone(span) => (format!("{span} answered, and does not any more"), Exit::Error),
            End::Unkept(text) => return failed(&text, None, Exit::Error),
        };
        if let Err(text) = self.files.keep(self.capture) {
            return failed(&text, None, Exit::Error);
        }
        failed(&text, Some("what is known is kept: run the same command again to go on"), exit)
    }

    /// Finds out which addresses answer.
    async fn addresses(&mut self) -> Result<(), End> {
        let unit = self.capture.unit_id;
        for index in 0..self.capture.searches.len() {
            while let Some(search) = self.capture.searches.get_mut(index) {
                let (done, all) = search.progress();
                self.bar.set_length(all.into());
                self.bar.set_position(done.into());
                self.bar.set_message(search.table().name());
                let Some(span) = search.next() else { break };
                let answer = self.exchange.ask(unit, planner::request(span)).await;
                if !search.told(span, probe::told(&answer)) {
                    return Err(match answer {
                        Err(failure) => End::Stopped(failure),
                        Ok(_) => End::Nobody,
                    });
                }
                self.pause().await;
                self.keep(KEEP)?;
            }
        }
        let found = self.capture.searches.iter().any(|search| search.runs().next().is_some());
        if found { Ok(()) } else { Err(End::Nobody) }
    }

    /// Asks what it says it is. Many devices say nothing.
    async fn identity(&mut self) {
        let unit = self.capture.unit_id;
        for category in [ReadCode::Basic, ReadCode::Regular, ReadCode::Extended] {
            for (id, value) in probe::objects(self.exchange, unit, category).await {
                self.capture.identification.insert(id, probe::hex(&value));
            }
            self.pause().await;
        }
        let answer = self.exchange.ask(unit, Request::ReportServerId).await;
        let bytes = answer.ok().as_ref().and_then(probe::server_bytes);
        self.capture.server_id = bytes.map(|bytes| probe::hex(&bytes));
        self.pause().await;
    }

    /// Reads everything again and again.
    async fn values(&mut self) -> Result<(), End> {
        // Values of another time say nothing about how these change.
        self.capture.samples.clear();
        let LearnArguments { watch, every, .. } = self.arguments;
        let rounds = watch.as_nanos() / every.as_nanos().max(1) + 1;
        let rounds = u64::try_from(rounds).unwrap_or(u64::MAX);
        self.bar.set_length(rounds);
        self.bar.set_message("values");
        let mut ticks = interval(*every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let started = Instant::now();
        for round in 0..rounds {
            self.bar.set_position(round);
            // A slow device takes longer for a round than there is between two.
            if round > 0 && started.elapsed() > *watch + *every {
                break;
            }
            ticks.tick().await;
            let at_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            let memory = self.round().await?;
            self.capture.samples.push(Sample { at_ms, memory });
        }
        Ok(())
    }

    async fn round(&self) -> Result<Vec<crate::learn::Cells>, End> {
        let mut round = Round::new(&self.capture.searches);
        while let Some(span) = round.next() {
            let answer = self.exchange.ask(self.capture.unit_id, planner::request(span)).await;
            let told: Option<&Response> = match (&answer, probe::told(&answer)) {
                (Ok(response), _) => Some(response),
                (Err(failure), Told::Nothing) => return Err(End::Stopped(failure.clone())),
                _ => None,
            };
            if !round.told(told) {
                return Err(End::Gone(span));
            }
            self.pause().await;
        }
        Ok(round.memory())
    }

    async fn pause(&self) {
        if !self.arguments.pause.is_zero() {
            sleep(self.arguments.pause).await;
        }
    }

    /// Keeps what is known, if that was not done for so long.
    fn keep(&mut self, after: Duration) -> Result<(), End> {
        if self.kept.elapsed() >= after {
            self.files.keep(self.capture).map_err(End::Unkept)?;
            self.kept = Instant::now();
        }
        Ok(())
    }
}

const NOBODY: &str = "`passline scan LINK` shows which units answer; with --step, or other --ranges, \
                      other addresses are asked";
