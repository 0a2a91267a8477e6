//! Pseudo-terminals: who opens the far end finds a wire there.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::future::pending;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use passline_modbus::framing::Framing;
use passline_modbus::serial::{Baud, Parity, Settings, StopBits};
use passline_simulator::endpoint::{Endpoint, Listener, Pty, Symlink, Wire};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout};
use tokio_serial::{SerialPort, SerialStream};

use crate::support::{PATIENCE, READ, device, late, line, rtu, take, value};

/// Serves a line on a new pseudo-terminal: its path.
fn serve(line: &Endpoint, wire: Wire) -> PathBuf {
    let pty = Pty::new().unwrap();
    let path = pty.path().to_owned();
    tokio::spawn(line.serve(Listener::Pty(pty, wire), pending()));
    path
}

fn open(path: &Path) -> SerialStream {
    SerialStream::open(&tokio_serial::new(path.to_str().unwrap(), 115_200)).unwrap()
}

fn instant() -> Wire {
    Wire::instant(Framing::Rtu)
}

#[tokio::test]
async fn clients_come_and_go() {
    let line = line(&[1, 2]);
    let path = serve(&line, instant());
    for round in 0..50 {
        let mut client = open(&path);
        for unit in [1, 2] {
            client.write_all(&rtu(unit, &READ)).await.unwrap();
            assert_eq!(take(&mut client, 7).await, rtu(unit, &value(unit)), "round {round}");
        }
        if round % 3 == 0 {
            // This one leaves in the middle of a request.
            client.write_all(&rtu(1, &READ)[..round % 8]).await.unwrap();
        }
    }
}

/// Opens the far end once what others left there is gone.
async fn open_empty(path: &Path) -> SerialStream {
    let emptied = async {
        loop {
            let client = open(path);
            if client.bytes_to_read().unwrap() == 0 {
                return client;
            }
            drop(client);
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, emptied).await.unwrap()
}

#[tokio::test]
async fn nobody_finds_an_answer_that_another_left() {
    let line = line(&[1, 2]);
    let path = serve(&line, instant());
    for _ in 0..20 {
        let mut client = open(&path);
        client.write_all(&rtu(1, &READ)).await.unwrap();
        let answered = async {
            while client.bytes_to_read().unwrap() < 7 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, answered).await.unwrap();
        drop(client);
        let mut next = open_empty(&path).await;
        next.write_all(&rtu(2, &READ)).await.unwrap();
        assert_eq!(take(&mut next, 7).await, rtu(2, &value(2)));
    }
}

#[tokio::test]
async fn an_answer_that_is_late_for_one_client_reaches_the_next() {
    let units =
        BTreeMap::from([(1, device(1, &[late(Duration::from_millis(300))])), (2, device(2, &[]))]);
    let line = Endpoint::new(units, Instant::now());
    let path = serve(&line, instant());
    let mut client = open(&path);
    client.write_all(&rtu(1, &READ)).await.unwrap();
    let heard = async {
        while line.with_device(1, |device| device.statistics().requests) == Some(0) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, heard).await.unwrap();
    drop(client);
    let mut next = open(&path);
    next.write_all(&rtu(2, &READ)).await.unwrap();
    assert_eq!(take(&mut next, 7).await, rtu(2, &value(2)));
    assert_eq!(take(&mut next, 7).await, rtu(1, &value(1)));
}

/// A client that sets nothing, as a shell's redirection: asks, and gives so many bytes.
fn ask_as_file(path: &Path, request: &[u8], count: usize) -> Vec<u8> {
    use std::io::{Read, Write};

    let mut file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    file.write_all(request).unwrap();
    let mut answer = vec![0; count];
    file.read_exact(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn no_byte_means_anything_to_the_terminal() {
    let line = line(&[1]);
    let path = serve(&line, instant());
    // Line ends, flow control, interrupt, end of file, erase; and the same back.
    let words: [u8; 20] = [
        0x0A, 0x0D, 0x11, 0x13, 0x03, 0x04, 0x7F, 0x1C, 0x15, 0x16, 0x12, 0x17, 0x1A, 0xFF, 0x00,
        0x80, 0x0D, 0x0A, 0x08, 0x1B,
    ];
    let write = rtu(1, &[&[16, 0, 0, 0, 10, 20], &words[..]].concat());
    let asked = tokio::task::spawn_blocking(move || {
        let answer = ask_as_file(&path, &write, 8);
        (answer, ask_as_file(&path, &rtu(1, &[3, 0, 0, 0, 10]), 25))
    });
    let (answer, read) = timeout(PATIENCE, asked).await.unwrap().unwrap();
    assert_eq!(answer, rtu(1, &[16, 0, 0, 0, 10]));
    assert_eq!(read, rtu(1, &[&[3, 20], &words[..]].concat()));
}

#[tokio::test]
async fn a_client_that_never_reads_holds_nobody_up() {
    let line = line(&[1, 2]);
    let path = serve(&line, instant());
    let mut stuck = open(&path);
    // Many times what a terminal holds.
    for _ in 0..5000 {
        stuck.write_all(&rtu(1, &READ)).await.unwrap();
        tokio::task::yield_now().await;
    }
    drop(stuck);
    let mut client = open_empty(&path).await;
    client.write_all(&rtu(2, &READ)).await.unwrap();
    assert_eq!(take(&mut client, 7).await, rtu(2, &value(2)));
}

#[tokio::test]
async fn a_paced_terminal_is_never_faster_than_its_wire() {
    let line = line(&[1]);
    let baud = Baud::new(2400).unwrap();
    let settings =
        Settings { baud, parity: Parity::None, stop: StopBits::One, ..Settings::default() };
    let path = serve(&line, Wire::paced(Framing::Rtu, settings));
    let mut client = open(&path);
    for _ in 0..3 {
        let sent = Instant::now();
        client.write_all(&rtu(1, &READ)).await.unwrap();
        assert_eq!(take(&mut client, 7).await, rtu(1, &value(1)));
        // Eight characters, the silence, and seven.
        assert!(sent.elapsed() >= settings.wire_time(15) + settings.silence());
    }
}

#[tokio::test]
async fn a_symlink_lives_as_long_as_it_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("bus0");
    let pty = Pty::new().unwrap();
    let link = Symlink::new(&name, pty.path()).unwrap();
    assert_eq!(fs::read_link(&name).unwrap(), pty.path());
    let other = Pty::new().unwrap();
    let refused = Symlink::new(&name, other.path()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
    drop(link);
    assert!(name.symlink_metadata().is_err());
}

#[tokio::test]
async fn only_what_a_killed_simulator_left_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("bus0");
    let pty = Pty::new().unwrap();
    let refused = |name: &Path| {
        let error = Symlink::new(name, pty.path()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    };
    fs::write(&name, "mine").unwrap();
    refused(&name);
    assert_eq!(fs::read_to_string(&name).unwrap(), "mine");
    fs::remove_file(&name).unwrap();
    for target in ["/dev/null", "/no/such/file"] {
        std::os::unix::fs::symlink(target, &name).unwrap();
        refused(&name);
        assert_eq!(fs::read_link(&name).unwrap(), Path::new(target));
        fs::remove_file(&name).unwrap();
    }
    let gone = pty.path().with_file_name("999999");
    std::os::unix::fs::symlink(&gone, &name).unwrap();
    let link = Symlink::new(&name, pty.path()).unwrap();
    // Somebody else's by now.
    fs::remove_file(&name).unwrap();
    fs::write(&name, "mine").unwrap();
    drop(link);
    assert_eq!(fs::read_to_string(&name).unwrap(), "mine");
}
