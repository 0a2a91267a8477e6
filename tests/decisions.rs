//! Why the product does not lean on some libraries where one would expect it to: each test here
//! reproduces a library's fault, and fails the day the library is mended. The message then names
//! the decision to look at again.
//!
//! Nothing of Passline runs here. That the product has none of these faults is shown beside the
//! code that took the library's place.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::io;
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use junit_report::{Report, ReportBuilder, TestCase, TestCaseBuilder, TestSuiteBuilder};
use libtest_mimic::{Arguments, Trial};
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_modbus::bytes::Bytes;
use tokio_modbus::client::{Client as _, Context, Reader as _, rtu, tcp};
use tokio_modbus::server::{Service, tcp::Server};
use tokio_modbus::{Error, ExceptionCode, ProtocolError, Request, Response, Slave};

const WIRE: &str = "docs/decisions/0002-wire-layer.md";
const YAML: &str = "docs/decisions/0003-yaml.md";
const JUNIT: &str = "docs/decisions/0004-junit.md";
const DECIMALS: &str = "docs/decisions/0005-exact-decimals.md";
const HARNESS: &str = "docs/decisions/0007-test-harness.md";

/// Asserts that the library still has the fault that `decision` rests on.
#[track_caller]
fn still(faulty: bool, fault: &str, decision: &str) {
    assert!(faulty, "no longer so: {fault}. Good news: look again at {decision}");
}

#[test]
fn every_decision_named_here_is_written_down() {
    for decision in [WIRE, YAML, JUNIT, DECIMALS, HARNESS] {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(decision).is_file(), "{decision}");
    }
}

// --- tokio-modbus: the wire -----------------------------------------------------------------

/// A client's patience. Time is paused: it costs nothing, and passes only when all is idle.
const PATIENCE: Duration = Duration::from_secs(1);

/// Unit 1 answers a read of one holding register: 100, and 200.
const RTU_100: [u8; 7] = [0x01, 0x03, 0x02, 0x00, 0x64, 0xB9, 0xAF];
const RTU_200: [u8; 7] = [0x01, 0x03, 0x02, 0x00, 0xC8, 0xB9, 0xD2];

/// The same over TCP, for a client that numbers its transactions from 0.
const fn tcp_answer(transaction: u8, value: u8) -> [u8; 11] {
    [0x00, transaction, 0x00, 0x00, 0x00, 0x05, 0x01, 0x03, 0x02, 0x00, value]
}

fn rtu_pair() -> (Context, DuplexStream) {
    let (near, far) = duplex(256);
    (rtu::attach_slave(near, Slave(1)), far)
}

fn tcp_pair() -> (Context, DuplexStream) {
    let (near, far) = duplex(256);
    (tcp::attach_slave(near, Slave(1)), far)
}

type Read = Result<tokio_modbus::Result<Vec<u16>>, tokio::time::error::Elapsed>;

/// Reads `count` registers; the device waits for the request, then sends `answer`.
async fn read(client: &mut Context, device: &mut DuplexStream, count: u16, answer: &[u8]) -> Read {
    let (read, ()) =
        tokio::join!(timeout(PATIENCE, client.read_holding_registers(0, count)), async {
            let mut request = [0; 64];
            assert_ne!(device.read(&mut request).await.unwrap(), 0, "no request was sent");
            device.write_all(answer).await.unwrap();
        });
    read
}

#[tokio::test(start_paused = true)]
async fn the_answers_used_here_are_good_ones() {
    let (mut client, mut device) = rtu_pair();
    let over_rtu = read(&mut client, &mut device, 1, &RTU_100).await;
    assert!(matches!(over_rtu, Ok(Ok(Ok(ref words))) if words == &[100]));
    let over_rtu = read(&mut client, &mut device, 1, &RTU_200).await;
    assert!(matches!(over_rtu, Ok(Ok(Ok(ref words))) if words == &[200]));

    let (mut client, mut device) = tcp_pair();
    let over_tcp = read(&mut client, &mut device, 1, &tcp_answer(0, 100)).await;
    assert!(matches!(over_tcp, Ok(Ok(Ok(ref words))) if words == &[100]));
}

