//! `passline prove` through the real binary: it finds each defect that is planted in a spec, and
//! nothing else; in a good spec it finds nothing.
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

#[allow(dead_code, reason = "not every test serves a simulation")]
mod binary;

use std::path::Path;

use binary::{passline, text};
use serde_json::Value;

const GOOD: &str = "spec: bench
devices:
  meter:
    link: tcp://192.0.2.1:502
    unit_id: 1
    points:
      voltage_l1: { input: 0, type: f32, unit: V }
      voltage_l2: { input: 2, type: f32, unit: V }
      frequency: { input: 4, scale: 0.01, unit: Hz }
      energy: { input: 6, type: u32, order: CDAB }
      level: { holding: 0, type: i16, range: { min: 0, max: 100 } }
      ready: { discrete: 0 }
      state: { input: 8, values: { 0: idle, 1: run } }
      flags: { input: 9 }
      serial: { input: 10, type: string, length: 4 }
      power: { input: 14, type: f32 }
      missing: { input: 16, type: i16, invalid: 0x8000 }
    simulate:
      values:
        voltage_l1: 230.4
        voltage_l2: 229.8
        frequency: 50.01
        energy: 1500
        level: 40
        ready: true
        state: run
        flags: 0x0003
        serial: AB12
        power: { sine: { mean: 460.2, amplitude: 0.1, period: 10s } }
        missing: 7
setup:
  - { wait: 10m }
  - { read: meter.ready, equals: true }
tests:
  - test: voltage
    for_each: { phase: [l1, l2] }
    steps:
      - { read: meter.voltage_$(phase), nominal: 230, tolerance: 10%, marginal: 8% }
  - test: numbers
    steps:
      - { read: meter.frequency, min: 49.9, below: 50.1 }
      - { read: meter.energy, min: 1000, max: 2000 }
      - { read: meter.level, min: 30, max: 50 }
      - { read: meter.missing, above: 0, max: 9 }
      - { read: meter.state, equals: run }
      - { read: meter.flags, bits: { set: [0, 1], clear: [7] } }
      - { read: meter.serial, matches: 'AB[0-9]+' }
  - test: sums
    steps:
      - { compute: meter.voltage_l1 + meter.voltage_l2 - meter.power, name: balance, min: -1, max: 1 }
      - { read: meter.voltage_l1, max: = meter.voltage_l2 + 2 }
  - test: refused
    steps:
      - { read: { device: meter, holding: 900 }, exception: illegal_data_address }
";

/// Proves the spec with these replacements: exit code, and each finding as `kind place`.
fn proven(changes: &[(&str, &str)], options: &[&str]) -> (i32, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut spec = GOOD.to_owned();
    for (from, to) in changes {
        assert!(spec.contains(from), "{from}");
        spec = spec.replacen(from, to, 1);
    }
    let path = folder.path().join("spec.yaml");
    let json = folder.path().join("prove.json").display().to_string();
    std::fs::write(&path, spec).expect("a file");
    let path = path.display().to_string();
    let output = passline(&[&["prove", &path, "--json", &json], options].concat());
    let said = text(&output.stdout) + &text(&output.stderr);
    let document = std::fs::read_to_string(&json).expect(&said);
    let document: Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(document["format"], "passline-prove/1");
    let findings = document["specs"][0]["findings"].as_array().expect("findings").iter();
    let finding = |finding: &Value| {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut place = word(&finding["check"]["check"]);
        if !finding["point"].is_null() {
            place = word(&finding["point"]);
        }
        let limit = word(&finding["limit"]);
        format!("{} {place} {limit}", word(&finding["kind"])).trim_end().to_owned()
    };
    (output.status.code().expect("a code"), findings.map(finding).collect())
}

/// The findings of a spec with these defects.
fn found(changes: &[(&str, &str)]) -> Vec<String> {
    let (code, found) = proven(changes, &[]);
    assert_eq!(code, i32::from(!found.is_empty()), "{found:?}");
    found
}

#[test]
fn a_good_spec_has_nothing_to_find() {
    assert_eq!(found(&[]), Vec::<String>::new());
}

#[test]
fn limits_that_cannot_be_missed_or_never_decide_are_found() {
    // Beyond what the register can hold, on one side of two.
    let beyond = [("min: 30, max: 50", "min: 30, max: 32767")];
    assert_eq!(found(&beyond), ["cannot_fail meter.level max"]);
    let range = [("min: 30, max: 50", "min: -5, max: 200")];
    assert_eq!(found(&range), ["too_wide meter.level"]);
    let shadowed = [("min: 49.9, below: 50.1", "min: 49.9, below: 50.1, max: 60")];
    assert_eq!(found(&shadowed), ["shadowed meter.frequency max"]);
    let computed = [("min: -1, max: 1 }", "min: -1, max: 1, above: -20 }")];
    assert_eq!(found(&computed), ["cannot_fail balance above"]);
}

