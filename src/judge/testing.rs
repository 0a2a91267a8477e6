//! What the tests of limits share: a limit's YAML against a point, as a step would hold it.

use std::collections::BTreeMap;

use passline_modbus::point::{DataType, Declaration, Field as BitField, Point, Reading, Table};
use passline_modbus::value::Value;

use super::{ANSWER_FIELDS, Demand, FIELDS, Judgement, Limits, Observed, Subject};
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostics, Style};
use crate::language::shape::Object;
use crate::language::source::Sources;
use crate::language::variables::Variables;
use crate::language::yaml;

static STEP: Object = Object { name: "step", doc: "", fields: &[&FIELDS] };
static WRITE: Object = Object { name: "write", doc: "", fields: &[&ANSWER_FIELDS] };

/// A point of a type, changed as the test likes.
pub(super) fn point(name: &str, change: impl FnOnce(&mut Declaration)) -> Point {
    let length = matches!(name, "string" | "bytes").then_some(4);
    let mut declaration = Declaration::new("p", Table::Holding, 0);
    declaration.data_type = DataType::named(name, length).unwrap();
    change(&mut declaration);
    Point::new(declaration).unwrap()
}

/// A plain point of a type; texts and bytes of four registers.
pub(super) fn plain(name: &str) -> Point {
    point(name, |_| {})
}

/// What is demanded of the point, or everything that is wrong, as it is shown.
pub(super) fn demand(yaml: &str, point: &Point) -> Result<Demand, String> {
    let fields = [("ready".to_owned(), BitField::new(3, 3).unwrap())];
    let mode = ("mode".to_owned(), BitField::new(4, 6).unwrap());
    let bits: Vec<_> = fields.into_iter().chain([mode]).collect();
    let domain = point.domain();
    let subject = Subject { domain: &domain, may_be_invalid: point.may_be_invalid(), bits: &bits };
    with_fields(yaml, &STEP, |context, fields| Demand::read(context, fields, &subject))
}

/// What is demanded of a write.
pub(super) fn demand_of_answer(yaml: &str) -> Result<Demand, String> {
    with_fields(yaml, &WRITE, Demand::read_answer)
}

fn with_fields(
    yaml: &str,
    object: &'static Object,
    read: impl Fn(Context<'_>, &crate::language::fields::Fields<'_, '_>) -> Option<Demand>,
) -> Result<Demand, String> {
    let (mut sources, diagnostics) = (Sources::new(), Diagnostics::new());
    let id = sources.add("s.yaml", format!("{{{yaml}}}"));
    let variables = Variables::new(BTreeMap::new());
    let context = Context::new(&diagnostics, &variables);
    let tree = yaml::parse(sources.get(id).unwrap(), &diagnostics);
    let demand = tree.as_ref().and_then(|tree| {
        let fields = context.fields(tree.root(), object)?;
        read(context, &fields)
    });
    let shown = diagnostics.render(&sources, Style::Plain);
    assert!(demand.is_some() || diagnostics.has_errors(), "{yaml}: refused without a word");
    demand.filter(|_| !diagnostics.has_errors()).ok_or(shown)
}

/// The limits of a point, which must be accepted and must come back from a record.
pub(super) fn limits(yaml: &str, point: &Point) -> Limits {
    let demand = demand(yaml, point).unwrap_or_else(|shown| panic!("{yaml}: {shown}"));
    let limits = demand.resolve(&mut |_| panic!("no condition")).unwrap();
    let stored = limits.to_json().to_string();
    let restored = Limits::from_json(serde_json::from_str(&stored).unwrap());
    assert_eq!(restored.as_ref(), Ok(&limits), "{stored}");
    limits
}

/// The limits of a point, if they are accepted.
pub(super) fn accepted(yaml: &str, point: &Point) -> Option<Limits> {
    demand(yaml, point).is_ok().then(|| limits(yaml, point))
}

/// What is wrong: the messages and remedies, without places.
pub(super) fn refusal(yaml: &str, point: &Point) -> String {
    let shown = demand(yaml, point).expect_err(yaml);
    let kept = shown.lines().map(str::trim_start).filter_map(|line| {
        let message = line.strip_prefix("error: ");
        message.or_else(|| line.split_once("help: ").map(|(_, remedy)| remedy))
    });
    kept.collect::<Vec<_>>().join(" | ")
}

pub(super) fn observed(value: Value) -> Observed {
    Observed::Reading(Reading::Value(value))
}

pub(super) fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

/// "pass", "marginal …", or how it failed.
pub(super) fn verdict(limits: &Limits, value: Value) -> String {
    match limits.judge(&observed(value), Some("V")) {
        Judgement::Pass { remark: None, .. } => "pass".to_owned(),
        Judgement::Pass { remark: Some(how), .. } | Judgement::Fail { message: how, .. } => how,
        other => format!("{other:?}"),
    }
}
