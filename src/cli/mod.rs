//! The command line: arguments in, exit code out. The only part that knows the argument parser,
//! and the only one that prints.

mod arguments;
mod ask;
mod check;
mod completions;
mod diff;
mod doctor;
mod document;
mod exchange;
mod exit;
mod fmt;
mod given;
mod hold;
mod import;
mod init;
mod learn;
mod plan;
mod progress;
mod prove;
mod read;
mod run;
mod scan;
mod schema;
mod signals;
mod simulate;
mod target;
mod terminal;
mod write;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use exit::Exit;

/// Does what the command line says.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are what was asked for; everything else is bad usage.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Pass.into() };
        }
    };
    let exit = match arguments.command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::Fmt(arguments) => fmt::fmt(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Plan(arguments) => plan::plan(&arguments),
        Command::Prove(arguments) => prove::prove(&arguments),
        Command::Simulate(arguments) => simulate::simulate(&arguments),
        Command::Read(arguments) => read::read(&arguments),
        Command::Write(arguments) => write::write(&arguments),
        Command::Scan(arguments) => scan::scan(&arguments),
        Command::Learn(arguments) => learn::learn(&arguments),
        Command::Import(arguments) => import::import(&arguments),
        Command::Doctor(arguments) => doctor::doctor(&arguments),
        Command::Init(arguments) => init::init(&arguments),
        Command::Schema(arguments) => schema::schema(&arguments),
        Command::Completions(arguments) => completions::completions(&arguments),
    };
    exit.into()
}
