//! What a check must satisfy, with the expressions that its limits hold. Limits with expressions
//! are kept as they are written, and read again once the expressions have values.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use passline_modbus::point::{Domain, Field as BitField, Point};
use passline_modbus::value::Value;

use super::expression;
use super::model::Expression;
use super::step::{At, STEP};
use crate::judge::{self, Demand, Judgement, Limits};
use crate::language::decode::{Context, Evaluator};
use crate::language::diagnostic::Diagnostics;
use crate::language::fields::Fields;
use crate::language::variables::{Scalar, Variable, Variables};
use crate::language::yaml::{Kind, Node, NodePlace, Tree};
use crate::record::ErrorClass;

/// What a check must satisfy.
#[derive(Debug)]
pub struct Criteria {
    form: Form,
    /// Every expression in it, by its text.
    expressions: BTreeMap<String, Expression>,
}

#[derive(Debug)]
enum Form {
    Known(Demand),
    Written(Box<Written>),
}

/// Limits with expressions in them, as a step writes them.
#[derive(Debug)]
struct Written {
    tree: Arc<Tree>,
    step: NodePlace,
    variables: BTreeMap<String, Variable>,
    subject: Judged,
}

/// What is judged.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) domain: Domain,
    pub(super) may_be_invalid: bool,
    /// The named bit fields of the word.
    pub(super) bits: Vec<(String, BitField)>,
}

impl Judged {
    /// A point, and the bit fields that are declared in it.
    pub(super) fn point(point: &Point, bits: Vec<(String, BitField)>) -> Self {
        Self { domain: point.domain(), may_be_invalid: point.may_be_invalid(), bits }
    }

    fn subject(&self) -> judge::Subject<'_> {
        judge::Subject {
            domain: &self.domain,
            may_be_invalid: self.may_be_invalid,
            bits: &self.bits,
        }
    }
}

impl Criteria {
    /// Reads what a step demands. `None`: reported.
    pub(super) fn read(at: &At<'_, '_>, judged: Judged) -> Option<Self> {
        let At { context, names, node, fields } = at;
        let mut found = Found::default();
        let limits = judge::FIELDS.iter().filter(|field| !judge::ALONE.contains(&field.key));
        for field in limits.filter(|field| fields.has(field.key)) {
            if let Some(node) = fields.node(field.key) {
                found.look_into(node);
            }
        }
        let mut expressions = BTreeMap::new();
        for node in found.conditions.iter().chain(&found.values) {
            let text = context.expression(*node)?;
            let expression = expression::bind(context, names, &text)?;
            expressions.insert(text.value, expression);
        }
        let form = if found.values.is_empty() {
            Form::Known(Demand::read(**context, fields, &judged.subject())?)
        } else {
            // What is constant in it can be wrong already; what is not is as good as reported.
            let mut constants = **context;
            constants.expressions = Some(Evaluator(&|_| None));
            if let Some(fields) = constants.fields(*node, &STEP) {
                Demand::read(constants, &fields, &judged.subject());
            }
            let variables = context.variables.all().into_iter();
            Form::Written(Box::new(Written {
                tree: Arc::clone(names.tree),
                step: node.place(),
                variables: variables
                    .map(|(name, value)| (name.to_owned(), value.clone()))
                    .collect(),
                subject: judged,
            }))
        };
        Some(Self { form, expressions })
    }

    /// What a step demands of an answer that is not decoded. `None`: reported.
    pub(super) fn of_answer(context: &Context<'_>, fields: &Fields<'_, '_>) -> Option<Self> {
        let demand = Demand::read_answer(*context, fields)?;
        Some(Self { form: Form::Known(demand), expressions: BTreeMap::new() })
    }

    /// Limits as a record keeps them. `None`: they are none.
    pub(super) fn stored(limits: serde_json::Value) -> Option<Self> {
        let demand = Limits::from_json(limits).ok()?.into();
        Some(Self { form: Form::Known(demand), expressions: BTreeMap::new() })
    }

