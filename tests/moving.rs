//! Simulated devices that move and are taught, in paused time: written to and read over their link as
//! a client would, and run as a spec.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use passline::engine::{self, Options, Simulate, StopSignal};
use passline::plan::{self, Selection};
use passline::record::{Digest, Journal};
use passline::report;
use passline::spec::{Given, load};
use passline_simulator::endpoint::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep, timeout};

const OVEN: &str = "specs/drying_oven.yaml";
const MS: Duration = Duration::from_millis(1);

/// The device of a spec on a line of its own, and a client of it.
struct Line {
    endpoint: Endpoint,
    client: DuplexStream,
}

impl Line {
    fn of(spec: &str) -> Self {
        let loaded = load([Path::new(spec)], &Given::new());
        let found = loaded.diagnostics.sorted().into_iter().map(|found| found.message);
        assert_eq!(found.collect::<Vec<_>>(), Vec::<String>::new());
        let device = loaded.specs[0].devices[0].simulated(1, Timestamp::UNIX_EPOCH);
        let endpoint = Endpoint::new(BTreeMap::from([(1, device)]), Instant::now());
        let client = endpoint.connect();
        Self { endpoint, client }
    }

    /// Of a device with these points and this simulation.
    fn taught(points: &str, simulate: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spec.yaml");
        let text = format!(
            "spec: taught\ndevices:\n  it: {{ points: {{ {points} }}, simulate: {{ {simulate} }} }}\n\
             tests: [{{ test: it, steps: [{{ read: {{ device: it, holding: 0 }}, answers: true }}] }}]\n"
        );
        fs::write(&path, text).unwrap();
        Self::of(path.to_str().unwrap())
    }

    /// The PDU of the answer; `None` if the connection ended.
    async fn ask(&mut self, pdu: &[u8]) -> Option<Vec<u8>> {
        let length = u8::try_from(pdu.len() + 1).unwrap();
        self.client.write_all(&[&[0, 1, 0, 0, 0, length, 1], pdu].concat()).await.ok()?;
        let mut header = [0; 7];
        self.client.read_exact(&mut header).await.ok()?;
        let mut answer = vec![0; usize::from(header[5]) - 1];
        self.client.read_exact(&mut answer).await.ok()?;
        Some(answer)
    }

    /// A register or bit by function and address.
    async fn read(&mut self, function: u8, address: u8) -> u16 {
        match self.ask(&[function, 0, address, 0, 1]).await.unwrap()[..] {
            [_, 1, bit] => bit.into(),
            [_, 2, high, low] => u16::from_be_bytes([high, low]),
            ref other => unreachable!("{other:?}"),
        }
    }

    async fn input(&mut self, address: u8) -> u16 {
        self.read(4, address).await
    }

    /// The function code answered, and the exception if it is one.
    async fn write(&mut self, function: u8, address: u8, word: u16) -> (u8, u8) {
        let [high, low] = word.to_be_bytes();
        let answer = self.ask(&[function, 0, address, high, low]).await.unwrap();
        (answer[0], if answer[0] > 0x80 { answer[1] } else { 0 })
    }

    async fn coil(&mut self, address: u8, on: bool) -> (u8, u8) {
        self.write(5, address, if on { 0xFF00 } else { 0 }).await
    }
}

/// What the oven's state is called.
const BOOTING: u16 = 0;
const STANDBY: u16 = 1;
const HEATING: u16 = 2;
const TRIPPED: u16 = 3;

#[tokio::test(start_paused = true)]
async fn an_oven_boots_follows_its_set_point_trips_and_restarts() {
    let mut oven = Line::of(OVEN);
    assert_eq!(oven.input(0).await, BOOTING);
    sleep(299 * MS).await;
    assert_eq!(oven.input(0).await, BOOTING);
    sleep(MS).await;
    assert_eq!(oven.input(0).await, STANDBY);
    // A relay's feedback follows a write.
    assert_eq!(oven.coil(0, true).await, (5, 0));
    assert_eq!((oven.input(0).await, oven.input(5).await), (HEATING, 1));
    sleep(199 * MS).await;
    assert_eq!(oven.read(2, 0).await, 0);
    sleep(MS).await;
    assert_eq!(oven.read(2, 0).await, 1);
    // The temperature goes 63.2 % of the way from 22 to 60 °C in one time constant.
    sleep(19_800 * MS).await;
    let temperature = oven.input(1).await;
    assert!(temperature.abs_diff(460) <= 1, "{temperature}");
    assert!(oven.input(3).await.abs_diff(350) <= 3, "25 W for each of 14 °C");
    oven.write(6, 0, 1000).await;
    sleep(300_000 * MS).await;
    assert_eq!((oven.input(1).await, oven.input(3).await), (1000, 0));
    // Too hot: it trips when that happens, not when somebody looks.
    oven.write(6, 0, 1500).await;
    sleep(20_000 * MS).await;
    assert_eq!((oven.input(0).await, oven.input(3).await), (TRIPPED, 0));
    let since = 20.0 * (50.0_f64 / 30.0).ln();
    let due = 22.0 + 98.0 * (-(20.0 - since) / 40.0).exp();
    let temperature = f64::from(oven.input(1).await) / 10.0;
    // The ambient temperature has walked meanwhile.
    assert!((temperature - due).abs() < 1.5, "{temperature}, not {due}");
    assert_eq!(oven.coil(0, true).await, (0x85, 6), "locked");
    // It restarts: the connection is lost, nobody is answered, then all is as it was.
    oven.coil(1, true).await;
    sleep(100 * MS).await;
    assert_eq!(oven.ask(&[4, 0, 0, 0, 1]).await, None);
    oven.client = oven.endpoint.connect();
    assert!(timeout(500 * MS, oven.ask(&[4, 0, 0, 0, 1])).await.is_err());
    sleep(1_500 * MS).await;
    oven.client = oven.endpoint.connect();
    assert_eq!(oven.input(0).await, BOOTING);
    sleep(300 * MS).await;
    assert_eq!((oven.input(0).await, oven.input(5).await), (STANDBY, 0));
    assert_eq!((oven.read(3, 0).await, oven.coil(0, true).await), (600, (5, 0)));
}

