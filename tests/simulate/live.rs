//! The live view, on a real terminal.

use super::pty::Terminal;
use super::{Bench, passline, read};

const SPEC: &str = "
simulator: live
links: { net: 'tcp://192.0.2.3' }
devices:
  meter:
    link: net
    unit_id: 1
    points: { level: { holding: 0 }, label: { holding: 8, type: string, length: 4 } }
    simulate:
      values: { level: 7, label: \"A\\e[31mB\" }
      faults: [{ fault: exception, code: busy, after: 2, first: 3 }]
";

/// A simulator on a terminal, and where it listens.
fn start(bench: &Bench, options: &[&str]) -> (Terminal, String) {
    let spec = bench.path("spec.yaml");
    let mut terminal = Terminal::start(&[&["simulate", &spec], options].concat());
    terminal.wait_for(" for net units 1");
    let (_, rest) = terminal.shown.split_once("listening on ").unwrap();
    let url = rest.split(' ').next().unwrap().to_owned();
    (terminal, url)
}

#[test]
fn who_asks_what_is_seen_and_gone_at_the_end() {
    let bench = Bench::new(SPEC);
    let (mut terminal, url) = start(&bench, &[]);
    terminal.wait_for("\u{1b}[?1049h");
    terminal.resize(30, 120);
    assert_eq!(read(&url, 1), "7");
    terminal.wait_for("net 1 meter: read holding:0 level=7");
    let text = ["read", &url, "--unit-id", "1", "holding:8", "--type", "string", "--length", "4"];
    assert!(passline(&text).output().unwrap().status.success());
    terminal.wait_for("label=\"A\\u001b[31mB");
    let write = ["write", &url, "--unit-id", "1", "holding:0=9"];
    // The third request is refused, the next is not.
    assert!(!passline(&write).output().unwrap().status.success());
    terminal.wait_for("meter: write holding:0 → exception 6 [exception]");
    terminal.wait_for("faults shown: exception 1");
    assert!(passline(&write).output().unwrap().status.success());
    terminal.wait_for("meter: write holding:0 level=9");
    terminal.wait_for("requests 4         answers 4         exceptions 1       faults 1");
    // Every line is cut to what there is room for now.
    terminal.shown.clear();
    terminal.resize(6, 24);
    terminal.wait_for("passline simulate: ");
    let cut = "\u{1b}[K";
    while !terminal.shown.contains(&format!("{}{cut}", &format!("{url} for net")[..24])) {
        terminal.shown.clear();
        terminal.wait_for("\u{1b}[J");
    }
    assert_eq!(terminal.end("-INT"), Some(0));
    assert!(terminal.shown.ends_with("\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l"), "{:?}", terminal.shown);
    assert!(!terminal.shown.contains("\u{1b}[31m"), "a device draws on the terminal");
}

#[test]
fn whoever_wants_it_quiet_sees_plain_lines() {
    let bench = Bench::new(SPEC);
    let (mut terminal, url) = start(&bench, &["--quiet"]);
    assert_eq!(read(&url, 1), "7");
    assert_eq!(terminal.end("-TERM"), Some(0));
    assert_eq!(terminal.shown, format!("listening on {url} for net units 1\r\n"));
}
