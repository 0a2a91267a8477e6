//! The programs of other authors: started, asked, ended. One that is missing fails the test.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::PATIENCE;

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

pub(crate) fn python(script: &str) -> Command {
    let mut command = command("python3");
    command.arg("-B").arg(source(script)); // -B: nothing is written beside the script
    command
}

/// A C program, compiled into a directory that has to live as long as it is used.
pub(crate) async fn c(program: &str) -> (TempDir, Command) {
    let directory = tempfile::tempdir().unwrap();
    let binary = directory.path().join(program);
    let mut compiler = command("cc");
    compiler.arg("-o").arg(&binary).arg(source(&format!("{program}.c"))).arg("-lmodbus");
    lines(&mut compiler).await;
    (directory, command(binary))
}

async fn output(command: &mut Command) -> Output {
    let output = timeout(PATIENCE, command.output()).await.unwrap();
    output.unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// What a program prints, once it has ended well.
pub(crate) async fn lines(command: &mut Command) -> Vec<String> {
    let output = output(command).await;
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// What a client at this URL prints for these queries.
pub(crate) async fn ask(client: &mut Command, url: &str, queries: &[String]) -> Vec<String> {
    let client = client.arg(url).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = client.spawn().unwrap_or_else(|error| panic!("{client:?}: {error}"));
    let (mut input, text) = (process.stdin.take().unwrap(), queries.join("\n"));
    // It answers while it is asked. If it has ended, its output says why.
    let asked = tokio::spawn(async move { input.write_all(text.as_bytes()).await });
    let output = timeout(PATIENCE, process.wait_with_output()).await.unwrap().unwrap();
    let _ = asked.await;
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<_> = answers.lines().map(str::to_owned).collect();
    let last = queries.get(answers.len().saturating_sub(1));
    assert!(output.status.success(), "{client:?} ends after {last:?}");
    answers
}

/// A server: the URL at which it listens, and the process that ends when this is dropped.
pub(crate) async fn serve(server: &mut Command) -> (String, Child) {
    let started = server.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut process = started.unwrap_or_else(|error| panic!("{server:?}: {error}"));
    let mut line = String::new();
    let mut output = BufReader::new(process.stdout.as_mut().unwrap());
    timeout(PATIENCE, output.read_line(&mut line)).await.unwrap().unwrap();
    // `listening on URL`, or `listening on URL for ...`.
    let url = line.strip_prefix("listening on ").and_then(|rest| rest.split_whitespace().next());
    let url = url.unwrap_or_else(|| panic!("{server:?} does not listen: {line:?}")).to_owned();
    (url, process)
}

/// What mbpoll says to a read, in the form of the other clients, once for each unit: its query has a
/// list of them, with commas. It runs once.
pub(crate) async fn mbpoll(url: &str, query: &str) -> Vec<String> {
    let words: Vec<_> = query.split(' ').collect();
    let [units, table, address, count] = words[..] else { panic!("no read: {query}") };
    let kind = match table {
        "coil" => "0",
        "discrete" => "1",
        "input" => "3",
        _ => "4",
    };
    let mut mbpoll = command("mbpoll");
    // Poll once (-1), addresses from 0 (-0), ten seconds' patience.
    mbpoll.args(["-1", "-0", "-o", "10", "-t", kind, "-a", units, "-r", address, "-c", count]);
    match url.strip_prefix("rtu://") {
        Some(path) => mbpoll.args(["-m", "rtu", "-b", "115200", "-P", "none", path]),
        None => mbpoll.args(["-p", url.rsplit(':').next().unwrap(), "127.0.0.1"]),
    };
    let output = output(&mut mbpoll).await;
    if String::from_utf8_lossy(&output.stderr).contains("Illegal data address") {
        return vec!["exception 2".to_owned()];
    }
    // `-- Polling slave 17...`, then values as `[5]:  65530 (-6)`.
    let said = String::from_utf8(output.stdout).unwrap();
    let answer = |text: &str| {
        let values = text.lines().filter(|line| line.starts_with('['));
        values.filter_map(|line| line.split_whitespace().nth(1)).collect::<Vec<_>>().join(" ")
    };
    said.split("-- Polling").skip(1).map(answer).collect()
}

/// What mbpoll says of the server id of unit 1 on a serial port.
#[cfg(unix)]
pub(crate) async fn mbpoll_id(path: &str) -> String {
    let mut mbpoll = command("mbpoll");
    mbpoll.args(["-u", "-o", "10", "-m", "rtu", "-b", "115200", "-P", "none", "-a", "1", path]);
    lines(&mut mbpoll).await.join("\n").trim_end().to_owned()
}
