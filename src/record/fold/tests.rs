use proptest::{prelude::*, sample::Index};

use super::{
    super::{
        CheckFinished, CheckResult, Event, Fold, Frame, Mode, Outcome, Phase, RecordFinished,
        RunDocument, RunFinished, Scope, Verdict, samples::*,
    },
    CUT_OFF, FoldError, UNTOLD,
};

fn outcome_of(verdicts: &[Verdict]) -> Outcome {
    fold(in_plan_order(&script_of(verdicts))).outcome
}

#[test]
fn aborted_outranks_error_outranks_fail_outranks_pass() {
    use Verdict::{Error, Fail, Pass, Recorded, Skipped};
    assert_eq!(outcome_of(&[Pass, Recorded, Skipped]), Outcome::Pass);
    assert_eq!(outcome_of(&[Pass, Fail, Recorded]), Outcome::Fail);
    assert_eq!(outcome_of(&[Pass, Error, Fail]), Outcome::Error);
    let mut events = in_plan_order(&script_of(&[Error]));
    events.pop();
    events.push(Event::RunFinished(RunFinished { outcome: Outcome::Aborted, ended: at(99) }));
    assert_eq!(fold(events).outcome, Outcome::Aborted);
}

#[test]
fn nothing_judged_is_an_error() {
    use Verdict::{Recorded, Skipped};
    assert_eq!(outcome_of(&[]), Outcome::Error);
    assert_eq!(outcome_of(&[Skipped, Skipped]), Outcome::Error);
    assert_eq!(outcome_of(&[Recorded, Skipped]), Outcome::Error);
    assert_eq!(fold(in_plan_order(&Vec::new())).outcome, Outcome::Error);
}

#[test]
fn what_setup_judged_releases_no_unit() {
    let mut script = script_of(&[Verdict::Pass]);
    script[0][0].phase = Phase::Setup;
    script[0].extend(script_of(&[Verdict::Recorded]).remove(0));
    assert_eq!(fold(in_plan_order(&script)).outcome, Outcome::Error);
    script[0].extend(script_of(&[Verdict::Pass]).remove(0));
    assert_eq!(fold(in_plan_order(&script)).outcome, Outcome::Pass);
}

#[test]
fn a_check_without_a_verdict_does_not_pass() {
    let mut events = in_plan_order(&script_of(&[Verdict::Pass, Verdict::Pass]));
    events.retain(|event| !matches!(event, Event::CheckFinished(CheckFinished { check: 1, .. })));
    let document = fold(events);
    let test = &document.records[0].tests[0];
    assert_eq!(document.outcome, Outcome::Error);
    assert_eq!(test.verdict, Verdict::Error);
    assert_eq!(test.checks[1].verdict, Verdict::Skipped);
    assert_eq!(test.checks[1].message.as_deref(), Some(UNTOLD));
}

#[test]
fn a_test_that_nothing_is_told_of_does_not_pass() {
    let mut script = script_of(&[Verdict::Pass]);
    script[0].extend(script_of(&[Verdict::Pass]).remove(0));
    let mut events = in_plan_order(&script);
    events.retain(|event| match event {
        Event::TestStarted { test, .. } => *test == 0,
        Event::CheckFinished(finished) => finished.test == 0,
        Event::TestFinished(finished) => finished.test == 0,
        _ => true,
    });
    let document = fold(events);
    assert_eq!(document.outcome, Outcome::Error);
    assert_eq!(document.records[0].tests[1].verdict, Verdict::Skipped);
    assert_eq!(document.records[0].scope, Scope::Partial);
}

#[test]
fn an_event_can_make_the_outcome_worse_only() {
    for stated in [Outcome::Pass, Outcome::Fail, Outcome::Error, Outcome::Aborted] {
        let mut events = opening(&script_of(&[Verdict::Fail]));
        events.extend(events_of(0, 0, &script_of(&[Verdict::Fail])[0][0]));
        let reason = Some("not run: --fail-fast".to_owned());
        events.push(Event::RecordFinished(RecordFinished {
            record: 0,
            outcome: stated,
            ended: at(9),
            reason,
        }));
        events.push(Event::RunFinished(RunFinished { outcome: Outcome::Pass, ended: at(9) }));
        let document = fold(events);
        assert_eq!(document.outcome, stated.max(Outcome::Fail));
        assert_eq!(document.records[0].outcome, stated.max(Outcome::Fail));
    }
}

