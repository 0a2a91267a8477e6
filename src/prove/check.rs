//! One check: what to try on it, and what is wrong with it before anything is tried.

use passline_modbus::pdu::ExceptionCode;
use passline_modbus::point::Location;
use passline_modbus::value::Value;

use super::edges::{self, Remark};
use super::finding::Kind;
use super::mutant::{Change, Expected, Mutant};
use super::place::{Place, places as places_of};
use super::sight::Sight;
use super::ways::{self, Turn};
use crate::judge::{At, Limits, Turns};
use crate::plan::PlannedTest;
use crate::record::{CheckResult, Verdict};
use crate::spec::model::{Check, Read, Subject};

/// What to do about what cannot be shown.
pub(super) const SHOW: &str = "make the simulation one in which it can be shown";

/// What is to be tried on a check.
#[derive(Debug, Default)]
pub(super) struct Trial {
    pub(super) mutants: Vec<Mutant>,
    pub(super) remarks: Vec<Remark>,
    /// The points that it looks at.
    pub(super) places: Vec<Place>,
    /// Points that go into what is computed without ever turning the verdict.
    pub(super) idle: Vec<Place>,
}

impl Trial {
    fn remark(kind: Kind, message: impl Into<String>, remedy: &'static str) -> Self {
        let remark = Remark { kind, limit: None, message: message.into(), remedy };
        Self { remarks: vec![remark], ..Self::default() }
    }
}

/// What to try on a check that did so when nothing was changed.
pub(super) fn trial(
    test: &PlannedTest<'_>,
    (line, check): (usize, &Check),
    before: Option<&CheckResult>,
    skipped: Option<&str>,
) -> Trial {
    let Some(before) = before else {
        let why = skipped.unwrap_or("its test never came to it");
        return Trial::remark(Kind::Unproven, format!("it does not run: {why}"), SHOW);
    };
    let why = before.message.as_deref().unwrap_or("no reason is known");
    match before.verdict {
        Verdict::Pass => {}
        Verdict::Recorded => {
            let places = before.measurement.as_ref();
            let places = places.and_then(|measured| places_of(test, line, measured));
            return Trial { places: places.unwrap_or_default(), ..Trial::default() };
        }
        Verdict::Skipped => {
            return Trial::remark(Kind::Unproven, format!("it does not run: {why}"), SHOW);
        }
        Verdict::Fail | Verdict::Error => {
            return Trial::remark(
                Kind::DoesNotPass,
                format!("it does not pass as it stands: {why}"),
                "give the simulation values that pass: only then can a change show anything",
            );
        }
    }
    if let Subject::Read(read @ Read { point: None, .. }) = &check.subject {
        return probe(check, read);
    }
    let Some((places, measured)) = before
        .measurement
        .as_ref()
        .and_then(|measured| Some((places_of(test, line, measured)?, measured)))
    else {
        return Trial::remark(Kind::Unproven, "its measurement does not say what it saw", SHOW);
    };
    let sight = Sight::new(check, places, &measured.saved);
    if !sight.judged(&[]).0.passes() {
        let message = "what it saw does not make it pass again";
        return Trial::remark(Kind::Unproven, message, SHOW);
    }
    of_value(sight)
}

/// A check that is judged by its value.
fn of_value(sight: Sight<'_>) -> Trial {
    let mut trial = Trial::default();
    let Ok(limits) = sight.limits() else {
        return Trial::remark(Kind::Unproven, "its limits have no value", SHOW);
    };
    if let Some(own) = sight.own() {
        (trial.mutants, trial.remarks) = edges::mutants(&sight, own, &limits);
    }
    let turns = moved(&sight, &limits, &mut trial);
    trial.mutants.extend(turns.into_iter().flat_map(|turn| turn.mutants));
    trial.remarks.extend(other_bands(&sight, &limits));
    let mut asked: Vec<(usize, Location)> = Vec::new();
    for place in &sight.places {
        let at = (place.device, place.point.location());
        if asked.contains(&at) {
            continue;
        }
        asked.push(at);
        for (what, content) in place.no_values() {
            let (outcome, _) = sight.judged(std::slice::from_ref(&content));
            let (what, change) =
                (format!("with {what} in {}", place.name), Change::Contents(vec![content]));
            // Content that means nothing is an error whatever the limits are.
            let expected = if outcome.passes() { Expected::As(outcome) } else { Expected::NoPass };
            trial.mutants.push(Mutant { what, change, expected, limit: None });
        }
        trial.mutants.extend(on_the_wire(place));
        if let Some(content) = place.swapped() {
            let what = format!("with the registers of {} in the wrong order", place.name);
            let (change, expected) = (Change::Swapped(content), Expected::NoPass);
            trial.mutants.push(Mutant { what, change, expected, limit: None });
        }
    }
    trial.places = sight.places;
    trial
}