#[tokio::test(start_paused = true)]
async fn tokio_modbus_rtu_takes_a_late_answer_for_the_next_reads() {
    let (mut client, mut device) = rtu_pair();
    assert!(read(&mut client, &mut device, 1, &[]).await.is_err(), "a timeout comes first");
    device.write_all(&RTU_100).await.unwrap();

    let next = read(&mut client, &mut device, 1, &RTU_200).await;
    still(
        matches!(next, Ok(Ok(Ok(ref words))) if words == &[100]),
        "over RTU a late answer is returned as the value of the next read",
        WIRE,
    );
}

#[tokio::test(start_paused = true)]
async fn tokio_modbus_rtu_cannot_tell_noise_from_silence() {
    let (mut client, mut device) = rtu_pair();
    let mut damaged = RTU_100;
    damaged[4] ^= 0x01;

    let answer = read(&mut client, &mut device, 1, &damaged).await;
    still(answer.is_err(), "over RTU a bad checksum is seen as a timeout only", WIRE);
}

#[tokio::test(start_paused = true)]
async fn tokio_modbus_tcp_loses_the_read_after_a_late_answer() {
    let (mut client, mut device) = tcp_pair();
    assert!(read(&mut client, &mut device, 1, &[]).await.is_err(), "a timeout comes first");
    device.write_all(&tcp_answer(0, 100)).await.unwrap();

    let next = read(&mut client, &mut device, 1, &tcp_answer(1, 200)).await;
    still(
        matches!(next, Ok(Err(Error::Protocol(ProtocolError::HeaderMismatch { .. })))),
        "over TCP a late answer fails the next read, whose own answer was right",
        WIRE,
    );
}

#[tokio::test(start_paused = true)]
async fn tokio_modbus_tcp_is_lost_after_one_bad_frame() {
    let (mut client, mut device) = tcp_pair();
    let mut bad = tcp_answer(0, 100);
    bad[3] = 1;
    let refused = read(&mut client, &mut device, 1, &bad).await;
    assert!(matches!(refused, Ok(Err(_))), "protocol id 1 is refused, as it should be");

    let next = read(&mut client, &mut device, 1, &tcp_answer(1, 200)).await;
    still(
        !matches!(next, Ok(Ok(Ok(_)))),
        "over TCP a frame of another protocol id fails the read after it as well, \
         and the connection stays open",
        WIRE,
    );
}

#[tokio::test(start_paused = true)]
async fn tokio_modbus_does_not_count_the_registers_it_was_given() {
    let (mut client, mut device) = tcp_pair();
    let short = tcp_answer(0, 7);
    let (answer, sent) =
        tokio::join!(client.call(Request::ReadHoldingRegisters(0, 2)), device.write_all(&short));
    sent.unwrap();
    still(
        matches!(answer, Ok(Ok(Response::ReadHoldingRegisters(ref words))) if words == &[7]),
        "one register is accepted as the answer to a read of two",
        WIRE,
    );
}

/// The typed readers have a `debug_assert!` there: a device can stop a test program built for
/// debugging, and pass a wrong length in one built for release.
#[tokio::test(start_paused = true)]
async fn tokio_modbus_panics_on_a_short_answer_in_debug_builds() {
    let reader = tokio::spawn(async {
        let (mut client, mut device) = tcp_pair();
        read(&mut client, &mut device, 2, &tcp_answer(0, 7)).await
    });
    let outcome = match reader.await {
        Err(stopped) => cfg!(debug_assertions) && stopped.is_panic(),
        Ok(answer) => matches!(answer, Ok(Ok(Ok(ref words))) if words == &[7]),
    };
    still(outcome, "a short answer panics in debug builds and passes in release builds", WIRE);
}

/// `call` takes `&mut self` and answers once; only a client that can be cloned could have a
/// second request under way.
#[test]
fn tokio_modbus_has_one_request_in_flight_per_connection() {
    struct Probe<T>(std::marker::PhantomData<T>);
    trait Otherwise {
        const CLONE: bool = false;
    }
    impl<T> Otherwise for Probe<T> {}
    impl<T: Clone> Probe<T> {
        // Preferred over the trait's constant wherever it exists.
        const CLONE: bool = true;
    }
    const { assert!(Probe::<Slave>::CLONE, "the probe finds `Clone` where it is") };

    still(!Probe::<Context>::CLONE, "a client has one request in flight", WIRE);
}

