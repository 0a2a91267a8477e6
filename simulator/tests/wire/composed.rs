//! Faults of any kinds together: nothing they do stops a device, and what they draw is the seed's.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use passline_modbus::framing::Framing;
use passline_modbus::pdu::ExceptionCode;
use passline_modbus::point::{Span, Table};
use passline_simulator::device::Device;
use passline_simulator::endpoint::{Endpoint, Wire};
use passline_simulator::fault::{
    AnswerFault as A, Arrival, Fault, FrameFault as F, HeaderFault as H, Kind, Length, Noise,
    Probability, Reaction, Received, RequestFault as R, Scope, Seed, Sent, TransactionId, Trigger,
};
use passline_simulator::image::Image;
use proptest::prelude::*;
use proptest::sample::select;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use crate::support::image;

fn noise() -> impl Strategy<Value = Noise> {
    prop_oneof![
        any::<u16>().prop_map(|count| Noise::Drawn(count % 300)),
        prop::collection::vec(any::<u8>(), 0..30).prop_map(|bytes| Noise::Given(bytes.into())),
    ]
}

fn of_request() -> impl Strategy<Value = Kind> {
    let by = any::<u32>().prop_map(|millis| Duration::from_millis(millis.into()));
    prop_oneof![
        any::<u8>().prop_map(|code| R::Exception { code: ExceptionCode::new(code) }),
        Just(R::NotStored),
        by.clone().prop_map(|by| R::Pause { by }),
        by.prop_map(|by| R::PauseAfterConnect { by }),
        Just(R::OneInFlight),
    ]
    .prop_map(Kind::from)
}

fn of_answer() -> impl Strategy<Value = Kind> {
    let mut cells = Image::new();
    cells.set_words(Table::Holding, 2, &[0x7FC0, 0]).unwrap();
    cells.set_bits(Table::Coil, 3, &[true]).unwrap();
    prop_oneof![
        select(vec![A::Silent, A::Function, A::Stale, A::Frozen, A::OldEcho]),
        any::<i8>().prop_map(|add| A::ByteCount { add }),
        any::<i8>().prop_map(|add| A::Registers { add }),
        any::<Option<u8>>().prop_map(|bit| A::BitFlip { bit }),
        Just(A::Value { cells: Arc::new(cells) }),
    ]
    .prop_map(Kind::from)
}

fn of_header() -> impl Strategy<Value = Kind> {
    let ids = vec![TransactionId::Next, TransactionId::Swapped, TransactionId::Counted];
    prop_oneof![
        select(ids).prop_map(H::TransactionId),
        any::<u16>().prop_map(|id| H::TransactionId(TransactionId::Fixed(id))),
        any::<u8>().prop_map(|id| H::UnitId { id }),
        any::<u16>().prop_map(|id| H::ProtocolId { id }),
        any::<i16>().prop_map(|add| H::Length(Length::Add(add))),
        any::<u16>().prop_map(|length| H::Length(Length::Fixed(length))),
        Just(H::Checksum),
    ]
    .prop_map(Kind::from)
}

fn of_frame() -> impl Strategy<Value = Kind> {
    let by = || any::<u64>().prop_map(Duration::from_millis);
    let sent = || prop_oneof![Just(Sent::All), any::<u16>().prop_map(Sent::Bytes)];
    let plain = vec![
        F::NoSilence,
        F::Collision,
        F::Echo,
        F::Unsolicited,
        F::Duplicate,
        F::Together,
        F::Reorder,
    ];
    prop_oneof![
        select(plain),
        by().prop_map(|by| F::Delay { by }),
        by().prop_map(|by| F::Jitter { by }),
        (any::<Option<u16>>(), by()).prop_map(|(at, by)| F::Gap { at, by }),
        by().prop_map(|by| F::Trickle { by }),
        any::<u16>().prop_map(|count| F::Truncate { count }),
        noise().prop_map(F::Trailing),
        noise().prop_map(F::Noise),
        any::<Option<u8>>().prop_map(|unit_id| F::Foreign { unit_id }),
        sent().prop_map(|sent| F::Close { sent }),
        sent().prop_map(|sent| F::Reset { sent }),
    ]
    .prop_map(Kind::from)
}

fn fault() -> impl Strategy<Value = Fault> {
    let kind = prop_oneof![of_request(), of_answer(), of_header(), of_frame()];
    let span = prop::option::of((select(vec![Table::Holding, Table::Coil]), 0u16..8, 1u16..5));
    let trigger = (prop::option::of(1u64..4), prop::option::of(1u64..4), any::<bool>());
    (kind, span, trigger).prop_map(|(kind, span, (first, every, by_chance))| Fault {
        kind,
        scope: Scope {
            span: span.and_then(|(table, start, count)| Span::new(table, start, count)),
            ..Scope::default()
        },
        trigger: Trigger {
            first,
            every: every.and_then(NonZeroU64::new),
            probability: by_chance.then(|| Probability::new(0.5).unwrap()),
            ..Trigger::default()
        },
    })
}

fn pdu() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (1u8..=4, 0u8..8, 1u8..6).prop_map(|(function, start, count)| {
            vec![function, 0, start, 0, count]
        }),
        2 => (0u8..8, any::<u8>()).prop_map(|(start, word)| vec![6, 0, start, 0, word]),
        1 => (0u8..8).prop_map(|start| vec![5, 0, start, 0xFF, 0]),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ]
}

