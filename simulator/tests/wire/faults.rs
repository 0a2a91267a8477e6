//! Faults as they show on the wire, under paused time: a delay is measured exactly.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use passline_modbus::pdu::ExceptionCode;
use passline_modbus::point::{Span, Table};
use passline_simulator::device::{Device, Statistics};
use passline_simulator::endpoint::Endpoint;
use passline_simulator::fault::{
    AnswerFault, Fault, FrameFault, Kind, Probability, RequestFault, Scope, Seed, Trigger,
};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep_until, timeout};

use crate::support::{ask, frame, hex, image, line, receive};

const DELAY: Duration = Duration::from_millis(250);
const SILENT: Kind = Kind::Answer(AnswerFault::Silent);
const SECOND: Duration = Duration::from_secs(1);

fn seed() -> Seed {
    Seed::of_device(7, "meter")
}

fn fault(kind: Kind) -> Fault {
    Fault { kind, scope: Scope::default(), trigger: Trigger::default() }
}

fn busy() -> Kind {
    RequestFault::Exception { code: ExceptionCode::ServerDeviceBusy }.into()
}

fn delayed(by: Duration) -> Kind {
    FrameFault::Delay { by }.into()
}

fn faulty(faults: impl IntoIterator<Item = Fault>) -> Endpoint {
    line(Device::new(image()).with_faults(faults, seed()))
}

/// What came of one request: the answer and how long it took, or nothing within half a second.
async fn outcome(client: &mut DuplexStream, pdu: &[u8]) -> Option<(Duration, Vec<u8>)> {
    let asked = Instant::now();
    let answer = timeout(SECOND / 2, ask(client, pdu)).await.ok()?;
    Some((asked.elapsed(), answer))
}

/// Sends the request at every full second and marks each with an `X` if `kind` shows, with a `.`
/// if the answer is the one of a sound device. Anything else fails.
async fn pattern(line: &Endpoint, kind: &Kind, (request, sound): (&str, &str)) -> String {
    let (request, sound) = (hex(request), hex(sound));
    let exception = vec![request[0] | 0x80, 6];
    let shown = match kind {
        Kind::Request(_) => Some((Duration::ZERO, exception)),
        Kind::Frame(FrameFault::Delay { by }) => Some((*by, sound.clone())),
        _ => None,
    };
    let mut client = line.connect();
    let start = Instant::now();
    let mut marks = String::new();
    for second in 0..8 {
        sleep_until(start + second * SECOND).await;
        let seen = outcome(&mut client, &request).await;
        marks.push(match seen {
            seen if seen == shown => 'X',
            seen if seen == Some((Duration::ZERO, sound.clone())) => '.',
            seen => panic!("request {second} under {kind:?}: {seen:02X?}"),
        });
    }
    marks
}

fn kinds() -> [Kind; 3] {
    [SILENT, busy(), delayed(DELAY)]
}

