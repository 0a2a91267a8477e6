//! What `passline diff` says has changed, through the real binary: meaning, never layout.
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

#[allow(dead_code, reason = "not every test serves a simulation")]
mod binary;

use std::path::Path;

use binary::{passline, text};

const PROFILE: &str = "profile: meter
max_registers: 80
points:
  voltage: { input: 0, type: f32, unit: V }
  current: { input: 6, type: u16, scale: 0.1, unit: A }
  energy: { input: 72, type: u32 }
";

const SPEC: &str = "spec: board
version: \"1.0\"
vars: { nominal: 230, label: 1.10 }
devices:
  meter:
    profile: meter.yaml
    link: tcp://192.0.2.1:502
    unit_id: 1
    simulate: { values: { voltage: 230.4, current: 5 } }
tests:
  - test: mains voltage
    tags: [smoke]
    steps:
      - { read: meter.voltage, min: 207, max: 253 }
  - test: load
    steps:
      - { read: meter.current, nominal: 5, tolerance: 0.5 }
      - { read: meter.energy, one_of: [0, 1, 2] }
  - test: last
    steps:
      - { read: meter.energy, max: 16 }
";

/// Writes both versions with these replacements in the new one, and gives exit code and lines.
fn changed(profile: &[(&str, &str)], spec: &[(&str, &str)], options: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |side: &str, name: &str, text: &str, changes: &[(&str, &str)]| {
        let mut text = text.to_owned();
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        let path = folder.path().join(side);
        std::fs::create_dir_all(&path).expect("a folder");
        std::fs::write(path.join(name), text).expect("a file");
    };
    for (side, profile, spec) in [("old", &[][..], &[][..]), ("new", profile, spec)] {
        write(side, "meter.yaml", PROFILE, profile);
        write(side, "spec.yaml", SPEC, spec);
    }
    let path = |side: &str| folder.path().join(side).join("spec.yaml").display().to_string();
    let output = passline(&[&["diff", &path("old"), &path("new")], options].concat());
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.code().expect("a code"), said)
}

#[test]
fn each_change_is_said_in_words() {
    let spec = |from: &'static str, to: &'static str, said: &str| {
        assert_eq!(changed(&[], &[(from, to)], &[]), (1, format!("{said}\n")), "{from} -> {to}");
    };
    let step = "test `mains voltage`, step `meter.voltage`";
    spec("max: 253", "max: 255", &format!("{step}, max: 253 → 255 (wider)"));
    spec("min: 207", "min: 210.5", &format!("{step}, min: 207 → 210.5 (tighter)"));
    spec(", max: 253", "", &format!("{step}, max: removed, was 253 (wider)"));
    let load = "test `load`, step `meter.current`";
    spec("tolerance: 0.5", "tolerance: 0.2", &format!("{load}, tolerance: 0.5 → 0.2 (tighter)"));
    spec("tolerance: 0.5", "tolerance: 5%", &format!("{load}, tolerance: 0.5 → 5%"));
    spec(
        "[0, 1, 2]",
        "[0, 1]",
        "test `load`, step `meter.energy`, one_of: [0, 1, 2] → [0, 1] (tighter)",
    );
    spec("tags: [smoke]", "tags: [slow]", "test `mains voltage`, tags: [smoke] → [slow]");
    spec("test: load", "test: burden", "test `load`: now called `burden`");
    spec("nominal: 230,", "nominal: 231,", "variable `nominal`: 230 → 231");
    spec("label: 1.10", "label: 1.1", "variable `label`: 1.10 → 1.1");
    spec("unit_id: 1", "unit_id: 2", "device `meter`, unit_id: 1 → 2");
    let simulated = "device `meter`, simulate, values, voltage: 230.4 → 231 (simulation only)";
    spec("voltage: 230.4", "voltage: 231", simulated);
    let step = "      - { read: meter.energy, one_of: [0, 1, 2] }\n";
    spec(step, "", "test `load`, step `meter.energy`: removed");
    let waits = "    steps:\n      - { wait: 1s }\n      - { read: meter.current";
    spec("    steps:\n      - { read: meter.current", waits, "test `load`, step `1s`: added");
}

#[test]
fn points_and_profiles_are_seen_through_the_spec() {
    let profile = |from: &'static str, to: &'static str, said: &str| {
        assert_eq!(changed(&[(from, to)], &[], &[]), (1, format!("{said}\n")), "{from} -> {to}");
    };
    let point = "device `meter`, point `current`";
    profile("input: 6", "input: 8", &format!("{point}, address: input:6 → input:8"));
    profile("scale: 0.1", "scale: 0.01", &format!("{point}, scale: 0.1 → 0.01"));
    profile("unit: A", "unit: mA", &format!("{point}, unit: `A` → `mA`"));
    profile("max_registers: 80", "max_registers: 8", "file `meter.yaml`, max_registers: 80 → 8");
}

