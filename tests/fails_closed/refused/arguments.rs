//! Arguments that make no run: what is wrong is said, and no evidence is begun.

use std::fs;

use crate::bench::{Bench, Ended};

const SPEC: &str = "\
spec: arguments
vars: { lowest: 5, name: abc, dry: false }
devices:
  d: { points: { p: { holding: 0 } }, simulate: { values: { p: 7 } } }
tests:
  - { test: one, tags: [smoke], steps: [{ read: d.p, min: $(lowest) }] }
  - { test: two, steps: [{ read: d.p, min: 2 }] }
";

const SERIAL: &str = "\
spec: serial
uut: { serial: { pattern: '[0-9]{4}|a)(b' } }
devices: { d: { points: { p: { holding: 0 } } } }
tests: [{ test: t, steps: [{ read: d.p, equals: 0 }] }]
";

/// Whether the run of a spec with these arguments ends so, before anything is begun.
fn ends(spec: &str, arguments: &[&str], code: i32, says: &str) {
    let bench = Bench::with(spec);
    let Ended { code: got, err, out, .. } = bench.run(arguments);
    assert_eq!(got, code, "{arguments:?}: {err}");
    assert!(err.contains(says), "{arguments:?}: {err}");
    assert!(err.starts_with("error: "), "{arguments:?}: {err}");
    assert_eq!(out, "", "{arguments:?}");
    assert!(bench.is_untouched(), "{arguments:?}");
}

#[test]
fn it_runs_without_any_of_them() {
    let bench = Bench::with(SPEC);
    assert_eq!(bench.run(&["--simulate"]).code, 0);
    assert!(bench.run_folder().join("run.json").exists());
}

#[test]
fn variables_that_no_spec_has_or_of_another_type() {
    let simulated = |variable: &str, says: &str| {
        ends(SPEC, &["--simulate", "--var", variable], 2, says);
    };
    simulated("lowst=3", "the spec has no such variable");
    simulated("lowst=3", "did you mean `lowest`?");
    simulated("lowest=abc", "a number is needed");
    simulated("lowest=", "a number is needed");
    simulated("lowest=1e", "a number is needed");
    simulated("dry=1", "a truth value is needed");
    simulated("lowest", "write NAME=VALUE");
    simulated("=5", "");
    simulated("lowest=70000", "cannot pass");
    simulated("lowest=0", "cannot fail");
}

#[test]
fn a_selection_of_nothing_is_not_a_pass() {
    let selects = |arguments: &[&str]| {
        ends(SPEC, &[&["--simulate"], arguments].concat(), 4, "no test is selected");
    };
    selects(&["--filter", "three"]);
    selects(&["--filter", "ONE"]);
    selects(&["--tag", "smok"]);
    selects(&["--tag", "smoke", "--filter", "two"]);
    selects(&["--shard", "3/3"]);
    selects(&["--shard", "1/2", "--filter", "nothing"]);
}

#[test]
fn selections_that_are_none() {
    for shard in ["0/2", "3/2", "1", "1/0", "a/b", "1/2/3", "-1/2", ""] {
        ends(SPEC, &["--simulate", &format!("--shard={shard}")], 2, "--shard");
    }
}

#[test]
fn devices_that_nothing_simulates_or_links() {
    ends(SPEC, &["--simulate=meter"], 2, "the specs have no such device");
    ends(SPEC, &["--simulate=d,meter"], 2, "meter");
    ends(SPEC, &["--simulate=,"], 2, "the specs have no such device");
    ends(SPEC, &["--simulate="], 2, "the specs have no such device");
    ends(SPEC, &[], 2, "device d has no link");
}

