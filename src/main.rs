//! The `passline` command.

fn main() {}
