//! Simulations from YAML in the tests of other programs, as a crate outside sees them.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use passline::simulation::{Simulation, SimulationError};
use passline_modbus::pdu::{ExceptionCode, Request};
use passline_modbus::value::Value;

const SITE: &str = "
simulator: site
links: { gateway: 'tcp://192.0.2.10', bus: 'rtu:///dev/ttyUSB7' }
devices:
  one:
    link: gateway
    unit_id: 1
    points: { level: { holding: 0 }, factor: { holding: 1, type: i16 }, flow: { holding: 2, scale_factor: factor } }
    simulate: { values: { level: 11, factor: -1, flow: 2.5 } }
  two: { link: gateway, unit_id: 2, points: { level: { holding: 0 } }, simulate: { values: { level: 12 } } }
  oven: { link: bus, unit_id: 1, points: { level: { holding: 0 } } }
";

/// What holding register 0 of a unit is, as an answer's PDU.
fn ask(address: &str, unit_id: u8) -> Vec<u8> {
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(&[0, 7, 0, 0, 0, 6, unit_id, 3, 0, 0, 0, 1]).unwrap();
    let mut header = [0; 7];
    client.read_exact(&mut header).unwrap();
    let mut pdu = vec![0; usize::from(header[5]) - 1];
    client.read_exact(&mut pdu).unwrap();
    pdu
}

#[test]
fn devices_of_a_simulator_file_are_called_by_name() {
    let site = Simulation::of_text(SITE).unwrap();
    let [one, two] = ["one", "two"].map(|name| site.device(name).unwrap());
    assert_eq!((one.url(), one.unit_id(), two.unit_id()), (two.url(), 1, 2));
    one.set("level", 500).unwrap();
    assert_eq!(ask(one.address(), 1), [3, 2, 1, 0xF4]);
    assert_eq!(ask(two.address(), 2), [3, 2, 0, 12]);
    // What scales a point is known.
    one.set("flow", 31.7).unwrap();
    assert_eq!(one.value("flow").unwrap(), Some(Value::Number("31.7".parse().unwrap())));
    // Each has its own requests, though the line is one.
    let asked = one.requests();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].request, Some(Request::ReadHoldingRegisters(0, 1)));
    two.inject("{ fault: exception, code: busy, first: 1 }").unwrap();
    assert_eq!(ask(two.address(), 2), [0x83, 6]);
    let busy = Some(Err(ExceptionCode::ServerDeviceBusy));
    let found = two.wait_for(Duration::from_secs(20), |asked| asked.answer == busy).unwrap();
    assert_eq!(found.faults[0].word(), "exception");
    two.inject("{ fault: silent }").unwrap();
    two.clear_faults();
    assert_eq!(ask(two.address(), 2), [3, 2, 0, 12]);
    assert_eq!(two.statistics().requests, 3);
}

#[cfg(unix)]
#[test]
fn a_bus_is_a_terminal() {
    let site = Simulation::of_text(SITE).unwrap();
    let oven = site.device("oven").unwrap();
    assert!(oven.url().starts_with("rtu:///dev/"), "{}", oven.url());
    let mut client =
        std::fs::OpenOptions::new().read(true).write(true).open(oven.address()).unwrap();
    client.write_all(&[1, 3, 0, 0, 0, 1, 0x84, 0x0A]).unwrap();
    let mut answer = [0; 7];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [1, 3, 2, 0, 0, 0xB8, 0x44]);
}

#[test]
fn files_of_every_kind_are_served() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/specs/");
    let spec = Simulation::start(format!("{folder}three_phase_meter.yaml")).unwrap();
    assert!(spec.device("meter").is_ok());
    let written = tempfile::tempdir().unwrap();
    let profile = written.path().join("pump.yaml");
    std::fs::write(&profile, "profile: pump\npoints: { level: { holding: 0 } }\n").unwrap();
    assert_eq!(
        ask(Simulation::start(profile).unwrap().device("pump").unwrap().address(), 1),
        [3, 2, 0, 0]
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let refused = |text: &str| Simulation::of_text(text).unwrap_err().to_string();
    let wrong = SITE.replace("level: 12", "levels: 12").replace("scale_factor: factor", "scale: x");
    let said = refused(&wrong);
    assert!(said.contains("simulator.yaml:8:") && said.contains("no point `levels`"), "{said}");
    assert!(said.contains("simulator.yaml:10:"), "all of it at once: {said}");
    let error = Simulation::start("no/such/file.yaml").unwrap_err();
    assert!(
        matches!(&error, SimulationError::Files(said) if said.contains("no such file")),
        "{error}"
    );
    let site = Simulation::of_text(SITE).unwrap();
    let error = site.device("three").unwrap_err().to_string();
    assert_eq!(error, "there is no device three; there is one, oven, two");
    let error = site.device("one").unwrap().inject("{ fault: dely }").unwrap_err().to_string();
    assert!(error.contains("`dely`") && error.contains("delay"), "{error}");
}
