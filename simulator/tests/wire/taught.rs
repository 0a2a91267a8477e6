//! Devices that are taught, as their clients see them: what a rule does to faults, connections, and
//! other devices of the line.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use passline_modbus::framing::Framing;
use passline_modbus::point::{Declaration, Point, Table};
use passline_modbus::value::Value;
use passline_simulator::device::Device;
use passline_simulator::endpoint::{Endpoint, Wire};
use passline_simulator::fault::{
    ConnectionFault, Fault, FrameFault, Kind, RequestFault, Scope, Seed, Trigger,
};
use passline_simulator::program::{Action, Held, Rule, Script, Test, When};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{ask, frame, hex, image, receive};

/// Registers 0 and 1, which hold 0x100 and 0x101 at the start.
const COMMAND: usize = 0;
const STATUS: usize = 1;

const WRITE: &str = "06 0000 0009";
const READ: &str = "03 0001 0001";
const SECOND: Duration = Duration::from_secs(1);

fn held(address: u32) -> Held {
    let declaration = Declaration::new("point", Table::Holding, address);
    Held { point: Arc::new(Point::new(declaration).unwrap()), factor: None }
}

fn number(number: i32) -> Value {
    Value::Number(i128::from(number).into())
}

fn when(when: When, actions: Vec<Action>) -> Rule {
    Rule { when, state: None, after: Duration::ZERO, actions }
}

fn written(actions: Vec<Action>) -> Rule {
    when(When::Written(COMMAND, Test::default()), actions)
}

fn fault(kind: impl Into<Kind>) -> Fault {
    Fault { kind: kind.into(), scope: Scope::default(), trigger: Trigger::default() }
}

fn device(faults: Vec<Fault>, dormant: Vec<usize>, rules: Vec<Rule>) -> Device {
    let seed = Seed::of_device(7, "meter");
    let script = Script::new(vec![held(0), held(1)], vec![], rules).unwrap().with_dormant(dormant);
    let device = Device::new(image()).with_faults(faults, seed);
    device.with_script(script, seed, Timestamp::UNIX_EPOCH)
}

fn line(device: Device) -> Endpoint {
    Endpoint::new(BTreeMap::from([(1, device)]), Instant::now())
}

#[tokio::test(start_paused = true)]
async fn only_what_was_really_written_has_consequences() {
    let rules = || vec![written(vec![Action::Set(STATUS, number(5))])];
    let lost = fault(FrameFault::Truncate { count: 100 });
    let kinds =
        [(None, "0005"), (Some(fault(RequestFault::NotStored)), "0101"), (Some(lost), "0005")];
    for (fault, status) in kinds {
        let first = Trigger { first: Some(1), ..Trigger::default() };
        let faults = fault.into_iter().map(|fault| Fault { trigger: first, ..fault }).collect();
        let line = line(device(faults, vec![], rules()));
        let mut client = line.connect();
        let _ = timeout(SECOND, ask(&mut client, &hex(WRITE))).await;
        assert_eq!(ask(&mut client, &hex(READ)).await, hex(&format!("03 02 {status}")));
    }
    let line = line(device(vec![], vec![], rules()));
    let mut client = line.connect();
    assert_eq!(
        ask(&mut client, &hex("10 0000 0002 04 0001")).await,
        hex("90 03"),
        "no such request"
    );
    assert_eq!(ask(&mut client, &hex(READ)).await, hex("03 02 0101"));
}

#[tokio::test(start_paused = true)]
async fn rules_reach_faults_of_requests_and_of_connections_by_their_places() {
    let busy =
        RequestFault::Exception { code: passline_modbus::pdu::ExceptionCode::ServerDeviceBusy };
    let of_reads = Fault { scope: Scope { function: Some(3), ..Scope::default() }, ..fault(busy) };
    let faults = vec![fault(ConnectionFault::Refuse), of_reads];
    let rules = vec![
        written(vec![Action::Fault(0, true), Action::Fault(1, true)]),
        when(When::At(10 * SECOND), vec![Action::Fault(0, false)]),
    ];
    let line = line(device(faults, vec![0, 1], rules));
    let mut client = line.connect();
    assert_eq!(ask(&mut client, &hex(READ)).await, hex("03 02 0101"), "dormant");
    assert_eq!(ask(&mut client, &hex(WRITE)).await, hex(WRITE));
    assert_eq!(ask(&mut client, &hex(READ)).await, hex("83 06"));
    let refused = || line.try_connect_by(Wire::instant(Framing::Mbap)).is_err();
    assert!(refused());
    sleep(10 * SECOND).await;
    assert!(!refused(), "nobody has asked the device meanwhile");
    assert_eq!(ask(&mut client, &hex(READ)).await, hex("83 06"));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_alone_takes_all_connections_with_it() {
    let rules = vec![written(vec![Action::Restart(2 * SECOND)])];
    let line = line(device(vec![], vec![], rules));
    let (mut one, mut other) = (line.connect(), line.connect());
    ask(&mut other, &hex(READ)).await;
    tokio::io::AsyncWriteExt::write_all(&mut one, &frame(1, 1, &hex(WRITE))).await.unwrap();
    assert_eq!(receive(&mut one).await, None);
    assert_eq!(receive(&mut other).await, None);
    let mut early = line.connect();
    assert!(timeout(SECOND, ask(&mut early, &hex(READ))).await.is_err(), "it boots");
    sleep(SECOND).await;
    let mut later = line.connect();
    assert_eq!(ask(&mut later, &hex("03 0000 0002")).await, hex("03 04 0100 0101"));
}

#[tokio::test(start_paused = true)]
async fn one_of_several_devices_is_only_silent_and_so_is_one_on_a_serial_line() {
    let rules = || vec![written(vec![Action::Restart(2 * SECOND)])];
    let several = BTreeMap::from([(1, device(vec![], vec![], rules())), (2, Device::new(image()))]);
    let gateway = Endpoint::new(several, Instant::now());
    let mut client = gateway.connect();
    assert!(timeout(SECOND, ask(&mut client, &hex(WRITE))).await.is_err());
    let other = frame(3, 2, &hex(READ));
    tokio::io::AsyncWriteExt::write_all(&mut client, &other).await.unwrap();
    assert_eq!(receive(&mut client).await, Some((3, 2, hex("03 02 0101"))));
    sleep(SECOND).await;
    assert_eq!(ask(&mut client, &hex(READ)).await, hex("03 02 0101"));

    let bus = line(device(vec![], vec![], rules()));
    let mut client = bus.connect_by(Wire::instant(Framing::Rtu));
    let mut answer = [0; 8];
    let read = hex("01 03 0001 0001 D5CA");
    tokio::io::AsyncWriteExt::write_all(&mut client, &hex("01 06 0000 0009 49CC")).await.unwrap();
    let heard = timeout(SECOND, tokio::io::AsyncReadExt::read(&mut client, &mut answer)).await;
    assert!(heard.is_err(), "it boots, and the line stays");
    sleep(SECOND).await;
    tokio::io::AsyncWriteExt::write_all(&mut client, &read).await.unwrap();
    tokio::io::AsyncReadExt::read_exact(&mut client, &mut answer[..7]).await.unwrap();
    assert_eq!(answer[..5], hex("01 03 02 01 01"));
}
