//! What is left of a run that is told to end, or killed: an account of everything it measured.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use passline::record::{Outcome, ReplayError, RunDocument, Verdict, replay};

use crate::bench::{Bench, Ended};
use crate::device::{Act, Device, Heard, addresses, range};

/// Longer than any of this takes, and far shorter than what is interrupted.
const SOON: Duration = Duration::from_mins(1);

fn spec(device: &Device) -> String {
    format!(
        "\
spec: interrupted
devices:
  d:
    link: tcp://{}
    unit_id: 1
    response_timeout: 10m
    points:
      p0: {{ holding: 0, alone: true }}
      p1: {{ holding: 1, alone: true }}
      p2: {{ holding: 2, alone: true }}
      p3: {{ holding: 3, alone: true }}
      p4: {{ holding: 4, alone: true }}
      p5: {{ holding: 5, alone: true }}
setup: [{{ read: d.p0, equals: 0 }}]
tests:
  - {{ test: one, steps: [{{ read: d.p1, equals: 1 }}] }}
  - {{ test: two, steps: [{{ read: d.p2, equals: 2 }}, {{ read: d.p3, equals: 3 }}] }}
  - {{ test: three, steps: [{{ read: d.p4, equals: 4 }}] }}
teardown: [{{ read: d.p5, equals: 5 }}, {{ wait: 1ms }}]
",
        device.address
    )
}

/// A device that holds the answer to one register back until it is told to go on.
struct Held {
    device: Device,
    reached: Receiver<()>,
    go_on: Arc<tokio::sync::Notify>,
}

fn holding_back(register: u16) -> Held {
    let (at, reached) = mpsc::channel();
    let at = Mutex::new(at);
    let go_on = Arc::new(tokio::sync::Notify::new());
    let gate = Arc::clone(&go_on);
    let device = Device::new(move |heard| {
        let Some(heard) = heard else { return Vec::new() };
        if range(heard).0 != register {
            return vec![Act::Send(addresses(heard))];
        }
        at.lock().unwrap().send(()).unwrap();
        vec![Act::Gate(Arc::clone(&gate)), Act::Send(addresses(heard))]
    });
    Held { device, reached, go_on }
}

/// A run under way, and what it says aside, line by line.
struct Under {
    child: Child,
    said: Receiver<String>,
    began: Instant,
}

impl Under {
    fn way(bench: &Bench, arguments: &[&str]) -> Self {
        let mut all = vec!["run", "spec.yaml", "--out", "out"];
        all.extend(arguments);
        let mut command = bench.passline(&all);
        let began = Instant::now();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (line, said) = mpsc::channel();
        let aside = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            for said in aside.lines().map_while(Result::ok) {
                let _ = line.send(said);
            }
        });
        Self { child, said, began }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Signals, and waits until the run knows.
    fn stop(&self, name: &str, says: &str) {
        self.signal(name);
        let said = self.said.recv_timeout(SOON).unwrap();
        assert!(said.starts_with(says), "{said}");
    }

    fn ends(mut self) -> Ended {
        let mut out = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let err = self.said.iter().collect::<Vec<_>>().join("\n");
        Ended { code, out, err, took: self.began.elapsed() }
    }
}

/// The account in `run.json`, which must be that of the events, canonical and sealed.
fn account(bench: &Bench) -> RunDocument {
    let folder = bench.run_folder();
    let document = RunDocument::read(&fs::read(folder.join("run.json")).unwrap()).unwrap();
    assert!(document.records.iter().all(passline::record::Record::is_intact));
    let events = fs::read(folder.join("events.jsonl")).unwrap();
    assert_eq!(replay(&events[..]).unwrap(), document);
    let junit = fs::read_to_string(folder.join("TEST-passline.xml")).unwrap();
    assert!(junit.ends_with("</testsuites>\n") || junit.ends_with("</testsuites>"), "{junit}");
    assert_eq!(document.outcome, Outcome::Aborted);
    document
}

/// The verdict of every check, by test.
fn verdicts(document: &RunDocument) -> Vec<Vec<&'static str>> {
    let tests = document.records.iter().flat_map(|record| &record.tests);
    tests.map(|test| test.checks.iter().map(|check| check.verdict.word()).collect()).collect()
}

fn registers(device: &Device) -> Vec<u16> {
    device.heard().iter().map(|heard| range(heard).0).collect()
}

