//! What a device holds beyond its four tables, on the wire: the examples of the standard
//! (V1.1b3, clauses 6.7 to 6.21), and every refusal.

use crate::support::{ask, frame, hex, line};
use passline_modbus::pdu::ExceptionCode;
use passline_modbus::pdu::counter::Counter;
use passline_modbus::pdu::file::Section;
use passline_modbus::point::{Location, Table};
use passline_simulator::device::Device;
use passline_simulator::fault::{AnswerFault, Fault, Kind, RequestFault, Scope, Seed, Trigger};
use passline_simulator::image::{Image, ImageError};
use tokio::io::AsyncWriteExt;

/// Asks one device, request after request.
async fn check(image: Image, exchanges: &[(&str, &str)]) {
    let line = line(Device::new(image));
    let mut client = line.connect();
    for (request, answer) in exchanges {
        assert_eq!(ask(&mut client, &hex(request)).await, hex(answer), "{request}");
    }
}

fn with(fill: impl FnOnce(&mut Image)) -> Image {
    let mut image = Image::new();
    fill(&mut image);
    image
}

#[tokio::test]
async fn exception_status_and_server_id() {
    let image = with(|image| image.set_exception_status(0x6D));
    check(image, &[("07", "07 6D"), ("07 00", "87 03"), ("11", "91 01")]).await;
    let image = with(|image| image.set_server_id(&hex("2A FF 5631")).unwrap());
    check(image, &[("11", "11 04 2A FF 5631"), ("11 00", "91 03"), ("07", "87 01")]).await;
    // Any bytes, and none.
    let image = with(|image| image.set_server_id(&hex("0102030405")).unwrap());
    check(image, &[("11", "11 05 0102030405")]).await;
    let image = with(|image| image.set_server_id(&[0x55; 251]).unwrap());
    check(image, &[("11", &format!("11 FB {}", "55".repeat(251)))]).await;
    let too_long = Image::new().set_server_id(&[0; 252]);
    assert_eq!(too_long, Err(ImageError::TooLong { length: 252, most: 251 }));
}

#[tokio::test]
async fn file_records_are_read_and_written_as_the_standard_has_it() {
    let file = |image: &mut Image| {
        image.set_records(4, 1, &[0x0DFE, 0x0020]).unwrap();
        image.set_records(3, 9, &[0x33CD, 0x0040]).unwrap();
        image.set_records(4, 7, &[0, 0, 0]).unwrap();
    };
    let all = format!("14 F5 {}", "06 0004 0001 0001".repeat(35));
    check(
        with(file),
        &[
            ("14 0E 06 0004 0001 0002 06 0003 0009 0002", "14 0C 05 06 0DFE 0020 05 06 33CD 0040"),
            ("15 0D 06 0004 0007 0003 06AF 04BE 100D", "15 0D 06 0004 0007 0003 06AF 04BE 100D"),
            ("14 07 06 0004 0007 0003", "14 08 07 06 06AF 04BE 100D"),
            // No such file, a hole, records that no file has, no records at all.
            ("14 07 06 0005 0001 0001", "94 02"),
            ("14 07 06 0004 0003 0001", "94 02"),
            ("14 07 06 0004 0002 0002", "94 02"),
            ("14 07 06 0004 270F 0002", "94 02"),
            ("14 07 06 0004 0001 0000", "94 02"),
            ("14 07 05 0004 0001 0001", "94 03"),
            ("14 06 06 0004 0001 00", "94 03"),
            (&all, &format!("14 8C {}", "03 06 0DFE".repeat(35))),
            // A write is done whole or not at all.
            ("15 12 06 0004 0001 0001 AAAA 06 0004 0003 0001 BBBB", "95 02"),
            ("14 07 06 0004 0001 0001", "14 04 03 06 0DFE"),
        ],
    )
    .await;
    let past = ImageError::PastFile { file: 1, first: 9999, count: 2 };
    assert_eq!(Image::new().set_records(1, 9999, &[1, 2]), Err(past));
    assert_eq!(Image::new().set_records(1, 0, &[]), Err(ImageError::Empty));
    check(
        with(|image| image.set_records(1, 9999, &[7]).unwrap()),
        &[("14 07 06 0001 270F 0001", "14 04 03 06 0007")],
    )
    .await;
}

