//! Lines over the network: Modbus TCP, alone, inside TLS and in datagrams, and RTU frames over TCP.

use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::image::reads;
use crate::{
    PATIENCE, call, compare, exchange, open, our_client_asks, our_command_judges_the_image,
    our_command_writes, pki,
};
use crate::{programs, simulator, tokio_modbus};

// --- our client, their servers --------------------------------------------------------------

/// Asks a server with sixteen requests of our client on the way, which it may answer as it likes.
async fn our_client_asks_all_at_once(url: &str) {
    let link = open(&format!("{url}?in_flight=16"));
    let mut answers = JoinSet::new();
    for (query, due) in reads() {
        let link = link.clone();
        answers.spawn(async move { (call(&link, &query).await, due, query) });
    }
    let answers = timeout(PATIENCE, answers.join_all()).await.unwrap();
    assert_eq!(answers.len(), reads().len());
    for (answer, due, query) in answers {
        assert_eq!(answer, due, "{query}");
    }
}

/// Judges a server with the command, which changes nothing there, and asks it for everything.
async fn we_ask(url: &str, nobody: u8) {
    our_command_judges_the_image(url).await;
    our_client_asks(url, &exchange(Some(nobody))).await;
}

#[tokio::test]
async fn our_client_reads_and_writes_a_tokio_modbus_server() {
    we_ask(&tokio_modbus::serve().await, 11).await;
}

#[tokio::test]
async fn our_client_keeps_sixteen_requests_open_at_a_tokio_modbus_server() {
    our_client_asks_all_at_once(&tokio_modbus::serve().await).await;
}

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn our_command_writes_to_a_pymodbus_server() {
    for listen in ["tcp", "rtu+tcp"] {
        let mut server = programs::python("pymodbus_server.py");
        let server = server.arg(format!("{listen}://127.0.0.1:0"));
        let (url, _server) = programs::serve(server).await;
        our_command_writes(&url).await;
    }
}

#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn our_command_writes_to_a_libmodbus_server() {
    let (_files, mut server) = programs::c("libmodbus_server").await;
    let (url, _server) = programs::serve(&mut server).await;
    our_command_writes(&url).await;
}

#[tokio::test]
async fn our_command_writes_to_our_simulator() {
    let (url, _simulator) = simulator("tcp://127.0.0.1:0").await;
    our_command_writes(&url).await;
}

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn our_client_reads_and_writes_a_pymodbus_server_over_every_network() {
    for listen in ["tcp", "udp", "rtu+tcp", "ascii+tcp"] {
        let mut server = programs::python("pymodbus_server.py");
        let server = server.arg(format!("{listen}://127.0.0.1:0"));
        let (url, _server) = programs::serve(server).await;
        we_ask(&url, 4).await;
    }
}

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn our_client_reads_and_writes_a_pymodbus_server_that_knows_it_by_its_certificate() {
    let (_folder, trust, identity) = certificates();
    let mut server = programs::python("pymodbus_server.py");
    let server = server.arg(format!("tls://127.0.0.1:0?{trust}&{identity}"));
    let (url, _server) = programs::serve(server).await;
    we_ask(&format!("{url}?{trust}&{identity}"), 4).await;
}

#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn our_client_reads_and_writes_a_libmodbus_server() {
    let (_files, mut server) = programs::c("libmodbus_server").await;
    let (url, _server) = programs::serve(&mut server).await;
    we_ask(&url, 11).await;
}

#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn our_client_keeps_sixteen_requests_open_at_a_libmodbus_server() {
    let (_files, mut server) = programs::c("libmodbus_server").await;
    let (url, _server) = programs::serve(&mut server).await;
    our_client_asks_all_at_once(&url).await;
}

// --- their clients, our simulator -----------------------------------------------------------

/// Files of certificates, as options of a URL: whom to trust, and who one is.
fn certificates() -> (TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    pki::write(folder.path());
    let file = |name| folder.path().join(name).display().to_string();
    let trust = format!("ca={}", file("ca.pem"));
    let identity = format!("cert={}&key={}", file("server.pem"), file("server.key"));
    (folder, trust, identity)
}

async fn pymodbus_asks(url: &str, nobody: Option<u8>) {
    let (queries, due) = exchange(nobody);
    let answers = programs::ask(&mut programs::python("pymodbus_client.py"), url, &queries).await;
    compare(&queries, &answers, &due);
}

#[tokio::test]
async fn a_tokio_modbus_client_reads_and_writes_our_simulator() {
    let (url, _simulator) = simulator("tcp://127.0.0.1:0").await;
    let (queries, due) = exchange(Some(11));
    let client = tokio_modbus::over_tcp(&url).await;
    let answers = timeout(PATIENCE, tokio_modbus::ask(client, &queries)).await.unwrap();
    compare(&queries, &answers, &due);
}

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn a_pymodbus_client_reads_and_writes_our_simulator_over_every_network() {
    // On serial framings nobody answers for a unit that is not there.
    for (listen, nobody) in
        [("tcp", Some(11)), ("udp", Some(11)), ("rtu+tcp", None), ("ascii+tcp", None)]
    {
        let (url, _simulator) = simulator(&format!("{listen}://127.0.0.1:0")).await;
        pymodbus_asks(&url, nobody).await;
    }
}

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn a_pymodbus_client_shows_its_certificate_to_our_simulator() {
    let (_folder, trust, identity) = certificates();
    let listen = format!("tls://127.0.0.1:0?{trust}&{identity}");
    let (url, _simulator) = simulator(&listen).await;
    pymodbus_asks(&format!("{url}?{trust}&{identity}"), Some(11)).await;
}

#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn a_libmodbus_client_reads_and_writes_our_simulator() {
    let (url, _simulator) = simulator("tcp://127.0.0.1:0").await;
    let (queries, due) = exchange(Some(11));
    let (_files, mut client) = programs::c("libmodbus_client").await;
    let answers = programs::ask(&mut client, &url, &queries).await;
    compare(&queries, &answers, &due);
}

#[tokio::test]
#[ignore = "needs mbpoll: .ci/run installs and runs it"]
async fn mbpoll_reads_our_simulator() {
    let (url, _simulator) = simulator("tcp://127.0.0.1:0").await;
    for (query, due) in reads() {
        assert_eq!(programs::mbpoll(&url, &query).await, [due], "{query}");
    }
}