/// What a device with these faults does about these requests, one every 100 ms.
fn reactions(faults: &[Fault], framing: Framing, pdus: &[Vec<u8>], run: u64) -> Vec<Reaction> {
    let seed = Seed::of_device(run, "meter");
    let mut device = Device::new(image()).with_faults(faults.iter().cloned(), seed);
    let elapsed = (0..).map(|count| Duration::from_millis(100 * count));
    let react = |(pdu, elapsed): (&Vec<u8>, Duration)| {
        let received = Received { framing, transaction: 7, unit_id: 1, pdu, bytes: pdu };
        device.react(
            &received,
            Arrival { elapsed, passed: elapsed, connected: elapsed, overlaps: false },
        )
    };
    pdus.iter().zip(elapsed).map(react).collect()
}

proptest! {
    #[test]
    fn faults_of_any_kinds_compose(
        faults in prop::collection::vec(fault(), 1..6),
        pdus in prop::collection::vec(pdu(), 1..12),
        framing in select(vec![Framing::Mbap, Framing::Rtu, Framing::Ascii]),
        run in any::<u64>(),
    ) {
        let seen = reactions(&faults, framing, &pdus, run);
        prop_assert_eq!(&seen, &reactions(&faults, framing, &pdus, run));
        for reaction in seen {
            let Reaction::Wire(sent) = reaction else { continue };
            // Five times doubled, or noisy, at most.
            prop_assert!(sent.len() <= 32 * (600 + 5 * 600), "{} bytes", sent.len());
        }
    }
}

/// What is drawn at eight reads, by kind.
fn drawn(run: u64, before: &[Vec<u8>]) -> Vec<String> {
    let kinds: [Kind; 5] = [
        F::Noise(Noise::Drawn(6)).into(),
        F::Trailing(Noise::Drawn(6)).into(),
        F::Jitter { by: Duration::from_secs(1) }.into(),
        F::Collision.into(),
        A::BitFlip { bit: None }.into(),
    ];
    let reads = vec![vec![3, 0, 0, 0, 4]; 8];
    let of_reads = Scope { function: Some(3), ..Scope::default() };
    let show = |kind: Kind| {
        let fault = Fault { kind, scope: of_reads, trigger: Trigger::default() };
        let all = [before, &reads[..]].concat();
        let seen = reactions(&[fault], Framing::Rtu, &all, run);
        format!("{:?}", &seen[before.len()..])
    };
    kinds.into_iter().map(show).collect()
}

#[test]
fn what_is_drawn_is_the_seeds_and_nothing_elses() {
    let seen = drawn(7, &[]);
    assert_eq!(seen, drawn(7, &[]));
    // What is out of scope draws nothing.
    assert_eq!(seen, drawn(7, &vec![vec![1, 0, 0, 0, 1]; 3]));
    for (one, other) in seen.iter().zip(drawn(8, &[])) {
        assert_ne!(*one, other);
    }
}

#[test]
fn jitter_is_spread_over_all_of_its_range() {
    let by = Duration::from_millis(100);
    let fault = Fault {
        kind: F::Jitter { by }.into(),
        scope: Scope::default(),
        trigger: Trigger::default(),
    };
    let seen = reactions(&[fault], Framing::Mbap, &vec![vec![3, 0, 0, 0, 1]; 1000], 1);
    let mut tenths = [0; 10];
    for reaction in seen {
        let Reaction::Wire(sent) = reaction else { panic!("a sound answer") };
        assert!(sent.delay <= by, "{:?}", sent.delay);
        tenths[usize::try_from(sent.delay.as_millis() / 10).unwrap().min(9)] += 1;
    }
    assert!(tenths.iter().all(|count| (60..140).contains(count)), "{tenths:?}");
}

/// Asks over a connection of a line with these faults, for as long as anything comes.
async fn serve(faults: Vec<Fault>, framing: Framing, requests: &[Vec<u8>]) -> Option<u64> {
    let device = Device::new(image()).with_faults(faults, Seed::of_device(1, "meter"));
    let line = Endpoint::new(BTreeMap::from([(1, device)]), Instant::now());
    for request in requests {
        let mut client = line.connect_by(Wire::instant(framing));
        let mut heard = Vec::new();
        client.write_all(request).await.unwrap();
        let _ = timeout(Duration::from_mins(1), client.read_to_end(&mut heard)).await;
        assert!(heard.len() < 200_000, "{} bytes", heard.len());
    }
    line.with_device(1, |device| device.statistics().requests)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_faults_stop_a_line(
        faults in prop::collection::vec(fault(), 1..5),
        framing in select(vec![Framing::Mbap, Framing::Rtu, Framing::Ascii]),
    ) {
        let read: &[u8] = match framing {
            Framing::Mbap => &[0, 7, 0, 0, 0, 6, 1, 3, 0, 3, 0, 2],
            Framing::Rtu => &[1, 3, 0, 3, 0, 2, 0x34, 0x0B],
            Framing::Ascii => b":010300030002F7\r\n",
        };
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().unwrap();
        let asked = runtime.block_on(serve(faults, framing, &vec![read.to_vec(); 5]));
        prop_assert_eq!(asked, Some(5));
    }
}
