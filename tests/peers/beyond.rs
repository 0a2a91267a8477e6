//! What a device has beyond its four tables: identification, server id, files, queues, counters.

use crate::{our_command_judges, programs, simulate};

/// What pymodbus's server says beyond its tables. `moved` takes each limit off its value.
fn beyond_spec(url: &str, moved: bool) -> String {
    let (one, more) = if moved { ("x", 1) } else { ("", 0) };
    format!(
        "
spec: beyond
devices:
  peer:
    link: '{url}'
    unit_id: 17
    points:
      vendor: {{ device_id: vendor_name }}
      code: {{ device_id: 1 }}
      name: {{ device_id: product_name, type: string, length: 6 }}
      id: {{ server_id: true, type: string, length: 13 }}
      dummy: {{ file: {{ number: 1, record: 0 }}, type: string, length: 10 }}
      queued: {{ fifo: 9 }}
      last: {{ fifo: 9, at: 3 }}
      naks: {{ diagnostic: server_nak_count }}
tests:
  - test: beyond the tables
    steps:
      - {{ read: peer.vendor, equals: Example Works{one} }}
      - {{ read: peer.code, equals: EW-17{one} }}
      - {{ read: peer.name, equals: {one}Meter. }}
      - {{ read: peer.id, equals: {one}Example Works }}
      - {{ read: peer.dummy, equals: SERVER DUMMY RECORD.{one} }}
      - {{ read: peer.queued, equals: {} }}
      - {{ read: peer.last, equals: {} }}
      - {{ read: peer.naks, equals: {more} }}
      - {{ read: {{ device: peer, device_id: 9 }}, exception: {} }}
",
        4 + more,
        3 + more,
        2 + more
    )
    .replace("equals: xExample Works", "equals: xxample Works")
    .replace("equals: SERVER DUMMY RECORD.x", "equals: SERVER DUMMY RECORDx")
    .replace("equals: xMeter.", "equals: xMeter")
}

#[tokio::test]
#[ignore = "needs pymodbus: .ci/run installs and runs it"]
async fn our_command_judges_what_a_pymodbus_server_has_beyond_its_tables() {
    for listen in ["tcp", "udp", "rtu+tcp", "ascii+tcp"] {
        let mut server = programs::python("pymodbus_server.py");
        let server = server.arg(format!("{listen}://127.0.0.1:0"));
        let (url, _server) = programs::serve(server).await;
        our_command_judges(9, [beyond_spec(&url, false), beyond_spec(&url, true)]).await;
    }
}

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
    for listen in ["tcp", "udp", "rtu+tcp", "ascii+tcp"] {
        let (url, _simulator) = simulate(&text, &format!("{listen}://127.0.0.1:0")).await;
        let mut client = programs::python("pymodbus_beyond.py");
        let said = programs::ask(&mut client, &url, &[]).await;
        let due = due.iter().filter(|line| listen != "rtu+tcp" || **line != queue);
        assert!(said.iter().eq(due), "{listen}: {said:?}");
    }
}
