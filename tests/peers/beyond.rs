//! What a device has beyond its four tables: identification, server id, files, queues, counters.

#[cfg(unix)]
use crate::{bus::Bus, serial::TREATMENT};
use crate::{our_command_judges, programs, simulate};

async fn our_command_judges_pymodbus(url: &str) {
    let points = "vendor: { device_id: vendor_name }, code: { device_id: 1 }, \
                  name: { device_id: product_name, type: string, length: 6 }, \
                  id: { server_id: true, type: string, length: 13 }, \
                  dummy: { file: { number: 1, record: 0 }, type: string, length: 10 }, \
                  queued: { fifo: 9 }, last: { fifo: 9, at: 3 }, \
                  naks: { diagnostic: server_nak_count }, status: { exception_status: true }";
    let checks = [
        ("peer.vendor", "equals: Example Works", "equals: Example Work"),
        ("peer.code", "equals: EW-17", "equals: EW-18"),
        ("peer.name", "equals: Meter.", "equals: Meter"),
        ("peer.id", "equals: Example Works", "equals: Example-Works"),
        ("peer.dummy", "equals: SERVER DUMMY RECORD.", "equals: SERVER DUMMY RECORD"),
        ("peer.queued", "equals: 4", "equals: 5"),
        ("peer.last", "equals: 3", "equals: 4"),
        ("peer.naks", "equals: 0", "equals: 1"),
        ("peer.status", "equals: 0", "equals: 1"),
        ("{ device: peer, device_id: 9 }", "exception: 2", "exception: 3"),
    ];
    our_command_judges(url, points, &checks).await;
}

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn our_command_judges_what_a_pymodbus_server_has_beyond_its_tables() {
    for scheme in ["tcp", "udp", "rtu+tcp", "ascii+tcp"] {
        let mut server = programs::python("pymodbus_server.py");
        let server = server.arg(format!("{scheme}://127.0.0.1:0"));
        let (url, _server) = programs::serve(server).await;
        our_command_judges_pymodbus(&url).await;
    }
}

#[cfg(unix)]
#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn our_command_judges_what_a_pymodbus_server_has_beyond_its_tables_on_a_bus() {
    for scheme in ["rtu", "ascii"] {
        let bus = Bus::new(1);
        let mut server = programs::python("pymodbus_server.py");
        let server = server.arg(format!("{scheme}://{}", bus.servers[0]));
        let (_url, _server) = programs::serve(server).await;
        our_command_judges_pymodbus(&format!("{scheme}://{}?{TREATMENT}", bus.client)).await;
    }
}

async fn our_command_judges_libmodbus(url: &str) {
    let points = "id: { server_id: true, type: bytes, length: 1 }, \
                  running: { server_id: true, at: 1, type: bool }, \
                  library: { server_id: true, at: 2, type: string }";
    let checks = [
        ("peer.id", "equals: B4", "equals: B5"),
        ("peer.running", "equals: true", "equals: false"),
        ("peer.library", "matches: 'LMB3[.].+'", "matches: 'LMB4[.].+'"),
    ];
    our_command_judges(url, points, &checks).await;
}

#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn our_command_judges_the_id_of_a_libmodbus_server() {
    let (_files, mut server) = programs::c("libmodbus_server").await;
    let (url, _server) = programs::serve(&mut server).await;
    our_command_judges_libmodbus(&url).await;
}

#[cfg(unix)]
#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn our_command_judges_the_id_of_a_libmodbus_server_on_a_bus() {
    let bus = Bus::new(1);
    let (_files, mut server) = programs::c("libmodbus_server").await;
    let (_url, _server) = programs::serve(server.args([&bus.servers[0], "17"])).await;
    our_command_judges_libmodbus(&format!("rtu://{}?{TREATMENT}", bus.client)).await;
}

/// A server id of four bytes.
const ID: &str = "
spec: id
devices:
  peer: { unit_id: 1, points: { id: { server_id: true } }, simulate: { values: { id: 2A FF 41 42 } } }
tests: [{ test: t, steps: [{ read: peer.id, equals: 2A FF 41 42 }] }]
";

/// Where our simulator serves others.
const EVERYWHERE: &[&str] = &[
    "tcp://127.0.0.1:0",
    "udp://127.0.0.1:0",
    "rtu+tcp://127.0.0.1:0",
    "ascii+tcp://127.0.0.1:0",
    #[cfg(unix)]
    "rtu+pty://",
    #[cfg(unix)]
    "ascii+pty://",
];

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn a_pymodbus_client_reads_what_our_simulator_has_beyond_its_tables() {
    let (long, longer) = ("l".repeat(120), "m".repeat(130));
    let text = format!(
        "
spec: beyond
devices:
  peer:
    unit_id: 1
    points:
      vendor: {{ device_id: 0 }}
      code: {{ device_id: 1 }}
      revision: {{ device_id: 2 }}
      name: {{ device_id: product_name }}
      own: {{ device_id: 0x80 }}
      server: {{ server_id: true }}
      status: {{ exception_status: true }}
      record: {{ file: {{ number: 4, record: 1 }}, type: u32 }}
      first: {{ fifo: 0x04DE, at: 0 }}
      second: {{ fifo: 0x04DE, at: 1 }}
      refused: {{ diagnostic: bus_exception_error_count }}
    simulate:
      values:
        {{ vendor: Example, code: {long}, revision: V2.11, name: {longer}, own: x, server: 2A FF,
          status: 109, record: 0x0DFE0020, first: 440, second: 4740, refused: 7 }}
tests: [{{ test: t, steps: [{{ read: peer.vendor, equals: Example }}] }}]
"
    );
    // Not in RTU: pymodbus expects two bytes too few of that answer.
    let queue = "[440, 4740]";
    let basic = format!("0=Example 1={long} 2=V2.11");
    let due = [
        &basic,
        &format!("{basic} 4={longer}"),
        &format!("{basic} 4={longer} 128=x"),
        "V2.11",
        "2a True",
        "109",
        "0dfe0020",
        queue,
        "a537",
        "7",
    ];
    for listen in EVERYWHERE {
        let (url, _simulator) = simulate(&text, listen).await;
        let mut client = programs::python("pymodbus_beyond.py");
        let said = programs::ask(&mut client, &url, &[]).await;
        let due = due.iter().filter(|line| !listen.starts_with("rtu") || **line != queue);
        assert!(said.iter().eq(due), "{listen}: {said:?}");
    }
}

#[tokio::test]
#[ignore = "needs libmodbus: .ci/run installs and runs it"]
async fn a_libmodbus_client_reads_the_id_of_our_simulator() {
    for listen in
        EVERYWHERE.iter().filter(|listen| matches!(listen.get(..5), Some("tcp:/" | "rtu+p")))
    {
        let (url, _simulator) = simulate(ID, listen).await;
        let (_files, mut client) = programs::c("libmodbus_client").await;
        let said = programs::ask(&mut client, &url, &["1 server-id".to_owned()]).await;
        assert_eq!(said, ["42 255 65 66"]);
    }
}

#[cfg(unix)]
#[tokio::test]
#[ignore = "needs mbpoll: .ci/run installs and runs it"]
async fn mbpoll_reads_the_id_of_our_simulator() {
    let (url, _simulator) = simulate(ID, "rtu+pty://").await;
    let said = programs::mbpoll_id(url.trim_start_matches("rtu://")).await;
    assert!(said.ends_with("Length: 4\nId    : 0x2A\nStatus: On\nData  : AB"), "{said}");
}
