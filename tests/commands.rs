//! The commands through the real binary: what they print, what they leave, how they exit.
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

mod binary;

use std::path::Path;
use std::process::Command;

use binary::{Simulator, passline, succeeded, text};
use serde_json::Value;

const METER: &str = "specs/three_phase_meter.yaml";

/// The document of the only run under `out`.
fn document(out: &Path) -> Value {
    let mut runs: Vec<_> = std::fs::read_dir(out).expect("runs").collect();
    assert_eq!(runs.len(), 1);
    let run = runs.remove(0).expect("a run").path().join("run.json");
    serde_json::from_slice(&std::fs::read(run).expect("run.json")).expect("JSON")
}

fn names(document: &Value) -> Vec<String> {
    let records = document["records"].as_array().expect("records");
    let tests = records.iter().flat_map(|record| record["tests"].as_array().expect("tests"));
    let ran = tests.filter(|test| test["verdict"] != "skipped");
    ran.map(|test| test["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn a_started_project_runs_as_it_is_and_is_never_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a path");
    succeeded(&passline(&["init", path]));
    let spec = format!("{path}/spec.yaml");
    let out = format!("{path}/out");
    succeeded(&passline(&["run", &spec, "--simulate", "--out", &out]));
    let again = passline(&["init", path]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("nothing is ever overwritten"));
}

#[test]
fn a_simulator_says_where_each_link_listens_and_read_prints_bare_values() {
    let (_simulator, lines) = Simulator::start(2, &["specs/billing_meters.yaml"]);
    assert!(lines[0].ends_with(" for gateway units 1,2,3"), "{lines:?}");
    assert!(lines[1].ends_with(" for tcp://192.0.2.21:502 units 1"), "{lines:?}");
    let url = lines[0].strip_prefix("listening on ").and_then(|rest| rest.split(' ').next());
    let url = url.expect("a URL");
    let read = |arguments: &[&str]| passline(&[&["read", url, "--unit-id"], arguments].concat());
    let em24 = read(&["1", "input:0", "--type", "i32", "--order", "CDAB", "--scale", "0.1"]);
    assert_eq!(succeeded(&em24), "230.1\n");
    let counter = read(&["2", "holding:3203", "--type", "i64", "--scale", "0.001"]);
    assert_eq!(succeeded(&counter), "9007199254740.993\n");
    let floats = read(&["3", "holding:0x2006", "holding:8200", "--type", "f32", "--scale", "0.1"]);
    assert_eq!(succeeded(&floats), "230\n229.5\n");
    let hole = read(&["1", "input:9999"]);
    assert_eq!(hole.status.code(), Some(3));
    assert_eq!(text(&hole.stdout), "");
    assert!(text(&hole.stderr).contains("illegal_data_address"));
    let usage = read(&["1", "holding"]);
    assert_eq!(usage.status.code(), Some(2));
}

#[test]
fn what_runs_over_tcp_is_what_runs_in_memory() {
    let (_simulator, lines) = Simulator::start(2, &["tests/maps/xy-md02.yaml", METER]);
    let url = lines[0].split(' ').nth(2).expect("a URL");
    let variable = format!("port={}", url.rsplit(':').next().expect("a port"));
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("a path");
    let run = ["run", "tests/maps/xy-md02.yaml", "--var", &variable, "--out", folder];
    succeeded(&passline(&run));
    assert_eq!(document(out.path())["records"][0]["mode"], "development");
}

#[test]
fn two_devices_at_one_place_cannot_be_simulated_at_once() {
    let maps = ["simulate", "tests/maps/xy-md02.yaml", "tests/maps/orno-we504.yaml"];
    let output = passline(&maps);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("both unit 1 on tcp://127.0.0.1:502"));
}

#[test]
fn plan_touches_nothing_and_counts_transactions() {
    let output = succeeded(&passline(&["plan", METER]));
    assert!(output.contains("load current (3 checks)"), "{output}");
    assert!(
        output.contains("input 6 from 6 for meter.current_l1, meter.current_l2, meter.current_l3"),
        "{output}"
    );
    assert!(output.contains("tcp://192.0.2.10:502: 11 transactions, 55.000ms"), "{output}");
}

