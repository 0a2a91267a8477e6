//! Points beyond the four tables: what is asked, what comes out of answers written by hand, what is
//! refused. Whatever the answers, an inquiry ends, and a value is what the bytes say.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use passline_modbus::inquiry::{Data, Finding, Inquiry, Unusable};
use passline_modbus::pdu::counter::Counter;
use passline_modbus::pdu::file::Section;
use passline_modbus::pdu::{self, Answer, ExceptionCode, Request};
use passline_modbus::point::{
    Access, DataType, Declaration, Domain, EncodeError, Field, Location, Point, PointError, Raw,
    Reading, Site, Span, Table, Undecodable,
};
use passline_modbus::value::Value;
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn bytes(request: &Request<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    pdu::encode_request(request, &mut out).unwrap();
    out
}

/// The answer of these bytes to what the inquiry asks.
fn answer(inquiry: &Inquiry, answer: &str) -> Answer {
    pdu::decode_answer(&hex(answer), &inquiry.request()).unwrap()
}

fn point(site: Site, change: impl FnOnce(&mut Declaration)) -> Point {
    declare(site, change).unwrap()
}

fn declare(site: Site, change: impl FnOnce(&mut Declaration)) -> Result<Point, Vec<PointError>> {
    let mut declaration = Declaration::of("p", site);
    change(&mut declaration);
    Point::new(declaration)
}

fn named(name: &str, length: Option<u16>) -> DataType {
    DataType::named(name, length).unwrap()
}

/// Request and answer of each location: the examples of the standard (V1.1b3, clause 6).
#[test]
fn each_location_has_its_request_and_its_data() {
    let span = Span::new(Table::Holding, 0x6B, 3).unwrap();
    let section = Section { file: 4, first: 1, length: 2 };
    for (location, request, given, data) in [
        (
            Location::Table(span),
            "03 006B 0003",
            "03 06 022B 0000 0064",
            Data::Words(vec![0x022B, 0, 0x64]),
        ),
        (Location::ExceptionStatus, "07", "07 6D", Data::Words(vec![0x6D])),
        (
            Location::Diagnostic(Counter::Register),
            "08 0002 0000",
            "08 0002 0105",
            Data::Words(vec![0x0105]),
        ),
        (
            Location::Diagnostic(Counter::Overrun),
            "08 0012 0000",
            "08 0012 FFFF",
            Data::Words(vec![0xFFFF]),
        ),
        (Location::ServerId, "11", "11 03 2A FF 31", Data::Bytes(vec![0x2A, 0xFF, 0x31])),
        (Location::ServerId, "11", "11 03 2A 55 31", Data::Bytes(vec![0x2A, 0x55, 0x31])),
        (Location::ServerId, "11", "11 01 2A", Data::Bytes(vec![0x2A])),
        (
            Location::File(section),
            "14 07 06 0004 0001 0002",
            "14 06 05 06 0DFE 0020",
            Data::Words(vec![0x0DFE, 0x0020]),
        ),
        (
            Location::Fifo(0x04DE),
            "18 04DE",
            "18 0006 0002 01B8 1284",
            Data::Words(vec![0x01B8, 0x1284]),
        ),
        (Location::Fifo(0x04DE), "18 04DE", "18 0002 0000", Data::Words(vec![])),
        (
            Location::DeviceId(2),
            "2B 0E 04 02",
            "2B 0E 04 81 00 00 01 02 05 56322E3131",
            Data::Bytes(b"V2.11".to_vec()),
        ),
    ] {
        let mut inquiry = Inquiry::new(location);
        assert_eq!(bytes(&inquiry.request()), hex(request), "{location}");
        let answer = answer(&inquiry, given);
        assert_eq!(inquiry.answered(answer), Some(Finding::Data(data)), "{location}");
    }
}

#[test]
fn a_refusal_is_the_finding_but_for_objects_that_have_a_stream() {
    let section = Section { file: 1, first: 0, length: 1 };
    for location in [
        Location::ServerId,
        Location::ExceptionStatus,
        Location::Fifo(0),
        Location::File(section),
        Location::Diagnostic(Counter::Busy),
    ] {
        let refused = Err(ExceptionCode::IllegalFunction);
        let finding = Inquiry::new(location).answered(refused);
        assert_eq!(finding, Some(Finding::Exception(ExceptionCode::IllegalFunction)));
    }
    for (code, stream) in [(1, true), (2, false), (3, true), (4, false), (6, false), (0x0B, false)]
    {
        let refused = || Err(ExceptionCode::new(code));
        let found = Some(Finding::Exception(ExceptionCode::new(code)));
        assert_eq!(Inquiry::probe(Location::DeviceId(1)).answered(refused()), found);
        let mut inquiry = Inquiry::new(Location::DeviceId(1));
        let finding = inquiry.answered(refused());
        assert_eq!(finding, if stream { None } else { found.clone() }, "{code}");
        if stream {
            assert_eq!(bytes(&inquiry.request()), hex("2B 0E 01 00"));
            // Refused as a stream, too: there is no third way.
            assert_eq!(inquiry.answered(refused()), found);
        }
    }
}

