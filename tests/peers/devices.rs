//! The servers that libmodbus's and pymodbus's own clients are tested against, as specs of
//! `tests/devices` have them, asked by these clients: what their tests assert of answers.

use std::path::Path;

use crate::{compare, programs, simulate};

/// A file of `tests/devices`.
fn device(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/devices").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// Queries and the answers due, of a unit.
fn of_unit(unit: u8, exchanges: &[(String, String)]) -> (Vec<String>, Vec<String>) {
    exchanges.iter().map(|(query, due)| (format!("{unit} {query}"), due.clone())).unzip()
}

fn told(exchanges: &[(&str, &str)]) -> Vec<(String, String)> {
    exchanges.iter().map(|(query, due)| ((*query).to_owned(), (*due).to_owned())).collect()
}

/// So many values of bytes as they travel, the first in the lowest bit.
fn bits(bytes: &[u8], count: usize) -> String {
    let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1));
    bits.take(count).map(|bit| bit.to_string()).collect::<Vec<_>>().join(" ")
}

/// What libmodbus's unit test client reads and writes, in its order.
fn libmodbus() -> Vec<(String, String)> {
    let coils = bits(&[0xCD, 0x6B, 0xB2, 0x0E, 0x1B], 0x25);
    let inputs = bits(&[0xAC, 0xDB, 0x35], 0x16);
    let mut exchanges = told(&[("write-coil 304 1", "ok"), ("coil 304 1", "1")]);
    exchanges.push((format!("write-coil 304 {coils}"), "ok".to_owned()));
    exchanges.push(("coil 304 37".to_owned(), coils));
    exchanges.push(("discrete 452 22".to_owned(), inputs));
    exchanges.extend(told(&[
        ("write-holding 352 4660", "ok"),
        ("holding 352 1", "4660"),
        ("write-holding 352 555 1 100", "ok"),
        ("holding 352 3", "555 1 100"),
        // It writes all but the first of them as zero, and reads them in the same request.
        ("exchange-holding 352 3 353 0 0", "555 0 0"),
        ("input 264 1", "10"),
        ("write-holding 352 18", "ok"),
        ("mask-holding 352 242 37", "ok"),
        ("holding 352 1", "23"),
        ("coil 0 1", "exception 2"),
        ("coil 304 38", "exception 2"),
        ("discrete 0 1", "exception 2"),
        ("discrete 452 23", "exception 2"),
        ("holding 0 1", "exception 2"),
        ("holding 352 33", "exception 2"),
        ("input 0 1", "exception 2"),
        ("input 264 2", "exception 2"),
        ("write-coil 0 1", "exception 2"),
        ("write-coil 341 1", "exception 2"),
        ("write-coil 341 1 1", "exception 2"),
        ("write-holding 0 1", "exception 2"),
        ("write-holding 384 1", "exception 2"),
        ("write-holding 384 1 2 3", "exception 2"),
        ("mask-holding 0 242 37", "exception 2"),
        ("mask-holding 384 242 37", "exception 2"),
        ("exchange-holding 0 1 0 1", "exception 2"),
        ("exchange-holding 384 3 384 1 2 3", "exception 2"),
        ("holding 368 3", "exception 6"),
        ("holding 370 1", "0"),
        ("server-id", "180 255 76 77 66 51 46 49 46 54"),
    ]));
    exchanges
}

#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn a_libmodbus_client_finds_the_server_of_its_own_tests() {
    let (url, _simulator) = simulate(&device("libmodbus.yaml"), "tcp://127.0.0.1:0").await;
    // On TCP whoever is asked for answers.
    for unit in [255, 18, 17] {
        let (_files, mut client) = programs::c("libmodbus_client").await;
        let (queries, due) = of_unit(unit, &libmodbus());
        compare(&queries, &programs::ask(&mut client, &url, &queries).await, &due);
    }
}

/// What the calls of pymodbus's examples read and write, in their order.
const PYMODBUS: &[(&str, &str)] = &[
    ("coil 1 1", "1"),
    ("coil 1 5", "1 1 1 1 1"),
    ("write-coil 0 1", "ok"),
    ("coil 0 1", "1"),
    ("write-coil 1 0 0 0 0 0 0 0 0", "ok"),
    ("coil 1 8", "0 0 0 0 0 0 0 0"),
    ("discrete 0 8", "1 1 1 1 1 1 1 1"),
    ("write-holding 1 10", "ok"),
    ("holding 1 1", "10"),
    ("write-holding 1 10 10 10 10 10 10 10 10", "ok"),
    ("holding 1 8", "10 10 10 10 10 10 10 10"),
    ("exchange-holding 1 8 1 256 128 100 50 25 10 5 1", "256 128 100 50 25 10 5 1"),
    ("holding 1 8", "256 128 100 50 25 10 5 1"),
    ("input 1 8", "17 17 17 17 17 17 17 17"),
    ("mask-holding 1 242 37", "ok"),
    ("holding 99 1", "exception 2"),
];

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn a_pymodbus_client_finds_the_server_of_its_own_tests() {
    for listen in ["tcp", "udp", "rtu+tcp", "ascii+tcp"] {
        let listen = format!("{listen}://127.0.0.1:0");
        let (url, _simulator) = simulate(&device("pymodbus.yaml"), &listen).await;
        let mut client = programs::python("pymodbus_client.py");
        let (queries, due) = of_unit(1, &told(PYMODBUS));
        compare(&queries, &programs::ask(&mut client, &url, &queries).await, &due);
        let said = programs::lines(programs::python("pymodbus_calls.py").arg(&url)).await;
        assert_eq!(said, ["Pymodbus", "OK", "no error: 15 calls"], "{url}");
    }
}
