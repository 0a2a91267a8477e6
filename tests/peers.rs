//! Our link and `passline simulate` against programs of other authors: both ends of the wire that we
//! wrote share a codec, and would agree where both are wrong. `tests/peers/README.md` has the
//! image that every server holds and the form of a query.
//!
//! tokio-modbus is always there. The tests with other programs are ignored unless asked for, and
//! then fail if the program is missing: `cargo test --test peers -- --include-ignored`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use passline_modbus::link::{Call, InFlight, Link, Options, tcp};
use tempfile::TempDir;
use tokio::process::Child;
use tokio::task::JoinSet;

#[path = "peers/image.rs"]
mod image;
#[path = "peers/programs.rs"]
mod programs;
#[path = "peers/tokio_modbus.rs"]
mod tokio_modbus;

use image::{NOBODY, reads, request, text, writes};

/// Longer than any peer takes: it ends a test that hangs, and is never waited for otherwise.
const PATIENCE: Duration = Duration::from_mins(1);

// --- our ends of the wire -------------------------------------------------------------------

fn link(port: u16, in_flight: InFlight) -> Link {
    let connect = move || tcp::connect("127.0.0.1".to_owned(), port);
    Link::spawn(connect, Options { in_flight, ..Options::default() }, |_| ())
}

async fn call(link: &Link, query: &str) -> String {
    let (unit, request) = request(query);
    let call = Call { id: 0, unit, request, timeout: PATIENCE };
    let answer = link.call(call).await.result;
    text(answer.unwrap_or_else(|error| panic!("{query}: {error}")))
}

/// What our client answers to the queries.
async fn ask(port: u16, queries: &[String]) -> Vec<String> {
    let link = link(port, InFlight::ONE);
    let mut answers = Vec::new();
    for query in queries {
        answers.push(call(&link, query).await);
    }
    answers
}

/// The command, simulating a spec with the common image: its port, and what keeps it alive.
async fn simulator() -> (u16, (Child, TempDir)) {
    let directory = tempfile::tempdir().unwrap();
    let spec = directory.path().join("spec.yaml");
    std::fs::write(&spec, image::spec()).unwrap();
    let mut passline = programs::command(env!("CARGO_BIN_EXE_passline"));
    let (port, process) = programs::serve(passline.arg("simulate").arg(spec)).await;
    (port, (process, directory))
}

// --- what is asked, and what is due ---------------------------------------------------------

/// All queries, with the answers due; `nobody` is the exception for a unit that is not there.
fn exchange(nobody: u8) -> (Vec<String>, Vec<String>) {
    let absent = (NOBODY.to_owned(), format!("exception {nobody}"));
    reads().into_iter().chain([absent]).chain(writes()).unzip()
}

#[track_caller]
fn compare(queries: &[String], answers: &[String], due: &[String]) {
    assert_eq!(answers.len(), queries.len(), "one answer for each query: {answers:?}");
    for ((query, answer), due) in queries.iter().zip(answers).zip(due) {
        assert_eq!(answer, due, "{query}");
    }
}

/// Asks a server with our client.
async fn our_client_asks(port: u16, nobody: u8) {
    let (queries, due) = exchange(nobody);
    let answers = tokio::time::timeout(PATIENCE, ask(port, &queries)).await.unwrap();
    compare(&queries, &answers, &due);
}

/// Asks a server with sixteen requests of our client on the way, which it may answer as it likes.
async fn our_client_asks_all_at_once(port: u16) {
    let link = link(port, InFlight::MAX);
    let mut answers = JoinSet::new();
    for (query, due) in reads() {
        let link = link.clone();
        answers.spawn(async move { (call(&link, &query).await, due, query) });
    }
    let answers = tokio::time::timeout(PATIENCE, answers.join_all()).await.unwrap();
    assert_eq!(answers.len(), reads().len());
    for (answer, due, query) in answers {
        assert_eq!(answer, due, "{query}");
    }
}

/// Runs a spec against a server with the real command: values of every table pass, and the same
/// values fail where the limit is moved.
async fn our_command_judges(port: u16) {
    let directory = tempfile::tempdir().unwrap();
    for (name, moved, exit) in [("holds", 0_u32, 0), ("misses", 1, 1)] {
        let spec = directory.path().join(format!("{name}.yaml"));
        std::fs::write(&spec, peer_spec(port, moved)).unwrap();
        let mut passline = programs::command(env!("CARGO_BIN_EXE_passline"));
        passline.arg("run").arg(&spec).arg("--out").arg(directory.path().join(name));
        let output = tokio::time::timeout(PATIENCE, passline.output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(exit), "{said}");
        let passed = if moved == 0 { 7 } else { 1 };
        assert!(said.contains(&format!(": {passed} passed")), "{said}");
    }
}