#[test]
fn a_check_on_the_wrong_phase_leaves_the_right_one_unnoticed() {
    let wrong = [
        ("[l1, l2]", "[l1, l1x]"),
        ("meter.voltage_$(phase)", "meter.voltage_l1"),
        ("meter.voltage_l1 + meter.voltage_l2 - meter.power", "meter.voltage_l1 * 2 - meter.power"),
        ("min: -1, max: 1 }", "min: -1, max: 2 }"),
        ("= meter.voltage_l2 + 2", "= meter.power"),
    ];
    assert_eq!(found(&wrong), ["unnoticed meter.voltage_l2"]);
}

#[test]
fn a_swapped_word_order_that_passes_is_found() {
    let wide = [("min: 1000, max: 2000", "min: 1000")];
    assert_eq!(found(&wide), ["word_order meter.energy"]);
    let same = [("energy: 1500", "energy: 65537"), ("min: 1000, max: 2000", "equals: 65537")];
    assert_eq!(found(&same), ["word_order meter.energy"]);
}

#[test]
fn what_nobody_looks_at_and_what_is_looked_at_twice_is_found() {
    let nobody = [("      - { read: meter.level, min: 30, max: 50 }\n", "")];
    assert_eq!(found(&nobody), ["unnoticed meter.level"]);
    let recorded = [("min: 30, max: 50", "record: true")];
    assert_eq!(found(&recorded), Vec::<String>::new());
    let twice = [(
        "      - { read: meter.state, equals: run }\n",
        "      - { read: meter.state, equals: run }\n      - { read: meter.state, equals: run }\n",
    )];
    assert_eq!(found(&twice), ["duplicate meter.state#2"]);
}

#[test]
fn what_does_not_pass_or_does_not_run_cannot_be_proven() {
    let fails = [("level: 40", "level: 60")];
    assert_eq!(found(&fails), ["does_not_pass meter.level"]);
    let skipped = [("- test: refused\n", "- test: refused\n    if: meter.level > 50\n")];
    assert_eq!(found(&skipped), ["unproven meter.holding:900"]);
    let (code, found) = proven(&skipped, &["--allow-unproven"]);
    assert_eq!((code, found.len()), (0, 1));
}

#[test]
fn a_retry_that_hides_a_failing_value_survives_nothing_permanent() {
    let retried = [(
        "{ read: meter.level, min: 30, max: 50 }",
        "{ read: meter.level, min: 30, max: 50, retry: { errors: [limit], delay: 1h } }",
    )];
    assert_eq!(found(&retried), Vec::<String>::new());
}

#[test]
fn junit_has_a_case_for_each_check_and_selections_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("spec.yaml");
    let bad = GOOD.replacen("min: 30, max: 50", "min: 30, max: 32767", 1);
    std::fs::write(&path, bad).expect("a file");
    let (path, junit) = (path.display().to_string(), folder.path().join("prove.xml"));
    let file = junit.display().to_string();
    let output = passline(&["prove", &path, "--filter", "numbers", "--junit", &file]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let line = "bench: numbers: meter.level: cannot_fail: `max` (32767) can never be missed";
    assert!(said.contains(line), "{said}");
    let xml = std::fs::read_to_string(&junit).expect("a report");
    let xml = roxmltree::Document::parse(&xml).expect("XML");
    let cases = || xml.descendants().filter(|node| node.has_tag_name("testcase"));
    // Those of the test, and of setup.
    assert_eq!(cases().count(), 8);
    let failed: Vec<_> = cases().filter(roxmltree::Node::has_children).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].attribute("classname"), Some("bench.numbers"));
    assert_eq!(failed[0].attribute("name"), Some("meter.level"));
    let nothing = passline(&["prove", &path, "--filter", "no such test"]);
    assert_eq!(nothing.status.code(), Some(4));
    assert_eq!(passline(&["prove", "no such file"]).status.code(), Some(2));
}

#[test]
fn the_specs_of_the_project_have_nothing_to_find() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs");
    let files =
        std::fs::read_dir(folder).expect("the specs").map(|entry| entry.expect("one").path());
    let mut specs: Vec<String> = files
        .filter(|file| file.extension().is_some_and(|end| end == "yaml"))
        // It calibrates in its setup with what it judges later: a value that stands still from the
        // beginning is calibrated away.
        .filter(|file| !file.ends_with("end_of_line.yaml"))
        .map(|file| file.display().to_string())
        .collect();
    specs.sort();
    assert!(specs.len() > 5, "{specs:?}");
    let arguments: Vec<&str> =
        ["prove"].into_iter().chain(specs.iter().map(String::as_str)).collect();
    let output = passline(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}

#[test]
fn the_same_seed_finds_the_same() {
    let once = || {
        let output = passline(&["prove", "specs/drying_oven.yaml", "--seed", "7"]);
        let said = text(&output.stdout);
        said.lines().filter(|line| !line.contains(" mutants in ")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(once(), once());
}