fn scopes() -> [(&'static str, Scope); 5] {
    let none = Scope::default();
    [
        ("default", none),
        ("span", Scope { span: Span::new(Table::Holding, 4, 2), ..none }),
        ("start", Scope { start: Some(3), ..none }),
        ("function", Scope { function: Some(3), ..none }),
        ("unit id", Scope { unit_id: Some(1), ..none }),
    ]
}

/// A request of two registers in each of these scopes, and its answer.
const IN_SCOPE: (&str, &str) = ("03 0003 0002", "03 04 0103 0104");

fn triggers() -> [(&'static str, Trigger); 11] {
    let none = Trigger::default();
    let seconds = |count| Some(count * SECOND);
    [
        ("XXXXXXXX", none),
        ("XX......", Trigger { first: Some(2), ..none }),
        ("...XXXXX", Trigger { after: Some(3), ..none }),
        ("..X..X..", Trigger { every: NonZeroU64::new(3), ..none }),
        ("........", Trigger { probability: Probability::new(0.0), ..none }),
        ("XXXXXXXX", Trigger { probability: Probability::new(1.0), ..none }),
        ("...XXXXX", Trigger { from: seconds(3), ..none }),
        ("XXX.....", Trigger { until: seconds(3), ..none }),
        ("..XX....", Trigger { after: Some(2), first: Some(4), ..none }),
        (
            "...X.X..",
            Trigger { after: Some(2), every: NonZeroU64::new(2), until: seconds(7), ..none },
        ),
        ("........", Trigger { first: Some(2), from: seconds(3), ..none }),
    ]
}

#[tokio::test(start_paused = true)]
async fn every_kind_in_every_scope_shows_when_its_trigger_says() {
    for kind in kinds() {
        for (name, scope) in scopes() {
            for (expected, trigger) in triggers() {
                let line = faulty([Fault { kind: kind.clone(), scope, trigger }]);
                let marks = pattern(&line, &kind, IN_SCOPE).await;
                assert_eq!(marks, expected, "{kind:?} in scope {name} with {trigger:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn requests_out_of_scope_are_answered_and_not_counted() {
    let first = Trigger { first: Some(1), ..Trigger::default() };
    let elsewhere = [
        // None of the scopes but the default one is about these.
        ("span", ("03 0006 0002", "03 04 0106 0107")),
        ("span", ("03 0002 0002", "03 04 0102 0103")),
        ("span", ("01 0004 0002", "01 01 01")),
        ("start", ("03 0002 0003", "03 06 0102 0103 0104")),
        ("function", ("06 0003 0103", "06 0003 0103")),
    ];
    for (name, scope) in scopes() {
        for (_, exchange) in elsewhere.iter().filter(|(other, _)| *other == name) {
            let line = faulty([Fault { kind: SILENT, scope, trigger: first }]);
            let marks = pattern(&line, &SILENT, *exchange).await;
            assert_eq!(marks, "........", "{name}: {}", exchange.0);
            let marks = pattern(&line, &SILENT, IN_SCOPE).await;
            assert_eq!(marks, "X.......", "{name}");
        }
    }
    let scope = Scope { unit_id: Some(2), ..Scope::default() };
    let line = faulty([Fault { kind: SILENT, scope, trigger: first }]);
    assert_eq!(pattern(&line, &SILENT, IN_SCOPE).await, "........");
}

#[tokio::test(start_paused = true)]
async fn all_that_a_scope_gives_has_to_hold() {
    let scope = Scope {
        span: Span::new(Table::Holding, 4, 1),
        beyond: None,
        start: Some(4),
        more_than: None,
        function: Some(6),
        unit_id: Some(1),
    };
    let line = faulty([Fault { scope, ..fault(SILENT) }]);
    let mut client = line.connect();
    for answered in ["03 0004 0001", "06 0003 0000", "05 0004 0000"] {
        assert!(outcome(&mut client, &hex(answered)).await.is_some(), "{answered}");
    }
    assert_eq!(outcome(&mut client, &hex("06 0004 0000")).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_span_is_touched_by_every_function_that_reaches_it() {
    let silent_at = |table, start| {
        let scope = Scope { span: Span::new(table, start, 1), ..Scope::default() };
        faulty([Fault { scope, ..fault(SILENT) }])
    };
    for (table, address, requests) in [
        (Table::Coil, 4, &["01 0000 0005", "05 0004 FF00", "0F 0003 0002 01 03"][..]),
        (Table::Discrete, 20, &["02 0010 0008"]),
        (Table::Input, 102, &["04 0064 0003"]),
        (
            Table::Holding,
            4,
            &[
                "03 0000 0005",
                "06 0004 0000",
                "10 0003 0002 04 0000 0000",
                "16 0004 0000 0000",
                "17 0004 0001 0009 0001 02 0000",
                "17 0009 0001 0003 0002 04 0000 0000",
                // Refused by a sound device, and touching it all the same.
                "03 0000 0014",
            ],
        ),
        (Table::Holding, 65535, &["03 FFFF 0002"]),
    ] {
        for request in requests {
            let line = silent_at(table, address);
            assert_eq!(outcome(&mut line.connect(), &hex(request)).await, None, "{request}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_none_has_a_function_and_no_address() {
    let short = hex("03 0004");
    let scope = Scope { function: Some(3), ..Scope::default() };
    let line = faulty([Fault { scope, ..fault(busy()) }]);
    assert_eq!(ask(&mut line.connect(), &short).await, hex("83 06"));
    let scope = Scope { span: Span::new(Table::Holding, 4, 1), ..Scope::default() };
    let line = faulty([Fault { scope, ..fault(busy()) }]);
    assert_eq!(ask(&mut line.connect(), &short).await, hex("83 03"));
}

#[tokio::test(start_paused = true)]
async fn faults_compose_in_their_order() {
    let delay = |millis| fault(delayed(Duration::from_millis(millis)));
    let exception = |code| fault(RequestFault::Exception { code }.into());
    let failed = || exception(ExceptionCode::ServerDeviceFailure);
    let exceeded = || fault(delayed(Duration::MAX));
    let answer = |millis, pdu| Some((Duration::from_millis(millis), hex(pdu)));
    for (faults, expected) in [
        (vec![delay(100), delay(250)], answer(350, IN_SCOPE.1)),
        (vec![fault(busy()), failed()], answer(0, "83 06")),
        (vec![failed(), fault(busy())], answer(0, "83 04")),
        (vec![delay(100), fault(busy())], answer(100, "83 06")),
        (vec![exception(ExceptionCode::Custom(0x99))], answer(0, "83 99")),
        (vec![fault(SILENT), fault(busy()), delay(1)], None),
        (vec![fault(busy()), fault(SILENT)], None),
        (vec![exceeded(), exceeded()], None),
    ] {
        let line = faulty(faults.clone());
        let seen = outcome(&mut line.connect(), &hex(IN_SCOPE.0)).await;
        assert_eq!(seen, expected, "{faults:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_an_injected_exception_keeps_a_write_from_being_done() {
    let read = Span::new(Table::Holding, 4, 1).unwrap();
    for (kind, stored) in kinds().into_iter().zip([0xAAAA, 0x0104, 0xAAAA]) {
        let line = faulty([fault(kind.clone())]);
        let mut client = line.connect();
        client.write_all(&frame(1, 1, &hex("06 0004 AAAA"))).await.unwrap();
        // Long before a delayed answer: what is delayed is the answer alone.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let words = line.with_device(1, |device| device.image().words(read).map(<[u16]>::to_vec));
        assert_eq!(words, Some(Some(vec![stored])), "{kind:?}");
    }
}

/// A device called `name` in run `run`: which of 8 requests its fault shows at, at even odds,
/// while `others` requests go to another unit between two of them.
async fn drawn(run: u64, name: &str, others: usize) -> String {
    let even = Trigger { probability: Probability::new(0.5), ..Trigger::default() };
    let device = |name| {
        let faults = [Fault { trigger: even, ..fault(busy()) }];
        Device::new(image()).with_faults(faults, Seed::of_device(run, name))
    };
    let devices = BTreeMap::from([(1, device(name)), (2, device("other"))]);
    let line = Endpoint::new(devices, Instant::now());
    let (mut client, mut marks) = (line.connect(), String::new());
    for _ in 0..8 {
        let is_busy = ask(&mut client, &hex(IN_SCOPE.0)).await == hex("83 06");
        marks.push(if is_busy { 'X' } else { '.' });
        for _ in 0..others {
            client.write_all(&frame(9, 2, &hex(IN_SCOPE.0))).await.unwrap();
            assert_eq!(receive(&mut client).await.unwrap().1, 2);
        }
    }
    marks
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_decides_the_same_whatever_other_devices_do() {
    // Frozen: a change of the generator changes the faults of every recorded run.
    assert_eq!(drawn(7, "meter", 0).await, ".X.XXX..");
    assert_eq!(drawn(7, "meter", 3).await, drawn(7, "meter", 0).await);
    assert_ne!(drawn(8, "meter", 0).await, drawn(7, "meter", 0).await);
    assert_ne!(drawn(7, "drive", 0).await, drawn(7, "meter", 0).await);
}

#[test]
fn a_probability_is_from_0_to_1() {
    for probability in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!(Probability::new(probability), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_counts_what_it_was_asked_and_answered() {
    let first = Trigger { first: Some(1), ..Trigger::default() };
    let faults = [
        Fault { trigger: first, ..fault(SILENT) },
        Fault { trigger: first, ..fault(delayed(DELAY)) },
    ];
    let line = faulty(faults);
    let mut client = line.connect();
    for request in ["03 0000 0001", "03 0000 0001", "03 1000 0001", "63"] {
        outcome(&mut client, &hex(request)).await;
    }
    let statistics = line.with_device(1, |device| device.statistics());
    let expected = Statistics { requests: 4, answers: 3, exceptions: 2, faults: 2 };
    assert_eq!(statistics, Some(expected));
}
