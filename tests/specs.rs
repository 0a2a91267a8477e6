//! Every spec under `specs/` as a trial of `cargo test`.

fn main() {}
