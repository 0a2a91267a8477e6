//! JUnit XML, as Jenkins, GitLab, Azure and the GitHub actions read it.
//!
//! One `<testsuite>` per record, one `<testcase>` per check. The order of elements is Surefire's;
//! without the properties of test cases, which Jenkins reads but its schema does not know, the
//! whole is valid by the schema of the Jenkins xUnit plugin.

mod words;

use std::{
    collections::{BTreeMap, HashMap},
    io,
};

use crate::record::{
    Check, Conformity, Counts, Outcome, Record, RunDocument, Test, Transaction, Verdict,
};

use super::xml::{Xml, legal};

/// Writes the report of a run that was made on `hostname`.
///
/// # Errors
///
/// Those of `out`.
pub fn write(document: &RunDocument, hostname: &str, out: impl io::Write) -> io::Result<()> {
    let suites: Vec<Suite<'_>> = document.records.iter().map(Suite::of).collect();
    let mut report = Report { xml: Xml::new(out)?, taken: HashMap::new() };
    report.xml.open(
        "testsuites",
        &[
            ("name", "passline"),
            ("time", &seconds(document.ended.milliseconds_since(document.started))),
            ("tests", &suites.iter().map(Suite::tests).sum::<u64>().to_string()),
            ("failures", &suites.iter().map(|suite| suite.counts.fail).sum::<u64>().to_string()),
            ("errors", &suites.iter().map(Suite::errors).sum::<u64>().to_string()),
        ],
    )?;
    for (place, suite) in suites.iter().enumerate() {
        report.suite(place, suite, hostname)?;
    }
    report.xml.close("testsuites")?;
    report.xml.end()
}

struct Suite<'a> {
    record: &'a Record,
    counts: Counts,
    transactions: BTreeMap<u64, &'a Transaction>,
}

impl<'a> Suite<'a> {
    fn of(record: &'a Record) -> Self {
        let by_id = record.transactions.iter().map(|transaction| (transaction.id, transaction));
        Self { record, counts: Counts::of(&record.tests), transactions: by_id.collect() }
    }

    /// Whether the record did not pass and no check says so: consumers count test cases, and would
    /// show it as a success.
    fn says_too_little(&self) -> bool {
        let said = match self.record.outcome {
            Outcome::Pass => true,
            Outcome::Fail => self.counts.fail > 0,
            Outcome::Error | Outcome::Aborted => self.counts.error > 0,
        };
        !said
    }

    fn tests(&self) -> u64 {
        self.counts.checks() + u64::from(self.says_too_little())
    }

    fn errors(&self) -> u64 {
        self.counts.error + u64::from(self.says_too_little())
    }

    fn name(&self) -> String {
        words::class(self.record, None)
    }
}

struct Report<W: io::Write> {
    xml: Xml<W>,
    /// How often a name was given in a class. GitLab keeps only the first of a name.
    taken: HashMap<(String, String), u64>,
}

impl<W: io::Write> Report<W> {
    fn suite(&mut self, place: usize, suite: &Suite<'_>, hostname: &str) -> io::Result<()> {
        let Suite { record, counts, .. } = suite;
        self.xml.open(
            "testsuite",
            &[
                ("name", &suite.name()),
                ("tests", &suite.tests().to_string()),
                ("failures", &counts.fail.to_string()),
                ("errors", &suite.errors().to_string()),
                ("skipped", &counts.skipped.to_string()),
                ("time", &seconds(record.ended.milliseconds_since(record.started))),
                ("timestamp", &record.started.to_string()),
                ("hostname", hostname),
                ("id", &place.to_string()),
            ],
        )?;
        self.suite_properties(record)?;
        for test in &record.tests {
            for check in &test.checks {
                self.case(suite, test, check)?;
            }
        }
        if suite.says_too_little() {
            self.unsaid(suite)?;
        }
        let heading = words::heading(record);
        if !heading.is_empty() {
            self.xml.leaf("system-out", &[], &heading)?;
        }
        self.xml.close("testsuite")
    }

    fn suite_properties(&mut self, record: &Record) -> io::Result<()> {
        let tool = format!("{} {}", record.tool.name, record.tool.version);
        let spec = &record.spec;
        self.xml.open("properties", &[])?;
        for (name, value) in [
            ("run_id", record.run_id.to_string().as_str()),
            ("record_id", &record.record_id.to_string()),
            ("outcome", record.outcome.word()),
            ("mode", record.mode.word()),
            ("scope", record.scope.word()),
            ("spec.version", spec.version.as_deref().unwrap_or_default()),
            ("spec.file", &spec.file),
            ("spec.sha256", &spec.sha256.to_string()),
            ("seed", &record.seed.to_string()),
            ("tool", &tool),
        ] {
            self.property(name, value)?;
        }
        for (name, value) in words::identity(record) {
            self.property(&name, value)?;
        }
        self.xml.close("properties")
    }