/// The common image of unit 17, by its formulas; `moved` takes each limit off its value.
fn peer_spec(port: u16, moved: u32) -> String {
    let (yes, no) = (moved == 0, moved == 1);
    let word = 48_530 + moved;
    let long = 48_525 * 65_536 + 48_524 + moved;
    let input = 17_009 + moved;
    format!(
        "
spec: peer
devices:
  peer:
    link: tcp://127.0.0.1:{port}
    unit_id: 17
    points:
      on: {{ coil: 6 }}
      off: {{ coil: 7 }}
      contact: {{ discrete: 3 }}
      word: {{ holding: 5 }}
      long: {{ holding: 10, type: u32 }}
      input: {{ input: 9 }}
tests:
  - test: every table
    steps:
      - {{ read: peer.on, equals: {yes} }}
      - {{ read: peer.off, equals: {no} }}
      - {{ read: peer.contact, equals: {yes} }}
      - {{ read: peer.word, equals: {word} }}
      - {{ read: peer.long, equals: {long} }}
      - {{ read: peer.input, equals: {input} }}
      - {{ read: {{ device: peer, holding: 5000 }}, exception: illegal_data_address }}
"
    )
}

// --- our client, their servers --------------------------------------------------------------

#[tokio::test]
async fn our_client_reads_and_writes_a_tokio_modbus_server() {
    let port = tokio_modbus::serve().await;
    our_command_judges(port).await;
    our_client_asks(port, 11).await;
}

#[tokio::test]
async fn our_client_keeps_sixteen_requests_open_at_a_tokio_modbus_server() {
    let port = tokio_modbus::serve().await;
    our_client_asks_all_at_once(port).await;
}

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn our_client_reads_and_writes_a_pymodbus_server() {
    let (port, _server) = programs::serve(&mut programs::python("pymodbus_server.py")).await;
    our_command_judges(port).await;
    our_client_asks(port, 4).await;
}

#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn our_client_reads_and_writes_a_libmodbus_server() {
    let (_files, mut server) = programs::c("libmodbus_server").await;
    let (port, _server) = programs::serve(&mut server).await;
    our_command_judges(port).await;
    our_client_asks(port, 11).await;
}

#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn our_client_keeps_sixteen_requests_open_at_a_libmodbus_server() {
    let (_files, mut server) = programs::c("libmodbus_server").await;
    let (port, _server) = programs::serve(&mut server).await;
    our_client_asks_all_at_once(port).await;
}

