//! A listener outlives what it cannot accept. Alone in its program, which it starts a second time
//! with few file descriptors, to use them all up.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::collections::BTreeMap;
use std::fs::File;
use std::process::Command;
use std::time::Duration;

use passline_simulator::device::Device;
use passline_simulator::endpoint::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::{Instant, timeout};

/// Set in the program started with few file descriptors.
const FEW: &str = "PASSLINE_TEST_FEW_DESCRIPTORS";

#[test]
fn a_listener_without_file_descriptors_accepts_again_when_there_are_some() {
    if std::env::var_os(FEW).is_some() {
        return exhaust();
    }
    let ended = Command::new("sh")
        .args(["-c", "ulimit -n 64 && exec \"$0\" --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env(FEW, "1")
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[tokio::main(flavor = "current_thread")]
async fn exhaust() {
    let line = Endpoint::new(BTreeMap::from([(1, Device::default())]), Instant::now());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    let mut files = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
        assert!(files.len() < 64, "file descriptors are not limited");
    }
    tokio::spawn(line.serve(listener, std::future::pending()));
    // The system completes the connection; it is accepting it that takes a descriptor.
    let mut client = socket.connect(address).await.unwrap();
    client.write_all(&[0, 1, 0, 0, 0, 2, 1, 0x41]).await.unwrap();
    let mut answer = [0; 9];
    let early = timeout(Duration::from_millis(200), client.read_exact(&mut answer)).await;
    assert!(early.is_err(), "accepted without a descriptor");
    files.clear();
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, [0, 1, 0, 0, 0, 3, 1, 0xC1, 1]);
}