#[test]
fn the_first_signal_ends_what_is_under_way_keeps_it_and_runs_teardown() {
    for name in ["INT", "TERM"] {
        let Held { device, reached, go_on } = holding_back(2);
        let bench = Bench::with(&spec(&device));
        let run = Under::way(&bench, &[]);
        reached.recv_timeout(SOON).unwrap();
        run.stop(name, "stopping after");
        go_on.notify_one();
        let Ended { code, out, err, took } = run.ends();
        assert_eq!(code, 130, "{name}: {out}{err}");
        assert!(took < SOON, "{took:?}");
        let document = account(&bench);
        let kept = [
            vec!["pass"],
            vec!["pass"],
            vec!["pass", "skipped"],
            vec!["skipped"],
            vec!["pass", "recorded"],
        ];
        assert_eq!(verdicts(&document), kept, "{name}");
        assert_eq!(registers(&device), [0, 1, 2, 5], "{name}");
        let record = &document.records[0];
        assert_eq!(
            record.tests[2].checks[1].message.as_deref(),
            Some("not run: the run was aborted")
        );
        assert_eq!(record.transactions.len(), 4);
        assert!(record.transactions.iter().all(|transaction| transaction.frames.len() == 2));
    }
}

#[test]
fn the_second_signal_ends_everything_at_once() {
    let Held { device, reached, .. } = holding_back(2);
    let bench = Bench::with(&spec(&device));
    let run = Under::way(&bench, &[]);
    reached.recv_timeout(SOON).unwrap();
    run.stop("INT", "stopping after");
    run.stop("TERM", "stopping at once");
    let Ended { code, out, err, took } = run.ends();
    assert_eq!(code, 130, "{out}{err}");
    assert!(took < SOON, "{took:?}");
    let document = account(&bench);
    let skipped = |count| vec!["skipped"; count];
    let kept = [vec!["pass"], vec!["pass"], skipped(2), skipped(1), skipped(2)];
    assert_eq!(verdicts(&document), kept);
    assert_eq!(registers(&device), [0, 1, 2]);
    // What was asked is told, though nobody waited for the answer.
    let transactions = &document.records[0].transactions;
    let frames: Vec<usize> =
        transactions.iter().map(|transaction| transaction.frames.len()).collect();
    assert_eq!(frames, [2, 2, 1]);
}

#[test]
fn the_second_signal_does_not_wait_for_teardown_either() {
    let Held { device, reached, .. } = holding_back(5);
    let bench = Bench::with(&spec(&device));
    let run = Under::way(&bench, &[]);
    reached.recv_timeout(SOON).unwrap();
    // Everything has passed but for this: it is still no pass.
    run.stop("TERM", "stopping after");
    run.stop("INT", "stopping at once");
    let Ended { code, out, err, .. } = run.ends();
    assert_eq!(code, 130, "{out}{err}");
    let document = account(&bench);
    assert_eq!(verdicts(&document)[..4].concat(), ["pass"; 5]);
    assert_eq!(verdicts(&document)[4], ["skipped"; 2]);
}

#[test]
fn a_signal_during_teardown_lets_it_end_and_is_no_pass() {
    let Held { device, reached, go_on } = holding_back(5);
    let bench = Bench::with(&spec(&device));
    let run = Under::way(&bench, &[]);
    reached.recv_timeout(SOON).unwrap();
    run.stop("INT", "stopping after");
    go_on.notify_one();
    assert_eq!(run.ends().code, 130);
    let document = account(&bench);
    assert_eq!(verdicts(&document)[4], ["pass", "recorded"]);
}

#[test]
fn a_signal_ends_pauses() {
    let tests = [
        // Between attempts, and in a step.
        "  - { test: t, steps: [{ read: d.p, equals: 7, retry: { delay: 10m } }] }",
        "  - { test: t, steps: [{ read: d.p, equals: 7, retry: { delay: 10m, errors: limit } }] }",
        "  - { test: t, steps: [{ read: d.q, equals: 1 }, { wait: 10m }, { read: d.q, equals: 1 }] }",
    ];
    for (index, tests) in tests.into_iter().enumerate() {
        let (at, reached) = mpsc::channel();
        let at = Mutex::new(at);
        let device = Device::answering(move |heard: &Heard| {
            // Told after the answer is known to be on its way at the latest.
            let _ = at.lock().unwrap().send(());
            let mut frame = addresses(heard);
            if index == 0 && range(heard).0 == 0 {
                frame.truncate(9);
                frame[5] = 3;
                frame[7] |= 0x80;
                frame[8] = 6;
            }
            frame
        });
        let bench = Bench::with(&format!(
            "spec: s\ndevices:\n  d:\n    link: tcp://{}\n    unit_id: 1\n    points: \
             {{ p: {{ holding: 0 }}, q: {{ holding: 1 }} }}\ntests:\n{tests}\n\
             teardown: [{{ read: d.q, equals: 1 }}]\n",
            device.address
        ));
        let run = Under::way(&bench, &[]);
        reached.recv_timeout(SOON).unwrap();
        run.stop("INT", "stopping after");
        let Ended { code, out, err, took } = run.ends();
        assert_eq!(code, 130, "{out}{err}");
        assert!(took < SOON, "{took:?}");
        let document = account(&bench);
        assert_eq!(verdicts(&document).last().unwrap(), &["pass"], "teardown");
        let verdict = document.records[0].tests[0].checks[0].verdict;
        let expected = [Verdict::Error, Verdict::Fail, Verdict::Pass][index];
        assert_eq!(verdict, expected, "what was seen is kept");
    }
}