/// What pymodbus's server says beyond its tables. `moved` takes each limit off its value.
fn beyond_spec(port: u16, moved: bool) -> String {
    let (one, more) = if moved { ("x", 1) } else { ("", 0) };
    format!(
        "
spec: beyond
devices:
  peer:
    link: tcp://127.0.0.1:{port}
    unit_id: 17
    points:
      vendor: {{ device_id: vendor_name }}
      code: {{ device_id: 1 }}
      name: {{ device_id: product_name, type: string, length: 6 }}
      id: {{ server_id: true, type: string, length: 13 }}
      dummy: {{ file: {{ number: 1, record: 0 }}, type: string, length: 10 }}
      queued: {{ fifo: 9 }}
      last: {{ fifo: 9, at: 3 }}
      naks: {{ diagnostic: server_nak_count }}
tests:
  - test: beyond the tables
    steps:
      - {{ read: peer.vendor, equals: Example Works{one} }}
      - {{ read: peer.code, equals: EW-17{one} }}
      - {{ read: peer.name, equals: {one}Meter. }}
      - {{ read: peer.id, equals: {one}Example Works }}
      - {{ read: peer.dummy, equals: SERVER DUMMY RECORD.{one} }}
      - {{ read: peer.queued, equals: {} }}
      - {{ read: peer.last, equals: {} }}
      - {{ read: peer.naks, equals: {more} }}
      - {{ read: {{ device: peer, device_id: 9 }}, exception: {} }}
",
        4 + more,
        3 + more,
        2 + more
    )
    .replace("equals: xExample Works", "equals: xxample Works")
    .replace("equals: SERVER DUMMY RECORD.x", "equals: SERVER DUMMY RECORDx")
    .replace("equals: xMeter.", "equals: xMeter")
}

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn our_command_judges_what_a_pymodbus_server_has_beyond_its_tables() {
    let (port, _server) = programs::serve(&mut programs::python("pymodbus_server.py")).await;
    let directory = tempfile::tempdir().unwrap();
    for (name, moved, exit, counts) in
        [("holds", false, 0, ": 9 passed"), ("misses", true, 1, ", 9 failed")]
    {
        let spec = directory.path().join(format!("{name}.yaml"));
        std::fs::write(&spec, beyond_spec(port, moved)).unwrap();
        let mut passline = programs::command(env!("CARGO_BIN_EXE_passline"));
        passline.arg("run").arg(&spec).arg("--out").arg(directory.path().join(name));
        let output = tokio::time::timeout(PATIENCE, passline.output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{said}{errors}");
        assert!(said.contains(counts), "{said}");
    }
}

// --- their clients, our simulator -----------------------------------------------------------

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn a_pymodbus_client_reads_what_our_simulator_has_beyond_its_tables() {
    let directory = tempfile::tempdir().unwrap();
    let spec = directory.path().join("spec.yaml");
    let (long, longer) = ("l".repeat(120), "m".repeat(130));
    let text = format!(
        "
spec: beyond
devices:
  peer:
    unit_id: 1
    points:
      vendor: {{ device_id: 0 }}
      code: {{ device_id: 1 }}
      revision: {{ device_id: 2 }}
      name: {{ device_id: product_name }}
      own: {{ device_id: 0x80 }}
      server: {{ server_id: true }}
      status: {{ exception_status: true }}
      record: {{ file: {{ number: 4, record: 1 }}, type: u32 }}
      first: {{ fifo: 0x04DE, at: 0 }}
      second: {{ fifo: 0x04DE, at: 1 }}
      refused: {{ diagnostic: bus_exception_error_count }}
    simulate:
      values:
        {{ vendor: Example, code: {long}, revision: V2.11, name: {longer}, own: x, server: 2A FF,
          status: 109, record: 0x0DFE0020, first: 440, second: 4740, refused: 7 }}
tests: [{{ test: t, steps: [{{ read: peer.vendor, equals: Example }}] }}]
"
    );
    std::fs::write(&spec, text).unwrap();
    let mut passline = programs::command(env!("CARGO_BIN_EXE_passline"));
    let (port, _simulator) = programs::serve(passline.arg("simulate").arg(spec)).await;
    let said = programs::ask(&mut programs::python("pymodbus_beyond.py"), port, &[]).await;
    let basic = format!("0=Example 1={long} 2=V2.11");
    let due = [
        &basic,
        &format!("{basic} 4={longer}"),
        &format!("{basic} 4={longer} 128=x"),
        "V2.11",
        "2a True",
        "109",
        "0dfe0020",
        "[440, 4740]",
        "a537",
        "7",
    ];
    assert_eq!(said, due);
}

#[tokio::test]
async fn a_tokio_modbus_client_reads_and_writes_our_simulator() {
    let (port, _simulator) = simulator().await;
    let (queries, due) = exchange(11);
    let answers = tokio::time::timeout(PATIENCE, tokio_modbus::ask(port, &queries)).await.unwrap();
    compare(&queries, &answers, &due);
}

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn a_pymodbus_client_reads_and_writes_our_simulator() {
    let (port, _simulator) = simulator().await;
    let (queries, due) = exchange(11);
    let mut client = programs::python("pymodbus_client.py");
    let answers = programs::ask(&mut client, port, &queries).await;
    compare(&queries, &answers, &due);
}

#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn a_libmodbus_client_reads_and_writes_our_simulator() {
    let (port, _simulator) = simulator().await;
    let (queries, due) = exchange(11);
    let (_files, mut client) = programs::c("libmodbus_client").await;
    let answers = programs::ask(&mut client, port, &queries).await;
    compare(&queries, &answers, &due);
}

#[tokio::test]
#[ignore = "needs mbpoll: .ci/run installs and runs it"]
async fn mbpoll_reads_our_simulator() {
    let (port, _simulator) = simulator().await;
    for (query, due) in reads() {
        assert_eq!(programs::mbpoll(port, &query).await, due, "{query}");
    }
}
