use proptest::{collection::vec, prelude::*};
use roxmltree::{Document, Node};

use super::{
    shape::{Totals, assert_report},
    write,
};
use crate::record::{
    CheckResult, Direction, ErrorClass, Event, Frame, Hex, Note, Outcome, Phase, RunDocument,
    Verdict, samples::*,
};

fn xml_of(document: &RunDocument) -> String {
    let mut bytes = Vec::new();
    write(document, "bench-1", &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// A check that took two attempts to come to `verdict`.
fn retried(verdict: Verdict, ids: [u64; 2]) -> CheckResult {
    let mut last = attempt(2, verdict, vec![ids[1]]);
    if let Some(error) = &mut last.error {
        error.class = ErrorClass::of_exception(2);
        error.text = "the device answered exception 02".to_owned();
    }
    CheckResult {
        flaky: verdict == Verdict::Pass,
        attempts: vec![attempt(1, Verdict::Error, vec![ids[0]]), last],
        ..result(verdict, Vec::new())
    }
}

/// One check of each verdict, and a flaky one; a late answer.
fn everything() -> RunDocument {
    let mut script = script_of(&[]);
    let test = |phase, checks| TestScript { phase, checks, skipped: None };
    script[0] = vec![
        test(Phase::Setup, vec![result(Verdict::Pass, vec![1])]),
        test(
            Phase::Main,
            vec![
                retried(Verdict::Pass, [2, 3]),
                retried(Verdict::Fail, [4, 5]),
                retried(Verdict::Error, [6, 7]),
                result(Verdict::Recorded, vec![8]),
                result(Verdict::Skipped, vec![]),
            ],
        ),
    ];
    let mut events = in_plan_order(&script);
    let hex = Hex(vec![0, 1, 0, 0, 0, 7, 1, 4, 4, 0x43, 0x66, 0x66, 0x66]);
    let frame = Frame { at_us: 2900, dir: Direction::Rx, hex, note: Some(Note::Late) };
    let end = events.len() - 1;
    events.insert(end, Event::LateFrame { record: 0, transaction: 2, frame });
    let mut document = fold(events);
    document.records[0].slot = Some("A".to_owned());
    document
}

#[test]
fn one_suite_per_record_and_one_case_per_check() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/src/report/junit/expected.xml");
    let xml = xml_of(&everything());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden, &xml).unwrap();
    }
    assert_eq!(xml, std::fs::read_to_string(golden).unwrap(), "UPDATE_GOLDEN=1 rewrites it");
    let totals = Totals { tests: 6, failures: 1, errors: 1, skipped: 1 };
    assert_eq!(assert_report(&xml), totals);
}

/// What breaks readers of XML, of our own making.
fn naughty() -> Vec<String> {
    let mut strings: Vec<String> = [
        "",
        " ",
        " leading and trailing ",
        "\t\n\r\n\r",
        "two\nlines",
        "\u{1B}[31mred\u{1B}[0m",
        "\0",
        "\u{1}\u{8}\u{B}\u{C}\u{E}\u{1F}",
        "\u{7F}\u{80}\u{85}\u{9F}",
        "\u{FFFE}\u{FFFF}",
        "\u{D7FF}\u{E000}\u{FFFD}",
        "\u{10000}\u{1FFFE}\u{10FFFF}",
        "]]>",
        "<![CDATA[x]]>",
        "<!-- x --> <?x y?> </testcase>",
        "&amp; &#27; &#x0; &nbsp; &",
        "\"double\" 'single' `back`",
        "<script>alert(1)</script>",
        "مرحبا \u{202E}reversed\u{202C} \u{200F}",
        "👩‍👩‍👧 🇩🇪 e\u{301} \u{FEFF}",
        "\u{2028}\u{2029}\u{A0}",
        "${env} $(name) %s %n {0}",
        "[[ATTACHMENT|/etc/passwd]]",
        "../../etc/passwd",
        "NaN",
        "null",
    ]
    .map(str::to_owned)
    .to_vec();
    strings.push("long ".repeat(50_000));
    strings.push("\u{1B}".repeat(20_000));
    strings
}

