//! The account as JUnit: one test case for each check, and one for each point that something is wrong
//! with.

use std::io;

use super::finding::{Finding, Name, Report};
use crate::report::xml::Xml;

/// Writes the report of all specs.
///
/// # Errors
///
/// Those of `out`.
pub fn write(reports: &[Report], out: impl io::Write) -> io::Result<()> {
    let mut xml = Xml::new(out)?;
    let suites: Vec<Suite<'_>> = reports.iter().map(Suite::of).collect();
    let tests: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    let failures: usize = suites.iter().map(Suite::failures).sum();
    xml.open(
        "testsuites",
        &[
            ("name", "passline prove"),
            ("tests", &tests.to_string()),
            ("failures", &failures.to_string()),
            ("errors", "0"),
        ],
    )?;
    for suite in &suites {
        xml.open(
            "testsuite",
            &[
                ("name", suite.name),
                ("tests", &suite.cases.len().to_string()),
                ("failures", &suite.failures().to_string()),
                ("errors", "0"),
                ("skipped", "0"),
            ],
        )?;
        for case in &suite.cases {
            case.write(&mut xml)?;
        }
        xml.close("testsuite")?;
    }
    xml.close("testsuites")?;
    xml.end()
}

struct Suite<'r> {
    name: &'r str,
    cases: Vec<Case<'r>>,
}

struct Case<'r> {
    class: String,
    name: &'r str,
    findings: Vec<&'r Finding>,
}

impl<'r> Suite<'r> {
    fn of(report: &'r Report) -> Self {
        let of_check = |name: &'r Name| Case {
            class: format!("{}.{}", report.spec, name.test),
            name: &name.check,
            findings: report.of(Some(name)).collect(),
        };
        let checks = report.checks.iter().map(|check| of_check(&check.name));
        let points = report.of(None).map(|finding| Case {
            class: format!("{}.points", report.spec),
            name: finding.point.as_deref().unwrap_or("point"),
            findings: vec![finding],
        });
        Self { name: &report.spec, cases: checks.chain(points).collect() }
    }

    fn failures(&self) -> usize {
        self.cases.iter().filter(|case| !case.findings.is_empty()).count()
    }
}

impl Case<'_> {
    fn write<W: io::Write>(&self, xml: &mut Xml<W>) -> io::Result<()> {
        let attributes = [("classname", self.class.as_str()), ("name", self.name)];
        // One failure for each case: consumers count them.
        let Some(first) = self.findings.first() else { return xml.empty("testcase", &attributes) };
        xml.open("testcase", &attributes)?;
        let lines: Vec<String> = self
            .findings
            .iter()
            .map(|finding| {
                format!("{}: {}\n  help: {}", finding.kind.word(), finding.message, finding.remedy)
            })
            .collect();
        let attributes = [("message", first.message.as_str()), ("type", first.kind.word())];
        xml.leaf("failure", &attributes, &lines.join("\n"))?;
        xml.close("testcase")
    }
}