#[test]
fn only_a_full_run_is_production() {
    let mut script = script_of(&[Verdict::Pass]);
    let full = fold(in_plan_order(&script));
    assert_eq!((full.records[0].scope, full.records[0].mode), (Scope::Full, Mode::Production));
    script[0].extend(script_of(&[Verdict::Pass]).remove(0));
    script[0][1].skipped = Some("not run: `test 0` did not pass".to_owned());
    let cut = fold(in_plan_order(&script));
    assert_eq!((cut.records[0].scope, cut.records[0].mode), (Scope::Partial, Mode::Development));
    let skipped = &cut.records[0].tests[1].checks[0];
    assert_eq!(skipped.message.as_deref(), Some("not run: `test 0` did not pass"));
}

#[test]
fn flags_count_on_passes() {
    let mut script = script_of(&[Verdict::Pass, Verdict::Pass, Verdict::Fail]);
    for check in &mut script[0][0].checks {
        (check.flaky, check.marginal) = (true, true);
    }
    let counts = fold(in_plan_order(&script)).records[0].counts;
    assert_eq!((counts.pass, counts.fail, counts.flaky, counts.marginal), (2, 1, 2, 2));
}

#[test]
fn late_frames_join_their_transaction_in_the_order_of_time() {
    let mut script = script_of(&[]);
    script[0][0].checks.push(result(Verdict::Pass, vec![5]));
    let mut events = in_plan_order(&script);
    let sent = transaction(5).frames.remove(0);
    for at_us in [9000, 8000] {
        let frame = Frame { at_us, ..sent.clone() };
        events.insert(events.len() - 1, Event::LateFrame { record: 0, transaction: 5, frame });
    }
    let document = fold(events);
    let times = document.records[0].transactions[0].frames.iter().map(|frame| frame.at_us);
    assert_eq!(times.collect::<Vec<_>>(), [5000, 8000, 9000]);
}

#[test]
fn events_out_of_place_are_refused() {
    fn refused(edit: impl FnOnce(&mut Vec<Event>)) -> FoldError {
        let mut script = script_of(&[Verdict::Pass]);
        script[0][0].checks[0] = result(Verdict::Pass, vec![1]);
        let mut events = in_plan_order(&script);
        edit(&mut events);
        let mut fold = Fold::new();
        events.into_iter().find_map(|event| fold.apply(event).err()).unwrap()
    }
    // 0 run, 1 record, 2 plan, 3 test started, 4 transaction, 5 check, 6 test, 7 record, 8 run.
    let error = refused(|events| drop(events.remove(0)));
    assert!(matches!(error, FoldError::NotStarted));
    let error = refused(|events| drop(events.remove(1)));
    assert!(matches!(error, FoldError::Unknown { what: "record", place: 0 }));
    let error = refused(|events| drop(events.remove(2)));
    assert!(matches!(error, FoldError::Unknown { what: "test", place: 0 }));
    let error = refused(|events| drop(events.remove(4)));
    assert!(matches!(error, FoldError::UnknownTransaction(1)));
    let twice = |n: usize| refused(|events| events.insert(n, events[n].clone()));
    assert!(matches!(twice(0), FoldError::Begun("the run")));
    assert!(matches!(twice(1), FoldError::OutOfOrder { what: "record", expected: 1, found: 0 }));
    assert!(matches!(twice(2), FoldError::OutOfOrder { what: "test", expected: 1, found: 0 }));
    assert!(matches!(twice(3), FoldError::Begun("the test")));
    assert!(matches!(twice(4), FoldError::TransactionTwice(1)));
    assert!(matches!(twice(5), FoldError::Over("the check")));
    assert!(matches!(twice(6), FoldError::Over("the test")));
    assert!(matches!(twice(7), FoldError::Over("the record")));
    assert!(matches!(twice(8), FoldError::Over("the run")));
    assert!(matches!(Fold::new().finish(), Err(FoldError::NotStarted)));
}