/// Moves every point that goes into what is computed, or into the limits.
fn moved(sight: &Sight<'_>, limits: &Limits, trial: &mut Trial) -> Vec<Turn> {
    let own = usize::from(sight.own().is_some());
    let mut turns = Vec::new();
    for place in sight.places.iter().skip(own) {
        let found = ways::of_one(sight, place);
        if found.is_empty() && own == 0 {
            trial.idle.push(place.clone());
        }
        turns.extend(found);
    }
    if own > 0 {
        return turns;
    }
    let edges = limits.edges();
    let edges = edges.iter().filter(|edge| edge.turns == Turns::Verdict);
    let edges: Vec<_> = edges.filter(|edge| edge.at != At::NoValue).collect();
    let open =
        |turns: &[Turn]| edges.iter().any(|edge| !turns.iter().any(|turn| turn.crosses(edge)));
    if open(&turns) {
        turns.extend(ways::of_all(sight));
    }
    for edge in edges.iter().filter(|edge| !turns.iter().any(|turn| turn.crosses(edge))) {
        let at = match edge.at {
            At::Number(at) => format!("`{}` ({at})", edge.key),
            _ => format!("`{}`", edge.key),
        };
        trial.remarks.push(Remark {
            kind: Kind::CannotFail,
            limit: Some(edge.key),
            message: format!("{at} is never missed: no change of the points leads beyond it"),
            remedy: "set it where the points can lead, or leave it out",
        });
    }
    turns
}

/// Bands that do not judge as things are.
fn other_bands(sight: &Sight<'_>, limits: &Limits) -> Vec<Remark> {
    let Some(demand) = sight.check.criteria.known() else { return Vec::new() };
    let judging = limits.to_json();
    let judging =
        judging.get("band").and_then(|band| band.get("if")).and_then(|band| band.as_str());
    let cases = demand.edges();
    let others = cases.iter().filter_map(|case| case.condition);
    let others = others.filter(|condition| Some(*condition) != judging);
    let remark = |condition: &str| Remark {
        kind: Kind::Unproven,
        limit: Some("bands"),
        message: format!("the band `if: {condition}` never judges in this simulation"),
        remedy: "have the simulation be so in another test, or in a spec of its own",
    };
    others.map(remark).collect()
}

/// No answer, and an exception.
fn on_the_wire(place: &Place) -> [Mutant; 2] {
    let (device, location) = (place.device, place.point.location());
    let mutant =
        |what: String, change| Mutant { what, change, expected: Expected::NoPass, limit: None };
    let code = ExceptionCode::ServerDeviceFailure;
    [
        mutant(format!("without an answer for {}", place.name), Change::Silent(device, location)),
        mutant(
            format!("with an exception for {}", place.name),
            Change::Exception(device, location, code),
        ),
    ]
}

/// A check that is judged by the kind of answer alone.
fn probe(check: &Check, read: &Read) -> Trial {
    let limits = check.criteria.limits(&|_| Ok(Value::Bool(false)));
    let Ok(limits) = limits else {
        return Trial::remark(Kind::Unproven, "its limits have no value", SHOW);
    };
    let (device, at) = (read.device, read.location);
    let mut mutants = Vec::new();
    for edge in limits.edges() {
        let mut add = |what: &str, change| {
            let limit = Some(edge.key);
            let what = what.to_owned();
            mutants.push(Mutant { what, change, expected: Expected::NoPass, limit });
        };
        match edge.at {
            At::Exception(code) => {
                let other = match code {
                    ExceptionCode::ServerDeviceFailure => ExceptionCode::IllegalDataValue,
                    _ => ExceptionCode::ServerDeviceFailure,
                };
                add("with another exception", Change::Exception(device, at, other));
                add("without an answer", Change::Silent(device, at));
                if at.span().is_some() {
                    add("with a value", Change::Answers(device, at));
                }
            }
            At::Answers(true) => add("without an answer", Change::Silent(device, at)),
            At::Answers(false) => add("with an answer", Change::Answers(device, at)),
            _ => {}
        }
    }
    Trial { mutants, ..Trial::default() }
}
