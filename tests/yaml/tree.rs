//! YAML to a tree: what is understood, and what is refused.

use std::time::{Duration, Instant};

use passline::language::yaml::Plain;

use super::Parsed;

/// What `text` becomes; nothing may be said about it.
fn understood(text: &str) -> String {
    let parsed = Parsed::of(text);
    assert_eq!(parsed.said(), "", "{text}");
    parsed.shown()
}

/// What is said about `text`.
fn refused(text: &str) -> Vec<String> {
    let parsed = Parsed::of(text);
    assert!(parsed.diagnostics.has_errors(), "accepted: {text}");
    parsed.messages()
}

#[test]
fn block_and_flow_scalars_lists_and_mappings() {
    assert_eq!(
        understood("a: 1\nb: [x, 'y', \"z\\n\"]\nc: {d: ~}\n"),
        r#"{a: 1, b: [x, "y", "z\n"], c: {d: ~}}"#
    );
    assert_eq!(
        understood("a: |\n  one\n  two\nb: >-\n  one\n  two\n"),
        r#"{a: "one\ntwo\n", b: "one two"}"#
    );
    assert_eq!(understood("a: one\n  two\n'b''': ''\n"), r#"{a: one two, "b'": ""}"#);
    assert_eq!(understood("- - 1\n  - 2\n-\n"), "[[1, 2], ]");
    assert_eq!(understood("5"), "5");
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    assert_eq!(understood("\u{feff}a: 1\r\nb:\r\n  - x\r\n"), "{a: 1, b: [x]}");
    assert_eq!(
        refused("\u{feff}a: !x 1\r\nb: *y\r\n"),
        ["1:4 YAML tags are not used here", "2:4 there is no anchor `&y` above"]
    );
}

#[test]
fn aliases_and_merges_stand_for_their_anchors() {
    assert_eq!(understood("a: &x {k: 1}\nb: *x\n"), "{a: {k: 1}, b: {k: 1}}");
    assert_eq!(
        understood("d: &d {x: 1, y: 2}\ne: {<<: *d, y: 3}\n"),
        "{d: {x: 1, y: 2}, e: {y: 3, x: 1}}"
    );
    assert_eq!(
        understood(
            "a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b], z: 3}\nd: &d {<<: *b}\ne: {<<: *d}\n"
        ),
        "{a: {x: 1}, b: {x: 2, y: 2}, c: {z: 3, x: 1, y: 2}, d: {x: 2, y: 2}, e: {x: 2, y: 2}}",
        "the first of several merged mappings wins"
    );
    assert_eq!(understood("a: &k key\n*k : 1\n"), "{a: key, key: 1}");
    assert_eq!(understood("'<<': 1\n"), r#"{"<<": 1}"#, "a quoted << is a key like others");
    assert_eq!(
        understood("a: &x 1\nb: &x 2\nc: *x\n"),
        "{a: 1, b: 2, c: 2}",
        "the nearest anchor above"
    );
}

#[test]
fn a_merge_is_of_aliases_of_mappings() {
    const NONE: &str = "`<<` merges aliases of mappings, and this is none";
    for (text, place) in [
        ("<<: 5\n", "1:5"),
        ("<<:\na: 1\n", "1:3"),
        ("<<: {a: 1}\n", "1:5"),
        ("a: &a [1]\nb: {<<: *a}\n", "2:9"),
        ("a: &a {}\nb: {<<: [*a, x]}\n", "2:14"),
    ] {
        assert_eq!(refused(text), [format!("{place} {NONE}")], "{text}");
    }
    assert_eq!(refused("a: &a {}\nb: {<<: *a, <<: *a}\n"), ["2:13 `<<` is given twice"]);
    assert_eq!(refused("b: {<<: *a}\n"), ["1:9 there is no anchor `&a` above"]);
}

#[test]
fn an_anchored_merge_key_is_a_key_and_never_vanishes() {
    assert_eq!(Parsed::of("? &a <<\n: {x: 1}\n").shown(), "{<<: {x: 1}}");
}

#[test]
fn every_duplicate_is_reported_however_many_keys_there_are() {
    let mut text: String = (0..1000).flat_map(|n| [format!("k{n}"), ": 1\n".to_owned()]).collect();
    text.push_str("k7: 1\n'k8': 1\n");
    assert_eq!(refused(&text), ["1001:1 `k7` is given twice", "1002:1 `k8` is given twice"]);
    assert_eq!(refused("a: &k x\n*k : 1\nx: 2\n"), ["3:1 `x` is given twice"]);
}

#[test]
fn tags_documents_versions_and_odd_keys_are_refused() {
    assert_eq!(refused("a: !foo [1]\nb: !!str 5\n!x c: 1\n").len(), 3);
    assert_eq!(refused("a: 1\n---\nb: 1\n"), ["2:1 a second document begins here"]);
    assert_eq!(refused("%YAML 1.1\n---\na: no\n"), ["2:1 this file asks for YAML 1.1"]);
    assert_eq!(understood("%YAML 1.2\n---\na: no\n...\n"), "{a: no}");
    for key in ["? [a]\n: 1\n", "? {a: 1}\n: 1\n", "[a]: 1\n", "x: &x [1]\n*x : 1\n"] {
        assert!(
            refused(key).iter().any(|said| said.ends_with("a list or a mapping cannot be a key")),
            "{key}"
        );
    }
    assert_eq!(refused("# nothing\n"), ["1:1 the file holds nothing but comments"]);
}

#[test]
fn syntax_errors_have_a_place_and_a_remedy() {
    for (text, place) in [
        ("a:\n\tb: 1\n", "2:2 "),
        ("a: foo: bar\n", "1:7 "),
        ("a: [1, 2\nb: 3\n", "2:2 "),
        ("a: 1\n  b: 2\n", "2:4 "),
        ("a: 'x\n", "1:4 "),
        ("a: \"\\d\"\n", "1:4 "),
        ("a: @x\n", "1:4 "),
        ("a: \u{7}x\n", "1:4 "),
        ("a: {b: 1]\n", "1:4 "),
    ] {
        let parsed = Parsed::of(text);
        let said = parsed.messages();
        assert!(said.first().is_some_and(|said| said.starts_with(place)), "{text}: {said:?}");
        assert!(parsed.said().contains("= help: "), "{}", parsed.said());
    }
}

#[test]
fn nesting_is_bounded_in_every_form() {
    let deep = |depth: usize| {
        [
            ("[".repeat(depth), "]".repeat(depth)),
            ("{a: ".repeat(depth), "}".repeat(depth)),
            ("- ".repeat(depth), String::new()),
        ]
    };
    for (open, close) in deep(64) {
        understood(&format!("{open}1{close}"));
    }
    for depth in [65, 66, 70, 300, 10_000] {
        for (open, close) in deep(depth) {
            let said = refused(&format!("{open}1{close}"));
            assert!(
                said.iter().all(|said| said.ends_with("nested deeper than 64 levels")),
                "{depth} {open}: {said:?}"
            );
        }
    }
    let indented: String =
        (0..10_000).flat_map(|depth| [" ".repeat(depth), "a:\n".to_owned()]).collect();
    assert!(refused(&indented)[0].ends_with("nested deeper than 64 levels"));
    let through_alias = format!(
        "- &a {}1{}\n- {}*a{}\n",
        "[".repeat(40),
        "]".repeat(40),
        "[".repeat(30),
        "]".repeat(30)
    );
    assert!(
        refused(&through_alias)[0].ends_with("nested deeper than 64 levels"),
        "aliases count as what they stand for"
    );
}

#[test]
fn an_anchor_used_often_is_fine_and_a_bomb_is_refused_at_once() {
    let often = format!("- &d {{a: 1, b: 2, c: 3}}\n{}", "- <<: *d\n  b: 5\n".repeat(5000));
    let parsed = Parsed::of(often);
    assert_eq!(parsed.said(), "");
    assert_eq!(
        format!("{:?}", parsed.root().items().unwrap().last().unwrap()),
        "{b: 5, a: 1, c: 3}"
    );

    let bomb = |levels: usize| {
        let mut bomb = "l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
        for level in 1..levels {
            let aliases = format!("*l{}, ", level - 1).repeat(10);
            bomb = format!("{bomb}l{level}: &l{level} [{aliases}]\n");
        }
        bomb
    };
    assert_eq!(Parsed::of(bomb(6)).said(), "");
    for levels in [8, 10, 30, 60] {
        let started = Instant::now();
        assert!(refused(&bomb(levels))[0].contains("stand for more than"), "{levels}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
    assert_eq!(refused("a: &a [1, *a]\n"), ["1:11 this alias stands inside its own anchor"]);
    assert_eq!(refused("a: &a {<<: *a}\n"), ["1:12 this alias stands inside its own anchor"]);
    assert_eq!(refused("a: [*b]\nb: &b 1\n"), ["1:5 there is no anchor `&b` above"]);
}

#[test]
fn plain_scalars_follow_the_core_schema() {
    let typed = |text: &str| {
        let parsed = Parsed::of(format!("a: {text}\n"));
        let written = parsed.value("a").scalar().unwrap();
        format!("{:?}", written.typed())
    };
    let number = |text: &str, value: &str| {
        let wanted = format!("{:?}", Ok::<_, ()>(Plain::Number(value.parse().unwrap())));
        assert_eq!(typed(text), wanted, "{text}");
    };
    for (text, value) in [
        ("0", "0"),
        ("-12", "-12"),
        ("+5", "5"),
        ("0x10", "16"),
        ("0xffffffffffffffff", "18446744073709551615"),
        ("0o17", "15"),
        ("0.3", "0.3"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("-1.5E-2", "-0.015"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("9007199254740993", "9007199254740993"),
        ("0.0", "0"),
        ("-0", "0"),
        ("0e5", "0"),
    ] {
        number(text, value);
    }
    for text in [
        "no", "on", "yes", "off", "NO", "nil", "1_000", "0b11", "1:30", "1,5", "0x", "0xg", "0o8",
        "e5", ".", "+", "1e", "1e+", "1.2.3", "-0x10", "nan", "inf", "tRue", "nUll", "٣",
    ] {
        assert_eq!(typed(text), format!("Ok(Text({text:?}))"), "{text}");
    }
    for text in ["true", "True", "TRUE"] {
        assert_eq!(typed(text), "Ok(Bool(true))");
    }
    for text in ["", "~", "null", "Null", "NULL"] {
        assert_eq!(typed(text), "Ok(Null)");
    }
    assert_eq!(typed(".nan"), "Ok(NotFinite(NaN))");
    assert_eq!(typed("-.Inf"), "Ok(NotFinite(-inf))");
    for (text, plain) in [
        ("010", "10"),
        ("00", "0"),
        ("-007", "-7"),
        ("01.5", "1.5"),
        ("00.5", "0.5"),
        ("08", "8"),
        ("000", "0"),
    ] {
        assert_eq!(typed(text), format!("Err(LeadingZero({plain:?}))"), "{text}");
    }
    assert_eq!(typed("0xfffffffffffffffffffffffffffffffff"), "Err(TooLarge)");
    assert_eq!(typed("1e999999999999"), "Err(TooLarge)");
    assert_eq!(typed("'5'"), r#"Ok(Text("5"))"#);
}

/// Prints what a large file costs; a machine under load must not fail a build.
#[test]
fn a_large_file_is_cheap() {
    let step = "      - read: meter.voltage_l1\n        nominal: 230\n        tolerance: 10%\n";
    let text = format!("tests:\n  - test: t\n    steps:\n{}", step.repeat(50_000));
    let started = Instant::now();
    let parsed = Parsed::of(text);
    let seconds = started.elapsed().as_secs_f64();
    let tree = parsed.tree.as_ref().unwrap();
    let megabytes = f64::from(u32::try_from(tree.source().text().len()).unwrap()) / 1e6;
    println!("{:.1} MB/s, {} bytes per node", megabytes / seconds, tree.memory() / tree.len());
    assert!(tree.memory() / tree.len() <= 32, "a node takes {} bytes", tree.memory() / tree.len());
}
