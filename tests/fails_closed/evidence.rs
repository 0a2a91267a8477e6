//! A run whose evidence is not whole is an error, whatever was measured; and it says what it is.

use std::fs;
use std::process::Stdio;
use std::time::Instant;

use serde_json::Value;

use crate::bench::{Bench, Ended};
use crate::device::{Device, words};

const SIMULATED: &str = "\
spec: evidence
devices: { d: { points: { p: { holding: 0 } } } }
tests:
  - { test: one, steps: [{ read: d.p, equals: 0 }] }
  - { test: two, steps: [{ read: d.p, equals: 0 }] }
";

/// A bench with a device that answers 0, and does something to the bench before that.
fn meanwhile(happens: impl Fn(&std::path::Path) + Send + Sync + 'static) -> (Bench, Device) {
    let bench = Bench::new();
    let folder = bench.path("");
    let device = Device::answering(move |heard| {
        happens(&folder);
        words(heard, &[0])
    });
    let place = format!("link: tcp://{}, unit_id: 1, points", device.address);
    bench.file("spec.yaml", SIMULATED.replace("points", &place));
    (bench, device)
}

#[test]
fn evidence_that_disappears_while_it_is_written_makes_a_pass_an_error() {
    let (bench, _device) = meanwhile(|folder| {
        let _ = fs::remove_dir_all(folder.join("out"));
    });
    let Ended { code, err, .. } = bench.run(&["--json", "run.json"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("error: ") && err.contains("help: "), "{err}");
    // What could be written knows.
    let asked: Value = serde_json::from_slice(&fs::read(bench.path("run.json")).unwrap()).unwrap();
    assert_eq!(asked["outcome"], "error");
}

#[test]
fn a_report_that_was_asked_for_and_cannot_be_written_makes_a_pass_an_error() {
    let (bench, _device) = meanwhile(|folder| {
        // What was a place for a file is a folder now.
        let _ = fs::create_dir_all(folder.join("junit.xml"));
    });
    let Ended { code, err, .. } = bench.run(&["--junit", "junit.xml"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("junit.xml"), "{err}");
    assert_eq!(bench.document()["outcome"], "error");
    let junit = fs::read_to_string(bench.run_folder().join("TEST-passline.xml")).unwrap();
    assert!(junit.contains("<testsuite"), "{junit}");
}

#[test]
fn what_could_be_written_knows_of_what_could_not() {
    let (bench, _device) = meanwhile(|folder| {
        let _ = fs::create_dir_all(folder.join("run.json"));
    });
    let Ended { code, err, .. } = bench.run(&["--junit", "junit.xml", "--json", "run.json"]);
    assert_eq!(code, 3, "{err}");
    assert_eq!(bench.document()["outcome"], "error");
    let asked = fs::read_to_string(bench.path("junit.xml")).unwrap();
    let own = fs::read_to_string(bench.run_folder().join("TEST-passline.xml")).unwrap();
    assert!(own.contains("<error "), "{own}");
    assert_eq!(asked, own, "both say that the run is an error");
}

#[test]
#[cfg(target_os = "linux")]
fn a_stream_of_events_that_breaks_makes_a_pass_an_error() {
    let bench = Bench::with(SIMULATED);
    let Ended { code, err, .. } = bench.run(&["--simulate", "--events", "/dev/full"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("/dev/full"), "{err}");
    assert_eq!(bench.document()["outcome"], "error");
}

#[test]
fn nobody_who_stops_reading_changes_what_a_run_comes_to() {
    for arguments in [&["--simulate"][..], &["--simulate", "--events", "-"]] {
        let bench = Bench::with(&SIMULATED.replace("equals: 0", "equals: 1"));
        let mut all = vec!["run", "spec.yaml", "--out", "out"];
        all.extend(arguments);
        let began = Instant::now();
        let mut command = bench.passline(&all);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let Ended { code, err, .. } = Ended::new(child.wait_with_output().unwrap(), began);
        assert_eq!(code, 1, "{arguments:?}: {err}");
        assert_eq!(bench.document()["outcome"], "fail");
    }
}

#[test]
fn a_part_of_the_tests_is_never_the_whole() {
    let scope = |arguments: &[&str]| {
        let bench = Bench::with(SIMULATED);
        let ended = bench.run(&[&["--simulate"], arguments].concat());
        assert_eq!(ended.code, 0, "{}", ended.err);
        let record = bench.document()["records"][0].clone();
        assert_eq!(record["mode"], "simulated");
        (record["scope"].clone(), record["selection"].clone())
    };
    assert_eq!(scope(&[]), (Value::from("full"), serde_json::json!([])));
    // The last one leaves nothing out, and was asked for all the same.
    for selection in ["--filter=one", "--shard=1/2", "--filter=o"] {
        assert_eq!(scope(&[selection]), (Value::from("partial"), serde_json::json!([selection])));
    }
}

#[test]
fn a_run_that_judges_nothing_is_an_error_and_says_so() {
    let recorded = SIMULATED.replace("equals: 0", "record: true");
    let with_setup = format!("{recorded}setup: [{{ read: d.p, equals: 0 }}]\n");
    for spec in [recorded, with_setup] {
        let bench = Bench::with(&spec);
        let Ended { code, out, .. } = bench.run(&["--simulate"]);
        assert_eq!(code, 3, "{out}");
        assert!(out.contains("nothing was judged"), "{out}");
    }
}

#[test]
fn a_setup_that_does_not_pass_decides_the_run() {
    let setup = |limit: &str, code: i32, outcome: &str| {
        let spec = format!(
            "{SIMULATED}setup: [{{ read: d.p, {limit} }}]\nteardown: [{{ read: d.p, equals: 0 }}]\n"
        );
        let spec = spec.replace("holding: 0 }", "holding: 0 }, q: { holding: 1 }");
        let bench = Bench::with(&spec);
        assert_eq!(bench.run(&["--simulate"]).code, code);
        let record = bench.document()["records"][0].clone();
        assert_eq!(record["outcome"], outcome);
        assert_eq!(record["scope"], "partial");
        let tests = record["tests"].as_array().unwrap();
        let verdicts: Vec<&str> =
            tests.iter().map(|test| test["verdict"].as_str().unwrap()).collect();
        assert_eq!(verdicts, [outcome, "skipped", "skipped", "pass"]);
        for test in &tests[1..3] {
            assert_eq!(test["checks"][0]["message"], "not run: setup did not pass");
        }
    };
    setup("equals: 1", 1, "fail");
    setup("exception: 2", 1, "fail");
    setup("answers: false", 1, "fail");
}