/// Every text of the report is one of `texts`.
fn document_of(texts: &[String]) -> RunDocument {
    let verdicts: Vec<Verdict> = [Verdict::Pass, Verdict::Fail, Verdict::Error, Verdict::Skipped]
        .into_iter()
        .cycle()
        .take(texts.len())
        .collect();
    let mut document = fold(in_plan_order(&script_of(&verdicts)));
    let record = &mut document.records[0];
    let mut any = texts.iter().cycle().cloned();
    let mut next = || any.next().unwrap_or_default();
    record.spec.name = next();
    record.spec.file = next();
    record.slot = Some(next());
    record.uut.serial = Some(next());
    record.tests[0].name = next();
    for (check, text) in record.tests[0].checks.iter_mut().zip(texts) {
        check.name.clone_from(text);
        check.message = Some(text.clone());
        check.limit = Some(text.as_str().into());
        if let Some(measurement) = &mut check.measurement {
            measurement.value = Some(text.as_str().into());
            measurement.unit = Some(text.as_str().into());
        }
        for error in check.attempts.iter_mut().filter_map(|attempt| attempt.error.as_mut()) {
            error.text.clone_from(text);
        }
    }
    document
}

/// What a reader is to see of `text`.
fn visible(text: &str) -> String {
    let legal = |c: char| match u32::from(c) {
        0x9 | 0xA | 0xD => true,
        code => (0x20..0xFFFE).contains(&code) || code >= 0x1_0000,
    };
    let show = |c: char| if legal(c) { c.to_string() } else { format!("#x{:02X}", u32::from(c)) };
    text.chars().map(show).collect()
}

fn assert_texts_survive(texts: &[String]) {
    let document = document_of(texts);
    let xml = xml_of(&document);
    assert_report(&xml);
    let report = Document::parse(&xml).unwrap();
    let cases = report.descendants().filter(|node| node.has_tag_name("testcase"));
    for (case, text) in cases.zip(texts) {
        let name = case.attribute("name").unwrap();
        let shown = visible(text);
        assert!(name.starts_with(&shown), "{name:?} {text:?}");
        let verdict = ["failure", "error", "skipped"];
        let verdict = case.children().find(|c| verdict.contains(&c.tag_name().name()));
        if let Some(verdict) = verdict {
            assert_eq!(verdict.attribute("message"), Some(&*shown));
            assert_eq!(verdict.text().unwrap_or_default(), shown);
        }
        let property = |p: &Node<'_, '_>| p.attribute("name") == Some(&format!("measure.{shown}"));
        let measured = case.descendants().find(property);
        let expected = format!("{shown} {shown} [{shown}]");
        assert_eq!(
            measured.map(|p| p.attribute("value").unwrap()),
            (!matches!(verdict.map(|v| v.tag_name().name()), Some("error" | "skipped")))
                .then_some(&*expected)
        );
    }
}

#[test]
fn no_text_breaks_the_report() {
    assert_texts_survive(&naughty());
}

proptest! {
    #[test]
    fn no_arbitrary_text_breaks_the_report(texts in vec(any::<String>(), 1..12)) {
        assert_texts_survive(&texts);
    }

    #[test]
    fn totals_add_up(script in scripts()) {
        let document = fold(in_plan_order(&script));
        let totals = assert_report(&xml_of(&document));
        let red = totals.failures + totals.errors > 0;
        prop_assert_eq!(red, document.outcome != Outcome::Pass && !document.records.is_empty());
    }

    #[test]
    fn a_killed_run_is_never_green(script in scripts(), kept: prop::sample::Index) {
        let mut events = opening(&script);
        events.truncate(kept.index(events.len()) + 1);
        let document = fold(events);
        let totals = assert_report(&xml_of(&document));
        prop_assert_eq!(totals.errors, document.records.len());
    }
}

