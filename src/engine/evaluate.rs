//! From what an attempt brought to its judgement, and what the record says of it. Pure.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use passline_modbus::inquiry::Data;
use passline_modbus::point::{DataType, Invalid, Location, Point, Reading};
use passline_modbus::value::Value;
use serde_json::{Map, Value as Document, json};

use super::tries::Brought;
use crate::judge::{Judgement, Observed};
use crate::plan::{ScanCheck, Source};
use crate::record::{ErrorClass, Json, Kind, Measurement, PlannedCheck};
use crate::spec::model::{Assigned, Assignment, Check, Subject};
use crate::spec::retry::Cause;

/// An attempt of a check, judged.
#[derive(Clone)]
pub(super) struct Judged {
    pub(super) judgement: Judgement,
    /// What it came to.
    pub(super) value: Option<Value>,
    pub(super) measurement: Option<Measurement>,
    /// The limit as judged, where it was known only then.
    pub(super) limit: Option<Json>,
    /// Whether it never ran.
    pub(super) stopped: bool,
}

/// What becomes of what came after its time.
pub(super) const LATE: &str = "the time for this step was over before it was done";

impl Judged {
    /// It came after its time: what it says does not count.
    pub(super) fn is_late(&mut self) {
        self.value = None;
        if self.judgement.error_class().is_none() {
            let (class, message) = (ErrorClass::Timeout, LATE.to_owned());
            self.judgement = Judgement::Error { class, message };
        }
    }

    /// Its points were not read close enough to each other: what they make together does not count.
    pub(super) fn is_apart(&mut self, skew: Duration, most: Duration) {
        self.value = None;
        if self.judgement.error_class().is_none() {
            let message = format!(
                "its points were read up to {skew:?} apart, and {most:?} is the most that is allowed"
            );
            self.judgement = Judgement::Error { class: ErrorClass::Timeout, message };
        }
    }

    /// What a value that was read would be read again for.
    pub(super) fn value_cause(&self) -> Option<Cause> {
        match &self.judgement {
            _ if self.stopped => None,
            Judgement::Fail { .. } => Some(Cause::Limit),
            Judgement::Error { class: ErrorClass::Decode, .. } => {
                Some(Cause::Class(ErrorClass::Decode))
            }
            _ => None,
        }
    }
}

/// What each input of a scan brought at this attempt, by its index.
pub(super) type ByInput<'a> = HashMap<usize, &'a Brought>;

/// The value that an earlier step saved under a name.
pub(super) type SavedValue<'a> = &'a dyn Fn(&str) -> Result<Value, Judgement>;

