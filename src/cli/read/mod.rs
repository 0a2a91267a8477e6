//! `passline read`: values of one device, bare, for people and scripts.

mod hint;
mod round;
mod watch;

use passline_modbus::point::Raw;

use super::arguments::ReadArguments;
use super::exchange::{Exchange, block_on, check_unit, failed, interruptible};
use super::exit::Exit;
use super::hold;
use super::terminal;
use round::{Bad, Sample};
pub(super) use round::{Good, Round};

/// Runs the command.
pub(super) fn read(arguments: &ReadArguments) -> Exit {
    let round = match round(arguments) {
        Ok(round) => round,
        Err(text) => return failed(&text, None, Exit::Usage),
    };
    block_on(async {
        let _line = match hold::lines([&arguments.link], &arguments.lock).await {
            Ok(line) => line,
            Err(exit) => return exit,
        };
        let exchange = Exchange::open(&arguments.link, arguments.timeout, |_| {});
        match arguments.watch {
            Some(interval) => watch::watch(&exchange, &round, interval).await,
            None => interruptible(once(&exchange, &round)).await,
        }
    })
}

fn round(arguments: &ReadArguments) -> Result<Round, String> {
    check_unit(&arguments.link, arguments.unit_id)?;
    let mut points = Vec::new();
    for place in &arguments.places {
        points.extend(place.points(&arguments.shape, arguments.count)?);
    }
    Round::new(arguments.unit_id, points).map_err(|error| error.to_string())
}

async fn once(exchange: &Exchange, round: &Round) -> Exit {
    let samples = round.read(exchange).await;
    exchange.close().await;
    // A value keeps its line where another one is missing.
    if samples.iter().any(Result::is_ok) {
        for sample in &samples {
            terminal::line(text(sample));
        }
    }
    hint(round, &samples);
    complain(round, &samples)
}

/// The value; nothing where there is none.
fn text(sample: &Sample) -> &str {
    sample.as_ref().map_or("", |good| &good.text)
}

/// Says which values are missing and why, once for each reason in a row.
fn complain(round: &Round, samples: &[Sample]) -> Exit {
    let mut exit = Exit::Pass;
    let mut last: Option<&Bad> = None;
    for (point, sample) in round.points().iter().zip(samples) {
        let Err(bad) = sample else { continue };
        exit = Exit::Error;
        if last != Some(bad) {
            failed(&format!("{}: {}", point.location(), bad.text), bad.remedy, exit);
        }
        last = Some(bad);
    }
    exit
}

/// Says how values that cannot be meant would make sense; each remedy once.
fn hint(round: &Round, samples: &[Sample]) {
    let mut said = Vec::new();
    for (point, sample) in round.points().iter().zip(samples) {
        let Ok(Good { raw: Raw::Registers(registers), .. }) = sample else { continue };
        for hint in hint::hints(point, registers) {
            if !said.contains(&hint.options) {
                let (place, value) = (point.location(), &hint.value);
                terminal::aside(&format!("hint: with {} {place} would be {value}", hint.options));
                said.push(hint.options);
            }
        }
    }
}
