//! The simulator as a development dependency: what a test of some other program does with it.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use passline_modbus::framing::Framing;
use passline_modbus::pdu::{ExceptionCode, Request, Response};
use passline_modbus::point::{DataType, Declaration, Point, Table};
use passline_modbus::value::Value;
use passline_simulator::Simulator;
use passline_simulator::device::Device;
use passline_simulator::fault::{AnswerFault, Fault, RequestFault, Scope, Trigger};
use passline_simulator::image::Image;
use passline_simulator::simulator::{Asked, Place, Unit};
use tokio_modbus::Slave;
use tokio_modbus::client::{Reader, Writer, tcp};

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn meter() -> Unit {
    let mut voltage = Declaration::new("voltage", Table::Input, 0);
    voltage.data_type = DataType::I16;
    voltage.scale = "0.1".parse().unwrap();
    let mut state = Declaration::new("state", Table::Holding, 4);
    state.labels = vec![(0, "idle".to_owned()), (3, "running".to_owned())];
    Unit::new([Point::new(voltage).unwrap(), Point::new(state).unwrap()]).unwrap()
}

fn busy() -> Fault {
    let kind = RequestFault::Exception { code: ExceptionCode::ServerDeviceBusy }.into();
    Fault { kind, scope: Scope::default(), trigger: Trigger::default() }
}

/// Unit 1 is asked for holding register 4, and answers with so many bytes.
fn ask(simulator: &Simulator, length: usize) -> Vec<u8> {
    let mut client = TcpStream::connect(simulator.address()).unwrap();
    client.write_all(&[0, 7, 0, 0, 0, 6, 1, 3, 0, 4, 0, 1]).unwrap();
    let mut answer = vec![0; length];
    client.read_exact(&mut answer).unwrap();
    answer
}

fn is_write(asked: &Asked) -> bool {
    asked.request == Some(Request::WriteSingleRegister(4, 3))
}

#[test]
fn a_test_sets_points_and_sees_what_was_asked() {
    let simulator = Simulator::start([(1, meter())]).unwrap();
    let unit = simulator.unit(1).unwrap();
    unit.set("state", "running").unwrap();
    unit.set("voltage", 231.7).unwrap();
    assert_eq!(ask(&simulator, 11), [0, 7, 0, 0, 0, 5, 1, 3, 2, 0, 3]);
    assert_eq!(unit.value("voltage").unwrap(), Some(Value::Number("231.7".parse().unwrap())));
    let [asked] = &simulator.requests()[..] else { unreachable!("one request") };
    assert_eq!(asked.request, Some(Request::ReadHoldingRegisters(4, 1)));
    assert_eq!(asked.answer, Some(Ok(Response::ReadHoldingRegisters(vec![3]))));
    assert_eq!((asked.unit_id, asked.sent.len(), asked.faults.len()), (1, 11, 0));
    simulator.forget_requests();
    assert!(simulator.requests().is_empty());

    unit.add_fault(busy());
    assert_eq!(ask(&simulator, 9), [0, 7, 0, 0, 0, 3, 1, 0x83, 6]);
    let asked = &simulator.requests()[0];
    assert_eq!(asked.answer, Some(Err(ExceptionCode::ServerDeviceBusy)));
    assert_eq!(asked.faults[0].word(), "exception");
    unit.clear_faults();
    assert_eq!(ask(&simulator, 11)[7..], [3, 2, 0, 3]);
    assert_eq!((unit.statistics().requests, unit.statistics().faults), (3, 1));
}

#[test]
fn what_is_not_there_is_named() {
    let simulator =
        Simulator::start([(1, meter()), (2, Device::new(Image::new()).into())]).unwrap();
    let error = simulator.unit(7).unwrap_err().to_string();
    assert_eq!(error, "there is no unit 7; there is 1, 2");
    let unit = simulator.unit(1).unwrap();
    let error = unit.set("volts", 1).unwrap_err().to_string();
    assert_eq!(error, "there is no point volts; there is state, voltage");
    let error = simulator.unit(2).unwrap().value("volts").unwrap_err().to_string();
    assert_eq!(error, "there is no point volts; there is none");
    let error = unit.set("state", "flying").unwrap_err().to_string();
    assert!(error.starts_with("state cannot be flying: no label"), "{error}");
    // 0.05 V cannot be held, and is not rounded in silence.
    assert!(unit.set("voltage", 0.05).is_err());
    assert_eq!(unit.value("voltage").unwrap(), Some(Value::Number("0".parse().unwrap())));
}

