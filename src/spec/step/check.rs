//! What a value that is read or computed is judged by: the keys that both actions take.

use passline_modbus::point::{Field as BitField, Point};

use super::{At, timing};
use crate::expression::Type;
use crate::language::diagnostic::Diagnostic;
use crate::language::fields::Fields;
use crate::language::shape::{Field, Shape};
use crate::language::yaml::Node;
use crate::spec::criteria::{Criteria, Judged};
use crate::spec::model::{Check, Read, Subject, Told};
use crate::spec::retry::{self, RETRY};
use crate::spec::test::{self, Names};

/// What a judged step has besides its action and its limits.
pub(super) const FIELDS: &[Field] = &[VERIFIES, RETRIED, SAVE];

/// What a judged step has that brings no value.
pub(super) const OF_JUDGED: &[Field] = &[VERIFIES, RETRIED];

const VERIFIES: Field = Field::optional(
    "verifies",
    Shape::OneOrMany(&Shape::Text),
    "Requirements that this step verifies beside those of its test.",
);

const RETRIED: Field = Field::optional("retry", Shape::Object(&RETRY), "Instead of the device's.");

const SAVE: Field =
    Field::optional("save", Shape::Name, "The name under which later expressions find the value.");

impl At<'_, '_> {
    /// A check of that subject by the keys of the step. `None`: reported.
    pub(super) fn check(&self, name: String, subject: Subject) -> Option<Check> {
        let criteria = self.criteria(&subject);
        self.check_by(name, subject, criteria)
    }

    /// A check of that subject by those criteria. `None`: reported.
    pub(super) fn check_by(
        &self,
        name: String,
        subject: Subject,
        criteria: Option<Criteria>,
    ) -> Option<Check> {
        let Self { context, fields, .. } = *self;
        let retry = fields.object("retry").map(|retry| retry::retry(context, &retry));
        let verifies = test::texts(context, fields, "verifies");
        let criteria = criteria?;
        let save = if fields.has("save") { Some(self.save(&subject)?) } else { None };
        let timing = timing::timing(self, retry.as_ref())?;
        Some(Check { name, subject, criteria, verifies, retry, save, timing, max_skew: None })
    }

    /// What the step demands of that subject. `None`: reported.
    fn criteria(&self, subject: &Subject) -> Option<Criteria> {
        let Self { context, names, fields, .. } = *self;
        match subject {
            Subject::Read(Read { point: None, .. }) => Criteria::of_answer(context, fields),
            Subject::Read(Read { device, point: Some(point), .. }) => {
                let asked = fields.has("bits");
                let bits = if asked { bit_fields(names, *device, point) } else { Vec::new() };
                Criteria::read(self, Judged::point(point, bits))
            }
            Subject::Expression { expression, .. } => {
                let domain = expression.domain.clone();
                // What is invalid is an error of the expression; only NaN is left to be judged.
                let may_be_invalid = Type::of_domain(&domain) == Type::Float;
                let judged = Judged { domain, may_be_invalid, bits: Vec::new() };
                Criteria::read(self, judged)
            }
            Subject::Told(Told { domain, .. }) => {
                let domain = domain.clone();
                let judged = Judged { domain, may_be_invalid: false, bits: Vec::new() };
                Criteria::read(self, judged)
            }
        }
    }
}

impl At<'_, '_> {
    /// The name under which the value of a check is kept. `None`: reported.
    fn save(&self, subject: &Subject) -> Option<String> {
        let name = self.fields.name("save")?;
        let wrong = |message: &str, remedy: &str| {
            self.context.report(Diagnostic::error(name.span, message).remedy(remedy));
            None
        };
        let domain = match subject {
            Subject::Read(Read { point: None, .. }) => {
                return wrong("only an answer is judged here: there is no value", "remove `save`");
            }
            Subject::Read(Read { point: Some(point), .. }) => point.domain(),
            Subject::Expression { expression, .. } => expression.domain.clone(),
            Subject::Told(told) => told.domain.clone(),
        };
        let reads = self.fields.node("read").and_then(Node::items);
        if reads.is_some_and(|points| points.count() > 1) {
            return wrong("one name cannot keep several values", "make a step of each point");
        }
        self.names.saved.add(self.context, name, Type::of_domain(&domain))
    }
}

/// Whether only the kind of answer is judged: the value is then not even decoded, and the read is
/// never merged with another, whose answer it would be as well.
pub(super) fn judges_the_answer(step: &Fields<'_, '_>) -> bool {
    step.has("exception") || step.has("answers")
}

/// Whether a step judges the value that it brings; if it asks for a kind of answer, that is reported.
pub(super) fn judges_a_value(at: &At<'_, '_>, what: &str) -> bool {
    if !judges_the_answer(at.fields) {
        return true;
    }
    let key = if at.fields.has("exception") { "exception" } else { "answers" };
    let message = format!("{what} is a value, not a kind of answer");
    let error = Diagnostic::error(at.fields.key_span(key), message);
    at.context.report(error.remedy(format!("remove `{key}`, and give it a limit")));
    false
}

/// The named bit fields of a word.
fn bit_fields(names: &Names<'_>, device: usize, word: &Point) -> Vec<(String, BitField)> {
    let Some(device) = names.devices.get(device) else { return Vec::new() };
    let prefix = format!("{}.", word.name());
    let points = device.map.points.iter();
    let fields = points
        .filter_map(|(name, point)| Some((name.strip_prefix(&prefix)?.to_owned(), point.field()?)));
    fields.collect()
}
