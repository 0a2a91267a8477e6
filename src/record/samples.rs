//! Runs to test with: scripts of events, from fixed ones to arbitrary ones.

use std::{collections::BTreeMap, sync::Arc};

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    Attempt, AttemptError, CheckFinished, CheckResult, Digest, Direction, ErrorClass, Event,
    EventsFormat, Fold, Frame, Hex, Json, Kind, Measurement, Mode, Outcome, Phase, PlannedCheck,
    RecordFinished, RecordStarted, RunDocument, RunFinished, RunStarted, Scope, SpecSource, Stamp,
    TestFinished, TestPlanned, Tool, Transaction, Uut, Verdict, record_id, run_id,
};

pub(crate) const SEED: u64 = 7;

pub(crate) fn start() -> Stamp {
    "2026-05-04T03:02:01.007Z".parse().unwrap()
}

pub(crate) fn at(milliseconds: u64) -> Stamp {
    start().after(std::time::Duration::from_millis(milliseconds))
}

pub(crate) fn run_started() -> Event {
    Event::RunStarted(RunStarted {
        format: EventsFormat::V1,
        tool: Tool { name: "passline".to_owned(), version: "0".to_owned() },
        run_id: run_id(start(), SEED),
        started: start(),
        arguments: vec!["run".to_owned(), "meter.yaml".to_owned()],
    })
}

pub(crate) fn record_started(record: usize) -> RecordStarted {
    RecordStarted {
        record,
        record_id: record_id(start(), SEED, record),
        mode: Mode::Production,
        scope: Scope::Full,
        selection: Vec::new(),
        spec: SpecSource {
            name: "meter".to_owned(),
            version: Some("1.2".to_owned()),
            file: "meter.yaml".to_owned(),
            sha256: Digest::of(b"meter"),
        },
        inputs: Vec::new(),
        variables: BTreeMap::from([("nominal".to_owned(), number("230"))]),
        seed: SEED,
        station: None,
        slot: None,
        operator: None,
        instruments: Vec::new(),
        environment: None,
        uut: Uut { serial: Some("00001234".to_owned()), ..Uut::default() },
        started: start(),
        retest_of: None,
    }
}

pub(crate) fn number(digits: &str) -> Json {
    serde_json::from_str(digits).unwrap()
}

pub(crate) fn measured(digits: &str) -> Measurement {
    Measurement {
        value: Some(number(digits)),
        unit: Some("V".into()),
        raw: Arc::new([17254, 26214]),
        beside: Arc::default(),
        saved: BTreeMap::new(),
    }
}

