use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::bench::Bench;
use crate::binary::{passline, succeeded, text};

fn scan(url: &str, more: &[&str]) -> Output {
    passline(&[&["scan", url], more].concat())
}

/// A gateway: what it answers to a unit id and a PDU; `None` is silence.
fn gateway(answer: impl Fn(u8, &[u8]) -> Option<Vec<u8>> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("tcp://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a client");
            let mut head = [0; 7];
            while stream.read_exact(&mut head).is_ok() {
                let mut pdu = vec![0; usize::from(u16::from_be_bytes([head[4], head[5]])) - 1];
                stream.read_exact(&mut pdu).expect("a whole frame");
                if let Some(answer) = answer(head[6], &pdu) {
                    head[5] = u8::try_from(answer.len() + 1).expect("a short answer");
                    if stream.write_all(&[&head[..], &answer].concat()).is_err() {
                        break;
                    }
                }
            }
        }
    });
    url
}

/// Unit 1 says who it is; 3 refuses everything; 5 is silent; 9 answers nonsense; nobody else is
/// there.
fn street() -> String {
    gateway(|unit, pdu| match (unit, pdu) {
        (1, [0x03, ..]) => Some(vec![0x03, 2, 0, 1]),
        // In two pieces, the second one with a control character.
        (1, [0x2B, 0x0E, 1, 0]) => {
            Some([&[0x2B, 0x0E, 1, 1, 0xFF, 1, 1, 0, 4][..], b"Acme"].concat())
        }
        (1, [0x2B, 0x0E, 1, 1]) => {
            Some([&[0x2B, 0x0E, 1, 1, 0, 0, 2, 1, 4][..], b"PM-5", &[2, 3], b"1.\x07"].concat())
        }
        (1, [0x11]) => Some(vec![0x11, 4, 0x2A, 0xFF, 0x41, 0x42]),
        (3, [function, ..]) => Some(vec![function | 0x80, 0x02]),
        (5, _) => None,
        (9, [0x03, ..]) => Some(vec![0x03, 9, 1]),
        (_, [function, ..]) => Some(vec![function | 0x80, 0x0B]),
        _ => None,
    })
}