/// Many tests of one register each, answered at once.
fn many(device: &Device) -> String {
    let values: Vec<String> = (0..400).map(|n| n.to_string()).collect();
    format!(
        "\
spec: killed
devices:
  d:
    link: tcp://{}
    unit_id: 1
    points: {{ p: {{ holding: 7 }} }}
tests:
  - test: t
    for_each: {{ n: [{}] }}
    steps: [{{ read: d.p, equals: 7, name: number $(n) }}]
",
        device.address,
        values.join(", ")
    )
}

#[test]
fn a_run_that_is_killed_leaves_everything_that_it_had_shown() {
    let device = Device::answering(addresses);
    let bench = Bench::with(&many(&device));
    // Killed as soon as so many lines were shown; how much more is shown by then, chance decides.
    for lines in [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377] {
        let _ = fs::remove_dir_all(bench.path("out"));
        let mut run = Under::way(&bench, &[]);
        let mut shown = BufReader::new(run.child.stdout.take().unwrap());
        let mut out = String::new();
        for _ in 0..lines {
            shown.read_line(&mut out).unwrap();
        }
        run.signal("KILL");
        shown.read_to_string(&mut out).unwrap();
        run.child.wait().unwrap();
        let shown: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix("pass ")).collect();
        assert!(shown.len() >= lines, "{out}");
        if !bench.path("out").exists() {
            continue;
        }
        let Ok(events) = fs::read(bench.run_folder().join("events.jsonl")) else { continue };
        let document = match replay(&events[..]) {
            Ok(document) => document,
            // Killed before the first event was written.
            Err(ReplayError::Record(_)) if !events.contains(&b'\n') => continue,
            Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&events)),
        };
        if !out.contains("evidence: ") {
            let last = String::from_utf8_lossy(&events).lines().last().map(str::to_owned);
            let finished = last.is_some_and(|last| last.contains("run_finished"));
            assert_eq!(document.outcome == Outcome::Pass, finished, "{out}");
            assert!(finished || document.outcome == Outcome::Aborted, "{:?}", document.outcome);
        }
        let passed = |name: &str| {
            let tests = document.records.iter().flat_map(|record| &record.tests);
            let mut passed = tests.filter(|test| test.verdict == Verdict::Pass);
            passed.any(|test| name.trim() == format!("killed: {}", test.name))
        };
        for name in shown {
            assert!(passed(name), "shown, and not in the evidence: {name}");
        }
    }
}

#[test]
fn every_prefix_of_the_events_is_an_account() {
    let device = Device::answering(addresses);
    let bench = Bench::with(&spec(&device));
    assert_eq!(bench.run(&[]).code, 0);
    let events = fs::read(bench.run_folder().join("events.jsonl")).unwrap();
    let whole = replay(&events[..]).unwrap();
    assert_eq!(whole.outcome, Outcome::Pass);
    let mut last_pass = 0;
    for end in (0..events.len()).step_by(7) {
        let lines = events[..end].split(|byte| *byte == b'\n').count() - 1;
        match replay(&events[..end]) {
            Ok(document) => {
                assert_eq!(document.outcome, Outcome::Aborted, "{end}");
                let passes: usize =
                    verdicts(&document).concat().iter().filter(|v| **v == "pass").count();
                assert!(passes >= last_pass, "{end}: what was measured is lost");
                last_pass = passes;
            }
            Err(ReplayError::Record(_)) => assert_eq!(lines, 0, "{end}"),
            Err(error) => panic!("{end}: {error}"),
        }
    }
    assert_eq!(last_pass, 6);
}