#[test]
fn schema_and_completions_are_whole() {
    for kind in ["spec", "profile"] {
        let schema: Value =
            serde_json::from_str(&succeeded(&passline(&["schema", kind]))).expect("JSON");
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        let root = schema["allOf"][0]["$ref"].as_str().expect("a root").trim_start_matches('#');
        let root = schema.pointer(root).expect("the root's definition");
        assert!(root["properties"][kind].is_object(), "{kind}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = succeeded(&passline(&["completions", shell]));
        assert!(script.contains("three") || script.contains("simulate"), "{shell}");
    }
}

#[test]
fn every_option_of_every_command_is_documented() {
    let page = std::fs::read_to_string("docs/command-line.md").expect("the page");
    let commands = [
        "run",
        "check",
        "plan",
        "simulate",
        "read",
        "write",
        "scan",
        "learn",
        "import",
        "init",
        "schema",
        "completions",
    ];
    let mut options = 0;
    for command in commands {
        assert!(page.contains(&format!("`passline {command} ")), "{command}");
        let help = succeeded(&passline(&[command, "--help"]));
        let words = help.split([' ', '\n', '[', '<', ',', '=']);
        for option in words.filter(|word| word.starts_with("--") && word.len() > 2) {
            if !["--help", "--version"].contains(&option) {
                assert!(page.contains(&format!("`{option}")), "{option} of {command}");
                options += 1;
            }
        }
    }
    assert!(options > 25, "{options}");
}

#[test]
fn check_shows_what_addresses_became() {
    let output = succeeded(&passline(&["check", "--verbose", "specs/billing_meters.yaml"]));
    // The profile counts from 1.
    assert!(output.contains("holding:3027..3028 voltage_l1 (f32)"), "{output}");
}

#[test]
fn the_shards_of_a_run_are_all_of_it_once() {
    let out = tempfile::tempdir().expect("a folder");
    let run = |name: &str, more: &[&str]| {
        let out = out.path().join(name);
        let folder = out.to_str().expect("a path");
        succeeded(&passline(&[&["run", METER, "--simulate", "--out", folder], more].concat()));
        let document = document(&out);
        let scope = document["records"][0]["scope"].as_str().expect("a scope").to_owned();
        (names(&document), scope)
    };
    let (whole, scope) = run("whole", &[]);
    assert_eq!(scope, "full");
    let mut parts = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let (part, scope) = run(shard.split('/').next().expect("a number"), &["--shard", shard]);
        assert_eq!(scope, "partial");
        parts.extend(part);
    }
    parts.sort();
    let mut sorted = whole.clone();
    sorted.sort();
    assert_eq!(parts, sorted);
    let (smoke, scope) = run("smoke", &["--tag", "smoke", "--filter", "voltage"]);
    assert_eq!((smoke.len(), scope.as_str()), (3, "partial"));
    assert!(smoke.iter().all(|name| name.starts_with("mains voltage")));
}

#[test]
fn every_repetition_is_a_record_of_its_own() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("a path");
    succeeded(&passline(&["run", METER, "--simulate", "--repeat", "3", "--out", folder]));
    let document = document(out.path());
    let records = document["records"].as_array().expect("records");
    let mut ids: Vec<&Value> = records.iter().map(|record| &record["record_id"]).collect();
    assert_eq!(ids.len(), 3);
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[test]
fn events_stream_without_gaps_and_leave_standard_output_to_the_data() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("a path");
    let output = passline(&["run", METER, "--simulate", "--out", folder, "--events", "-"]);
    let lines: Vec<Value> = succeeded(&output)
        .lines()
        .map(|line| serde_json::from_str(line).expect("one event a line"))
        .collect();
    for (line, seq) in lines.iter().zip(1..) {
        assert_eq!(line["seq"], seq);
    }
    assert!(lines.first().expect("events")["event"]["run_started"].is_object());
    assert!(lines.last().expect("events")["event"]["run_finished"].is_object());
    assert!(text(&output.stderr).contains("three-phase-meter: PASS"));
}

#[test]
fn the_documents_that_were_asked_for_are_those_of_the_run() {
    let out = tempfile::tempdir().expect("a folder");
    let [folder, json, junit] = ["runs", "run.json", "junit.xml"]
        .map(|name| out.path().join(name).to_str().expect("a path").to_owned());
    std::fs::write(&json, "what was there before").expect("a file");
    let run = ["run", METER, "--simulate", "--out", &folder, "--json", &json, "--junit", &junit];
    succeeded(&passline(&run));
    let asked: Value =
        serde_json::from_slice(&std::fs::read(&json).expect("the document")).expect("JSON");
    assert_eq!(asked, document(Path::new(&folder)));
    let junit = std::fs::read_to_string(&junit).expect("the report");
    roxmltree::Document::parse(&junit).expect("XML");
}

