//! How fast and how small the simulator is, beside the simplest server there can be.
//!
//! ```text
//! serve                       # everything below, with ratios of the same run
//! serve rate [ROUNDS]         # requests per second, beside the raw server: rounds in turn, medians
//! serve idle                  # what 1,000 devices, 33 gateways and idle connections cost
//! serve load ADDRESS SECONDS  # the same load on any server whose registers hold 0 to 9
//! ```
//!
//! **Rate.** Each server is a process of its own, and so is the load: one thread, 16 connections, 16
//! requests in flight on each, which read ten registers; every byte that comes back is compared.
//! Load and server share the processors of the machine. The raw server is one thread on `epoll`: it
//! looks at the length in the header and sends a prebuilt answer with the transaction id in it. The
//! simulator is as `passline simulate` serves it, on all processors. They take turns of a second;
//! what is printed are the medians, and the median of the ratios of neighbours: of the rates, and of
//! the processor time that an answer takes, which says more on a machine that does other things, too.
//!
//! **Idle.** In a process of its own: the time until 1,000 devices listen on 1,000 ports, what its
//! resident memory grows by for each beyond its image (here 10 registers), the same for 31 units on
//! each of 33 gateways, and for a connection to each port over which one request came.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a command")]

use std::process::ExitCode;

#[cfg(target_os = "linux")]
mod idle;
#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod raw;
#[cfg(target_os = "linux")]
mod serve;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    match serve::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("the raw server is made of epoll, which only Linux has");
    ExitCode::FAILURE
}
