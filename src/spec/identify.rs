//! `matches:` of a serial number: the check that the device under test is the unit that the record
//! will name. It is a test of its own, `uut`, right behind `setup`: where it does not pass, no other runs.

use std::collections::BTreeMap;

use passline_modbus::point::Domain;
use passline_modbus::value::Decimal;
use serde_json::json;

use super::load::Loader;
use super::model::{Course, Matches, Serial, Step, Test, Uut};
use super::serial_format::{Format, Written};
use super::step;
use super::test::Names;
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::language::variables::{Scalar, Variable};
use crate::language::yaml;
use crate::record::Phase;

/// The name of the test.
const NAME: &str = "uut";

impl Loader<'_> {
    /// The test of what the serial numbers must match; `None` where nothing must.
    pub(super) fn identification(
        &mut self,
        context: &Context<'_>,
        names: &Names<'_>,
        uut: &Uut,
    ) -> Option<Test> {
        let of_sub_units =
            uut.sub_units.iter().map(|sub| (format!("{}.serial", sub.name), &sub.serial));
        let all = [("serial".to_owned(), &uut.serial)].into_iter().chain(of_sub_units);
        let asked: Vec<(String, &Serial, &Matches)> = all
            .filter_map(|(name, serial)| Some((name, serial, serial.matches.as_ref()?)))
            .collect();
        asked.first()?;
        let steps = asked.into_iter().filter_map(|(name, serial, matches)| {
            self.comparison(context, names, (&name, serial, matches))
        });
        Some(Test {
            name: NAME.to_owned(),
            phase: Phase::Setup,
            tags: Vec::new(),
            verifies: Vec::new(),
            setup: Vec::new(),
            steps: steps.collect(),
            teardown: Vec::new(),
            recover: Vec::new(),
            course: Course::default(),
        })
    }

    /// The step that reads a serial number and compares it. Without one it is recorded.
    fn comparison(
        &mut self,
        context: &Context<'_>,
        names: &Names<'_>,
        (name, serial, matches): (&str, &Serial, &Matches),
    ) -> Option<Step> {
        let (_, point) = step::named_point(context, names, &matches.path)?;
        let refuse = |message: String, remedy: &str| {
            context.report(Diagnostic::error(matches.path.span, message).remedy(remedy));
        };
        let path = quoted(&matches.path.value);
        let is_text = match point.domain() {
            Domain::Text { .. } => true,
            Domain::Steps(_) | Domain::Unbounded { width: None } => false,
            Domain::Bool
            | Domain::Float { .. }
            | Domain::Unbounded { .. }
            | Domain::Labels(_)
            | Domain::Bytes { .. } => {
                refuse(
                    format!("{path} holds no serial number"),
                    "name a point that is a text or a whole number",
                );
                return None;
            }
        };
        let format = matches.format.clone().unwrap_or_else(|| Format::plain(is_text));
        if is_text == format.is_number() {
            let (is, what) =
                if is_text { ("a text", "`%s`") } else { ("a number", "`%d` or `%08d`") };
            let error = Diagnostic::error(matches.format_at, format!("{path} is {is}"));
            context.report(error.remedy(format!("write {what} in the `format`")));
            return None;
        }
        let expected = match &serial.given {
            None => None,
            Some(given) => match format.read(given) {
                Some(Written::Text(text)) => Some(Scalar::Text(text)),
                Some(Written::Number(number)) => Some(Scalar::Number(Decimal::from(number))),
                None => {
                    let message =
                        format!("serial number {given} is not written as `{format}` says");
                    let error = Diagnostic::error(matches.format_at, message);
                    context.report(error.remedy("give the `format` that its digits have, such as `%08d`, or the right serial number"));
                    return None;
                }
            },
        };
        // What stands in the file means nothing here: it is given as a variable.
        let limit = if expected.is_some() { "equals" } else { "record" };
        let expected = expected.unwrap_or(Scalar::Bool(true));
        let variables = context
            .variables
            .within(BTreeMap::from([(limit.to_owned(), Variable::from(expected))]));
        let text =
            json!({ "read": matches.path.value, "name": name, limit: format!("$({limit})") });
        let source = self.sources.add(format!("{name} of the unit under test"), text.to_string());
        let found = Diagnostics::new();
        let tree = yaml::parse(&self.sources.get(source).cloned()?, &found)?;
        let read = step::steps(&Context::new(&found, &variables), names, vec![tree.root()]);
        let step = read.steps.into_iter().next();
        for problem in found.sorted() {
            let given = serial.given.as_deref().unwrap_or_default();
            refuse(
                format!("{path} cannot be {given}: {}", problem.message),
                "name the point that holds the serial number",
            );
        }
        step
    }
}

impl Uut {
    /// Reports a test that is named as the check of the serial number is.
    pub(super) fn check_name(&self, context: &Context<'_>, tests: &[Test]) {
        let serials = self.sub_units.iter().map(|sub_unit| &sub_unit.serial);
        let mut matches =
            [&self.serial].into_iter().chain(serials).filter_map(|serial| serial.matches.as_ref());
        let taken = tests.iter().any(|test| test.phase == Phase::Main && test.name == NAME);
        if let Some(matches) = matches.next().filter(|_| taken) {
            let name = quoted(NAME);
            let message = format!("a test is named {name}, as the check of the serial number is");
            let error = Diagnostic::error(matches.path.span, message);
            context.report(error.remedy("give that test another name"));
        }
    }
}