/// Write eight coils.
const WRITE: [u8; 7] = [0x0F, 0x00, 0x00, 0x00, 0x08, 0x01, 0xFF];
/// Write 2000 coils, and bring the bits of eight: exception 3 is the answer to give.
const SHORT_WRITE: [u8; 7] = [0x0F, 0x00, 0x00, 0x07, 0xD0, 0x01, 0xFF];

#[test]
fn tokio_modbus_panics_while_it_decodes_a_malformed_request() {
    assert!(Request::try_from(Bytes::from_static(&WRITE)).is_ok());
    let decoded = catch_unwind(|| Request::try_from(Bytes::from_static(&SHORT_WRITE)));
    still(decoded.is_err(), "decoding a short write of coils panics", WIRE);
}

/// A device that acknowledges every write of coils.
struct Yes;

impl Service for Yes {
    type Request = Request<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = std::future::Ready<Result<Response, ExceptionCode>>;

    fn call(&self, _: Self::Request) -> Self::Future {
        std::future::ready(Ok(Response::WriteMultipleCoils(0, 0)))
    }
}

#[tokio::test]
async fn tokio_modbus_server_hangs_up_on_a_malformed_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let server = tokio::spawn(async move {
        let accept = |stream, _| async { Ok(Some((Yes, stream))) };
        Server::new(listener).serve(&accept, |_: io::Error| ()).await
    });
    for (transaction, pdu) in [(0, WRITE), (1, SHORT_WRITE)] {
        client.write_all(&[0, transaction, 0, 0, 0, 8, 1]).await.unwrap();
        client.write_all(&pdu).await.unwrap();
    }
    let mut answer = [0; 12];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer[7], 0x0F, "the good request is answered");

    let more = client.read(&mut answer).await;
    still(
        more.is_err() || more.is_ok_and(|bytes| bytes == 0),
        "the server hangs up where exception 3 is the answer",
        WIRE,
    );
    server.abort();
}

// --- serde_yaml: specs ----------------------------------------------------------------------

#[derive(Debug, Deserialize)]
struct Limit {
    min: u16,
    max: u16,
}

#[test]
fn serde_yaml_keeps_the_last_of_two_equal_keys() {
    let limits: BTreeMap<String, f64> = serde_yaml::from_str("max: 5\nmax: 5000").unwrap();
    still(limits.get("max") == Some(&5000.0), "the last of two equal keys wins, unsaid", YAML);
}

#[test]
fn serde_yaml_reads_null_as_text() {
    let text: Result<String, _> = serde_yaml::from_str("null");
    still(text.is_ok_and(|text| text == "null"), "null is read as the text \"null\"", YAML);
}

#[test]
fn serde_yaml_overlooks_a_tag() {
    let number: Result<u16, _> = serde_yaml::from_str("!percent 5");
    still(number.is_ok_and(|number| number == 5), "`!percent 5` is read as 5", YAML);
}

#[test]
fn serde_stops_at_the_first_error() {
    let two_faults = "min: low\nmax: high";
    let error = serde_yaml::from_str::<Limit>(two_faults).unwrap_err().to_string();
    still(
        error.contains("low") && !error.contains("high"),
        "of two faults in a spec only the first is told",
        YAML,
    );
}

/// Where a spec has variants serde needs `untagged` or `flatten`, and buffers the text: what
/// is wrong in line 3 is told of the whole.
#[test]
fn serde_forgets_the_place_inside_of_variants() {
    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    enum Step {
        #[expect(dead_code, reason = "read by the derive only")]
        Read { read: String, limit: Limit },
    }
    let faulty = "read: meter.voltage\nlimit:\n  min: low\n  max: 5\n";
    let plain: Result<BTreeMap<String, Limit>, _> = serde_yaml::from_str("a:\n  max: high\n");
    let place = plain.unwrap_err().location().unwrap();
    assert_eq!(place.line(), 2, "elsewhere the place is told");

    let error = serde_yaml::from_str::<Step>(faulty).unwrap_err();
    still(
        error.location().is_none_or(|place| place.line() != 3),
        "the place of a fault inside of a variant is lost",
        YAML,
    );
}