#[test]
fn a_thread_waits_for_what_comes_and_says_what_did_not() {
    let simulator = Simulator::start([(1, meter())]).unwrap();
    let error = simulator.wait_for(Duration::from_millis(1), is_write).unwrap_err().to_string();
    assert_eq!(error, "no such request came within 1ms; others: 0");
    let address = simulator.address().to_owned();
    let client = std::thread::spawn(move || {
        let mut client = TcpStream::connect(address).unwrap();
        for frame in [[0, 1, 0, 0, 0, 6, 1, 4, 0, 0, 0, 1], [0, 2, 0, 0, 0, 6, 1, 6, 0, 4, 0, 3]] {
            client.write_all(&frame).unwrap();
        }
        client.read_exact(&mut [0; 23]).unwrap();
    });
    assert!(simulator.wait_for(PATIENCE, is_write).unwrap().answer.unwrap().is_ok());
    client.join().unwrap();
    assert_eq!(
        simulator.unit(1).unwrap().value("state").unwrap(),
        Some(Value::Text("running".into()))
    );
}

#[tokio::test]
async fn an_asynchronous_test_on_one_thread_waits_without_holding_its_client_up() {
    let simulator = Simulator::start([(1, meter())]).unwrap();
    let address = simulator.address().parse().unwrap();
    let client = tokio::spawn(async move {
        let mut client = tcp::connect_slave(address, Slave(1)).await.unwrap();
        client.write_single_register(4, 3).await.unwrap().unwrap();
        client.read_holding_registers(4, 1).await.unwrap().unwrap()
    });
    let asked = tokio::time::timeout(PATIENCE, simulator.asked(is_write)).await.unwrap();
    assert_eq!(asked.answer, Some(Ok(Response::WriteSingleRegister(4, 3))));
    assert_eq!(client.await.unwrap(), [3]);
    // Who blocks here is told.
    let error = simulator.wait_for(Duration::ZERO, |_| false).unwrap_err().to_string();
    assert!(error.contains("wait with `asked`"), "{error}");
}

#[test]
fn dropped_it_is_gone() {
    let simulator = Simulator::start([(1, meter())]).unwrap();
    let address = simulator.address().to_owned();
    let mut client = TcpStream::connect(&address).unwrap();
    drop(simulator);
    assert!(matches!(client.read(&mut [0; 1]), Ok(0) | Err(_)));
    assert!(TcpStream::connect(&address).is_err());
    // A port that is connected to may rest for a while; one that is not is free at once.
    let simulator = Simulator::start([(1, meter())]).unwrap();
    let address = simulator.address().to_owned();
    drop(simulator);
    TcpListener::bind(address).unwrap();
}

#[test]
fn silence_is_no_answer() {
    let simulator = Simulator::start([(1, meter())]).unwrap();
    let silent = Fault { kind: AnswerFault::Silent.into(), ..busy() };
    simulator.unit(1).unwrap().add_fault(silent);
    let mut client = TcpStream::connect(simulator.address()).unwrap();
    client.write_all(&[0, 7, 0, 0, 0, 6, 1, 3, 0, 4, 0, 1]).unwrap();
    let asked = simulator.wait_for(PATIENCE, |_| true).unwrap();
    assert_eq!((asked.answer, asked.sent), (None, vec![]));
}

#[cfg(unix)]
#[test]
fn other_lines_have_their_own_addresses() {
    let url = |place| Simulator::start_on(place, [(1, meter())]).map(|line| line.url().to_owned());
    assert!(url(Place::Tcp(Framing::Rtu)).unwrap().starts_with("rtu+tcp://127.0.0.1:"));
    assert!(url(Place::Udp).unwrap().starts_with("udp://127.0.0.1:"));
    assert!(url(Place::Pty(Framing::Ascii)).unwrap().starts_with("ascii:///dev/"));
    assert!(url(Place::Pty(Framing::Mbap)).unwrap_err().to_string().contains("RTU or ASCII"));
    let line = Simulator::start_on(Place::Pty(Framing::Rtu), [(1, meter())]).unwrap();
    let mut client =
        std::fs::OpenOptions::new().read(true).write(true).open(line.address()).unwrap();
    client.write_all(&[1, 3, 0, 4, 0, 1, 0xC5, 0xCB]).unwrap();
    let mut answer = [0; 7];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(answer[..5], [1, 3, 2, 0, 0]);
}
