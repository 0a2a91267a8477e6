//! Every spec under `specs/` as a trial of `cargo test`, simulated.

fn main() -> std::process::ExitCode {
    passline::harness::main("specs")
}
