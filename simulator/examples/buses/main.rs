//! How busy serial lines are kept: devices that answer at once, on pseudo-terminals paced as wires,
//! asked over and over for ten registers, beside what the wire allows.
//!
//! ```text
//! cargo run --release -p passline-simulator --example buses [SECONDS]
//! ```
//!
//! One line at 9600, 19200 and 115200 baud; a line with 31 units, asked in turn; eight lines at
//! once. The limit of a line is a read of 8 characters, its answer of 25, and twice the silence
//! between frames (3.5 characters; 1.75 ms above 19200 baud), all 8N1. Devices and clients have a
//! thread each; on real lines they have a machine each.

#![expect(clippy::print_stdout, reason = "this is a command")]

#[cfg(unix)]
mod measure;

#[cfg(unix)]
fn main() -> measure::Outcome<()> {
    measure::run()
}

#[cfg(not(unix))]
fn main() {
    println!("there are no pseudo-terminals here");
}