#[test]
fn a_variable_takes_another_value_of_its_type() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("a path");
    let run = |value| passline(&["run", METER, "--simulate", "--out", folder, "--var", value]);
    assert_eq!(run("nominal=120").status.code(), Some(1));
    let wrong = run("nominal=high");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("--var nominal=high"));
    assert_eq!(run("nominol=120").status.code(), Some(2));
    assert_eq!(run("nominal").status.code(), Some(2));
}

#[test]
fn fail_fast_starts_nothing_after_a_test_that_did_not_pass() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("a path");
    let spec = "specs/fails_on_purpose/three_phase_meter.yaml";
    let output = passline(&["run", spec, "--simulate", "--out", folder, "--fail-fast"]);
    assert_eq!(output.status.code(), Some(1));
    let document = document(out.path());
    assert_eq!(document["records"][0]["scope"], "partial");
    assert_eq!(names(&document), ["mains voltage [phase=l1]", "mains voltage [phase=l2]"]);
}

/// Runs with these variables set, and gives the exit code and what was said.
fn with_environment(arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_passline"))
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary");
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn options_are_given_by_variables_as_one_expects() {
    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().to_str().expect("a path");
    let run = ["run", METER, "--out", folder];
    for (set, exit) in [
        (vec![("PASSLINE_SIMULATE", "*")], 0),
        (vec![("PASSLINE_SIMULATE", "meter")], 0),
        // Nothing is simulated by accident: an empty variable is mostly one that was meant away.
        (vec![("PASSLINE_SIMULATE", "")], 2),
        (vec![("PASSLINE_SIMULATE", "*"), ("PASSLINE_FAIL_FAST", "1")], 0),
        (vec![("PASSLINE_SIMULATE", "*"), ("PASSLINE_FAIL_FAST", "0")], 0),
    ] {
        let (code, said) = with_environment(&run, &set);
        assert_eq!(code, Some(exit), "{set:?} {said}");
    }
    let (_, said) = with_environment(&["check", METER], &[("PASSLINE_VERBOSE", "yes")]);
    assert!(said.contains("voltage_l1"), "{said}");
}

#[test]
fn shares_count_over_all_specs_and_a_spec_without_any_leaves_no_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let spec = |name: &str| {
        let file = at(&format!("{name}.yaml"));
        let text = format!(
            "spec: {name}\ndevices: {{ d: {{ points: {{ a: {{ holding: 0 }} }} }} }}\n\
             tests: [{{ test: only, steps: [{{ read: d.a, equals: 0 }}] }}]\n"
        );
        std::fs::write(&file, text).expect("a spec");
        file
    };
    let (one, two) = (spec("one"), spec("two"));
    for (shard, ran) in [("1/2", "one"), ("2/2", "two")] {
        let out = folder.path().join(ran);
        let folder = out.to_str().expect("a path");
        let output =
            passline(&["run", &one, &two, "--simulate", "--shard", shard, "--out", folder]);
        succeeded(&output);
        assert!(text(&output.stderr).contains("none of its tests is selected"));
        let document = document(&out);
        let records = document["records"].as_array().expect("records");
        let names: Vec<&Value> = records.iter().map(|record| &record["spec"]["name"]).collect();
        assert_eq!(names, [ran]);
    }
}

#[test]
fn fail_fast_is_about_the_whole_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = |name: &str, max: u16| {
        let path = folder.path().join(format!("{name}.yaml"));
        let text = format!(
            "spec: {name}\nvars: {{ port: 502 }}\ndevices:\n  device:\n    link: tcp://127.0.0.1:$(port)\n    \
             unit_id: 1\n    points: {{ level: {{ holding: 0 }} }}\n    simulate: {{ values: {{ level: 5 }} }}\n\
             tests:\n  - test: level\n    steps: [{{ read: device.level, max: {max} }}]\n"
        );
        std::fs::write(&path, text).expect("a spec");
        path.to_str().expect("a path").to_owned()
    };
    // Both are about one device, so that the second can only begin when the first is over.
    let (first, second, third) = (spec("first", 3), spec("second", 6), METER);
    let (_simulator, lines) = Simulator::start(2, &[&first, third]);
    let url = lines[0].split(' ').nth(2).expect("a URL");
    let port = format!("port={}", url.rsplit(':').next().expect("a port"));
    let out = folder.path().join("out");
    let run = ["run", &first, &second, "--var", &port, "--fail-fast", "--out"];
    let output = passline(&[&run[..], &[out.to_str().expect("a path")]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let document = document(&out);
    let records = document["records"].as_array().expect("records");
    assert_eq!(records.len(), 1, "what never began has no record");
    assert_eq!(records[0]["spec"]["name"], "first");
}