#[test]
fn a_stream_goes_on_to_greater_ids_and_nowhere_else() {
    let stream = |id| {
        let mut inquiry = Inquiry::new(Location::DeviceId(id));
        assert_eq!(inquiry.answered(Err(ExceptionCode::IllegalDataValue)), None);
        inquiry
    };
    let mut inquiry = stream(0x90);
    let first = answer(&inquiry, "2B 0E 03 03 FF 05 01 00 00");
    assert_eq!(inquiry.answered(first.clone()), None);
    assert_eq!(bytes(&inquiry.request()), hex("2B 0E 03 05"));
    for next in [0, 4, 5] {
        let mut inquiry = inquiry.clone();
        let again = answer(&inquiry, &format!("2B 0E 03 03 FF {next:02X} 01 05 00"));
        let circle = Unusable::Circle { after: 5, next };
        assert_eq!(inquiry.answered(again), Some(Finding::Nothing(circle)));
    }
    let last = answer(&inquiry, "2B 0E 03 03 00 00 01 05 00");
    let none = Some(Finding::Nothing(Unusable::NoObject(0x90)));
    assert_eq!(inquiry.answered(last), none);
    for (id, code) in [(2, "01"), (3, "02"), (0x7F, "02"), (0x80, "03"), (0xFF, "03")] {
        assert_eq!(bytes(&stream(id).request()), hex(&format!("2B 0E {code} 00")), "{id}");
    }
}

#[test]
fn an_answer_of_another_kind_holds_nothing() {
    let mut inquiry = Inquiry::new(Location::ServerId);
    let other = Ok(pdu::Response::ReadHoldingRegisters(vec![1]));
    assert_eq!(inquiry.answered(other), Some(Finding::Nothing(Unusable::Function)));
}

#[test]
fn a_part_is_exactly_the_part_and_never_less() {
    let id = |at, data_type| point(Site::ServerId, |it| (it.at, it.data_type) = (at, data_type));
    let raw = Raw::Bytes(b"\x2A\xFFV1.2 \0".as_slice().into());
    let read = |at, data_type| id(at, data_type).decode(&raw, None);
    let value = |value| Ok(Reading::Value(value));
    let text = |text: &str| value(Value::Text(text.to_owned()));
    assert_eq!(read(None, named("bytes", Some(1))), value(Value::Bytes(vec![0x2A])));
    assert_eq!(read(Some(1), DataType::Bool), value(Value::Bool(true)));
    assert_eq!(read(Some(2), named("string", None)), text("V1.2"));
    assert_eq!(read(Some(2), named("string", Some(2))), text("V1"));
    assert_eq!(read(Some(2), DataType::U16), value(Value::Number(0x5631.into())));
    assert_eq!(read(Some(7), named("bytes", None)), value(Value::Bytes(vec![0])));
    assert_eq!(read(Some(8), named("bytes", None)), value(Value::Bytes(vec![])));
    let missing = |end| Err(Undecodable::Missing { there: 8, end });
    assert_eq!(read(Some(9), named("bytes", None)), missing(9));
    assert_eq!(read(Some(8), DataType::Bool), missing(9));
    assert_eq!(read(Some(5), DataType::U32), missing(9));
    assert_eq!(read(Some(6), named("string", Some(3))), missing(9));
    assert_eq!(read(Some(0), DataType::Bool), Err(Undecodable::Indicator(0x2A)));
    // Registers are no bytes.
    let words = Raw::Registers(vec![1].into());
    assert!(id(None, named("bytes", None)).decode(&words, None).is_err());
}

#[test]
fn a_queue_is_its_length_or_its_values() {
    let queue = Raw::Registers(vec![440, 0x1284, 0xFFFE].into());
    let length = point(Site::Fifo(9), |_| {});
    assert_eq!(length.decode(&queue, None), Ok(Reading::Value(Value::Number(3.into()))));
    let empty = Raw::Registers(vec![].into());
    assert_eq!(length.decode(&empty, None), Ok(Reading::Value(Value::Number(0.into()))));
    let long = Raw::Registers(vec![0; 32].into());
    assert!(length.decode(&long, None).is_err(), "no queue has 32");
    let Domain::Steps(steps) = length.domain() else { panic!("{:?}", length.domain()) };
    assert_eq!(steps.last(), 31);
    let last = point(Site::Fifo(9), |it| (it.at, it.data_type) = (Some(2), DataType::I16));
    assert_eq!(last.decode(&queue, None), Ok(Reading::Value(Value::Number((-2).into()))));
    let behind = point(Site::Fifo(9), |it| it.at = Some(3));
    assert_eq!(behind.decode(&queue, None), Err(Undecodable::Missing { there: 3, end: 4 }));
}