/// Judges one attempt of a check. `told` is what an action told that is no read.
pub(super) fn judge(
    check: &Check,
    plan: &ScanCheck,
    brought: &ByInput<'_>,
    (saved, told): (SavedValue<'_>, Option<Observed>),
) -> Judged {
    let unit = unit(check);
    let measured = |value: Option<&Value>| {
        let (raw, beside) = raw(check, plan, brought);
        let (raw, beside) = (raw.into(), beside.into());
        let (value, unit) = (value.map(Json::from), unit.clone());
        Some(Measurement { value, unit, raw, beside, saved: saved_values(check, saved) })
    };
    let mut judged = Judged {
        judgement: Judgement::Recorded,
        value: None,
        measurement: None,
        limit: None,
        stopped: false,
    };
    if brought.values().any(|brought| matches!(brought, Brought::Stopped)) {
        judged.stopped = true;
        return judged;
    }
    let values = RefCell::new(HashMap::new());
    let point = |name: &str| {
        if let Some(known) = values.borrow().get(name) {
            return Result::clone(known);
        }
        let source = plan.sources.iter().find(|source| source.name == name);
        let value = match source {
            Some(source) => value(source, brought),
            None if name.contains('.') => Err(unplanned(name)),
            None => saved(name),
        };
        values.borrow_mut().insert(name.to_owned(), value.clone());
        value
    };
    let observed = match &check.subject {
        Subject::Read(_) => match plan.sources.first() {
            Some(source) => observed(source, brought),
            None => no_answer(ErrorClass::Internal, "nothing was planned for it"),
        },
        Subject::Told(_) => match told {
            Some(told) => told,
            None => no_answer(ErrorClass::Internal, "nothing was done for it"),
        },
        Subject::Expression { expression, .. } => match expression.value(&point) {
            Ok(value) => Observed::Reading(Reading::Value(value)),
            Err(judgement) => {
                judged.judgement = judgement;
                judged.measurement = measured(None);
                return judged;
            }
        },
    };
    judged.measurement = match &observed {
        Observed::Reading(Reading::Value(value)) => measured(Some(value)),
        Observed::Reading(Reading::Invalid) | Observed::Undecodable(_) => measured(None),
        _ => None,
    };
    if let Observed::Reading(Reading::Value(value)) = &observed {
        judged.value = Some(value.clone());
    }
    judged.judgement = match check.criteria.limits(&point) {
        Ok(limits) => {
            if check.criteria.expressions().next().is_some() {
                judged.limit = Some(limits.to_json().into());
            }
            limits.judge(&observed, unit.as_deref())
        }
        // A link error says more than that the limit could not be computed for it.
        Err(judgement) => match observed {
            Observed::NoAnswer { class, text } => Judgement::Error { class, message: text },
            _ => judgement,
        },
    };
    judged
}

/// The saved values that a check needs, as far as there are any.
fn saved_values(check: &Check, saved: SavedValue<'_>) -> BTreeMap<String, Json> {
    let names = check.expressions().flat_map(|expression| &expression.saved);
    let value = |name: &String| Some((name.clone(), Json::from(&saved(name).ok()?)));
    names.filter_map(value).collect()
}

fn unplanned(name: &str) -> Judgement {
    let message = format!("{name} was not read");
    Judgement::Error { class: ErrorClass::Internal, message }
}

fn no_answer(class: ErrorClass, text: &str) -> Observed {
    Observed::NoAnswer { class, text: text.to_owned() }
}

/// What an input brought, as its point reads it.
fn observed(source: &Source, brought: &ByInput<'_>) -> Observed {
    let factor = match &source.scale_factor {
        None => None,
        Some((point, input)) => match decoded(point, brought.get(input).copied(), None) {
            Observed::Reading(Reading::Value(value)) => Some(value),
            Observed::Reading(Reading::Invalid) => None,
            other => return other,
        },
    };
    let brought = brought.get(&source.input).copied();
    match (&source.point, brought) {
        (Some(point), brought) => decoded(point, brought, factor.as_ref()),
        // Only the kind of answer is judged, so that the value is not even decoded.
        (None, Some(Brought::Data(_))) => Observed::Reading(Reading::Invalid),
        (None, other) => undecoded(other),
    }
}

fn decoded(point: &Point, brought: Option<&Brought>, factor: Option<&Value>) -> Observed {
    let Some(Brought::Data(data)) = brought else { return undecoded(brought) };
    let Some(raw) = data.raw() else {
        return no_answer(ErrorClass::Internal, "the answer does not have one bit");
    };
    match point.decode(&raw, factor) {
        Ok(reading) => Observed::Reading(reading),
        Err(error) => Observed::Undecodable(error),
    }
}

fn undecoded(brought: Option<&Brought>) -> Observed {
    match brought {
        Some(Brought::Exception(code)) => Observed::Exception(*code),
        Some(Brought::Trouble(trouble)) => no_answer(trouble.class, &trouble.text),
        _ => no_answer(ErrorClass::Internal, "it was not read"),
    }
}

/// The value of a point for an expression.
pub(super) fn value(source: &Source, brought: &ByInput<'_>) -> Result<Value, Judgement> {
    let error = |class, text: String| {
        Err(Judgement::Error { class, message: format!("{}: {text}", source.name) })
    };
    match observed(source, brought) {
        Observed::Reading(Reading::Value(value)) => Ok(value),
        Observed::Reading(Reading::Invalid) => {
            error(ErrorClass::Decode, "the device says that it has no value".to_owned())
        }
        Observed::Undecodable(reason) => error(ErrorClass::Decode, reason.to_string()),
        Observed::NoAnswer { class, text } => error(class, text),
        Observed::Exception(code) => {
            let code = u8::from(code);
            error(ErrorClass::of_exception(code), format!("exception {code:02X}"))
        }
        Observed::Acknowledged => error(ErrorClass::Internal, "no value was asked for".to_owned()),
    }
}

/// The registers of a check: its own, and those of whatever else it needed. Each source is followed
/// by its scale factor.
fn raw(check: &Check, plan: &ScanCheck, brought: &ByInput<'_>) -> (Vec<u16>, Vec<u16>) {
    let points = plan.sources.iter().flat_map(|source| {
        let factor = source.scale_factor.as_ref().map(|(point, input)| (Some(&**point), *input));
        [Some((source.point.as_deref(), source.input)), factor]
    });
    let words = |(point, input)| match brought.get(&input) {
        Some(Brought::Data(data)) => registers(point, data),
        _ => Vec::new(),
    };
    let mut words = points.flatten().map(words);
    match check.subject {
        Subject::Read(_) => (words.next().unwrap_or_default(), words.flatten().collect()),
        Subject::Expression { .. } => (words.flatten().collect(), Vec::new()),
        Subject::Told(_) => (Vec::new(), words.flatten().collect()),
    }
}

/// The data of a point for the record: bits and bytes as a number each. Where the device says how
/// much there is, that comes first, so that several points can stand one behind the other.
fn registers(point: Option<&Point>, data: &Data) -> Vec<u16> {
    let is_queue = point.is_some_and(|point| matches!(point.location(), Location::Fifo(_)));
    let counted = |count: usize, items: Vec<u16>| {
        let count = u16::try_from(count).unwrap_or(u16::MAX);
        [count].into_iter().chain(items).collect()
    };
    match data {
        Data::Bits(bits) => bits.iter().map(|bit| u16::from(*bit)).collect(),
        Data::Words(words) if is_queue => counted(words.len(), words.clone()),
        Data::Words(words) => words.clone(),
        Data::Bytes(bytes) => {
            counted(bytes.len(), bytes.iter().map(|byte| u16::from(*byte)).collect())
        }
    }
}

fn unit(check: &Check) -> Option<Arc<str>> {
    match &check.subject {
        Subject::Read(read) => read.point.as_ref()?.unit().map(Arc::from),
        Subject::Expression { unit, .. } => unit.clone(),
        Subject::Told(told) => told.unit.clone(),
    }
}

/// A check before it runs.
pub(super) fn planned(check: &Check, plan: Option<&ScanCheck>) -> PlannedCheck {
    PlannedCheck {
        name: check.name.clone(),
        kind: match &check.subject {
            Subject::Read(_) => Kind::Read,
            Subject::Expression { .. } => Kind::Compute,
            Subject::Told(told) => told.kind,
        },
        decode: decode(check, plan.map_or(&[][..], |plan| &plan.sources)),
        limit: check.criteria.known().map(|demand| demand.to_json().into()),
    }
}

/// How the raw registers of a measurement make its value: what the point says of its own, then the
/// points that expressions name, in the order of the registers.
fn decode(check: &Check, sources: &[Source]) -> Option<Json> {
    let (mut decode, others) = match &check.subject {
        Subject::Expression { expression, .. } => (
            Map::from_iter([("expression".to_owned(), expression.text.to_string().into())]),
            sources,
        ),
        Subject::Told(told) => (told.how.clone(), sources),
        Subject::Read(_) => {
            let (own, others) = sources.split_first()?;
            (source_recipe(own)?, others)
        }
    };
    if let Some(most) = check.max_skew {
        let micros = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        decode.insert("max_skew_us".to_owned(), micros.into());
    }
    let named = others.iter().filter_map(|source| {
        let mut recipe = source_recipe(source)?;
        recipe.insert("point".to_owned(), source.name.clone().into());
        Some(Document::Object(recipe))
    });
    let named: Vec<Document> = named.collect();
    if !named.is_empty() {
        decode.insert("points".to_owned(), named.into());
    }
    Some(Document::Object(decode).into())
}

/// How the registers that a write sends make its value.
pub(super) fn written(assignment: &Assignment) -> Json {
    let mut decode = recipe(&assignment.point);
    if let Some(factor) = &assignment.scale_factor {
        decode.insert("scale_factor".to_owned(), Document::Object(recipe(&factor.point)));
    }
    if let Assigned::Computed(expression) = &assignment.value {
        decode.insert("expression".to_owned(), expression.text.to_string().into());
    }
    Document::Object(decode).into()
}

/// What a point and its scale factor say of their registers.
fn source_recipe(source: &Source) -> Option<Map<String, Document>> {
    let mut recipe = recipe(source.point.as_ref()?);
    if let Some((factor, _)) = &source.scale_factor {
        recipe.insert("scale_factor".to_owned(), Document::Object(self::recipe(factor)));
    }
    Some(recipe)
}

/// What a point says of its registers; defaults are left out.
fn recipe(point: &Point) -> Map<String, Document> {
    let mut recipe = Map::new();
    let mut put = |key: &str, value: Document| recipe.insert(key.to_owned(), value);
    let data_type = point.data_type();
    let is_number = !data_type.has_length() && data_type != DataType::Bool;
    let mut is_ordered = false;
    match point.location() {
        Location::Table(span) => {
            put("table", span.table().name().into());
            put("address", span.address().into());
            put("registers", span.count().into());
            is_ordered = !span.table().is_bits();
        }
        Location::DeviceId(object) => {
            put("device_id", object.into());
            is_ordered = is_number;
        }
        Location::ServerId => {
            put("server_id", true.into());
            is_ordered = is_number;
        }
        Location::Diagnostic(counter) => {
            put("diagnostic", counter.sub_function().into());
        }
        Location::ExceptionStatus => {
            put("exception_status", true.into());
        }
        Location::File(section) => {
            put("file", json!({ "number": section.file, "record": section.first }));
            put("registers", section.length.into());
            is_ordered = true;
        }
        Location::Fifo(address) => {
            put("fifo", address.into());
            is_ordered = point.at().is_some();
        }
    }
    put("type", data_type.name().into());
    if let Some(at) = point.at() {
        put("at", at.into());
    }
    let counts_itself = matches!(point.location(), Location::Table(_) | Location::File(_));
    if data_type.has_length() && !counts_itself && !point.is_open_ended() {
        put("length", data_type.registers().into());
    }
    if is_ordered {
        put("order", point.order().to_string().into());
    }
    for (key, number) in [("scale", point.scale()), ("offset", point.offset())] {
        let neutral = if key == "scale" { "1" } else { "0" };
        if number.to_string() != neutral {
            put(key, number_of(&number.to_string()));
        }
    }
    if let Some(field) = point.field() {
        put("bits", json!([field.first(), field.last()]));
    }
    let labels: Map<String, Document> =
        point.labels().map(|(number, label)| (number.to_string(), label.into())).collect();
    if !labels.is_empty() {
        put("values", Document::Object(labels));
    }
    match point.invalid() {
        Invalid::None => {}
        Invalid::Raw(patterns) => {
            put("invalid", patterns.iter().map(|raw| number_of(&raw.to_string())).collect());
        }
        Invalid::SunSpec => {
            put("invalid", "sunspec".into());
        }
    }
    recipe
}

fn number_of(text: &str) -> Document {
    serde_json::from_str::<serde_json::Number>(text).map_or(Document::Null, Document::Number)
}
