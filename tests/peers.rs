//! Our link and `passline simulate` against programs of other authors, on every kind of line: both
//! ends of the wire that we wrote share a codec, and would agree where both are wrong.
//! `tests/peers/README.md` has the image that every server holds and the form of a query.
//!
//! tokio-modbus is always there. The tests with other programs are ignored unless asked for, and
//! then fail if the program is missing: `cargo test --test peers -- --include-ignored`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use passline_modbus::link::{Call, Counters, Link, Options};
use tempfile::TempDir;
use tokio::process::Child;
use tokio::time::timeout;

#[path = "peers/beyond.rs"]
mod beyond;
#[cfg(unix)]
#[path = "peers/bus.rs"]
mod bus;
#[path = "peers/image.rs"]
mod image;
#[path = "peers/network.rs"]
mod network;
mod pki;
#[path = "peers/programs.rs"]
mod programs;
#[cfg(unix)]
#[path = "peers/serial.rs"]
mod serial;
#[path = "peers/tables.rs"]
mod tables;
#[path = "peers/tokio_modbus.rs"]
mod tokio_modbus;
#[path = "peers/traffic.rs"]
mod traffic;

use image::{NOBODY, reads, request, text, writes};

/// Longer than ten thousand transactions take: it ends a test that hangs, and is never waited for
/// otherwise.
const PATIENCE: Duration = Duration::from_mins(5);

/// Longer than a busy machine keeps a peer from answering.
const ANSWER: Duration = Duration::from_secs(20);

/// Queries, and the answers due.
type Exchange = (Vec<String>, Vec<String>);

/// All that the image says; `nobody` is the exception for a unit that is not there, where one is
/// said.
fn exchange(nobody: Option<u8>) -> Exchange {
    let absent = nobody.map(|code| (NOBODY.to_owned(), format!("exception {code}")));
    reads().into_iter().chain(absent).chain(writes()).unzip()
}

#[track_caller]
fn compare(queries: &[String], answers: &[String], due: &[String]) {
    for ((query, answer), due) in queries.iter().zip(answers).zip(due) {
        assert_eq!(answer, due, "{query}");
    }
    assert_eq!(answers.len(), queries.len(), "one answer for each query");
}

// --- our ends of the wire -------------------------------------------------------------------

fn open(url: &str) -> Link {
    let address = url.parse().unwrap();
    Link::open(&address, Options::of(&address), |_| ())
}

async fn call(link: &Link, query: &str) -> String {
    let (unit, request) = request(query);
    let call = Call { id: 0, unit, request, timeout: ANSWER };
    let answer = link.call(call).await.result;
    text(answer.unwrap_or_else(|error| panic!("{query}: {error}")))
}

/// Asks a server with our client: every answer is there, as it is due, and nothing else came.
async fn our_client_asks(url: &str, (queries, due): &Exchange) {
    let link = open(url);
    let ask = async {
        let mut answers = Vec::new();
        for query in queries {
            answers.push(call(&link, query).await);
        }
        answers
    };
    let answers = timeout(PATIENCE, ask).await.unwrap();
    compare(queries, &answers, due);
    assert_eq!(link.counters(), Counters::default());
}

/// Runs a spec that holds against a server with the real command, and one whose limits are moved
/// off the values: so many checks pass, and fail.
async fn our_command_judges(checks: usize, [holds, misses]: [String; 2]) {
    let directory = tempfile::tempdir().unwrap();
    for (name, spec, exit) in [("holds", holds, 0), ("misses", misses, 1)] {
        let path = directory.path().join(format!("{name}.yaml"));
        std::fs::write(&path, spec).unwrap();
        let mut passline = programs::command(env!("CARGO_BIN_EXE_passline"));
        passline.arg("run").arg(&path).arg("--out").arg(directory.path().join(name));
        let output = timeout(PATIENCE, passline.output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{said}{errors}");
        let counts =
            if exit == 0 { format!(": {checks} passed") } else { format!("{checks} failed") };
        assert!(said.contains(&counts), "{said}");
    }
}

/// The command, simulating this spec there: its URL, and what keeps it alive.
async fn simulate(spec: &str, listen: &str) -> (String, (Child, TempDir)) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spec.yaml");
    std::fs::write(&path, spec).unwrap();
    let mut passline = programs::command(env!("CARGO_BIN_EXE_passline"));
    let passline = passline.arg("simulate").arg(path).args(["--listen", listen]);
    let (url, process) = programs::serve(passline).await;
    (url, (process, directory))
}

/// The command, simulating the common image there.
async fn simulator(listen: &str) -> (String, (Child, TempDir)) {
    simulate(&image::spec(), listen).await
}