#[tokio::test(start_paused = true)]
async fn what_is_read_does_not_depend_on_who_looked_before() {
    let (mut often, mut seldom) = (Line::of(OVEN), Line::of(OVEN));
    for line in [&mut often, &mut seldom] {
        line.coil(0, false).await;
    }
    for _ in 0..700 {
        sleep(37 * MS).await;
        for address in 0..6 {
            often.input(address).await;
        }
    }
    for address in 0..6 {
        assert_eq!(often.input(address).await, seldom.input(address).await, "input {address}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_contract_of_the_language_moves() {
    let mut line = Line::taught(
        "relay: { coil: 0 }, relay_feedback: { discrete: 0 }, \
         voltage: { input: 0, scale: 0.01 }, energy: { input: 1, scale: 0.1 }",
        "values: { voltage: { sine: { mean: 230, amplitude: 2, period: 10s } }, \
         energy: { ramp: { from: 1000, rate: 0.2 } } }, \
         rules: [{ when: { write: relay, equals: true }, after: 200ms, set: { relay_feedback: true } }]",
    );
    assert_eq!((line.input(0).await, line.input(1).await), (23_000, 10_000));
    sleep(2_500 * MS).await;
    assert_eq!((line.input(0).await, line.input(1).await), (23_200, 10_005));
    line.coil(0, false).await;
    sleep(300 * MS).await;
    assert_eq!(line.read(2, 0).await, 0, "another value was written");
    line.coil(0, true).await;
    sleep(200 * MS).await;
    assert_eq!(line.read(2, 0).await, 1);
}

#[tokio::test(start_paused = true)]
async fn events_and_actions_do_what_the_language_says() {
    let mut line = Line::taught(
        "command: { holding: 0, bits: { go: 0, stop: 1 } }, level: { holding: 1 }, echo: { input: 0 }, \
         asked: { input: 1 }, high: { input: 2 }, beats: { input: 3 }, pulses: { input: 4 }, bit: { input: 5 }",
        "faults: [{ fault: exception, code: busy, scope: { point: echo }, name: stuck, active: false }, \
                  { fault: mute, name: deaf, active: false }], \
         rules: [ \
           { when: { write: level, min: 10, max: 20 }, set: { echo: '= 2 * level + 1' } }, \
           { when: { read: asked }, increment: { asked: 1 } }, \
           { when: { becomes: level, above: 100 }, increment: { high: 1 } }, \
           { when: { every: 1s }, increment: { beats: 1 } }, \
           { when: { at: 5s }, inject: [stuck, deaf] }, { when: { at: 6s }, clear: [stuck, deaf] }, \
           { when: { write: command.go, equals: true }, start: { pulses: { counter: { every: 10ms } } } }, \
           { when: { write: command.stop, equals: true }, stop: pulses }, \
           { when: { write: command, bit: 7 }, set: { bit: 7 } } ]",
    );
    for (level, echo) in [(9, 0), (10, 21), (21, 21), (20, 41)] {
        line.write(6, 1, level).await;
        assert_eq!(line.input(0).await, echo, "after {level}");
    }
    assert_eq!(line.write(6, 9, 1).await, (0x86, 2), "what is refused has no consequences");
    for asked in 0..3 {
        assert_eq!(line.input(1).await, asked, "what follows a read is seen by the next one");
    }
    for (level, high) in [(101, 1), (500, 1), (100, 1), (101, 2)] {
        line.write(6, 1, level).await;
        assert_eq!(line.input(2).await, high, "after {level}");
    }
    line.write(6, 0, 1).await;
    sleep(100 * MS).await;
    assert_eq!(line.input(4).await, 10);
    line.write(6, 0, 2).await;
    sleep(100 * MS).await;
    assert_eq!((line.input(4).await, line.input(5).await), (10, 0));
    line.write(6, 0, 0x80).await;
    assert_eq!(line.input(5).await, 7);
    sleep(5_000 * MS).await;
    assert_eq!(line.input(3).await, 5);
    assert_eq!(line.ask(&[4, 0, 0, 0, 1]).await.unwrap(), [0x84, 6]);
    let open = std::mem::replace(&mut line.client, line.endpoint.connect());
    assert!(timeout(100 * MS, line.ask(&[4, 0, 3, 0, 1])).await.is_err(), "a deaf line");
    drop(open);
    sleep(1_000 * MS).await;
    line.client = line.endpoint.connect();
    assert_eq!(line.input(0).await, 41);
}

/// The document of a run of the oven's spec with this seed.
async fn run(seed: u64) -> Vec<u8> {
    let loaded = load([Path::new(OVEN)], &Given::new());
    let plans = plan::plan(&loaded.specs, &Selection::default());
    let options = Options {
        tool: passline::record::Tool::this(),
        started: "2026-01-05T08:00:00.000Z".parse().unwrap(),
        seed,
        simulate: Simulate::All,
        fail_fast: false,
        arguments: vec![],
        selection: vec![],
        operator: None,
        questions: None,
    };
    let folder = tempfile::tempdir().unwrap();
    let journal = Arc::new(Journal::open(folder.path(), |_| {}).unwrap());
    let keeper = Arc::clone(&journal);
    let emit: engine::Emit = Arc::new(move |event| keeper.emit(event));
    engine::run(&plans, &options, emit, StopSignal::never()).await;
    // The links may still hold the closure that fills the journal: they end with their tasks.
    while Arc::strong_count(&journal) > 1 {
        tokio::task::yield_now().await;
    }
    let mut evidence = Arc::into_inner(journal).unwrap().finish().unwrap();
    report::write_run(folder.path(), &mut evidence.document, "station").unwrap();
    fs::read(folder.path().join(report::RUN)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_makes_the_same_bytes_and_the_record_names_the_recording() {
    let (one, again, other) = (run(7).await, run(7).await, run(8).await);
    assert!(one == again, "the same seed, and another record");
    let document: serde_json::Value = serde_json::from_slice(&one).unwrap();
    let of_other: serde_json::Value = serde_json::from_slice(&other).unwrap();
    assert_eq!(document["outcome"], "pass");
    let mains = |document: &serde_json::Value| {
        document["records"][0]["tests"][1]["checks"][0]["measurement"].clone()
    };
    assert_ne!(mains(&document)["value"], mains(&of_other)["value"], "noise is of the seed");
    assert_ne!(mains(&document)["value"], serde_json::Value::Null);
    let recording = "specs/recordings/mains.csv";
    let sha256 = Digest::of(&fs::read(recording).unwrap()).to_string();
    let inputs = document["records"][0]["inputs"].as_array().unwrap();
    let found = inputs.iter().find(|input| input["file"] == recording).unwrap();
    assert_eq!(found["sha256"], sha256.as_str());
}

#[test]
fn a_file_that_is_no_recording_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    for (csv, reason) in [
        ("time,volts\n", "a recording needs at least one row"),
        ("time,watts\n0,1\n", "there is no column `volts`; there are `time`, `watts`"),
        ("time,volts\n1,1\nnoon,2\n", "line 3: `noon` is no time in seconds"),
        ("time,volts\n0,1\n1,much\n", "line 3: `much` is no number"),
        ("time,volts\n0,1\n0,2\n", "row 2 is not later than the one before it"),
        ("time,volts\n5,1\n4,2\n", "line 3: `4` is no time in seconds"),
        ("time,volts\n0,nan\n", "row 1 has no finite number"),
        (
            "time,volts\n0,1\n1\n",
            "CSV error: record 2 (line: 3, byte: 15): found record with 1 fields, but the previous record has 2 fields",
        ),
    ] {
        let spec = "spec: x\ndevices:\n  it:\n    points: { a: { holding: 0 } }\n    simulate: { values: { a: { csv: { file: a.csv, value: volts } } } }\n\
                    tests: [{ test: it, steps: [{ read: it.a, record: true }] }]\n";
        let path = folder.path().join("spec.yaml");
        fs::write(&path, spec).unwrap();
        fs::write(folder.path().join("a.csv"), csv).unwrap();
        let found = load([path.as_path()], &Given::new()).diagnostics.sorted();
        let found: Vec<String> = found.into_iter().map(|found| found.message).collect();
        let file = folder.path().join("a.csv");
        assert_eq!(found, [format!("{}: {reason}", file.display())]);
    }
}