/// What every record promises, whatever happened.
fn assert_valid(document: &RunDocument) {
    let bytes = serde_json::to_vec(document).unwrap();
    assert_eq!(&RunDocument::read(&bytes).unwrap(), document);
    for record in &document.records {
        assert!(record.is_intact());
        assert!(document.outcome >= record.outcome);
        let checks: usize = record.tests.iter().map(|test| test.checks.len()).sum();
        assert_eq!(record.counts.checks(), checks as u64);
        let verdicts = record.tests.iter().map(|test| test.verdict);
        if record.outcome == Outcome::Pass {
            assert!(verdicts.clone().all(|v| v != Verdict::Fail && v != Verdict::Error));
            assert!(record.counts.pass > 0 && record.counts.fail + record.counts.error == 0);
        }
        let skipped = record.tests.iter().flat_map(|test| &test.checks);
        assert!(
            skipped.filter(|c| c.verdict == Verdict::Skipped).all(|check| check.message.is_some())
        );
    }
}

proptest! {
    #[test]
    fn any_beginning_of_a_run_makes_a_valid_record(script in scripts(), cut: Index) {
        let events = in_plan_order(&script);
        let kept = cut.index(events.len()) + 1;
        let told: Vec<_> = events[..kept].iter().filter_map(|event| match event {
            Event::CheckFinished(finished) => Some(finished.clone()),
            _ => None,
        }).collect();
        let ended: Vec<_> = events[..kept].iter().filter_map(|event| match event {
            Event::RecordFinished(finished) => Some(finished.record),
            _ => None,
        }).collect();
        let whole = kept == events.len();
        let document = fold(events.into_iter().take(kept));
        assert_valid(&document);
        prop_assert!(whole || document.outcome == Outcome::Aborted);
        for (place, record) in document.records.iter().enumerate() {
            prop_assert_eq!(record.outcome == Outcome::Aborted, !ended.contains(&place));
        }
        for CheckFinished { record, test, check, result } in told {
            let planned = planned(&format!("check {check}"));
            prop_assert_eq!(&document.records[record].tests[test].checks[check], &planned.with(result));
        }
        for record in document.records.iter().filter(|record| record.outcome == Outcome::Aborted) {
            let untold = record.tests.iter().filter(|test| test.started.is_none());
            let messages = untold.flat_map(|test| &test.checks).map(|check| check.message.as_deref());
            let known = [Some(CUT_OFF), Some("not run: nobody asked")];
            let given = script.iter().flatten().map(|test| test.skipped.as_deref()).collect::<Vec<_>>();
            prop_assert!(messages.clone().all(|m| known.contains(&m) || given.contains(&m)));
        }
    }

    #[test]
    fn whatever_finishes_first_the_record_is_the_same(script in scripts(), picks: Vec<Index>) {
        let mut tests: Vec<_> = script.iter().enumerate().flat_map(|(record, tests)| {
            let events = |(test, script)| events_of(record, test, script).into_iter();
            tests.iter().enumerate().map(events).collect::<Vec<_>>()
        }).collect();
        let mut picks = picks.into_iter();
        let mut interleaved = Vec::new();
        while !tests.is_empty() {
            let place = picks.next().map_or(tests.len() - 1, |pick| pick.index(tests.len()));
            match tests[place].next() {
                Some(event) => interleaved.push(event),
                None => drop(tests.remove(place)),
            }
        }
        let events = opening(&script).into_iter().chain(interleaved).chain(closing(&script));
        prop_assert_eq!(fold(events), fold(in_plan_order(&script)));
    }

    #[test]
    fn no_order_of_events_breaks_the_fold(script in scripts(), order: Vec<Index>) {
        let events = in_plan_order(&script);
        let mut fold = Fold::new();
        fold.apply(run_started()).unwrap();
        for pick in order {
            let _ = fold.apply(events[pick.index(events.len())].clone());
        }
        assert_valid(&fold.finish().unwrap());
    }

    #[test]
    fn a_skipped_check_says_why(reason: String) {
        let result = CheckResult::skipped(reason.clone());
        prop_assert_eq!(result.message, Some(reason));
    }
}
