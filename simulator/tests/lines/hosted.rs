//! Devices that somebody else answers for: a service of tokio-modbus on every kind of line, what our
//! faults do to its answers, and what becomes of others while it is slow, silent or broken.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use passline_modbus::framing::Framing;
use passline_modbus::pdu::{ExceptionCode, Request, Response};
use passline_simulator::device::Device;
use passline_simulator::endpoint::{Endpoint, Event, Listener, What, Wire};
use passline_simulator::fault::{
    AnswerFault, Fault, FrameFault, HeaderFault, Kind, RequestFault, Scope, Seed, Trigger,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_modbus::client::{Reader, Writer, tcp};
use tokio_modbus::server::Service;
use tokio_modbus::{Slave, SlaveRequest};

use crate::support::{PATIENCE, READ, ascii, device, mbap, rtu, take, value};

/// Ten registers, and addresses at which it behaves as services should not.
#[derive(Default)]
struct Registers {
    words: Arc<Mutex<[u16; 10]>>,
    /// Unit ids and requests, in the order in which it was asked.
    asked: Arc<Mutex<Vec<(u8, Request<'static>)>>>,
    gate: Arc<Notify>,
}

const SILENT: u16 = 100;
const PANICS: u16 = 101;
const SLOW: u16 = 102;
const WRONG: u16 = 103;

impl Service for Registers {
    type Request = SlaveRequest<'static>;
    type Response = Option<Response>;
    type Exception = ExceptionCode;
    type Future = Pin<Box<dyn Future<Output = Result<Option<Response>, ExceptionCode>> + Send>>;

    fn call(&self, asked: SlaveRequest<'static>) -> Self::Future {
        self.asked.lock().unwrap().push((asked.slave, asked.request.clone()));
        let (words, gate) = (Arc::clone(&self.words), Arc::clone(&self.gate));
        Box::pin(async move {
            let answer = match asked.request {
                Request::ReadHoldingRegisters(SILENT, _) => return Ok(None),
                Request::ReadHoldingRegisters(PANICS, _) => unreachable!("as services should not"),
                Request::ReadHoldingRegisters(SLOW, _) => {
                    gate.notified().await;
                    Response::ReadHoldingRegisters(vec![0x510])
                }
                Request::ReadHoldingRegisters(WRONG, _) => Response::ReadCoils(vec![true]),
                Request::ReadHoldingRegisters(start, count) => {
                    let (start, count) = (usize::from(start), usize::from(count));
                    let read = words.lock().unwrap().get(start..start + count).map(<[u16]>::to_vec);
                    Response::ReadHoldingRegisters(read.ok_or(ExceptionCode::IllegalDataAddress)?)
                }
                Request::WriteSingleRegister(address, word) => {
                    words.lock().unwrap()[usize::from(address)] = word;
                    Response::WriteSingleRegister(address, word)
                }
                _ => return Err(ExceptionCode::IllegalFunction),
            };
            Ok(Some(answer))
        })
    }
}

fn fault(kind: impl Into<Kind>, trigger: Trigger) -> Fault {
    Fault { kind: kind.into(), scope: Scope::default(), trigger }
}

fn first() -> Trigger {
    Trigger { first: Some(1), ..Trigger::default() }
}

/// The service as unit 7, beside a device of ours as unit 1.
fn line(service: Registers, faults: &[Fault]) -> Endpoint {
    let hosting = Device::hosting(service);
    let hosting = hosting.with_faults(faults.iter().cloned(), Seed::of_device(0, "hosted"));
    Endpoint::new(BTreeMap::from([(1, device(1, &[])), (7, hosting)]), Instant::now())
}

async fn serve(line: &Endpoint) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(line.serve(listener, pending()));
    address
}

fn read(address: u16) -> [u8; 5] {
    let [high, low] = address.to_be_bytes();
    [3, high, low, 0, 1]
}

#[tokio::test]
async fn a_client_of_others_talks_to_a_service_of_others() {
    let service = Registers::default();
    let asked = Arc::clone(&service.asked);
    let line = line(service, &[]);
    let mut client = tcp::connect_slave(serve(&line).await, Slave(7)).await.unwrap();
    client.write_single_register(3, 0xAA55).await.unwrap().unwrap();
    assert_eq!(client.read_holding_registers(2, 2).await.unwrap().unwrap(), [0, 0xAA55]);
    let refused = client.read_holding_registers(9, 2).await.unwrap();
    assert_eq!(refused, Err(ExceptionCode::IllegalDataAddress));
    assert_eq!(client.read_coils(0, 1).await.unwrap(), Err(ExceptionCode::IllegalFunction));
    let asked = asked.lock().unwrap();
    assert_eq!(asked[0], (7, Request::WriteSingleRegister(3, 0xAA55)));
    let counted = line.with_device(7, |device| device.statistics()).unwrap();
    assert_eq!((counted.requests, counted.answers, counted.exceptions), (4, 4, 2));
}

#[tokio::test]
async fn faults_deform_what_a_service_says() {
    let service = Registers::default();
    let (words, asked) = (Arc::clone(&service.words), Arc::clone(&service.asked));
    let line = line(service, &[]);
    let mut client = TcpStream::connect(serve(&line).await).await.unwrap();
    let mut ask = async |fault_kind: Kind, pdu: &[u8], length: usize| {
        let shown = fault(fault_kind, first());
        line.with_device(7, |device| device.add_fault(shown, Seed::of_device(0, "hosted")));
        client.write_all(&mbap(9, 7, pdu)).await.unwrap();
        let answer = take(&mut client, length).await;
        line.with_device(7, Device::clear_faults);
        answer
    };
    let busy = RequestFault::Exception { code: ExceptionCode::ServerDeviceBusy };
    assert_eq!(ask(busy.into(), &READ, 9).await, mbap(9, 7, &[0x83, 6]));
    assert!(asked.lock().unwrap().is_empty(), "what is refused is not asked for");
    let write = [6, 0, 0, 0, 9];
    assert_eq!(ask(RequestFault::NotStored.into(), &write, 12).await, mbap(9, 7, &write));
    assert_eq!((words.lock().unwrap()[0], asked.lock().unwrap().len()), (0, 0));
    words.lock().unwrap()[0] = 0x0102;
    let flipped = AnswerFault::BitFlip { bit: Some(0) };
    assert_eq!(ask(flipped.into(), &READ, 11).await, mbap(9, 7, &[3, 2, 1, 3]));
    let unit = HeaderFault::UnitId { id: 8 };
    assert_eq!(ask(unit.into(), &READ, 11).await, mbap(9, 8, &[3, 2, 1, 2]));
    let sent = Instant::now();
    let late = FrameFault::Delay { by: Duration::from_millis(40) };
    assert_eq!(ask(late.into(), &READ, 11).await, mbap(9, 7, &[3, 2, 1, 2]));
    assert!(sent.elapsed() >= Duration::from_millis(40));
}

#[tokio::test]
async fn who_says_nothing_panics_or_talks_of_something_else_harms_nobody() {
    let line = line(Registers::default(), &[]);
    let mut client = TcpStream::connect(serve(&line).await).await.unwrap();
    let failed = [0x83, 4];
    for (number, address) in (1..).zip([PANICS, WRONG, PANICS]) {
        client.write_all(&mbap(number, 7, &read(address))).await.unwrap();
        assert_eq!(take(&mut client, 9).await, mbap(number, 7, &failed));
    }
    client.write_all(&mbap(4, 7, &read(SILENT))).await.unwrap();
    client.write_all(&mbap(5, 1, &READ)).await.unwrap();
    assert_eq!(take(&mut client, 11).await, mbap(5, 1, &value(1)));
    client.write_all(&mbap(6, 7, &READ)).await.unwrap();
    assert_eq!(take(&mut client, 11).await, mbap(6, 7, &[3, 2, 0, 0]));
}

#[tokio::test]
async fn a_slow_service_is_asked_in_order_and_holds_up_nobody_else() {
    let service = Registers::default();
    let gate = Arc::clone(&service.gate);
    let line = line(service, &[]);
    let mut client = TcpStream::connect(serve(&line).await).await.unwrap();
    let mut batch = mbap(1, 7, &read(SLOW));
    batch.extend(mbap(2, 7, &[6, 0, 0, 0, 9]));
    batch.extend(mbap(3, 7, &READ));
    batch.extend(mbap(4, 1, &READ));
    client.write_all(&batch).await.unwrap();
    assert_eq!(take(&mut client, 11).await, mbap(4, 1, &value(1)));
    // Another connection is not held up either, and what it asks is not what waits.
    let mut other = tcp::connect_slave(serve(&line).await, Slave(7)).await.unwrap();
    assert_eq!(other.read_holding_registers(0, 1).await.unwrap().unwrap(), [0]);
    gate.notify_one();
    assert_eq!(take(&mut client, 11).await, mbap(1, 7, &[3, 2, 5, 0x10]));
    assert_eq!(take(&mut client, 12).await, mbap(2, 7, &[6, 0, 0, 0, 9]));
    assert_eq!(take(&mut client, 11).await, mbap(3, 7, &[3, 2, 0, 9]));
}

#[tokio::test]
async fn what_comes_while_a_service_works_overlaps() {
    let service = Registers::default();
    let gate = Arc::clone(&service.gate);
    let one_at_a_time = fault(RequestFault::OneInFlight, Trigger::default());
    let line = line(service, &[one_at_a_time]);
    let mut client = TcpStream::connect(serve(&line).await).await.unwrap();
    let batch = [mbap(1, 7, &read(SLOW)), mbap(2, 7, &READ)].concat();
    client.write_all(&batch).await.unwrap();
    let requests = || line.with_device(7, |device| device.statistics().requests);
    while requests() < Some(2) {
        tokio::task::yield_now().await;
    }
    gate.notify_one();
    assert_eq!(take(&mut client, 11).await, mbap(1, 7, &[3, 2, 5, 0x10]));
    client.write_all(&mbap(3, 7, &READ)).await.unwrap();
    assert_eq!(take(&mut client, 11).await, mbap(3, 7, &[3, 2, 0, 0]));
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_request_with_it() {
    let service = Registers::default();
    let gate = Arc::clone(&service.gate);
    let line = line(service, &[]);
    let address = serve(&line).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(&mbap(1, 7, &read(SLOW))).await.unwrap();
    while Arc::strong_count(&gate) < 3 {
        tokio::task::yield_now().await;
    }
    drop(client);
    let gone = async {
        while Arc::strong_count(&gate) > 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.unwrap();
}

#[tokio::test]
async fn serial_frames_and_datagrams_reach_a_service_as_well() {
    let service = Registers::default();
    let asked = Arc::clone(&service.asked);
    let line = line(service, &[fault(HeaderFault::Checksum, first())]);
    let mut bus = line.connect_by(Wire::instant(Framing::Rtu));
    let sound = rtu(7, &[3, 2, 0, 0]);
    bus.write_all(&rtu(7, &READ)).await.unwrap();
    let broken = take(&mut bus, sound.len()).await;
    assert!(broken[..5] == sound[..5] && broken != sound, "{broken:?}");
    // All are told, and nobody answers; what is asked next is asked afterwards.
    bus.write_all(&[rtu(0, &[6, 0, 0, 0, 9]), rtu(7, &READ)].concat()).await.unwrap();
    assert_eq!(take(&mut bus, 7).await, rtu(7, &[3, 2, 0, 9]));
    assert_eq!(asked.lock().unwrap()[1], (0, Request::WriteSingleRegister(0, 9)));
    bus.write_all(&rtu(1, &READ)).await.unwrap();
    assert_eq!(take(&mut bus, 7).await, rtu(1, &[3, 2, 0, 9]));

    let mut text = line.connect_by(Wire::instant(Framing::Ascii));
    let answer = ascii(7, &[3, 2, 0, 9]);
    text.write_all(&ascii(7, &READ)).await.unwrap();
    assert_eq!(take(&mut text, answer.len()).await, answer);

    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client.connect(server.local_addr().unwrap()).await.unwrap();
    tokio::spawn(line.serve(Listener::Udp(server), pending()));
    client.send(&mbap(8, 7, &READ)).await.unwrap();
    let mut answer = [0; 64];
    let count = timeout(PATIENCE, client.recv(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer[..count], mbap(8, 7, &[3, 2, 0, 9]));
}

#[cfg(unix)]
#[tokio::test]
async fn a_bus_goes_on_while_a_service_hangs() {
    let pty = passline_simulator::endpoint::Pty::new().unwrap();
    let path = pty.path().to_owned();
    let line = line(Registers::default(), &[]);
    tokio::spawn(line.serve(Listener::Pty(pty, Wire::instant(Framing::Rtu)), pending()));
    let port = tokio_serial::new(path.to_str().unwrap(), 115_200);
    let mut client = tokio_serial::SerialStream::open(&port).unwrap();
    // Far more than a device can have to do.
    for _ in 0..300 {
        client.write_all(&rtu(7, &read(SLOW))).await.unwrap();
        client.write_all(&rtu(1, &READ)).await.unwrap();
        assert_eq!(take(&mut client, 7).await, rtu(1, &value(1)));
    }
}

#[tokio::test]
async fn a_function_is_a_device_and_whoever_watches_sees_its_answers() {
    let (told, seen) = std::sync::mpsc::channel();
    let echo = Device::answering(|unit_id, request| async move {
        tokio::task::yield_now().await;
        match request {
            Request::ReadInputRegisters(start, 1) => {
                Some(Ok(Response::ReadInputRegisters(vec![start + u16::from(unit_id)])))
            }
            _ => Some(Err(ExceptionCode::IllegalFunction)),
        }
    });
    let observe = move |event: &Event<'_>| {
        if let What::Transaction(transaction) = event.what {
            let pieces = transaction.transmission().pieces.into_iter();
            told.send(pieces.flat_map(|piece| piece.bytes).collect::<Vec<u8>>()).unwrap();
        }
    };
    let line = Endpoint::observed(BTreeMap::from([(5, echo)]), Instant::now(), observe);
    let mut client = line.connect();
    client.write_all(&mbap(1, 5, &[4, 0, 0x10, 0, 1])).await.unwrap();
    let mut answer = [0; 11];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer[..], mbap(1, 5, &[4, 2, 0, 0x15]));
    assert_eq!(seen.recv().unwrap(), answer);
}
