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

// --- our client, their servers --------------------------------------------------------------

#[tokio::test]
async fn our_client_reads_and_writes_a_tokio_modbus_server() {
    let port = tokio_modbus::serve().await;
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
    our_client_asks(port, 4).await;
}

#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn our_client_reads_and_writes_a_libmodbus_server() {
    let (_files, mut server) = programs::c("libmodbus_server").await;
    let (port, _server) = programs::serve(&mut server).await;
    our_client_asks(port, 11).await;
}

#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn our_client_keeps_sixteen_requests_open_at_a_libmodbus_server() {
    let (_files, mut server) = programs::c("libmodbus_server").await;
    let (port, _server) = programs::serve(&mut server).await;
    our_client_asks_all_at_once(port).await;
}

// --- their clients, our simulator -----------------------------------------------------------

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