#[test]
fn a_test_that_moved_is_said_to_have_moved() {
    let last = "  - test: last\n    steps:\n      - { read: meter.energy, max: 16 }\n";
    let first = "tests:\n  - test: last\n    steps:\n      - { read: meter.energy, max: 16 }\n";
    let moved = changed(&[], &[(last, ""), ("tests:\n", first)], &[]);
    assert_eq!(moved, (1, "test `last`: moved\n".to_owned()));
}

#[test]
fn layout_changes_nothing() {
    let spec = [
        (
            "{ read: meter.voltage, min: 207, max: 253 }",
            "{max: 253.0, # why\n       min: 207, 'read': [meter.voltage]}",
        ),
        ("max: 16", "max: 0x10"),
        ("version: \"1.0\"", "# a comment\nversion: '1.0'"),
        ("    unit_id: 1\n", ""),
        ("    profile: meter.yaml\n", "    unit_id: 1\n    profile: meter.yaml\n"),
    ];
    let profile = [("scale: 0.1, unit: A", "unit: A, scale: 0.10")];
    assert_eq!(changed(&profile, &spec, &[]), (0, String::new()));
}

#[test]
fn programs_get_a_document() {
    let (code, said) = changed(&[], &[("max: 253", "max: 255")], &["--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let expected = serde_json::json!({ "changes": [{
        "place": ["test `mains voltage`", "step `meter.voltage`", "max"],
        "what": "changed", "before": "253", "after": "255", "effect": "wider",
        "simulation_only": false,
    }] });
    assert_eq!((code, document), (1, expected));
}

#[test]
fn what_is_no_spec_is_refused() {
    let (code, said) = changed(&[], &[("max: 253", "mux: 253")], &[]);
    assert_eq!(code, 2);
    assert!(said.contains("`mux` is no key"), "{said}");
    let kinds = passline(&["diff", "specs/mixed_lines.yaml", "specs/devices/em24.yaml"]);
    assert_eq!(kinds.status.code(), Some(2));
    let profile = Path::new("specs/devices/em24.yaml").display().to_string();
    assert_eq!(passline(&["diff", &profile, &profile]).status.code(), Some(0));
    let other = passline(&["diff", &profile, "specs/devices/xy_md02.yaml"]);
    assert_eq!(other.status.code(), Some(1));
    assert!(text(&other.stdout).contains("point `humidity`: added"), "{}", text(&other.stdout));
}

/// A step that writes is known by where, so that what is said is what; and it writes in order.
#[test]
fn writes_are_known_by_where_they_go() {
    let spec = |write: &str| {
        format!(
            "spec: writes\ndevices: {{ d: {{ points: {{ a: {{ holding: 0 }}, b: {{ holding: 1 }} }} }} }}\n\
             tests: [{{ test: t, steps: [{{ {write} }}, {{ read: d.a, equals: 1 }}] }}]\n"
        )
    };
    let step = "test `t`, step `write d.a, d.b`";
    let typed = "test `t`, step `write device: d, holding: 7`";
    for (old, new, said) in [
        (
            "write: { d.a: 1, d.b: 2 }",
            "write: { d.a: 1, d.b: 3 }",
            format!("{step}, write, d.b: 2 → 3"),
        ),
        (
            "write: { d.a: 1, d.b: 2 }, restore: true",
            "write: { d.a: 1, d.b: 2 }",
            format!("{step}, restore: removed, was true"),
        ),
        (
            "write: { device: d, holding: 7, value: 1 }",
            "write: { device: d, holding: 7, value: 2 }",
            format!("{typed}, write, value: 1 → 2"),
        ),
        (
            "name: first, write: { d.a: 1, d.b: 2 }",
            "name: first, write: { d.b: 2, d.a: 1 }",
            "test `t`, step `first`, write, order: d.a, d.b → d.b, d.a".to_owned(),
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |side: &str| folder.path().join(side).display().to_string();
        std::fs::write(path("old.yaml"), spec(old)).expect("a file");
        std::fs::write(path("new.yaml"), spec(new)).expect("a file");
        let output = passline(&["diff", &path("old.yaml"), &path("new.yaml")]);
        assert_eq!(text(&output.stdout), format!("{said}\n"), "{}", text(&output.stderr));
    }
}