/// That `min` is above `max` shows when both are read, and neither tells then where it stood.
#[test]
fn serde_yaml_tells_no_place_of_a_value_that_was_read() {
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "Limit")]
    struct Ordered;
    impl TryFrom<Limit> for Ordered {
        type Error = &'static str;
        fn try_from(limit: Limit) -> Result<Self, Self::Error> {
            (limit.min <= limit.max).then_some(Self).ok_or("`min` is above `max`")
        }
    }
    let error = serde_yaml::from_str::<Vec<Ordered>>("- max: 5\n  min: 6\n").unwrap_err();
    assert!(error.to_string().contains("above"), "{error}");
    still(
        error.location().is_none_or(|place| place.line() != 2),
        "a finding about values cannot point at them",
        YAML,
    );
}

#[test]
fn yaml_numbers_become_binary_fractions() {
    let number = |text| serde_yaml::from_str::<serde_yaml::Value>(text).unwrap();
    let sum = number("0.1").as_f64().unwrap() + number("0.2").as_f64().unwrap();
    still(
        sum > number("0.3").as_f64().unwrap(),
        "0.1 and 0.2 of a YAML file add up to more than its 0.3",
        DECIMALS,
    );
    still(
        number("1234567890.1234567891") == number("1234567890.1234567"),
        "digits of a decimal limit are dropped while it is read",
        DECIMALS,
    );
}

// --- junit-report: reports ------------------------------------------------------------------

fn xml(case: TestCase) -> String {
    let suite = TestSuiteBuilder::new("suite").add_testcase(case).build();
    let report: Report = ReportBuilder::new().add_testsuite(suite).build();
    let mut xml = Vec::new();
    report.write_xml(&mut xml).unwrap();
    String::from_utf8(xml).unwrap()
}

fn said(output: &str) -> String {
    let mut case = TestCaseBuilder::success("case", junit_report::Duration::ZERO);
    xml(case.set_system_out(output).build())
}

#[test]
fn junit_report_writes_what_no_xml_parser_reads() {
    assert!(roxmltree::Document::parse(&said("plain")).is_ok(), "plain text is fine");
    for (text, what) in [("a ]]> b", "`]]>`"), ("\u{1b}[31mred", "a control character")] {
        let read = roxmltree::Document::parse(&said(text)).map(|_| ());
        still(read.is_err(), &format!("{what} in an output makes the report malformed"), JUNIT);
    }
}

#[test]
fn junit_report_knows_no_properties() {
    // A field for them would have to stand in the debug form: all fields are public.
    let case = TestCase::success("case", junit_report::Duration::ZERO);
    let suite = TestSuiteBuilder::new("suite").build();
    let fields = format!("{case:?} {suite:?}");
    still(!fields.contains("propert"), "neither a case nor a suite has properties", JUNIT);
    still(!fields.contains("flaky"), "a case cannot keep its failed attempts", JUNIT);
}

#[test]
fn junit_report_writes_the_noise_of_binary_fractions() {
    let noisy = (1..10_000).map(junit_report::Duration::milliseconds).find(|time| {
        let report = xml(TestCase::success("case", *time));
        let report = roxmltree::Document::parse(&report).unwrap();
        report
            .descendants()
            .filter_map(|node| node.attribute("time"))
            .any(|time| time.split_once('.').is_some_and(|(_, digits)| digits.len() > 3))
    });
    still(noisy.is_some(), "whole milliseconds are written with more than three digits", JUNIT);
}

// --- libtest-mimic: specs under `cargo test` -------------------------------------------------

/// Runs one trial on `threads` threads; whether it came to its end within the time given.
fn ends(threads: usize, patience: Duration) -> bool {
    let scratch = tempfile::tempdir().unwrap();
    let arguments = Arguments {
        test_threads: Some(threads),
        logfile: scratch.path().join("log").to_str().map(str::to_owned),
        ..Arguments::default()
    };
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let conclusion = libtest_mimic::run(&arguments, vec![Trial::test("trial", || Ok(()))]);
        done.send(conclusion.num_passed)
    });
    ended.recv_timeout(patience) == Ok(1)
}

/// A hang can only be waited for. Should the machine be too slow for the second given here, the
/// mended library is noticed a run later; the fault is never seen where there is none.
#[test]
fn libtest_mimic_with_no_threads_never_ends() {
    assert!(ends(2, Duration::MAX), "with two threads the trial ends");
    still(!ends(0, Duration::from_secs(1)), "`--test-threads 0` waits for ever", HARNESS);
}
