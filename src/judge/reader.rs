//! Reading limits from a spec, against what the point can decode to: a limit of the wrong type is
//! refused where it stands.

use passline_modbus::point::{Domain, Field as BitField};
use passline_modbus::value::{Decimal, Value};

use super::reach::TextSpace;
use super::target::{Constant, Target};
use super::tolerance::{self, Tolerance, ToleranceError};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::fields::Fields;
use crate::language::shape::Field;
use crate::language::source::Span;
use crate::language::variables::Scalar;
use crate::language::yaml::Node;

/// The keys that a tolerance can belong to, in the order in which it does.
const TOLERANT: [&str; 4] = ["nominal", "equals", "not", "one_of"];

pub(super) const TOLERANCE: Field = Field::optional(
    "tolerance",
    tolerance::SHAPE,
    "How far the value may be from `nominal` (or, mostly for floats, from `equals`, `not` or \
     `one_of`): `0.5`, `5%`, `\"0.5% + 0.02\"`, or `{ plus: …, minus: … }`.",
);

/// What is judged: the values it can have.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// Every value.
    pub domain: &'a Domain,
    /// Whether it can also have none: NaN, or declared `invalid`.
    pub may_be_invalid: bool,
    /// The named bit fields of this word, for `bits`.
    pub bits: &'a [(String, BitField)],
}

/// Something is wrong and has been reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reported;

/// The limits of one mapping, and what they are about.
pub(super) struct Reader<'r, 't, 'c> {
    pub(super) context: Context<'c>,
    pub(super) fields: &'r Fields<'t, 'c>,
    pub(super) subject: &'r Subject<'r>,
    tolerance: Option<Tolerance>,
}

impl<'r, 't, 'c> Reader<'r, 't, 'c> {
    pub(super) fn new(
        context: Context<'c>,
        fields: &'r Fields<'t, 'c>,
        subject: &'r Subject<'r>,
    ) -> Result<Self, Reported> {
        let mut reader = Self { context, fields, subject, tolerance: None };
        if let Some(node) = fields.node(TOLERANCE.key) {
            if reader.tolerance_owner().is_none() {
                let found = TOLERANT.iter().filter(|key| fields.has(key)).count();
                return reader.refuse(
                    fields.key_span(TOLERANCE.key),
                    "a `tolerance` needs the one value that it is about",
                    if found == 0 { "add `nominal:`" } else { "name that value with `nominal:`" },
                );
            }
            reader.tolerance = Some(tolerance::read(&context, node)?);
        }
        Ok(reader)
    }

    /// For a mapping inside of this one, which has no tolerance of its own.
    pub(super) fn inside<'i>(&'i self, fields: &'i Fields<'t, 'c>) -> Reader<'i, 't, 'c> {
        Reader { context: self.context, fields, subject: self.subject, tolerance: None }
    }