#[tokio::test]
async fn more_records_than_an_answer_carries_are_refused() {
    let image = with(|image| image.set_records(1, 0, &[0x5A5A; 200]).unwrap());
    check(
        image,
        &[
            ("14 07 06 0001 0000 0079", &format!("14 F4 F3 06 {}", "5A5A".repeat(121))),
            ("14 07 06 0001 0000 00C8", "94 03"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_queue_is_read_and_stays() {
    let image = with(|image| {
        image.set_queue(0x04DE, &[0x01B8, 0x1284]).unwrap();
        image.set_queue(1, &[]).unwrap();
        image.set_queue(2, &[0x1111; 31]).unwrap();
    });
    check(
        image,
        &[
            ("18 04DE", "18 0006 0002 01B8 1284"),
            ("18 04DE", "18 0006 0002 01B8 1284"),
            ("18 0001", "18 0002 0000"),
            ("18 0002", &format!("18 0040 001F {}", "1111".repeat(31))),
            ("18 0003", "98 02"),
            ("18 00", "98 03"),
        ],
    )
    .await;
    let long = Image::new().set_queue(0, &[0; 32]);
    assert_eq!(long, Err(ImageError::TooLong { length: 32, most: 31 }));
}

/// The standard's example of clause 6.21, and its refusals.
#[tokio::test]
async fn identification_by_stream_and_by_object() {
    let ascii = |text: &str| {
        let digits: Vec<String> = text.bytes().map(|byte| format!("{byte:02X}")).collect();
        digits.concat()
    };
    let image = with(|image| {
        image.set_object(0, b"Company identification").unwrap();
        image.set_object(1, b"Product code XX").unwrap();
        image.set_object(2, b"V2.11").unwrap();
    });
    let basic = format!(
        "2B 0E 01 81 00 00 03 00 16 {} 01 0F {} 02 05 {}",
        ascii("Company identification"),
        ascii("Product code XX"),
        ascii("V2.11")
    );
    let from_1 =
        format!("2B 0E 01 81 00 00 02 01 0F {} 02 05 {}", ascii("Product code XX"), ascii("V2.11"));
    check(
        image,
        &[
            ("2B 0E 01 00", &basic),
            ("2B 0E 01 01", &from_1),
            // An object that there is not stands for the first; what is asked beyond the device's
            // level is answered with what there is.
            ("2B 0E 01 07", &basic),
            ("2B 0E 03 00", &basic.replacen("0E 01", "0E 03", 1)),
            ("2B 0E 04 02", &format!("2B 0E 04 81 00 00 01 02 05 {}", ascii("V2.11"))),
            ("2B 0E 04 03", "AB 02"),
            ("2B 0E 05 00", "AB 03"),
            ("2B 0E 01", "AB 03"),
            ("2B 0D 00", "AB 01"),
            ("2B 0F 00", "AB 01"),
        ],
    )
    .await;
    check(Image::new(), &[("2B 0E 01 00", "AB 01"), ("2B 0E 04 00", "AB 01")]).await;
}

/// Three objects of 120 bytes: two fit in one PDU.
#[tokio::test]
async fn what_does_not_fit_follows() {
    let image = with(|image| {
        for id in [0, 1, 2, 0x85] {
            image.set_object(id, &[id; 120]).unwrap();
        }
    });
    let object = |id: &str| format!("{id} 78 {}", id.repeat(120));
    check(
        image,
        &[
            ("2B 0E 01 00", &format!("2B 0E 01 83 FF 02 02 {} {}", object("00"), object("01"))),
            ("2B 0E 01 02", &format!("2B 0E 01 83 00 00 01 {}", object("02"))),
            ("2B 0E 03 02", &format!("2B 0E 03 83 00 00 02 {} {}", object("02"), object("85"))),
            ("2B 0E 02 02", &format!("2B 0E 02 83 00 00 01 {}", object("02"))),
        ],
    )
    .await;
    // The longest object fills a PDU alone.
    let image = with(|image| image.set_object(9, &[0x41; 244]).unwrap());
    let longest = "41".repeat(244);
    check(image, &[("2B 0E 04 09", &format!("2B 0E 04 82 00 00 01 09 F4 {longest}"))]).await;
    assert!(Image::new().set_object(9, &[0; 245]).is_err());
}

#[tokio::test]
async fn diagnostics_count_what_happens() {
    let mut image = with(|image| image.set_counter(Counter::Register, 0x1234));
    image.set_words(Table::Holding, 0, &[7]).unwrap();
    check(
        image,
        &[
            ("08 0000 A537 1122", "08 0000 A537 1122"),
            ("08 0002 0000", "08 0002 1234"),
            // This one is counted in, too.
            ("08 000B 0000", "08 000B 0003"),
            ("03 0000 0001", "03 02 0007"),
            ("03 0001 0001", "83 02"),
            ("09 00", "89 01"),
            ("08 000E 0000", "08 000E 0007"),
            ("08 000D 0000", "08 000D 0002"),
            ("08 000F 0000", "08 000F 0000"),
            ("08 0010 0000", "08 0010 0000"),
            ("08 0011 0000", "08 0011 0000"),
            ("08 0012 0000", "08 0012 0000"),
            ("08 000C 0000", "08 000C 0000"),
            // No such sub-function, then wrong data.
            ("08 0013 0000", "88 01"),
            ("08 0003 0A00", "88 01"),
            ("08 000B 0001", "88 03"),
            ("08 000B 0000 0000", "88 03"),
            ("08 0001 0001", "88 03"),
            // Those carried out without an exception; polls of this counter do not count.
            ("0B", "0B 0000 000B"),
            ("0B", "0B 0000 000B"),
            ("08 000A 0000", "08 000A 0000"),
            ("0B", "0B 0000 0001"),
            ("08 0002 0000", "08 0002 0000"),
            ("08 000D 0000", "08 000D 0000"),
            ("08 0014 0000", "08 0014 0000"),
            ("0B 00", "8B 03"),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_event_log_holds_the_latest_first() {
    let image = with(|image| image.set_counter(Counter::BusMessages, 0));
    check(
        image,
        &[
            ("08 0001 FF00", "08 0001 FF00"),
            // A request came in; before it an answer went out, and the port was restarted.
            ("0C", "0C 09 0000 0001 0001 80 40 00"),
            ("0C", "0C 0B 0000 0002 0002 80 40 80 40 00"),
            ("03 0000 0001", "83 02"),
            // The exception left its mark; a restart without FF00 keeps the log.
            ("0C", "0C 0F 0000 0003 0004 80 41 80 40 80 40 80 40 00"),
            ("08 0001 0000", "08 0001 0000"),
            ("0C", "0C 14 0000 0001 0001 80 40 00 80 40 80 41 80 40 80 40 80 40 00"),
        ],
    )
    .await;
    let line = line(Device::new(with(|image| image.set_counter(Counter::Busy, 0))));
    let mut client = line.connect();
    for _ in 0..100 {
        ask(&mut client, &hex("08 0000 0000")).await;
    }
    let log = ask(&mut client, &hex("0C")).await;
    assert_eq!((log.len(), log[1]), (2 + 6 + 64, 6 + 64), "the log has 64 events at most");
}

#[tokio::test]
async fn a_device_that_only_listens_says_nothing_until_it_is_restarted() {
    let mut image = with(|image| image.set_counter(Counter::NoResponse, 10));
    image.set_words(Table::Holding, 0, &[7]).unwrap();
    let line = line(Device::new(image));
    let mut client = line.connect();
    assert_eq!(ask(&mut client, &hex("03 0000 0001")).await, hex("03 02 0007"));
    // Nothing of this is answered, the restart included, which brings the device back.
    for (transaction, pdu) in
        (0..).zip(["08 0004 0000", "03 0000 0001", "06 0000 0009", "41", "08 0001 0000"])
    {
        client.write_all(&frame(transaction, 1, &hex(pdu))).await.unwrap();
    }
    assert_eq!(ask(&mut client, &hex("03 0000 0001")).await, hex("03 02 0007"), "nothing is done");
    // The restart cleared the counters before it was not answered itself.
    assert_eq!(ask(&mut client, &hex("08 000F 0000")).await, hex("08 000F 0001"));
}

#[tokio::test]
async fn what_was_not_answered_is_counted() {
    let faults = [
        fault(Kind::Request(RequestFault::Exception { code: ExceptionCode::ServerDeviceBusy }), 1),
        fault(Kind::Request(RequestFault::Exception { code: ExceptionCode::new(7) }), 2),
        fault(Kind::Answer(AnswerFault::Silent), 3),
    ];
    let image = with(|image| image.set_counter(Counter::Nak, 0));
    let line = line(Device::new(image).with_faults(faults, Seed::of_device(1, "d")));
    let mut client = line.connect();
    assert_eq!(ask(&mut client, &hex("08 0000 0000")).await, hex("88 06"));
    assert_eq!(ask(&mut client, &hex("08 0000 0000")).await, hex("88 07"));
    client.write_all(&frame(9, 1, &hex("08 0000 0000"))).await.unwrap();
    for (sub_function, count) in
        [("000D", "0002"), ("000F", "0001"), ("0010", "0001"), ("0011", "0001")]
    {
        let request = format!("08 {sub_function} 0000");
        let answer = format!("08 {sub_function} {count}");
        assert_eq!(ask(&mut client, &hex(&request)).await, hex(&answer));
    }
}

#[tokio::test]
async fn a_fault_is_about_the_place_that_is_asked_for() {
    let file = |first, length| Location::File(Section { file: 4, first, length });
    for (place, touching, others) in [
        (
            Location::DeviceId(1),
            &["2B 0E 04 01", "2B 0E 01 00", "2B 0E 03 01", "2B 0E 02 00"][..],
            &["2B 0E 04 00", "2B 0E 01 02", "2B 0E 03 02", "11"][..],
        ),
        (Location::DeviceId(0x80), &["2B 0E 03 00"], &["2B 0E 02 00", "2B 0E 01 00"]),
        (Location::ServerId, &["11"], &["07", "2B 0E 01 00"]),
        (Location::ExceptionStatus, &["07"], &["11"]),
        (Location::Diagnostic(Counter::Busy), &["08 0011 0000"], &["08 0010 0000", "0B"]),
        (Location::Fifo(7), &["18 0007"], &["18 0008", "14 07 06 0004 0002 0001"]),
        (
            file(2, 2),
            &[
                "14 07 06 0004 0001 0002",
                "14 0E 06 0005 0000 0001 06 0004 0003 0001",
                "15 09 06 0004 0002 0001 BEEF",
            ],
            &[
                "14 07 06 0004 0001 0001",
                "14 07 06 0004 0004 0001",
                "14 07 06 0005 0002 0002",
                "03 0002 0002",
            ],
        ),
    ] {
        let image = with(|image| {
            image.set_object(0, b"a").unwrap();
            image.set_server_id(&[1]).unwrap();
            image.set_exception_status(0);
            image.set_counter(Counter::Busy, 0);
            image.set_records(4, 0, &[0]).unwrap();
            image.set_queue(0, &[]).unwrap();
        });
        let kind = Kind::Request(RequestFault::Exception { code: ExceptionCode::new(0x55) });
        let scope = Scope { beyond: Some(place), ..Scope::default() };
        let fault = Fault { kind, scope, trigger: Trigger::default() };
        let line = line(Device::new(image).with_faults([fault], Seed::of_device(1, "d")));
        let mut client = line.connect();
        for request in touching {
            assert_eq!(ask(&mut client, &hex(request)).await[1..], [0x55], "{place}: {request}");
        }
        for request in others {
            assert_ne!(ask(&mut client, &hex(request)).await[1..], [0x55], "{place}: {request}");
        }
    }
}

/// At the request of that number.
fn fault(kind: Kind, number: u64) -> Fault {
    let trigger = Trigger { first: Some(number), after: Some(number - 1), ..Trigger::default() };
    Fault { kind, scope: Scope::default(), trigger }
}

/// None of it costs a device that has none of it.
#[test]
fn a_plain_device_is_as_small_as_before() {
    assert!(std::mem::size_of::<Device>() < 512, "{}", std::mem::size_of::<Device>());
}