#[test]
fn every_unit_that_answers_is_found_with_what_it_says_it_is() {
    let url = street();
    let output = scan(&url, &["--units", "1-10", "--timeout", "100ms"]);
    let lines: Vec<String> = succeeded(&output).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(
        lines[0],
        "unit 1: answers; vendor \"Acme\"; product \"PM-5\"; revision \"1.\\u{7}\"; \
         server id 2A 41 42, running"
    );
    assert_eq!(lines[1], "unit 3: answers with exception illegal_data_address (02)");
    assert!(lines[2].starts_with("unit 9: malformed answer"), "{lines:?}");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn a_scan_is_a_document_where_that_is_asked_for() {
    let url = street();
    let output = scan(&url, &["--units", "1-4", "--timeout", "100ms", "--json"]);
    let document: Value = serde_json::from_str(&succeeded(&output)).expect("JSON");
    assert_eq!(document["format"], "passline-scan/1");
    assert_eq!(document["complete"], true);
    assert_eq!(document["units"][0]["unit_id"], 1);
    assert_eq!(document["units"][0]["answer"], "value");
    assert_eq!(document["units"][0]["identification"][1]["text"], "PM-5");
    assert_eq!(document["units"][0]["server_id"]["running"], true);
    assert_eq!(document["units"][1]["answer"]["exception"], 2);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scan.json");
    let option = format!("--json={}", path.display());
    let output = scan(&url, &["--units", "3", "--timeout", "100ms", &option]);
    assert!(succeeded(&output).starts_with("unit 3: "));
    let file: Value = serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON");
    assert_eq!(file["units"].as_array().map(Vec::len), Some(1));
}

#[test]
fn whoever_ignores_the_first_question_is_asked_another() {
    let url = gateway(|unit, pdu| match (unit, pdu) {
        (2, [0x11]) => Some(vec![0x11, 2, 0x07, 0x00]),
        _ => None,
    });
    let found = succeeded(&scan(&url, &["--units", "1-2", "--timeout", "50ms"]));
    assert_eq!(found, "unit 2: answers; server id 07, not running\n");
}

#[test]
fn a_late_unit_is_found_and_nobody_is_an_error() {
    let silent = gateway(|_, _| None);
    let nobody = scan(&silent, &["--units", "1-2", "--timeout", "20ms"]);
    assert_eq!(nobody.status.code(), Some(3));
    assert_eq!(text(&nobody.stdout), "");
    assert!(text(&nobody.stderr).contains("nobody answers"), "{}", text(&nobody.stderr));
    let late = scan(&slow(), &["--units", "1-3", "--timeout", "50ms"]);
    assert_eq!(succeeded(&late), "unit 1: answers late: a longer --timeout helps\n");
}

/// Whoever is asked first answers when the next one is asked.
fn slow() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("tcp://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let (mut first, mut next) = ([0; 12], [0; 12]);
        stream.read_exact(&mut first).expect("a request");
        stream.read_exact(&mut next).expect("another request");
        let answer = [first[0], first[1], 0, 0, 0, 3, first[6], first[7] | 0x80, 2];
        stream.write_all(&answer).expect("a client");
        // Until the client is gone.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    url
}

#[test]
fn no_line_is_an_error_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("tcp://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let output = scan(&url, &["--json"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("refused"), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["complete"], false);
}

#[test]
fn the_simulator_is_found_with_the_addresses_that_it_has() {
    let bench = Bench::start();
    let ranges = "--ranges=input:0-99,holding:0-40,coil:0-9,discrete:0-9";
    let found = succeeded(&scan(&bench.url, &[ranges]));
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines.len(), 2, "{found}");
    assert!(lines[0].starts_with("unit 1: "), "{found}");
    assert!(lines[0].ends_with("readable: input:0-1, input:70-71"), "{found}");
    assert!(lines[1].starts_with("unit 7: "), "{found}");
    let readable = "readable: holding:0-1, holding:10-15, holding:20-23, holding:30-31, coil:0-2";
    assert!(lines[1].ends_with(readable), "{found}");
}

#[test]
fn a_device_that_ignores_unit_ids_is_told() {
    let url = gateway(|_, pdu| Some(vec![pdu[0] | 0x80, 0x02]));
    let output = scan(&url, &["--units", "1-5"]);
    assert_eq!(succeeded(&output).lines().count(), 5);
    assert!(text(&output.stderr).contains("does not look at it"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (more, said) in [
        (vec!["--units", "5-1"], "unit ids"),
        (vec!["--units", "256"], "unit ids"),
        (vec!["--baud", "auto"], "only a serial port"),
        (vec!["--baud", "fast"], "bauds"),
        (vec!["--all"], "--baud"),
        (vec!["--ranges=holding"], "holding:0-999"),
        (vec!["--timeout", "0s"], "no time"),
    ] {
        let output = scan("tcp://127.0.0.1:1", &more);
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        assert!(text(&output.stderr).contains(said), "{more:?} {}", text(&output.stderr));
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_scan_shows_what_it_found() {
    let (asked, reached) = std::sync::mpsc::channel();
    let url = gateway(move |unit, pdu| {
        if unit == 2 {
            // The test may be over.
            let _ = asked.send(());
            return None;
        }
        Some(vec![pdu[0] | 0x80, 0x02])
    });
    let child = Command::new(env!("CARGO_BIN_EXE_passline"))
        .args(["scan", &url, "--units", "1-5", "--timeout", "1h", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary");
    reached.recv().expect("unit 2 to be asked");
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill").success());
    let output = child.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(130));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["complete"], false);
    assert_eq!(document["units"][0]["unit_id"], 1);
    assert_eq!(document["units"].as_array().map(Vec::len), Some(1));
}