    /// The key that the tolerance is about: `nominal`, else the only other one that is there.
    fn tolerance_owner(&self) -> Option<&'static str> {
        let mut found = TOLERANT.into_iter().filter(|key| self.fields.has(key));
        let first = found.next()?;
        (first == "nominal" || found.next().is_none()).then_some(first)
    }

    /// Reports an error with its remedy.
    pub(super) fn refuse<T>(
        &self,
        span: Span,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Result<T, Reported> {
        self.context.report(Diagnostic::error(span, message).remedy(remedy));
        Err(Reported)
    }

    /// Reports that a limit is not for values such as the subject's.
    pub(super) fn wrong_type<T>(&self, key: &str, needed: &str) -> Result<T, Reported> {
        let (what, remedy) = match self.subject.domain {
            Domain::Bool => {
                ("`true` or `false`", "use `equals: true` or `equals: false`".to_owned())
            }
            Domain::Labels(labels) => (
                "a label",
                format!("use `equals` or `one_of` with its labels: {}", labels.join(", ")),
            ),
            Domain::Text { .. } => ("a text", "use `equals`, `one_of` or `matches`".to_owned()),
            Domain::Bytes { .. } => ("bytes", "use `equals`, `not` or `one_of`".to_owned()),
            Domain::Steps(_) | Domain::Unbounded { width: None } => {
                ("a number", "use `equals`, `min`, `max` or `nominal`".to_owned())
            }
            Domain::Float { .. } | Domain::Unbounded { width: Some(_) } => {
                ("a float", "use `min`, `max`, or `nominal` with `tolerance`".to_owned())
            }
        };
        let message = format!("`{key}` needs {needed}, and this value is {what}");
        self.refuse(self.fields.key_span(key), message, remedy)
    }

    /// A key whose limit compares numbers.
    pub(super) fn number(&self, key: &str) -> Result<Option<Decimal>, Reported> {
        if !self.fields.has(key) {
            return Ok(None);
        }
        if !is_number(self.subject.domain) {
            return self.wrong_type(key, "a number");
        }
        self.fields.number(key).map(|number| Some(number.value)).ok_or(Reported)
    }

    /// The tolerance, if it is about this key.
    pub(super) fn tolerance_of(&self, key: &str) -> Option<&Tolerance> {
        self.tolerance.as_ref().filter(|_| self.tolerance_owner() == Some(key))
    }

    /// What a node of `equals`, `not` or `one_of` names.
    pub(super) fn target(&self, key: &str, node: Node<'t>) -> Result<Target, Reported> {
        let constant = self.constant(node)?;
        let tolerance = self.tolerance_of(key);
        if is_float(self.subject.domain) && tolerance.is_none() {
            return self.refuse(
                self.fields.key_span(key),
                format!("`{key}` on a float needs a `tolerance`"),
                "add `tolerance:`, or use `min` and `max`: floats are hardly ever exactly equal",
            );
        }
        Target::new(constant, tolerance).or_else(|error| self.bad_tolerance(&error))
    }

    /// Reports a tolerance that does not fit its value.
    pub(super) fn bad_tolerance<T>(&self, error: &ToleranceError) -> Result<T, Reported> {
        self.refuse(self.fields.key_span(TOLERANCE.key), error.to_string(), error.remedy())
    }

    /// A constant of the subject's type.
    fn constant(&self, node: Node<'t>) -> Result<Constant, Reported> {
        let constant = match self.subject.domain {
            Domain::Bool => self.context.boolean(node).map(|bit| Constant::Bool(bit.value)),
            Domain::Steps(_) | Domain::Float { .. } | Domain::Unbounded { .. } => {
                self.context.number(node).map(|number| Constant::Number(number.value))
            }
            Domain::Text { .. } => self.context.text(node).map(|text| Constant::Text(text.value)),
            Domain::Labels(labels) => return self.label(labels, node),
            Domain::Bytes { .. } => return self.bytes(node),
        };
        constant.ok_or(Reported)
    }

    fn label(&self, labels: &[String], node: Node<'t>) -> Result<Constant, Reported> {
        let given = self.context.scalar(node).ok_or(Reported)?;
        let text = match given.value {
            Scalar::Text(text) => text,
            other => other.to_string(),
        };
        if labels.contains(&text) {
            return Ok(Constant::Text(text));
        }
        let error =
            Diagnostic::error(given.span, format!("{} is no label of this point", quoted(&text)));
        let error = error.remedy(format!("its labels are {}", labels.join(", ")));
        self.context.report(error.suggest(&text, labels.iter().map(String::as_str)));
        Err(Reported)
    }

    fn bytes(&self, node: Node<'t>) -> Result<Constant, Reported> {
        let given = self.context.text(node).ok_or(Reported)?;
        match Value::bytes(&given.value) {
            Some(bytes) => Ok(Constant::Text(bytes.to_string())),
            None => self.refuse(
                given.span,
                format!("{} is no sequence of bytes", quoted(&given.value)),
                "write two hexadecimal digits for each byte: \"0A FF\"",
            ),
        }
    }
}

impl Subject<'_> {
    /// The values, for people.
    pub(super) fn describe(&self) -> String {
        match self.domain {
            Domain::Bool => "true or false".to_owned(),
            Domain::Steps(steps) => {
                let last = steps.value(steps.last()).unwrap_or_else(|| steps.first().clone());
                format!("{} to {last} in steps of {}", steps.first(), steps.step())
            }
            Domain::Float { .. } | Domain::Unbounded { width: Some(_) } => {
                "finite floats".to_owned()
            }
            Domain::Unbounded { width: None } => "any number".to_owned(),
            Domain::Labels(labels) => labels.join(", "),
            Domain::Text { max_bytes } => format!("texts of up to {max_bytes} bytes"),
            Domain::Bytes { least, most } if least == most => format!("{most} bytes"),
            Domain::Bytes { least, most } => format!("{least} to {most} bytes"),
        }
    }

    /// The texts that the subject can be; `None` if it is no text.
    pub(super) fn texts(&self) -> Option<TextSpace> {
        match self.domain {
            Domain::Text { max_bytes } => {
                Some(TextSpace::Trimmed { max_bytes: usize::from(*max_bytes) })
            }
            Domain::Bytes { least, most } => Some(TextSpace::Hexadecimal {
                least: usize::from(*least),
                most: usize::from(*most),
            }),
            _ => None,
        }
    }
}

fn is_number(domain: &Domain) -> bool {
    matches!(domain, Domain::Steps(_) | Domain::Float { .. } | Domain::Unbounded { .. })
}

fn is_float(domain: &Domain) -> bool {
    matches!(domain, Domain::Float { .. } | Domain::Unbounded { width: Some(_) })
}