    fn case(&mut self, suite: &Suite<'_>, test: &Test, check: &Check) -> io::Result<()> {
        let class = words::class(suite.record, Some(test));
        let took = check.attempts.iter().map(|attempt| attempt.duration_ms);
        self.open_case(&class, &check.name, took.fold(0, u64::saturating_add))?;
        self.case_properties(check)?;
        self.verdict(check)?;
        let output = words::output(check, &suite.transactions);
        if !output.is_empty() {
            self.xml.leaf("system-out", &[], &output)?;
        }
        self.xml.close("testcase")
    }

    fn open_case(&mut self, class: &str, name: &str, took_ms: u64) -> io::Result<()> {
        let name = self.unique(class, name);
        let attributes =
            [("name", name.as_str()), ("classname", class), ("time", &seconds(took_ms))];
        self.xml.open("testcase", &attributes)
    }

    fn case_properties(&mut self, check: &Check) -> io::Result<()> {
        let flags = [
            ("marginal", check.marginal),
            ("flaky", check.flaky),
            ("recorded", check.verdict == Verdict::Recorded),
        ];
        let mut flags = flags.iter().filter(|(_, set)| *set).peekable();
        let tolerated = check.tolerated().join(" ");
        let conformity = check.conformity.map(Conformity::word);
        if check.measurement.is_none()
            && check.written.is_none()
            && conformity.is_none()
            && flags.peek().is_none()
            && tolerated.is_empty()
        {
            return Ok(());
        }
        self.xml.open("properties", &[])?;
        if let Some(written) = &check.written {
            let value = words::measured(written, None);
            self.property(&format!("write.{}", check.name), &value)?;
        }
        if let Some(measurement) = &check.measurement {
            let value = words::measured(measurement, check.limit.as_ref());
            self.property(&format!("measure.{}", check.name), &value)?;
        }
        if let Some(conformity) = conformity {
            self.property("conformity", conformity)?;
        }
        for (flag, _) in flags {
            self.property(flag, "true")?;
        }
        if !tolerated.is_empty() {
            self.property("tolerated", &tolerated)?;
        }
        self.xml.close("properties")
    }

    /// Surefire's order: `failure` before what was tried before it, `error` after.
    fn verdict(&mut self, check: &Check) -> io::Result<()> {
        let message = check.message.as_deref().unwrap_or_default();
        match check.verdict {
            Verdict::Pass | Verdict::Recorded if check.flaky => {
                self.failed_attempts("flakyFailure", check)
            }
            Verdict::Pass | Verdict::Recorded => Ok(()),
            Verdict::Fail => {
                let attributes = [("type", "limit"), ("message", message)];
                self.xml.leaf("failure", &attributes, message)?;
                self.failed_attempts("rerunFailure", check)
            }
            Verdict::Error => {
                self.failed_attempts("rerunFailure", check)?;
                let last = check.attempts.last().and_then(|attempt| attempt.error.as_ref());
                let class = last.map_or_else(|| "internal".to_owned(), |e| e.class.to_string());
                let attributes = [("type", class.as_str()), ("message", message)];
                self.xml.leaf("error", &attributes, message)
            }
            Verdict::Skipped => self.xml.leaf("skipped", &[("message", message)], message),
        }
    }

    /// What was tried before the last attempt. Always `…Failure`: Jenkins ignores `…Error`.
    fn failed_attempts(&mut self, element: &str, check: &Check) -> io::Result<()> {
        // One look of several is no try of its own.
        if check.timing.is_some() {
            return Ok(());
        }
        let before = check.attempts.split_last().map_or(&[][..], |(_, before)| before);
        let failed = |v: Verdict| matches!(v, Verdict::Fail | Verdict::Error);
        for attempt in before.iter().filter(|attempt| failed(attempt.verdict)) {
            let (class, text) = words::failed(attempt);
            self.xml.open(element, &[("message", &text), ("type", &class)])?;
            self.xml.leaf("stackTrace", &[], &format!("attempt {}: {text}", attempt.n))?;
            self.xml.close(element)?;
        }
        Ok(())
    }

    /// A test case for an outcome that no check shows.
    fn unsaid(&mut self, suite: &Suite<'_>) -> io::Result<()> {
        let message = words::unsaid(suite.record);
        self.open_case(&suite.name(), "outcome", 0)?;
        let kind = suite.record.outcome.word();
        self.xml.leaf("error", &[("type", kind), ("message", message)], message)?;
        self.xml.close("testcase")
    }

    fn property(&mut self, name: &str, value: &str) -> io::Result<()> {
        self.xml.empty("property", &[("name", name), ("value", value)])
    }

    fn unique(&mut self, class: &str, name: &str) -> String {
        let name = match legal(name) {
            name if name.is_empty() => "unnamed".to_owned(),
            name => name.into_owned(),
        };
        let mut unique = name.clone();
        loop {
            let given = self.taken.entry((class.to_owned(), unique.clone())).or_default();
            *given += 1;
            if *given == 1 {
                return unique;
            }
            unique = format!("{name}#{given}");
        }
    }
}

/// Plain decimal seconds, three decimals.
fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

#[cfg(test)]
mod shape;
#[cfg(test)]
mod tests;
