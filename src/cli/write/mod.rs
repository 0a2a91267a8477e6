//! `passline write`: values into one device, or into all of a serial line. Each write is sent once,
//! in the order given; the first that goes wrong is the last that is sent.

mod assignment;
mod change;

use passline_modbus::framing::Framing;
use passline_modbus::link::LinkError;

use super::arguments::WriteArguments;
use super::exchange::{Exchange, Failure, block_on, check_unit, failed};
use super::exit::Exit;
use super::read::Round;
use super::terminal;
pub(super) use assignment::Assignment;
use change::Change;
pub(super) use change::Function;

/// Runs the command.
pub(super) fn write(arguments: &WriteArguments) -> Exit {
    let changes = match changes(arguments) {
        Ok(changes) => changes,
        Err(text) => return failed(&text, None, Exit::Usage),
    };
    block_on(async {
        let exchange = Exchange::open(&arguments.link, arguments.timeout, |_| {});
        let mut exit = Exit::Pass;
        for change in &changes {
            exit = match arguments.unit_id {
                Some(unit) => one(&exchange, unit, change, arguments).await,
                None => sent(change, arguments, exchange.tell_all(change.request()).await),
            };
            if exit != Exit::Pass {
                break;
            }
        }
        exchange.close().await;
        exit
    })
}

/// Everything that is to be written, before anything is.
fn changes(arguments: &WriteArguments) -> Result<Vec<Change>, String> {
    match arguments.unit_id {
        Some(unit) => check_unit(&arguments.link, unit)?,
        None if !arguments.broadcast => {
            return Err("--unit-id N: who is to be written to?".to_owned());
        }
        None if arguments.link.framing() == Framing::Mbap => {
            return Err("--broadcast: on a link of Modbus TCP nobody listens to all".to_owned());
        }
        None => {}
    }
    let change = |assignment: &Assignment| {
        let refused = |text| format!("{assignment}: {text}");
        let values = assignment.values(&arguments.shape, arguments.round).map_err(refused)?;
        Change::new(values, arguments.function).map_err(refused)
    };
    arguments.assignments.iter().map(change).collect()
}

/// Writes one thing, and reads it back if that is asked for.
async fn one(exchange: &Exchange, unit: u8, change: &Change, arguments: &WriteArguments) -> Exit {
    let answer = exchange.ask(unit, change.request()).await.map(drop);
    let exit = sent(change, arguments, answer);
    if exit != Exit::Pass || !arguments.verify {
        return exit;
    }
    let round = match Round::new(unit, change.points()) {
        Ok(round) => round,
        Err(error) => return failed(&error.to_string(), None, Exit::Usage),
    };
    let samples = round.read(exchange).await;
    let mut exit = Exit::Pass;
    for (value, sample) in change.values().iter().zip(&samples) {
        let place = value.point().location();
        match sample {
            Ok(good) if value.is(good) => {}
            Ok(good) => {
                let text = format!("{place}: wrote {}, reads back {}", value.text(), good.text);
                exit = failed(&text, None, Exit::Fail);
            }
            Err(bad) => {
                let text = format!("{place}: written, but not read back: {}", bad.text);
                return failed(&text, bad.remedy, Exit::Error);
            }
        }
    }
    exit
}

/// Says what became of a request.
fn sent(change: &Change, arguments: &WriteArguments, answer: Result<(), Failure>) -> Exit {
    match answer {
        Ok(()) => {
            if arguments.verbose {
                terminal::line(&change.to_string());
            }
            Exit::Pass
        }
        Err(failure) => {
            let remedy = if in_doubt(&failure) { Some(IN_DOUBT) } else { failure.remedy() };
            failed(&format!("{}: {failure}", change.place()), remedy, Exit::Error)
        }
    }
}

const IN_DOUBT: &str =
    "the device may have written it or not: read it back. A write is never sent twice by itself";

/// Whether the request may have reached the device.
fn in_doubt(failure: &Failure) -> bool {
    use LinkError::{Babble, Connect, Request};
    matches!(failure, Failure::Link(error) if !matches!(error, Babble { .. } | Connect(_) | Request(_)))
}
