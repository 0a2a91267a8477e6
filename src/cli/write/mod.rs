//! `passline write`: values into one device, or into all of a serial line. Each write is sent once,
//! in the order given; the first that goes wrong is the last that is sent.

mod assignment;
mod change;

use passline_modbus::change::{Manner, Merge, Way};
use passline_modbus::framing::Framing;
use passline_modbus::link::LinkError;
use passline_modbus::pdu::{Request, Response};
use passline_modbus::planner;

use super::arguments::WriteArguments;
use super::exchange::{Exchange, Failure, block_on, check_unit, failed, interruptible};
use super::exit::Exit;
use super::hold;
use super::read::Round;
use super::terminal;
pub(super) use assignment::Assignment;
use change::{Write, text};

/// Runs the command.
pub(super) fn write(arguments: &WriteArguments) -> Exit {
    let writes = match writes(arguments) {
        Ok(writes) => writes,
        Err(text) => return failed(&text, None, Exit::Usage),
    };
    block_on(async {
        match hold::lines([&arguments.link], &arguments.lock).await {
            Ok(_line) => interruptible(each(&writes, arguments)).await,
            Err(exit) => exit,
        }
    })
}

/// Writes one thing after the other, up to what goes wrong.
async fn each(writes: &[Write], arguments: &WriteArguments) -> Exit {
    let exchange = Exchange::open(&arguments.link, arguments.timeout, |_| {});
    let mut exit = Exit::Pass;
    for write in writes {
        exit = match arguments.unit_id {
            Some(unit) => one(&exchange, unit, write, arguments).await,
            None => all(&exchange, write, arguments).await,
        };
        if exit != Exit::Pass {
            break;
        }
    }
    exchange.close().await;
    exit
}

/// Everything that is to be written, before anything is.
fn writes(arguments: &WriteArguments) -> Result<Vec<Write>, String> {
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
    let manner = Manner { function: arguments.function, bits: arguments.bits };
    let write = |assignment: &Assignment| {
        let refused = |text| format!("{assignment}: {text}");
        let parts = assignment.parts(&arguments.shape, arguments.round).map_err(refused)?;
        Write::new(parts, manner).map_err(refused)
    };
    arguments.assignments.iter().map(write).collect()
}

/// Writes one thing to all.
async fn all(exchange: &Exchange, write: &Write, arguments: &WriteArguments) -> Exit {
    match write.way() {
        Way::Request(request) => sent(write, arguments, exchange.tell_all(request.clone()).await),
        Way::Merge(_) => failed("a broadcast has no answer to merge with", None, Exit::Usage),
    }
}

/// Writes one thing, and reads it back if that is asked for.
async fn one(exchange: &Exchange, unit: u8, write: &Write, arguments: &WriteArguments) -> Exit {
    let request = match write.way() {
        Way::Request(request) => request.clone(),
        Way::Merge(merge) => match merged(exchange, unit, merge).await {
            Ok(request) => request,
            Err(text) => {
                let text = format!("{}: {text}: nothing was written", write.place());
                return failed(&text, None, Exit::Error);
            }
        },
    };
    let answer = exchange.ask(unit, request).await.map(drop);
    let exit = sent(write, arguments, answer);
    if exit != Exit::Pass || !arguments.verify {
        return exit;
    }
    let round = match Round::new(unit, write.points()) {
        Ok(round) => round,
        Err(error) => return failed(&error.to_string(), None, Exit::Usage),
    };
    let samples = round.read(exchange).await;
    let mut exit = Exit::Pass;
    for (part, sample) in write.parts().iter().zip(&samples) {
        let place = part.point().location();
        match sample {
            Ok(good) if part.is_in(&good.raw) => {}
            Ok(good) => {
                let text = format!("{place}: wrote {}, reads back {}", text(part), good.text);
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

/// The request that changes some bits of what is there now.
async fn merged(exchange: &Exchange, unit: u8, merge: &Merge) -> Result<Request<'static>, String> {
    let answer = exchange.ask(unit, planner::request(merge.span())).await;
    let words = match answer.map_err(|failure| failure.to_string())? {
        Response::ReadHoldingRegisters(words) => words,
        _ => Vec::new(),
    };
    merge.request(&words).ok_or_else(|| "the answer holds no such registers".to_owned())
}

/// Says what became of a request.
fn sent(write: &Write, arguments: &WriteArguments, answer: Result<(), Failure>) -> Exit {
    match answer {
        Ok(()) => {
            if arguments.verbose {
                terminal::line(&write.to_string());
            }
            Exit::Pass
        }
        Err(failure) => {
            let remedy = if in_doubt(&failure) { Some(IN_DOUBT) } else { failure.remedy() };
            failed(&format!("{}: {failure}", write.place()), remedy, Exit::Error)
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
