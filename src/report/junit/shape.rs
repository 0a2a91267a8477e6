//! The shape that consumers expect, as facts of two schemas: `junit-10.xsd` of the Jenkins xUnit
//! plugin (which elements and attributes there are, which are required, how times look) and
//! `surefire-test-report.xsd` of Apache Surefire (the order inside a test case). One thing is
//! ours: a test case may begin with properties, which Jenkins reads but its schema does not know.

use roxmltree::{Document, Node};

/// What the attributes of a report or a suite state, and what its test cases come to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) tests: usize,
    pub(super) failures: usize,
    pub(super) errors: usize,
    pub(super) skipped: usize,
}

struct Rule {
    element: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    /// In this order. Those of a test case are in Surefire's.
    children: &'static [&'static str],
    text: bool,
}

const RULES: [Rule; 13] = [
    rule("testsuites", &[], &["name", "time", "tests", "failures", "errors"], &["testsuite"]),
    rule(
        "testsuite",
        &["name", "tests", "failures", "errors"],
        &["time", "skipped", "timestamp", "hostname", "id"],
        &["properties", "testcase", "system-out", "system-err"],
    ),
    rule("properties", &[], &[], &["property"]),
    rule("property", &["name", "value"], &[], &[]),
    rule(
        "testcase",
        &["name", "classname", "time"],
        &[],
        &[
            "properties",
            "failure",
            "rerunFailure",
            "flakyFailure",
            "skipped",
            "error",
            "system-out",
            "system-err",
        ],
    ),
    text("failure", &["type", "message"]),
    text("error", &["type", "message"]),
    text("skipped", &["message"]),
    rule("rerunFailure", &["message", "type"], &[], &["stackTrace"]),
    rule("flakyFailure", &["message", "type"], &[], &["stackTrace"]),
    text("stackTrace", &[]),
    text("system-out", &[]),
    text("system-err", &[]),
];

const fn rule(
    element: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    children: &'static [&'static str],
) -> Rule {
    Rule { element, required, optional, children, text: false }
}

const fn text(element: &'static str, required: &'static [&'static str]) -> Rule {
    Rule { element, required, optional: &[], children: &[], text: true }
}

/// Panics with the place if `xml` is no report, or its totals do not add up.
pub(super) fn assert_report(xml: &str) -> Totals {
    let document = Document::parse(xml).unwrap_or_else(|error| panic!("{error}\n{xml}"));
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    assert_element(root);
    let suites = root.children().filter(Node::is_element).map(|suite| {
        let counted = counted(suite);
        assert_eq!(stated(suite), counted, "{suite:?}");
        assert_eq!(number(suite, "skipped"), counted.skipped, "{suite:?}");
        counted
    });
    let sum = suites.fold(Totals::default(), |sum, suite| Totals {
        tests: sum.tests + suite.tests,
        failures: sum.failures + suite.failures,
        errors: sum.errors + suite.errors,
        skipped: sum.skipped + suite.skipped,
    });
    let stated = Totals { skipped: sum.skipped, ..stated(root) };
    assert_eq!(stated, sum);
    assert_names_are_unique(&document);
    sum
}

fn assert_element(node: Node<'_, '_>) {
    let name = node.tag_name().name();
    let rule = RULES.iter().find(|rule| rule.element == name);
    let rule = rule.unwrap_or_else(|| panic!("no element {name}"));
    for required in rule.required {
        assert!(node.has_attribute(*required), "{name} without {required}");
    }
    for attribute in node.attributes() {
        let known = rule.required.iter().chain(rule.optional);
        assert!(known.clone().any(|known| *known == attribute.name()), "{name}: {attribute:?}");
        assert!(attribute.name() != "time" || is_time(attribute.value()), "{attribute:?}");
        assert!(attribute.name() != "name" || !attribute.value().is_empty(), "{node:?}");
    }
    assert_children(node, rule);
    node.children().filter(Node::is_element).for_each(assert_element);
}

fn assert_children(node: Node<'_, '_>, rule: &Rule) {
    let mut from = 0;
    for child in node.children() {
        if !child.is_element() {
            let words = child.text().unwrap_or_default();
            assert!(rule.text || words.trim().is_empty(), "{}: {words:?}", rule.element);
            continue;
        }
        let place = rule.children.iter().position(|known| *known == child.tag_name().name());
        let place = place.unwrap_or_else(|| panic!("{child:?} in {}", rule.element));
        assert!(place >= from, "{child:?} is out of order in {}", rule.element);
        from = place;
    }
    let verdicts = ["failure", "skipped", "error", "flakyFailure"];
    let given =
        verdicts.iter().filter(|verdict| node.children().any(|c| c.has_tag_name(**verdict)));
    assert!(rule.element != "testcase" || given.count() <= 1, "{node:?}");
}

/// Plain decimal seconds with three decimals: narrower than the schema's pattern.
fn is_time(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = text.split_once('.');
    parts.is_some_and(|(whole, decimals)| digits(whole) && digits(decimals) && decimals.len() == 3)
}

fn counted(suite: Node<'_, '_>) -> Totals {
    let cases = || suite.children().filter(|child| child.has_tag_name("testcase"));
    let with = |element| cases().filter(|c| c.children().any(|e| e.has_tag_name(element))).count();
    Totals {
        tests: cases().count(),
        failures: with("failure"),
        errors: with("error"),
        skipped: with("skipped"),
    }
}

fn stated(node: Node<'_, '_>) -> Totals {
    let skipped = node.attribute("skipped").map_or(0, |_| number(node, "skipped"));
    Totals {
        tests: number(node, "tests"),
        failures: number(node, "failures"),
        errors: number(node, "errors"),
        skipped,
    }
}

fn number(node: Node<'_, '_>, attribute: &str) -> usize {
    node.attribute(attribute).unwrap().parse().unwrap()
}

fn assert_names_are_unique(document: &Document<'_>) {
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    let mut names: Vec<_> =
        cases.map(|case| (case.attribute("classname"), case.attribute("name"))).collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        assert_ne!(pair[0], pair[1], "GitLab keeps only the first");
    }
}
