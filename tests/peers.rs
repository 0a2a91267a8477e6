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
#[path = "peers/devices.rs"]
mod devices;
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

/// A place of a device, a limit that its value keeps, and one that it misses.
type Check = (&'static str, &'static str, &'static str);

/// A spec for unit 17 of a server, each check with the limit that this picks.
fn spec(url: &str, points: &str, checks: &[Check], pick: fn(&Check) -> &'static str) -> String {
    let step = |check: &Check| format!("      - {{ read: {}, {} }}\n", check.0, pick(check));
    let steps: String = checks.iter().map(step).collect();
    format!(
        "spec: peer\ndevices:\n  peer: {{ link: '{url}', unit_id: 17, points: {{ {points} }} }}\n\
         tests:\n  - test: all of it\n    steps:\n{steps}"
    )
}

/// Judges a server with the real command: all checks pass, and all fail where the limits are moved.
async fn our_command_judges(url: &str, points: &str, checks: &[Check]) {
    let directory = tempfile::tempdir().unwrap();
    let (holds, misses) = (spec(url, points, checks, |c| c.1), spec(url, points, checks, |c| c.2));
    for (name, spec, exit, word) in [("holds", holds, 0, "passed"), ("misses", misses, 1, "failed")]
    {
        let path = directory.path().join(format!("{name}.yaml"));
        std::fs::write(&path, spec).unwrap();
        let mut passline = programs::command(env!("CARGO_BIN_EXE_passline"));
        passline.arg("run").arg(&path).arg("--out").arg(directory.path().join(name));
        let output = timeout(PATIENCE, passline.output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{said}{errors}");
        assert!(said.contains(&format!(" {} {word}", checks.len())), "{said}");
    }
}

/// Judges the common image of a server.
async fn our_command_judges_the_image(url: &str) {
    let points = "on: { coil: 6 }, off: { coil: 7 }, contact: { discrete: 3 }, word: { holding: 5 }, \
                  long: { holding: 10, type: u32 }, input: { input: 9 }";
    let checks = [
        ("peer.on", "equals: true", "equals: false"),
        ("peer.off", "equals: false", "equals: true"),
        ("peer.contact", "equals: true", "equals: false"),
        ("peer.word", "equals: 48530", "equals: 48531"),
        ("peer.long", "equals: 0xBD8DBD8C", "equals: 0xBD8CBD8D"),
        ("peer.input", "equals: 17009", "equals: 17010"),
        ("{ device: peer, holding: 5000 }", "exception: 2", "exception: 3"),
    ];
    our_command_judges(url, points, &checks).await;
}

/// The record of a run of this spec by the real command, in which everything passes.
async fn our_command_passes(spec: &str) -> serde_json::Value {
    let directory = tempfile::tempdir().unwrap();
    let (path, json) = (directory.path().join("spec.yaml"), directory.path().join("run.json"));
    std::fs::write(&path, spec).unwrap();
    let mut passline = programs::command(env!("CARGO_BIN_EXE_passline"));
    passline.arg("run").arg(&path).arg("--json").arg(&json);
    passline.arg("--out").arg(directory.path().join("reports"));
    let output = timeout(PATIENCE, passline.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}{errors}");
    serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap()
}

/// Writes to a server with the real command, by every function that writes; it reads back, and puts
/// back what was there before.
async fn our_command_writes(url: &str) {
    let spec = format!(
        "spec: peer
devices:
  peer:
    link: '{url}'
    unit_id: 17
    response_timeout: 20s
    points:
      on: {{ coil: 6 }}
      off: {{ coil: 7 }}
      none: {{ coil: 8 }}
      word: {{ holding: 5 }}
      gain: {{ holding: 10, type: f32 }}
      control: {{ holding: 20, bits: {{ ramp: 4..6 }} }}
tests:
  - test: writes
    steps:
      - {{ write: {{ peer.on: false }}, verify: true, restore: true }}
      - {{ write: {{ peer.none: true, peer.off: true }}, together: true, verify: true, restore: true }}
      - {{ write: {{ peer.word: 1234 }}, verify: true, restore: true }}
      - {{ write: {{ peer.gain: 230.4 }}, verify: true, restore: true }}
      - {{ write: {{ peer.control.ramp: 2 }}, verify: true, restore: true }}
      - {{ write: {{ device: peer, holding: 5000, value: 1 }}, exception: 2 }}
      - {{ read: peer.on, equals: false }}
      - {{ read: peer.off, equals: true }}
      - {{ read: peer.gain, nominal: 230.4, tolerance: 0.01 }}
      - {{ read: peer.word, equals: 1234 }}
      # Of 0xFFFF - 17000 - 20 = 0xBD83: bits 4 to 6 are 0 before.
      - {{ read: peer.control, equals: 0xBDA3 }}
"
    );
    let run = our_command_passes(&spec).await;
    let transactions = run["records"][0]["transactions"].as_array().unwrap().iter();
    let frames = transactions.flat_map(|one| one["frames"].as_array().unwrap());
    let sent = frames.filter(|frame| frame["dir"] == "tx").map(|frame| {
        let hex = frame["hex"].as_str().unwrap().replace(' ', "");
        let start = if url.starts_with("rtu") { 2 } else { 14 };
        hex[start..start + 2].to_owned()
    });
    let written: Vec<String> =
        sent.filter(|function| !["01", "03"].contains(&&**function)).collect();
    let due = ["05", "0F", "06", "10", "16", "06", "16", "10", "06", "0F", "05"];
    assert_eq!(written, due, "each once, and put back in reverse");
    // All is as it was.
    our_client_asks(url, &reads().into_iter().unzip()).await;
}

/// Tells all units of a bus something, and looks at each.
#[cfg(unix)]
async fn our_command_tells_all(url: &str) {
    let device = |unit: &u8| {
        format!(
            "  unit_{unit}: {{ link: bus, unit_id: {unit}, response_timeout: 20s, points: {{ on: \
             {{ coil: 7 }}, word: {{ holding: 5 }}, gain: {{ holding: 10, type: f32 }}, lamp: \
             {{ coil: 8 }} }} }}\n"
        )
    };
    let look = |unit: &u8| {
        format!(
            "      - {{ read: unit_{unit}.on, equals: true }}\n      - {{ read: unit_{unit}.word, equals: 4321 }}\n      \
             - {{ read: unit_{unit}.gain, nominal: 0.5, tolerance: 0.01 }}\n      - {{ read: unit_{unit}.lamp, equals: true }}\n"
        )
    };
    let devices: String = image::UNITS.iter().map(device).collect();
    let looks: String = image::UNITS.iter().map(look).collect();
    let write = "{ unit_2.on: true, unit_2.word: 4321, unit_2.gain: 0.5 }";
    let both = "{ unit_1.on: true, unit_1.lamp: true }";
    our_command_passes(&format!(
        "spec: all\nlinks: {{ bus: '{url}' }}\ndevices:\n{devices}tests:\n  - test: all\n    steps:\n      \
         - {{ write: {write}, broadcast: true }}\n      - {{ write: {both}, broadcast: true, together: true, verify: true }}\n{looks}"
    ))
    .await;
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