    /// The expressions in it.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.expressions.values()
    }

    /// What is demanded, as far as it is known before anything is read.
    pub fn known(&self) -> Option<&Demand> {
        match &self.form {
            Form::Known(demand) => Some(demand),
            Form::Written(_) => None,
        }
    }

    /// The limits, with the points at these values.
    ///
    /// # Errors
    /// The judgement, if they cannot be evaluated.
    pub fn limits(
        &self,
        point: &dyn Fn(&str) -> Result<Value, Judgement>,
    ) -> Result<Limits, Judgement> {
        let reread;
        let demand = match &self.form {
            Form::Known(demand) => demand,
            Form::Written(written) => {
                reread = self.reread(written, point)?;
                &reread
            }
        };
        demand.resolve(&mut |text| match self.value(text, point)? {
            Value::Bool(met) => Ok(met),
            other => Err(Judgement::Error {
                class: ErrorClass::Decode,
                message: format!("the condition `{text}` is {other}, neither true nor false"),
            }),
        })
    }

    fn reread(
        &self,
        written: &Written,
        point: &dyn Fn(&str) -> Result<Value, Judgement>,
    ) -> Result<Demand, Judgement> {
        let problem = RefCell::new(None);
        let evaluate = |text: &str| match self.value(text, point) {
            Ok(value) => Some(scalar(value)),
            Err(judgement) => {
                problem.replace(Some(judgement));
                None
            }
        };
        let diagnostics = Diagnostics::new();
        let outer = Variables::default();
        let variables = outer.within(written.variables.clone());
        let mut context = Context::new(&diagnostics, &variables);
        context.expressions = Some(Evaluator(&evaluate));
        let fields = context.fields(written.tree.node(written.step), &STEP);
        let demand =
            fields.and_then(|fields| Demand::read(context, &fields, &written.subject.subject()));
        if let Some(judgement) = problem.take() {
            return Err(judgement);
        }
        demand.ok_or_else(|| {
            let first = diagnostics.sorted().into_iter().next();
            let message =
                first.map_or_else(|| "the limit has no value".to_owned(), |first| first.message);
            Judgement::Error { class: ErrorClass::Decode, message }
        })
    }

    fn value(
        &self,
        text: &str,
        point: &dyn Fn(&str) -> Result<Value, Judgement>,
    ) -> Result<Value, Judgement> {
        match self.expressions.get(text) {
            Some(expression) => expression.value(point),
            // What an expression became when its limit was read again.
            None => match text {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                _ => Err(Judgement::Error {
                    class: ErrorClass::Internal,
                    message: format!("`{text}` was not planned"),
                }),
            },
        }
    }
}

impl Expression {
    /// Its value, with the points at these values.
    ///
    /// # Errors
    /// The judgement, if a point or the expression has no value.
    pub fn value(
        &self,
        point: &dyn Fn(&str) -> Result<Value, Judgement>,
    ) -> Result<Value, Judgement> {
        let missing = RefCell::new(None);
        let resolve = |name: &str| {
            if let Some(constant) = self.constants.get(name) {
                return Some(constant.clone());
            }
            point(name).map_err(|judgement| missing.replace(Some(judgement))).ok()
        };
        let value = self.text.evaluate(resolve);
        if let Some(judgement) = missing.take() {
            return Err(judgement);
        }
        value.map_err(|error| Judgement::Error {
            class: ErrorClass::Decode,
            message: error.to_string(),
        })
    }
}

/// The value as a scalar of a spec could have it.
fn scalar(value: Value) -> Scalar {
    match value {
        Value::Bool(value) => Scalar::Bool(value),
        Value::Text(value) => Scalar::Text(value),
        Value::Bytes(_) => Scalar::Text(value.to_string()),
        Value::Number(_) | Value::F32(_) | Value::F64(_) => {
            value.to_decimal().map_or(Scalar::NotFinite(f64::NAN), Scalar::Number)
        }
    }
}

/// The scalars of limits that are expressions.
#[derive(Default)]
struct Found<'t> {
    /// Conditions, whose `= ` may be left out.
    conditions: Vec<Node<'t>>,
    /// Values.
    values: Vec<Node<'t>>,
}

impl<'t> Found<'t> {
    fn look_into(&mut self, node: Node<'t>) {
        match node.kind() {
            Kind::Scalar(scalar) if scalar.text.starts_with("= ") => self.values.push(node),
            Kind::Scalar(_) | Kind::Broken => {}
            Kind::Sequence(items) => items.for_each(|item| self.look_into(item)),
            Kind::Mapping(pairs) => pairs.for_each(|(key, value)| {
                let condition = key.scalar().is_some_and(|key| key.text == judge::CONDITION);
                if condition && value.scalar().is_some() {
                    self.conditions.push(value);
                } else {
                    self.look_into(value);
                }
            }),
        }
    }
}
