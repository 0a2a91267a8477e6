use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use crate::bench::Bench;
use crate::binary::{passline, succeeded, text};

fn read(bench: &Bench, unit: &str, more: &[&str]) -> Output {
    passline(&[&["read", &bench.url, "--unit-id", unit], more].concat())
}

#[test]
fn every_type_reads_bare() {
    let bench = Bench::start();
    let shown = |more: &[&str]| succeeded(&read(&bench, "7", more));
    assert_eq!(shown(&["holding:0", "holding:1"]), "165\n65531\n");
    assert_eq!(
        shown(&["holding:1", "--type", "i16", "--scale", "0.1", "--offset", "-2"]),
        "-2.5\n"
    );
    assert_eq!(
        shown(&["holding:0", "--count", "2", "--type", "u16", "--order", "BA"]),
        "42240\n64511\n"
    );
    assert_eq!(shown(&["holding:20", "--type", "u64"]), "9007199254740993\n");
    assert_eq!(shown(&["holding:14", "--type", "bytes", "--length", "2"]), "CA FE 00 FF\n");
    assert_eq!(shown(&["coil:0", "--count", "3"]), "true\nfalse\ntrue\n");
    // Bits of a register: 0xA5.
    assert_eq!(shown(&["holding:0.0", "holding:0.1", "holding:0.4..7"]), "true\nfalse\n10\n");
    // What a device says cannot ring the bell or end a line.
    assert_eq!(shown(&["holding:10", "--type", "string", "--length", "4"]), "Pa\\u{7}sl\n");
}

#[test]
fn a_missing_value_keeps_its_line_and_its_reason() {
    let bench = Bench::start();
    let output = read(&bench, "7", &["holding:0", "holding:2", "holding:1"]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(text(&output.stdout), "165\n\n65531\n");
    let said = text(&output.stderr);
    assert!(
        said.contains("holding:2: the device answered with exception illegal_data_address"),
        "{said}"
    );
    assert!(said.contains("help: addresses count from 0"), "{said}");
    let nobody = read(&bench, "9", &["holding:0"]);
    assert_eq!(nobody.status.code(), Some(3));
    assert_eq!(text(&nobody.stdout), "");
    assert!(text(&nobody.stderr).contains("passline scan"), "{}", text(&nobody.stderr));
}

#[test]
fn a_value_in_the_wrong_order_gets_a_hint_and_a_right_one_none() {
    let bench = Bench::start();
    let right = read(&bench, "1", &["input:0", "input:70", "--type", "f32"]);
    assert_eq!(
        (text(&right.stdout), text(&right.stderr)),
        ("230.4\n49.98\n".into(), String::new())
    );
    let wrong = read(&bench, "1", &["input:0", "input:70", "--type", "f32", "--order", "CDAB"]);
    // It is a hint: the output is what was asked for.
    assert_ne!(succeeded(&wrong), "230.4\n49.98\n");
    assert_eq!(text(&wrong.stderr), "hint: with --order ABCD input:0..1 would be 230.4\n");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    let serial = passline(&["read", "rtu:///dev/no-port", "--unit-id", "0", "holding:0"]);
    assert_eq!(serial.status.code(), Some(2));
    assert!(text(&serial.stderr).contains("0 is all devices at once"));
    // Nobody listens there: exit code 2 shows that nobody was asked.
    let refused = |more: &[&str]| {
        let output = passline(&[&["read", "tcp://127.0.0.1:1", "--unit-id", "1"], more].concat());
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        assert_eq!(text(&output.stdout), "");
        text(&output.stderr)
    };
    assert!(refused(&["holding"]).contains("holding:100"));
    assert!(refused(&[]).contains("PLACE"));
    assert!(refused(&["coil:0", "--type", "f32"]).contains("one bit"));
    assert!(refused(&["holding:0", "--type", "f23"]).contains("unknown type"));
    assert!(refused(&["holding:65535", "--count", "2"]).contains("65535"));
    assert!(refused(&["holding:0", "--timeout", "0s"]).contains("no time"));
    assert!(refused(&["holding:0", "--count", "0"]).contains("1..=2000"));
    assert!(refused(&["holding:0", "--watch=0s"]).contains("no time"));
    assert!(refused(&["holding:0", "--order", "ABDC"]).contains("ABCD"));
}

#[test]
fn watching_a_pipe_writes_a_line_for_each_round_until_nobody_reads_them() {
    let bench = Bench::start();
    let mut child = Command::new(env!("CARGO_BIN_EXE_passline"))
        .args(["read", &bench.url, "--unit-id", "1", "input:0", "input:70", "--type", "f32"])
        .arg("--watch=1ms")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    for _ in 0..3 {
        let line = lines.next().expect("a line").expect("text");
        let (time, values) = line.split_once('\t').expect("a time");
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
        assert_eq!(values, "230.4\t49.98");
    }
    drop(lines);
    assert_eq!(child.wait().expect("its end").code(), Some(0));
}

#[cfg(unix)]
#[test]
fn watching_ends_at_an_interrupt_with_what_the_last_round_was_worth() {
    let bench = Bench::start();
    for (place, exit) in [("holding:0", 0), ("holding:2", 3)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_passline"))
            .args(["read", &bench.url, "--unit-id", "7", place, "--watch=1ms"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        lines.next().expect("a line").expect("text");
        let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(kill.expect("kill").success());
        assert_eq!(child.wait().expect("its end").code(), Some(exit), "{place}");
    }
}
