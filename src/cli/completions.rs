//! `passline completions`: what a shell completes.

use std::io;

use clap::CommandFactory;

use super::arguments::{Arguments, CompletionsArguments};
use super::exit::Exit;

/// Runs the command.
pub(super) fn completions(arguments: &CompletionsArguments) -> Exit {
    let mut command = Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "passline", &mut io::stdout());
    Exit::Pass
}
