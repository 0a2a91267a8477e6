use std::sync::{Arc, Mutex};

use proptest::{prelude::*, sample::Index};

use super::{
    super::{Event, Fold, Line, Outcome, Verdict, run_id, samples::*},
    EVENTS, EvidenceError, Journal, ReplayError, create_run_folder, replay,
};

fn script() -> Script {
    script_of(&[Verdict::Pass, Verdict::Recorded])
}

fn lines(events: &[Event]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (seq, event) in (1..).zip(events) {
        serde_json::to_writer(&mut bytes, &Line { seq, event: event.clone() }).unwrap();
        bytes.push(b'\n');
    }
    bytes
}

fn emit(journal: &Journal, events: &[Event]) {
    for event in events {
        journal.emit(event.clone());
    }
}

#[test]
fn every_event_is_on_the_disk_before_it_is_shown() {
    let out = tempfile::tempdir().unwrap();
    let folder = create_run_folder(out.path(), run_id(start(), SEED)).unwrap();
    let path = folder.join(EVENTS);
    let shown = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&shown);
    let journal = Journal::open(&folder, {
        let path = path.clone();
        move |line| {
            let kept = std::fs::read_to_string(&path).unwrap();
            let written = serde_json::to_string(line).unwrap();
            assert!(kept.lines().any(|kept| kept == written), "{written}");
            keep.lock().unwrap().push(line.clone());
        }
    });
    let journal = journal.unwrap();
    let events = in_plan_order(&script());
    emit(&journal, &events);
    let evidence = journal.finish().unwrap();
    assert!(evidence.lost.is_none());
    assert_eq!(evidence.document, fold(events.clone()));
    let shown = shown.lock().unwrap().iter().map(|line| line.seq).collect::<Vec<_>>();
    assert_eq!(shown, (1..=events.len() as u64).collect::<Vec<_>>());
    let kept = std::fs::read(&path).unwrap();
    assert_eq!(kept, lines(&events));
    assert_eq!(replay(&*kept).unwrap(), evidence.document);
}

#[test]
fn no_run_overwrites_another() {
    let out = tempfile::tempdir().unwrap();
    let id = run_id(start(), SEED);
    let folder = create_run_folder(out.path(), id).unwrap();
    let again = create_run_folder(out.path(), id).unwrap_err();
    assert!(matches!(again, EvidenceError::Exists(ref path) if *path == folder));
    std::fs::write(folder.join(EVENTS), "kept").unwrap();
    let again = Journal::open(&folder, |_| {}).unwrap_err();
    assert!(matches!(again, EvidenceError::Exists(_)));
    assert_eq!(std::fs::read(folder.join(EVENTS)).unwrap(), b"kept");
}

#[test]
fn a_place_that_cannot_be_written_is_named_with_a_remedy() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("reports");
    std::fs::write(&file, "").unwrap();
    let error = create_run_folder(&file, run_id(start(), SEED)).unwrap_err();
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
    assert!(error.remedy().contains("--out"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_makes_the_run_an_error_and_keeps_what_was_measured() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let journal = Journal::over(full, "/dev/full".into(), |_| {}).unwrap();
    let events = in_plan_order(&script());
    let whole = fold(events.clone());
    assert_eq!(whole.outcome, Outcome::Pass);
    emit(&journal, &events);
    let evidence = journal.finish().unwrap();
    assert!(matches!(evidence.lost, Some(EvidenceError::Io { action: "write", .. })));
    assert_eq!(evidence.document.outcome, Outcome::Error);
    let record = &evidence.document.records[0];
    assert_eq!(record.outcome, Outcome::Error);
    assert!(record.is_intact());
    assert_eq!(record.tests, whole.records[0].tests);
}

#[cfg(target_os = "linux")]
#[test]
fn the_engine_learns_of_a_lost_journal_while_it_runs() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (shown, wait) = std::sync::mpsc::channel();
    let show = move |line: &Line| shown.send(line.seq).unwrap();
    let journal = Journal::over(full, "/dev/full".into(), show).unwrap();
    journal.emit(run_started());
    assert_eq!(wait.recv(), Ok(1));
    assert!(journal.lost().is_some());
}

#[test]
fn events_that_contradict_each_other_make_the_run_an_error() {
    let out = tempfile::tempdir().unwrap();
    let journal = Journal::open(out.path(), |_| {}).unwrap();
    let mut events = in_plan_order(&script());
    let last = events.pop().unwrap();
    events.push(events[0].clone());
    events.push(last);
    emit(&journal, &events);
    let evidence = journal.finish().unwrap();
    assert!(matches!(evidence.lost, Some(EvidenceError::Events(_))));
    assert_eq!(evidence.document.outcome, Outcome::Error);
    // What happened is evidence, also where it makes no sense.
    assert_eq!(std::fs::read(out.path().join(EVENTS)).unwrap(), lines(&events));
}

#[test]
fn a_display_that_breaks_does_not_pass_in_silence() {
    let out = tempfile::tempdir().unwrap();
    let journal = Journal::open(out.path(), |_| panic!("the display broke")).unwrap();
    emit(&journal, &in_plan_order(&script()));
    assert!(matches!(journal.finish(), Err(EvidenceError::Stopped)));
}

#[test]
fn lines_that_no_run_writes_are_refused() {
    let events = in_plan_order(&script());
    let bytes = lines(&events);
    let text = String::from_utf8(bytes).unwrap();
    let without = |n: usize| {
        let kept = text.split_inclusive('\n').enumerate().filter(|(line, _)| *line != n);
        kept.map(|(_, line)| line).collect::<String>()
    };
    assert!(matches!(replay(without(2).as_bytes()), Err(ReplayError::Gap { line: 3, seq: 4 })));
    let foreign = text.replacen("\"seq\":3,", "\"seq\":3,\"by\":\"hand\",", 1);
    assert!(matches!(replay(foreign.as_bytes()), Err(ReplayError::Line { line: 3, .. })));
    let twice = text.replacen("\"record\":0,\"test\":0", "\"record\":0,\"test\":1", 1);
    assert!(matches!(replay(twice.as_bytes()), Err(ReplayError::Event { line: 3, .. })));
    assert!(matches!(replay(&b""[..]), Err(ReplayError::Record(_))));
}

proptest! {
    #[test]
    fn a_journal_cut_at_any_byte_gives_what_was_shown(script in scripts(), cut: Index) {
        let events = in_plan_order(&script);
        let bytes = lines(&events);
        let cut = cut.index(bytes.len() + 1);
        let whole = bytes[..cut].split(|&byte| byte == b'\n').count() - 1;
        let mut state = Fold::new();
        events.into_iter().take(whole).for_each(|event| state.apply(event).unwrap());
        match (replay(&bytes[..cut]), state.finish()) {
            (Ok(document), Ok(expected)) => prop_assert_eq!(document, expected),
            (Err(ReplayError::Record(_)), Err(_)) => {}
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