#[test]
fn what_can_be_there_bounds_the_values() {
    let bytes = |site, at, length| {
        let data_type = named("bytes", length);
        point(site, |it| (it.at, it.data_type) = (at, data_type)).domain()
    };
    let object = Site::DeviceId(0);
    assert_eq!(bytes(object, None, None), Domain::Bytes { least: 0, most: 244 });
    assert_eq!(bytes(object, Some(4), None), Domain::Bytes { least: 0, most: 240 });
    assert_eq!(bytes(object, Some(4), Some(2)), Domain::Bytes { least: 2, most: 2 });
    assert_eq!(bytes(Site::ServerId, None, None), Domain::Bytes { least: 0, most: 251 });
    assert_eq!(bytes(Site::Fifo(0), Some(1), None), Domain::Bytes { least: 0, most: 60 });
    assert_eq!(point(object, |_| {}).domain(), Domain::Text { max_bytes: 244 });
    let status = point(Site::ExceptionStatus, |_| {});
    let Domain::Steps(steps) = status.domain() else { panic!("{:?}", status.domain()) };
    assert_eq!(steps.last(), 255);
    assert!(status.encode(&Value::Number(256.into()), None).is_err());
    assert_eq!(status.access(), Access::Read);
}

#[test]
fn declarations_that_make_no_sense_are_refused() {
    let refused = |site, change: fn(&mut Declaration), error| {
        assert_eq!(declare(site, change), Err(vec![error]), "{site:?}");
    };
    let text = Site::DeviceId(0);
    refused(text, |it| it.order = "BA".parse().ok(), PointError::OrderNeedless);
    refused(text, |it| it.access = Some(Access::ReadWrite), PointError::ReadOnly);
    refused(text, |it| it.at = Some(244), PointError::PartOutside { at: 244, size: 0, most: 244 });
    let counter = Site::Diagnostic(Counter::Busy);
    refused(counter, |it| it.data_type = DataType::I16, PointError::NumberType(DataType::I16));
    refused(counter, |it| it.order = "AB".parse().ok(), PointError::OrderNeedless);
    refused(counter, |it| it.at = Some(0), PointError::PartNeedless);
    refused(
        Site::ExceptionStatus,
        |it| it.field = Field::new(3, 8).ok(),
        PointError::FieldBeyond { greatest: 255, bit: 8 },
    );
    refused(
        Site::ExceptionStatus,
        |it| it.labels = vec![(256, "a".to_owned())],
        PointError::LabelOutside(256),
    );
    refused(Site::File(0, 0), |_| {}, PointError::PastFile { file: 0, record: 0, count: 1 });
    refused(
        Site::File(1, 9999),
        |it| it.data_type = DataType::F32,
        PointError::PastFile { file: 1, record: 9999, count: 2 },
    );
    refused(
        Site::File(1, 0),
        |it| it.data_type = DataType::named("bytes", None).unwrap(),
        PointError::LengthMissing(DataType::Bytes(None)),
    );
    refused(Site::Fifo(0), |it| it.data_type = DataType::F32, PointError::QueueType(DataType::F32));
    refused(Site::Fifo(65536), |_| {}, PointError::PastEnd { address: 65536, count: 1 });
    refused(
        Site::Fifo(0),
        |it| (it.at, it.data_type) = (Some(28), DataType::F64),
        PointError::PartOutside { at: 28, size: 4, most: 31 },
    );
}

fn sites() -> impl Strategy<Value = Site> {
    prop_oneof![
        any::<u8>().prop_map(Site::DeviceId),
        Just(Site::ServerId),
        prop::sample::select(Counter::ALL.to_vec()).prop_map(Site::Diagnostic),
        Just(Site::ExceptionStatus),
        (1..5_u16, 0..10_000_u16).prop_map(|(file, record)| Site::File(file, record)),
        any::<u16>().prop_map(|address| Site::Fifo(address.into())),
    ]
}

fn points() -> impl Strategy<Value = Point> {
    let types = prop::sample::select(DataType::ALL.to_vec());
    let at = prop::option::of(0..8_u16);
    let length = prop::option::of(1..5_u16);
    (sites(), prop::option::of(types), at, length).prop_filter_map(
        "a legal point",
        |(site, data_type, at, length)| {
            let mut declaration = Declaration::of("p", site);
            declaration.at = at;
            if let Some(data_type) = data_type {
                let length = length.filter(|_| data_type.has_length());
                declaration.data_type = DataType::named(data_type.name(), length).unwrap();
            }
            Point::new(declaration).ok()
        },
    )
}

