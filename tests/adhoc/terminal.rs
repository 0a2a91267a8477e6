//! What a terminal shows.

use crate::bench::Bench;
use crate::binary::{passline, succeeded};
use crate::pty::Terminal;

#[test]
fn watched_values_stay_in_place_and_changes_are_marked() {
    let bench = Bench::start();
    let unit = ["--unit-id", "7", "--watch=20ms"];
    let read = [&["read", &bench.url, "holding:0", "holding:1"], &unit[..]].concat();
    let mut terminal = Terminal::start(&read);
    terminal.wait_for("  holding:0  165");
    terminal.wait_for("  holding:1  65531");
    assert!(!terminal.shown.contains('*'), "{:?}", terminal.shown);
    let write = ["write", &bench.url, "--unit-id", "7", "holding:0=166"];
    succeeded(&passline(&write));
    terminal.wait_for("* holding:0  166");
    // The same lines are written over, not new ones.
    assert!(terminal.shown.contains("\u{1b}["), "{:?}", terminal.shown);
    assert_eq!(terminal.end("-INT"), Some(0));
}
