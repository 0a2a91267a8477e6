//! Clients on real sockets that do what none should, and beside them one that is served all the
//! same.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use passline_modbus::point::{Declaration, Point, Span, Table};
use passline_simulator::device::Device;
use passline_simulator::endpoint::Endpoint;
use passline_simulator::fault::Seed;
use passline_simulator::image::Image;
use passline_simulator::program::{Action, Held, Rule, Script, When};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{PATIENCE, READ, line, mbap, take, value};

async fn serve(line: &Endpoint) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(line.serve(listener, std::future::pending()));
    address
}

async fn asked(client: &mut TcpStream, id: u16) {
    client.write_all(&mbap(id, 1, &READ)).await.unwrap();
    assert_eq!(take(client, 11).await, mbap(id, 1, &value(1)));
}

/// How many files this process has open.
#[cfg(target_os = "linux")]
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn connections_that_come_and_go_by_the_thousand_leave_nothing_behind() {
    let line = line(&[1]);
    let address = serve(&line).await;
    let mut good = TcpStream::connect(address).await.unwrap();
    asked(&mut good, 0).await;
    let before = open_files();
    for id in 1..=3000 {
        let mut client = TcpStream::connect(address).await.unwrap();
        match id % 4 {
            // Gone without a word, with and without a reset.
            0 => client.set_zero_linger().unwrap(),
            1 => {}
            // In the middle of a request.
            2 => client.write_all(&mbap(id, 1, &READ)[..9]).await.unwrap(),
            // Before the answer can come.
            _ => {
                client.write_all(&mbap(id, 1, &READ)).await.unwrap();
                client.set_zero_linger().unwrap();
            }
        }
        drop(client);
        if id % 100 == 0 {
            asked(&mut good, id).await;
        }
    }
    let settled = async {
        // Other tests of this program open files, too: a few of them.
        while open_files() > before + 300 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, settled).await.unwrap();
    asked(&mut good, 9).await;
}

#[tokio::test]
async fn who_never_reads_is_not_read_from_for_ever_and_loses_nothing() {
    let line = line(&[1]);
    let address = serve(&line).await;
    let (mut stuck, mut good) =
        (TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap());
    let round: Vec<u8> = (0..1000).flat_map(|id| mbap(id, 1, &READ)).collect();
    // Until the system takes no more; a slow machine may stop earlier.
    let mut rounds = 0;
    while let Ok(written) = timeout(Duration::from_secs(1), stuck.write_all(&round)).await {
        written.unwrap();
        asked(&mut good, 1).await;
        rounds += 1;
        // Many times what sockets hold.
        assert!(rounds < 5000, "60 MB of requests were taken");
    }
    asked(&mut good, 1).await;
    // Whoever reads at last finds the answers, in order.
    for id in (0..rounds.max(1)).flat_map(|_| 0..1000).take(2000) {
        assert_eq!(take(&mut stuck, 11).await, mbap(id, 1, &value(1)));
    }
}

#[tokio::test]
async fn who_sends_a_byte_now_and_then_keeps_nobody_waiting() {
    let line = line(&[1]);
    let address = serve(&line).await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        slow.push(TcpStream::connect(address).await.unwrap());
    }
    let mut good = TcpStream::connect(address).await.unwrap();
    let request = mbap(7, 1, &READ);
    for (id, byte) in (0..).zip(&request) {
        for client in &mut slow {
            client.write_all(&[*byte]).await.unwrap();
        }
        asked(&mut good, id).await;
    }
    for client in &mut slow {
        assert_eq!(take(client, 11).await, mbap(7, 1, &value(1)));
    }
}

#[tokio::test]
async fn what_is_no_modbus_ends_its_own_connection_alone() {
    let line = line(&[1]);
    let address = serve(&line).await;
    let mut good = TcpStream::connect(address).await.unwrap();
    let oversized = [0, 1, 0, 0, 0xFF, 0xFF, 1, 3];
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &oversized, &[0, 1, 0, 0, 0, 1, 1], &[0xFF; 5000]]
    {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(bytes).await.unwrap();
        let end = timeout(PATIENCE, client.read(&mut [0; 16])).await.unwrap();
        assert!(matches!(end, Ok(0) | Err(_)), "{bytes:02x?}: {end:?}");
        asked(&mut good, 3).await;
    }
}

#[tokio::test]
async fn what_happens_by_the_clock_does_not_wait_for_who_asks() {
    let declaration = Declaration::new("count", Table::Holding, 0);
    let held = Held { point: Arc::new(Point::new(declaration).unwrap()), factor: None };
    let rule = Rule {
        when: When::Every(Duration::from_millis(1)),
        state: None,
        after: Duration::ZERO,
        actions: vec![Action::Increment(0, 1.into())],
    };
    let script = Script::new(vec![held], vec![], vec![rule]).unwrap();
    let mut image = Image::new();
    image.set_words(Table::Holding, 0, &[0]).unwrap();
    let seed = Seed::of_device(0, "device");
    let device = Device::new(image).with_script(script, seed, Timestamp::UNIX_EPOCH);
    let line = Endpoint::new(BTreeMap::from([(1, device)]), Instant::now());
    serve(&line).await;
    let span = Span::new(Table::Holding, 0, 1).unwrap();
    // To look at the memory lets no time pass in it.
    let count = || line.with_device(1, |device| device.image().words(span).map(<[u16]>::to_vec));
    let counted = async {
        while count() == Some(Some(vec![0])) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, counted).await.unwrap();
}
