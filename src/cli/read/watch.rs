//! `--watch`: the same read again and again. On a terminal one table that is drawn anew, what
//! changed marked; elsewhere a line for each round.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use passline_modbus::point::Point;
use tokio::time::{MissedTickBehavior, interval};

use super::round::{Round, Sample};
use super::{complain, hint, text};
use crate::cli::exchange::{Exchange, failed};
use crate::cli::exit::Exit;
use crate::cli::signals::Signals;

/// Reads until interrupted, or until nobody takes the output any more. Passes if nothing was
/// missing from the last whole round.
pub(super) async fn watch(exchange: &Exchange, round: &Round, every: Duration) -> Exit {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return failed(&error.to_string(), None, Exit::Error),
    };
    let mut ticks = interval(every);
    // A device that is slower than the interval is asked less often, not in bursts.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut screen = Screen::new();
    let mut before: Option<Vec<Sample>> = None;
    // Until something was read.
    let mut exit = Exit::Error;
    loop {
        let next = async {
            ticks.tick().await;
            round.read(exchange).await
        };
        let samples = tokio::select! {
            samples = next => samples,
            _ = signals.next() => return exit,
        };
        if before.is_none() {
            hint(round, &samples);
        }
        exit = match screen.show(round, before.as_deref(), &samples) {
            Ok(exit) => exit,
            // Whoever read the lines has seen enough.
            Err(_) => return exit,
        };
        before = Some(samples);
    }
}

/// Where rounds are shown.
enum Screen {
    /// Drawn anew in place.
    Table(ProgressBar),
    /// One line each.
    Lines,
}

impl Screen {
    fn new() -> Self {
        if !io::stdout().is_terminal() {
            return Self::Lines;
        }
        let table = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
        let style = ProgressStyle::with_template("{msg}");
        table.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self::Table(table)
    }

    fn show(
        &mut self,
        round: &Round,
        before: Option<&[Sample]>,
        samples: &[Sample],
    ) -> io::Result<Exit> {
        let missing = samples.iter().any(Result::is_err);
        match self {
            Self::Table(bar) => {
                bar.set_message(table(round.points(), before, samples));
                Ok(if missing { Exit::Error } else { Exit::Pass })
            }
            Self::Lines => {
                let values: Vec<&str> = samples.iter().map(text).collect();
                let mut out = io::stdout().lock();
                writeln!(out, "{:.3}\t{}", Timestamp::now(), values.join("\t"))?;
                out.flush()?;
                drop(out);
                Ok(complain(round, samples))
            }
        }
    }
}

impl Drop for Screen {
    /// The last values stay on the screen.
    fn drop(&mut self) {
        if let Self::Table(bar) = self {
            bar.abandon();
        }
    }
}

/// A line for each point: what changed since the round before begins with an asterisk.
fn table(points: &[Point], before: Option<&[Sample]>, samples: &[Sample]) -> String {
    let spans: Vec<String> = points.iter().map(|point| point.location().to_string()).collect();
    let width = spans.iter().map(String::len).max().unwrap_or_default();
    let mut lines = Vec::new();
    for (index, (span, sample)) in spans.iter().zip(samples).enumerate() {
        let changed = before.is_some_and(|before| before.get(index) != Some(sample));
        let mark = if changed { '*' } else { ' ' };
        let shown = match sample {
            Ok(good) => good.text.clone(),
            Err(bad) => format!("({})", bad.text),
        };
        lines.push(format!("{mark} {span:<width$}  {shown}"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use passline_modbus::point::{Declaration, Raw, Table};

    use super::*;
    use crate::cli::read::round::{Bad, Good};

    #[test]
    fn what_changed_is_marked_and_what_is_missing_says_why() {
        let point = |address| Point::new(Declaration::new("value", Table::Input, address));
        let points = [point(7), point(1000)].map(|point| point.expect("a point"));
        let good = |text: &str| Ok(Good { text: text.to_owned(), raw: Raw::Bit(true) });
        let bad = || Err(Bad { text: "no answer".to_owned(), remedy: None });
        let (one, two) = ([good("1"), good("2")], [good("1"), good("3")]);
        assert_eq!(table(&points, None, &one), "  input:7     1\n  input:1000  2");
        assert_eq!(table(&points, Some(&one), &two), "  input:7     1\n* input:1000  3");
        let gone = [bad(), good("3")];
        assert_eq!(table(&points, Some(&two), &gone), "* input:7     (no answer)\n  input:1000  3");
        assert_eq!(
            table(&points, Some(&gone), &gone),
            "  input:7     (no answer)\n  input:1000  3"
        );
    }
}
