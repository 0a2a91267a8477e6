//! Register maps of 33 real devices: every register reads back its example from the device's image,
//! over an in-memory stream and over TCP, and no check survives its limit being moved off the value.
#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use passline::engine::{self, Options, Simulate, StopSignal};
use passline::plan::{self, Selection};
use passline::record::{Check, Fold, Stamp, Tool, Verdict};
use passline::spec::{Given, Loaded, load};
use passline_modbus::point::{Domain, Point};
use passline_modbus::value::Decimal;
use passline_simulator::endpoint::Endpoint;
use tokio::net::TcpListener;
use tokio::time::Instant;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/maps");
/// How many maps, and how many registers in all of them.
const MAPS: usize = 33;
const REGISTERS: usize = 1542;

fn maps() -> Vec<PathBuf> {
    let files = passline::spec::files(Path::new(FOLDER)).expect("the maps");
    assert_eq!(files.len(), MAPS);
    files
}

fn loaded(file: &Path, port: u16) -> Loaded {
    let given = Given::from([("port".to_owned(), port.to_string())]);
    let loaded = load([file], &given);
    let problems =
        loaded.diagnostics.render(&loaded.sources, passline::language::diagnostic::Style::Plain);
    assert!(!loaded.specs.is_empty(), "{problems}");
    loaded
}

/// The checks of a run of one spec.
async fn checks(loaded: &Loaded, simulate: Simulate) -> Vec<Check> {
    let plans = plan::plan(&loaded.specs, &Selection::default());
    let options = Options {
        tool: Tool::this(),
        started: Stamp::new(jiff::Timestamp::UNIX_EPOCH),
        seed: 1,
        simulate,
        fail_fast: false,
        arguments: Vec::new(),
        selection: Vec::new(),
        operator: None,
        questions: None,
    };
    let (sender, events) = mpsc::channel();
    let emit: engine::Emit = Arc::new(move |event| sender.send(event).expect("the events"));
    engine::run(&plans, &options, emit, StopSignal::never()).await;
    let mut fold = Fold::new();
    for event in events {
        fold.apply(event).expect("an event in its place");
    }
    let document = fold.finish().expect("a record");
    document
        .records
        .into_iter()
        .flat_map(|record| record.tests)
        .flat_map(|test| test.checks)
        .collect()
}

fn assert_all(file: &Path, checks: &[Check], verdict: Verdict) {
    let others: Vec<String> = checks
        .iter()
        .filter(|check| check.verdict != verdict)
        .map(|check| format!("{}: {:?} {:?}", check.name, check.verdict, check.message))
        .collect();
    assert!(others.is_empty(), "{}:\n{}", file.display(), others.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn every_register_reads_back_its_example_in_memory() {
    let mut registers = 0;
    for file in maps() {
        let checks = checks(&loaded(&file, 502), Simulate::All).await;
        assert_all(&file, &checks, Verdict::Pass);
        registers += checks.len();
    }
    assert_eq!(registers, REGISTERS);
}

#[tokio::test]
async fn every_register_reads_back_its_example_over_tcp() {
    let mut registers = 0;
    for file in maps() {
        let simulated = loaded(&file, 502);
        let device = &simulated.specs[0].devices[0];
        let units =
            BTreeMap::from([(device.unit_id, device.simulated(1, jiff::Timestamp::UNIX_EPOCH))]);
        let endpoint = Endpoint::new(units, Instant::now());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its number").port();
        tokio::spawn(endpoint.serve(listener, std::future::pending()));
        let checks = checks(&loaded(&file, port), Simulate::None).await;
        assert_all(&file, &checks, Verdict::Pass);
        registers += checks.len();
    }
    assert_eq!(registers, REGISTERS);
}

#[tokio::test(start_paused = true)]
async fn no_check_survives_its_limit_being_moved() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut registers = 0;
    for file in maps() {
        let spec = loaded(&file, 502);
        let points = &spec.specs[0].devices[0].map.points;
        let text = std::fs::read_to_string(&file).expect("the map");
        let moved: Vec<String> = text.lines().map(|line| moved(line, points)).collect();
        let copy = folder.path().join(file.file_name().expect("a name"));
        std::fs::write(&copy, moved.join("\n")).expect("a copy");
        let checks = checks(&loaded(&copy, 502), Simulate::All).await;
        assert_all(&file, &checks, Verdict::Fail);
        registers += checks.len();
    }
    assert_eq!(registers, REGISTERS);
}

/// A line of a map; its limit, if it has one, moved to another value that the point can have.
fn moved(line: &str, points: &std::collections::HashMap<String, Arc<Point>>) -> String {
    let Some((before, after)) = line.split_once(", equals: ") else { return line.to_owned() };
    let (value, rest) = match after.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
        Some((text, rest)) => (text, rest),
        None => after.split_at(after.find([',', ' ']).expect("the end of the value")),
    };
    let name = before.split_once("device.").expect("a point").1;
    let other = other(&points[name].domain(), value);
    format!("{before}, equals: {other}{rest}")
}

fn other(domain: &Domain, value: &str) -> String {
    let number = || value.parse::<Decimal>().expect("a number");
    match domain {
        Domain::Bool => (value != "true").to_string(),
        Domain::Steps(steps) => {
            let index = steps.index_of(&number()).expect("a value of the point");
            let free = |index: &u64| !steps.excluded().contains(index);
            let next = [index.checked_add(1), index.checked_sub(1)].into_iter().flatten();
            let next =
                next.filter(|index| *index <= steps.last()).find(free).expect("another value");
            steps.value(next).expect("its number").to_string()
        }
        Domain::Float { .. } | Domain::Unbounded { .. } => {
            number().checked_add(&Decimal::one()).expect("a sum").to_string()
        }
        Domain::Labels(labels) => {
            let label = labels.iter().find(|label| *label != value).expect("another label");
            format!("{label:?}")
        }
        Domain::Text { .. } => format!("\"{}\"", value.replacen(char::is_alphanumeric, "~", 1)),
        Domain::Bytes { .. } => format!("\"{}\"", value.replacen('0', "1", 1)),
    }
}
