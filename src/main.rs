//! The `passline` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    passline::cli::main()
}