pub(crate) fn planned(name: &str) -> PlannedCheck {
    PlannedCheck {
        name: name.to_owned(),
        kind: Kind::Read,
        decode: Some(serde_json::from_str(r#"{"type":"f32","order":"ABCD"}"#).unwrap()),
        limit: Some(serde_json::from_str(r#"{"min":207,"max":253}"#).unwrap()),
    }
}

pub(crate) fn attempt(n: u32, verdict: Verdict, transactions: Vec<u64>) -> Attempt {
    let error = (verdict == Verdict::Error).then(|| AttemptError {
        class: ErrorClass::Timeout,
        text: "no answer within 1 s".to_owned(),
    });
    Attempt {
        n,
        verdict,
        measurement: error.is_none().then(|| measured("230.4")),
        error,
        started: at(u64::from(n)),
        duration_ms: 3,
        transactions,
        tolerated: Vec::new(),
        skew_us: None,
        output: None,
    }
}

/// A result of one attempt.
pub(crate) fn result(verdict: Verdict, transactions: Vec<u64>) -> CheckResult {
    if verdict == Verdict::Skipped {
        return CheckResult::skipped("not run: nobody asked");
    }
    let last = attempt(1, verdict, transactions);
    CheckResult {
        verdict,
        flaky: false,
        marginal: false,
        conformity: None,
        message: (verdict != Verdict::Pass).then(|| format!("because {}", verdict.word())),
        written: None,
        measurement: last.measurement.clone(),
        limit: None,
        timing: None,
        attempts: vec![last],
    }
}

pub(crate) fn transaction(id: u64) -> Transaction {
    let tx = [0, 1, 0, 0, 0, 6, 1, 4, 0, 0, 0, 2].to_vec();
    Transaction {
        id,
        device: "meter".into(),
        link: "tcp://192.0.2.10:502".into(),
        unit_id: 1,
        frames: vec![Frame { at_us: id * 1000, dir: Direction::Tx, hex: Hex(tx), note: None }],
    }
}

/// One test of a script: what its checks come to.
#[derive(Debug, Clone)]
pub(crate) struct TestScript {
    pub(crate) phase: Phase,
    pub(crate) checks: Vec<CheckResult>,
    /// Left out by a decision, instead of run.
    pub(crate) skipped: Option<String>,
}

/// The tests of each record of a run.
pub(crate) type Script = Vec<Vec<TestScript>>;

/// The events up to the first test, of all records.
pub(crate) fn opening(script: &Script) -> Vec<Event> {
    let mut events = vec![run_started()];
    for (record, tests) in script.iter().enumerate() {
        events.push(Event::RecordStarted(Box::new(record_started(record))));
        for (test, scripted) in tests.iter().enumerate() {
            events.push(Event::TestPlanned(TestPlanned {
                record,
                repeats: None,
                test,
                name: format!("test {test}"),
                phase: scripted.phase,
                tags: Vec::new(),
                verifies: Vec::new(),
                checks: (0..scripted.checks.len())
                    .map(|n| planned(&format!("check {n}")))
                    .collect(),
            }));
        }
    }
    events
}

/// The events of one test, from its start to its end.
pub(crate) fn events_of(record: usize, test: usize, script: &TestScript) -> Vec<Event> {
    if let Some(reason) = &script.skipped {
        return vec![Event::TestSkipped { record, test, reason: reason.clone() }];
    }
    let mut events = vec![Event::TestStarted { record, test, started: at(1) }];
    for (check, result) in script.checks.iter().enumerate() {
        let named = result.attempts.iter().flat_map(|attempt| &attempt.transactions);
        for &id in named {
            events.push(Event::Transaction { record, transaction: transaction(id) });
        }
        let result = result.clone();
        events.push(Event::CheckFinished(CheckFinished { record, test, check, result }));
    }
    let verdict = Verdict::of_checks(script.checks.iter().map(|check| check.verdict));
    events.push(Event::TestFinished(TestFinished { record, test, verdict, duration_ms: 12 }));
    events
}

/// The events after the last test, of all records.
pub(crate) fn closing(script: &Script) -> Vec<Event> {
    let ends = (0..script.len()).map(|record| {
        let outcome = Outcome::Pass;
        Event::RecordFinished(RecordFinished { record, outcome, ended: at(90), reason: None })
    });
    let end = Event::RunFinished(RunFinished { outcome: Outcome::Pass, ended: at(99) });
    ends.chain([end]).collect()
}

/// Everything in the order of the plan.
pub(crate) fn in_plan_order(script: &Script) -> Vec<Event> {
    let mut events = opening(script);
    for (record, tests) in script.iter().enumerate() {
        for (test, scripted) in tests.iter().enumerate() {
            events.extend(events_of(record, test, scripted));
        }
    }
    events.extend(closing(script));
    events
}

pub(crate) fn fold(events: impl IntoIterator<Item = Event>) -> RunDocument {
    let mut fold = Fold::new();
    for event in events {
        fold.apply(event).unwrap();
    }
    fold.finish().unwrap()
}

/// One record of one main test with checks of these verdicts.
pub(crate) fn script_of(verdicts: &[Verdict]) -> Script {
    let checks = verdicts.iter().map(|&verdict| result(verdict, Vec::new())).collect();
    vec![vec![TestScript { phase: Phase::Main, checks, skipped: None }]]
}

prop_compose! {
    /// Arbitrary scripts whose transactions have ids of their own.
    pub(crate) fn scripts()(
        records in vec(vec((phases(), vec(verdicts(), 0..4), option::weighted(0.2, ".*")), 0..4), 0..3),
    ) -> Script {
        let mut ids = 0..;
        let mut check = |verdict| {
            let ids = if verdict == Verdict::Skipped { Vec::new() } else { ids.by_ref().take(2).collect() };
            result(verdict, ids)
        };
        let mut test = |(phase, verdicts, skipped): (Phase, Vec<Verdict>, Option<String>)| TestScript {
            phase,
            checks: verdicts.into_iter().map(&mut check).collect(),
            skipped,
        };
        records.into_iter().map(|tests| tests.into_iter().map(&mut test).collect()).collect()
    }
}

pub(crate) fn verdicts() -> impl Strategy<Value = Verdict> {
    select(vec![
        Verdict::Pass,
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Error,
        Verdict::Skipped,
        Verdict::Recorded,
    ])
}

fn phases() -> impl Strategy<Value = Phase> {
    select(vec![Phase::Setup, Phase::Main, Phase::Main, Phase::Teardown])
}