#[test]
fn names_are_given_once() {
    let mut document = fold(in_plan_order(&script_of(&[Verdict::Pass; 4])));
    let names = ["a", "a#2", "a", "a"];
    for (check, name) in document.records[0].tests[0].checks.iter_mut().zip(names) {
        name.clone_into(&mut check.name);
    }
    document.records.push(document.records[0].clone());
    let xml = xml_of(&document);
    assert_report(&xml);
    let report = Document::parse(&xml).unwrap();
    let cases = report.descendants().filter(|node| node.has_tag_name("testcase"));
    let names: Vec<_> = cases.filter_map(|case| case.attribute("name")).collect();
    assert_eq!(names[..4], ["a", "a#2", "a#3", "a#4"]);
}

#[test]
fn the_serial_number_is_in_no_name() {
    let document = everything();
    let xml = xml_of(&document);
    let serial = document.records[0].uut.serial.as_deref().unwrap();
    let report = Document::parse(&xml).unwrap();
    let attributes = report.descendants().filter(|node| !node.has_tag_name("property"));
    assert!(attributes.flat_map(|node| node.attributes()).all(|a| !a.value().contains(serial)));
    assert!(xml.contains(&format!(r#"<property name="uut.serial" value="{serial}"/>"#)));
}

#[test]
fn a_long_output_is_cut_and_says_so() {
    let mut document = everything();
    let record = &mut document.records[0];
    let frame = record.transactions[0].frames[0].clone();
    record.transactions[3].frames = vec![frame; 10_000];
    let xml = xml_of(&document);
    assert_report(&xml);
    let report = Document::parse(&xml).unwrap();
    let outputs = report.descendants().filter(|node| node.has_tag_name("system-out"));
    let longest = outputs.filter_map(|node| node.text()).max_by_key(|text| text.len()).unwrap();
    assert!((64 * 1024..65 * 1024).contains(&longest.len()));
    assert!(longest.ends_with("[cut here: the record has all of it]\n"));
}

#[test]
fn limits_are_shown_as_intervals_where_they_are() {
    let shown = |limit: &str| {
        let mut document = fold(in_plan_order(&script_of(&[Verdict::Pass])));
        let limit = serde_json::from_str(limit).unwrap();
        document.records[0].tests[0].checks[0].limit = Some(limit);
        let xml = xml_of(&document);
        let report = Document::parse(&xml).unwrap();
        let named = |p: &Node<'_, '_>| p.attribute("name") == Some("measure.check 0");
        report.descendants().find(named).unwrap().attribute("value").unwrap().to_owned()
    };
    assert_eq!(shown(r#"{"min":207,"max":253.0}"#), "230.4 V [207..253.0]");
    assert_eq!(shown(r#"{"above":0}"#), "230.4 V [>0..]");
    assert_eq!(shown(r#"{"below":1,"min":0}"#), "230.4 V [0..<1]");
    assert_eq!(shown(r#"{"equals":"run"}"#), "230.4 V [equals run]");
    assert_eq!(
        shown(r#"{"max":1,"nominal":230,"tolerance":"10%"}"#),
        "230.4 V [..1, nominal 230, tolerance 10%]"
    );
}

/// A second reader: libxml2, which GitLab and many others use. `.ci/run` brings it. Where
/// `PASSLINE_JUNIT_XSD` names the schema of the Jenkins xUnit plugin, the report is held against
/// it too.
#[test]
#[ignore = "needs python3 with lxml"]
fn libxml2_reads_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for (name, document) in [("everything", everything()), ("naughty", document_of(&naughty()))] {
        let path = folder.path().join(name);
        let xml = xml_of(&document);
        std::fs::write(&path, &xml).unwrap();
        let output = std::process::Command::new("python3")
            .args(["-c", include_str!("libxml2.py")])
            .arg(&path)
            .args(std::env::var_os("PASSLINE_JUNIT_XSD"))
            .output()
            .expect("python3 is installed");
        let (read, errors) = (output.stdout, String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{name}: {errors}");
        let read: Vec<String> = serde_json::from_slice(&read).unwrap();
        let report = Document::parse(&xml).unwrap();
        let elements = report.descendants().filter(Node::is_element);
        let said = elements.flat_map(|node| {
            let attributes = node.attributes().map(|attribute| attribute.value());
            attributes.chain(node.text()).map(str::to_owned).collect::<Vec<_>>()
        });
        assert_eq!(read, said.collect::<Vec<_>>());
    }
}
