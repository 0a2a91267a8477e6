//! `passline learn`: a profile and a simulation of a device that is there; what has changed since;
//! and limits from several units. Asks one thing at a time, and each thing once.

mod ask;
mod files;

use passline_modbus::address::Address;

use self::ask::{Asking, End};
use self::files::Files;
use super::arguments::LearnArguments;
use super::exchange::{self, Exchange, block_on, check_unit, failed};
use super::exit::Exit;
use super::hold;
use super::terminal;
use crate::learn::{self, Capture, Search, Window};

/// Every address there is.
const EVERYWHERE: [&str; 4] =
    ["holding:0-65535", "input:0-65535", "coil:0-65535", "discrete:0-65535"];

/// Runs the command.
pub(super) fn learn(arguments: &LearnArguments) -> Exit {
    let (Some(link), Some(unit_id)) = (&arguments.link, arguments.unit_id) else {
        return limits(arguments);
    };
    match prepared(arguments, link, unit_id) {
        Ok((files, earlier, capture)) => go(arguments, link, (&files, earlier.as_ref()), capture),
        Err(Refusal(text, remedy)) => failed(&text, remedy, Exit::Usage),
    }
}

/// Why nothing is asked, and what to do.
struct Refusal(String, Option<&'static str>);

impl From<String> for Refusal {
    fn from(text: String) -> Self {
        Self(text, None)
    }
}

/// Where to write, what to compare with, and what is known already.
fn prepared(
    arguments: &LearnArguments,
    link: &Address,
    unit_id: u8,
) -> Result<(Files, Option<Capture>, Capture), Refusal> {
    check_unit(link, unit_id)?;
    let earlier = arguments.compare.as_deref().map(files::earlier).transpose()?;
    let searches = searches(arguments, earlier.as_ref())?;
    let files = Files::of(&arguments.out, &arguments.name);
    files.check_free().map_err(|text| Refusal(text, Some(FREE)))?;
    let fresh = Capture::new(link.to_string(), unit_id, searches);
    let Some(begun) = files.begun()? else { return Ok((files, earlier, fresh)) };
    let same = begun.unit_id == unit_id
        && begun.link == fresh.link
        && begun.searches.len() == fresh.searches.len()
        && begun
            .searches
            .iter()
            .zip(&fresh.searches)
            .all(|(one, other)| one.window() == other.window() && one.step() == other.step());
    if !same {
        let text = format!("{} is of another capture", files.capture.display());
        return Err(Refusal(text, Some(FREE)));
    }
    terminal::aside(&format!("going on with {}", files.capture.display()));
    Ok((files, earlier, begun))
}

const FREE: &str = "nothing is overwritten: choose another --name or --out, or remove it";

/// The addresses that are asked: as the command line says, else as the earlier capture did.
fn searches(arguments: &LearnArguments, earlier: Option<&Capture>) -> Result<Vec<Search>, Refusal> {
    let earlier = earlier.filter(|_| arguments.ranges.is_none() && arguments.step.is_none());
    if let Some(earlier) = earlier.filter(|earlier| !earlier.searches.is_empty()) {
        let again = |search: &Search| Search::new(search.window(), search.step());
        return Ok(earlier.searches.iter().map(again).collect());
    }
    let windows: Vec<Window> = match &arguments.ranges {
        Some(windows) => windows.clone(),
        None => EVERYWHERE.into_iter().filter_map(|text| text.parse().ok()).collect(),
    };
    for (index, window) in windows.iter().enumerate() {
        if windows.iter().take(index).any(|other| other.overlaps(*window)) {
            return Err("--ranges: two of these have addresses in common".to_owned().into());
        }
    }
    let step = arguments.step.unwrap_or(1);
    Ok(windows.into_iter().map(|window| Search::new(window, step)).collect())
}

/// Captures, writes, compares.
fn go(
    arguments: &LearnArguments,
    link: &Address,
    (files, earlier): (&Files, Option<&Capture>),
    mut capture: Capture,
) -> Exit {
    let end = block_on(async {
        let _line = match hold::lines([link], &arguments.lock).await {
            Ok(line) => line,
            Err(exit) => return exit,
        };
        let mut signals = match exchange::signals() {
            Ok(signals) => signals,
            Err(exit) => return exit,
        };
        let exchange = Exchange::searching(link, arguments.timeout, |_| {});
        let mut asking = Asking::new(&exchange, arguments, files, &mut capture);
        let end = tokio::select! {
            end = asking.run() => end,
            _ = signals.next() => End::Interrupted,
        };
        let exit = asking.finish(end);
        exchange.close().await;
        exit
    });
    if end != Exit::Pass {
        return end;
    }
    let written = files.write(&capture, &arguments.name);
    if let Err(text) = written {
        return failed(&text, None, Exit::Error);
    }
    summary(files, &capture);
    earlier.map_or(Exit::Pass, |earlier| compared(earlier, &capture))
}

fn summary(files: &Files, capture: &Capture) {
    for search in &capture.searches {
        let runs: Vec<String> = search.runs().map(|run| run.to_string()).collect();
        if !runs.is_empty() {
            terminal::line(&format!("readable: {}", runs.join(", ")));
        }
    }
    for file in [&files.profile, &files.spec, &files.capture] {
        terminal::line(&format!("wrote {}", file.display()));
    }
    terminal::line(&format!("now: passline simulate {}", files.spec.display()));
}

/// Shows the differences.
fn compared(earlier: &Capture, capture: &Capture) -> Exit {
    let differences = learn::differences(earlier, capture);
    for line in &differences {
        terminal::line(&terminal::printable(line));
    }
    if differences.is_empty() {
        terminal::line("no difference");
        Exit::Pass
    } else {
        Exit::Fail
    }
}

/// `--limits`: from files alone.
fn limits(arguments: &LearnArguments) -> Exit {
    let units: Result<Vec<Capture>, String> =
        arguments.limits.iter().map(|path| files::read(path)).collect();
    let proposals = units.and_then(|units| {
        learn::propose(&units, arguments.sigma).map_err(|error| format!("--limits: {error}"))
    });
    let proposals = match proposals {
        Ok(proposals) => proposals,
        Err(text) => return failed(&text, Some(UNITS), Exit::Usage),
    };
    terminal::line("# Proposed from units that are held to be good; mean ± k·s over the units.");
    for proposal in &proposals {
        let learn::Proposal { point, limit, why } = proposal;
        terminal::line(&format!("- {{ read: device.{point}, {limit} }} # {why}"));
    }
    Exit::Pass
}

const UNITS: &str = "capture each unit with `passline learn LINK --unit-id N --name UNIT`, and give \
                     their *.capture.json";