fn raws() -> impl Strategy<Value = Raw<'static>> {
    prop_oneof![
        any::<bool>().prop_map(Raw::Bit),
        prop::collection::vec(any::<u16>(), 0..40).prop_map(|words| Raw::Registers(words.into())),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Raw::Bytes(bytes.into())),
        // Bytes that are more often text, or an indicator.
        prop::collection::vec(prop_oneof![b' '..=b'~', Just(0), Just(0xFF)], 0..12)
            .prop_map(|bytes| Raw::Bytes(bytes.into())),
    ]
}

fn belongs(point: &Point, value: &Value) -> bool {
    match (point.domain(), value) {
        (Domain::Steps(steps), Value::Number(number)) => steps.index_of(number).is_some(),
        (Domain::Bool, Value::Bool(_)) | (Domain::Float { .. }, _) => true,
        (Domain::Text { max_bytes }, Value::Text(text)) => text.len() <= usize::from(max_bytes),
        (Domain::Bytes { least, most }, Value::Bytes(bytes)) => {
            (usize::from(least)..=usize::from(most)).contains(&bytes.len())
        }
        _ => false,
    }
}

/// An answer that any device might give.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let object = (any::<u8>(), prop::collection::vec(any::<u8>(), 0..4));
    let identification = (1..5_u8, any::<bool>(), any::<u8>(), prop::collection::vec(object, 0..3))
        .prop_map(|(code, more, next, objects)| {
            let count = u8::try_from(objects.len()).unwrap();
            let more = if more { [0xFF, next] } else { [0, 0] };
            let mut pdu = vec![0x2B, 0x0E, code, 0x83, more[0], more[1], count];
            for (id, value) in objects {
                pdu.extend([id, u8::try_from(value.len()).unwrap()]);
                pdu.extend(value);
            }
            pdu
        });
    prop_oneof![
        4 => identification,
        1 => (1..12_u8).prop_map(|code| vec![0xAB, code]),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever comes: no panic, and what decodes is one of the point's values.
    #[test]
    fn what_decodes_is_of_the_points_domain(point in points(), raw in raws()) {
        if let Ok(Reading::Value(value)) = point.decode(&raw, None) {
            prop_assert!(belongs(&point, &value), "{value:?} in {:?}", point.domain());
        }
    }

    /// What decoded can be encoded, and is that part of what was there.
    #[test]
    fn encoding_gives_the_part_back(point in points(), raw in raws()) {
        let Ok(Reading::Value(value)) = point.decode(&raw, None) else { return Ok(()) };
        let encoded = match point.encode(&value, None) {
            Ok(encoded) => encoded,
            Err(EncodeError::MeansInvalid) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(format!("{value:?}: {error}"))),
        };
        let at = usize::from(point.at().unwrap_or(0));
        // Text loses its padding, NaN and sign-and-magnitude zero have several patterns.
        let many_forms = matches!(
            point.data_type(),
            DataType::String(_) | DataType::F16 | DataType::F32 | DataType::F64
                | DataType::S16 | DataType::S32
        );
        match (&raw, &encoded) {
            _ if many_forms => {}
            (Raw::Bytes(there), Raw::Bytes(part)) => {
                prop_assert_eq!(&there[at..at + part.len()], &part[..]);
            }
            (Raw::Registers(there), Raw::Registers(count))
                if matches!(point.location(), Location::Fifo(_)) && point.at().is_none() =>
            {
                prop_assert_eq!(there.len(), usize::from(count[0]));
            }
            (Raw::Registers(there), Raw::Registers(part)) => {
                prop_assert_eq!(&there[at..at + part.len()], &part[..]);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// However a device answers, an inquiry ends, and with the object's own bytes or none.
    #[test]
    fn every_inquiry_ends(
        id in prop_oneof![0..6_u8, any::<u8>()],
        answers in prop::collection::vec(answers(), 300),
    ) {
        let mut inquiry = Inquiry::new(Location::DeviceId(id));
        let mut asked = 0;
        let finding = answers.iter().find_map(|given| {
            // What the codec refuses never reaches the inquiry.
            let answer = pdu::decode_answer(given, &inquiry.request()).ok()?;
            asked += 1;
            let finding = inquiry.answered(answer.clone())?;
            Some((finding, answer))
        });
        prop_assert!(asked <= 258, "{asked}");
        if let Some((Finding::Data(Data::Bytes(value)), answer)) = finding {
            let Ok(pdu::Response::ReadDeviceIdentification(answer)) = answer else {
                return Err(TestCaseError::fail("no identification"));
            };
            let own = answer.device_id_objects.iter().find(|object| object.id == id).unwrap();
            prop_assert_eq!(&own.value[..], &value[..]);
        }
    }
}