#[test]
fn numbers_out_of_range_and_unknown_options() {
    for arguments in [
        &["--repeat", "0"][..],
        &["--repeat", "-1"],
        &["--repeat", "1000000"],
        &["--seed", "x"],
        &["--seed", "-1"],
        &["--serail", "1"],
        &["--junit"],
        &["--out", ""],
    ] {
        ends(SPEC, &[&["--simulate"], arguments].concat(), 2, "");
    }
    let bench = Bench::with(SPEC);
    for arguments in [&[][..], &["run"], &["rn", "spec.yaml"], &["run", "--simulate"]] {
        assert_eq!(bench.ends(arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn a_serial_number_that_is_missing_or_of_another_form() {
    let spec = SERIAL.replace("|a)(b", "");
    ends(&spec, &["--simulate"], 2, "needs the serial number");
    for serial in ["123", "12345", "x1234", "1234\n", ""] {
        ends(&spec, &["--simulate", "--serial", serial], 2, "not of the form");
    }
    let bench = Bench::with(&spec);
    assert_eq!(bench.run(&["--simulate", "--serial", "1234"]).code, 0);
    // Complete only inside a group: it would make anything a serial number that begins so.
    ends(SERIAL, &["--simulate", "--serial", "12345"], 2, "no regular expression");
}

const SUB_UNITS: &str = "\
spec: built of parts
uut: { sub_units: { supply: { serial: { pattern: 'P[0-9]+' } }, lid: { part_number: L } } }
devices: { d: { points: { p: { holding: 0 } } } }
tests: [{ test: 'with $(uut.supply.serial)', steps: [{ read: d.p, equals: 0 }] }]
";

#[test]
fn sub_units_without_a_serial_number_or_with_a_wrong_one() {
    let refused = |arguments: &[&str], says: &str| {
        ends(SUB_UNITS, &[&["--simulate"], arguments].concat(), 2, says);
    };
    refused(&[], "there is no variable `uut.supply.serial`");
    refused(&["--sub-unit", "supply"], "write NAME=VALUE");
    refused(&["--sub-unit", "supply=1"], "serial number 1 is not of the form P[0-9]+");
    refused(&["--sub-unit", "suply=P1"], "did you mean `supply`?");
    refused(&["--sub-unit", "supply=P1", "--sub-unit", "supply=P2"], "is given twice");
    let quiet = SUB_UNITS.replace("$(uut.supply.serial)", "");
    ends(&quiet, &["--simulate"], 2, "needs the serial number of sub-unit `supply`");
    let bench = Bench::with(SUB_UNITS);
    let identity = ["--sub-unit=supply=P1", "--batch=7", "--operator=Ada", "--serial=S"];
    assert_eq!(bench.run(&[&["--simulate"], &identity[..]].concat()).code, 0);
    let record = &bench.document()["records"][0];
    assert_eq!(record["tests"][0]["name"], "with P1");
    assert_eq!(record["operator"], "Ada");
    let expected = serde_json::json!({
        "serial": "S", "part_number": null, "revision": null, "batch": "7",
        "sub_units": [
            { "name": "supply", "serial": "P1", "part_number": null },
            { "name": "lid", "serial": null, "part_number": "L" },
        ],
    });
    assert_eq!(record["uut"], expected);
}

#[test]
fn evidence_that_cannot_be_written_where_it_should_be() {
    let folder = |bench: &Bench, name: &str| fs::create_dir(bench.path(name)).unwrap();
    for option in ["--junit", "--json"] {
        let bench = Bench::with(SPEC);
        folder(&bench, "taken");
        bench.file("file", "");
        for place in ["taken", "taken/", "file/report", ""] {
            let Ended { code, err, .. } = bench.run(&["--simulate", option, place]);
            assert!(code == 3 || place.is_empty() && code == 2, "{option} {place}: {code} {err}");
            assert!(err.contains("help: ") || place.is_empty(), "{option} {place}: {err}");
            assert!(bench.is_untouched(), "{option} {place}: {err}");
        }
    }
    let bench = Bench::with(SPEC);
    bench.file("out", "a file");
    let Ended { code, err, .. } = bench.run(&["--simulate"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("help: "), "{err}");
    assert_eq!(fs::read(bench.path("out")).unwrap(), b"a file");
}

#[test]
fn evidence_of_another_run_is_never_overwritten() {
    let bench = Bench::with(SPEC);
    bench.file("mine.json", "mine");
    let Ended { code, err, .. } = bench.run(&["--simulate", "--events", "missing/events"]);
    assert_eq!(code, 3, "{err}");
    assert!(!bench.path("missing").exists());
}
