//! Addresses as people write them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use passline_modbus::{
    address::{Address, AddressError, Overrides, Place, Rs485},
    duration::{parse_duration, write_duration},
    framing::Framing,
    link::InFlight,
    serial::{Baud, DataBits, Parity, Settings, StopBits},
};
use proptest::prelude::*;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn tcp(host: &str, port: u16) -> Place {
    Place::Tcp { host: host.to_owned(), port }
}

fn tls(host: &str, port: u16) -> Place {
    Place::Tls { host: host.to_owned(), port }
}

fn udp(host: &str, port: u16) -> Place {
    Place::Udp { host: host.to_owned(), port }
}

fn port(path: &str) -> Place {
    Place::Serial { path: path.to_owned() }
}

#[test]
fn places() {
    use Framing::{Ascii, Mbap, Rtu};
    let name = "meter-3.plant_2.example";
    for (text, place, framing, written) in [
        ("tcp://192.0.2.10:502", tcp("192.0.2.10", 502), Mbap, "tcp://192.0.2.10:502"),
        ("tcp://192.0.2.10", tcp("192.0.2.10", 502), Mbap, "tcp://192.0.2.10:502"),
        (
            "tcp://Meter-3.plant_2.example:1502",
            tcp(name, 1502),
            Mbap,
            "tcp://meter-3.plant_2.example:1502",
        ),
        ("tcp://[::1]", tcp("::1", 502), Mbap, "tcp://[::1]:502"),
        (
            "tcp://[2001:DB8:0:0::7]:5020",
            tcp("2001:db8::7", 5020),
            Mbap,
            "tcp://[2001:db8::7]:5020",
        ),
        ("tcp://[fe80::1%eth0]:0", tcp("fe80::1%eth0", 0), Mbap, "tcp://[fe80::1%eth0]:0"),
        ("tcp://localhost:65535", tcp("localhost", 65535), Mbap, "tcp://localhost:65535"),
        ("tls://meter.plant", tls("meter.plant", 802), Mbap, "tls://meter.plant:802"),
        ("tls://[::1]:8802", tls("::1", 8802), Mbap, "tls://[::1]:8802"),
        ("udp://192.0.2.10", udp("192.0.2.10", 502), Mbap, "udp://192.0.2.10:502"),
        ("rtu+tcp://gateway", tcp("gateway", 502), Rtu, "rtu+tcp://gateway:502"),
        ("ascii+tcp://gateway:4001", tcp("gateway", 4001), Ascii, "ascii+tcp://gateway:4001"),
        ("rtu:///dev/ttyUSB0", port("/dev/ttyUSB0"), Rtu, "rtu:///dev/ttyUSB0"),
        ("rtu:////dev/./pts//3/", port("/dev/pts/3"), Rtu, "rtu:///dev/pts/3"),
        ("ascii:///dev/ttyS1", port("/dev/ttyS1"), Ascii, "ascii:///dev/ttyS1"),
        ("rtu://COM3", port("COM3"), Rtu, "rtu://COM3"),
        ("ascii://com12", port("COM12"), Ascii, "ascii://COM12"),
    ] {
        let address = address(text);
        assert_eq!(*address.place(), place, "{text}");
        assert_eq!(address.framing(), framing, "{text}");
        assert_eq!(*address.overrides(), Overrides::default(), "{text}");
        assert_eq!(address.to_string(), written);
        assert_eq!(address.without_options(), written);
    }
}

#[test]
fn what_is_spoken_somewhere_does_not_make_it_another_place() {
    assert_eq!(address("tcp://H").place(), address("rtu+tcp://h:502").place());
    assert_eq!(
        address("rtu:///dev//ttyS0").place(),
        address("ascii:///dev/ttyS0?baud=300").place()
    );
    assert_ne!(address("tcp://h"), address("rtu+tcp://h"));
    assert_ne!(address("tcp://h").place(), address("udp://h").place());
    assert_ne!(address("tcp://h:802").place(), address("tls://h").place());
}

#[test]
fn options_say_how_and_not_where() {
    let text = "tcp://h:502?connect_timeout=2m&in_flight=4&pause=1.5s&pause_after_connect=500ms&response_timeout=1h";
    let full = address(text);
    let expected = Overrides {
        in_flight: InFlight::new(4),
        pause: Some(Duration::from_millis(1500)),
        pause_after_connect: Some(Duration::from_millis(500)),
        response_timeout: Some(Duration::from_hours(1)),
        connect_timeout: Some(Duration::from_mins(2)),
        ..Overrides::default()
    };
    assert_eq!(*full.overrides(), expected);
    assert_eq!(
        full.to_string(),
        "tcp://h:502?in_flight=4&pause=1.5s&response_timeout=1h&pause_after_connect=500ms&connect_timeout=2m"
    );
    assert_eq!(full.without_options(), "tcp://h:502");
    let bare = address("tcp://H");
    assert_eq!(full.place(), bare.place());
    assert_ne!(full, bare);
}

#[test]
fn serial_options() {
    let text = "rtu:///dev/ttyUSB0?baud=115200&data=8&parity=none&stop=1&silence=1.75ms&rs485=rts&pause=10ms&\
                response_timeout=300ms&pause_after_connect=2s&gap=20ms&settle=1s&\
                turnaround=100ms&echo=on";
    let full = address(text);
    let expected = Overrides {
        pause: Some(Duration::from_millis(10)),
        response_timeout: Some(Duration::from_millis(300)),
        pause_after_connect: Some(Duration::from_secs(2)),
        silence: Some(Duration::from_micros(1750)),
        gap: Some(Duration::from_millis(20)),
        settle: Some(Duration::from_secs(1)),
        turnaround: Some(Duration::from_millis(100)),
        echo: Some(true),
        baud: Baud::new(115_200),
        data: Some(DataBits::Eight),
        parity: Some(Parity::None),
        stop: Some(StopBits::One),
        rs485: Some(Rs485::Rts),
        ..Overrides::default()
    };
    assert_eq!(*full.overrides(), expected);
    assert_eq!(full.to_string(), text);
}

#[test]
fn tls_options() {
    let text = "tls://192.0.2.1:802?ca=pki/ca.pem&cert=/etc/own.pem&key=own.key&name=meter.plant&role=Operator";
    let full = address(text);
    let expected = Overrides {
        ca: Some("pki/ca.pem".into()),
        cert: Some("/etc/own.pem".into()),
        key: Some("own.key".into()),
        name: Some("meter.plant".to_owned()),
        role: Some("Operator".to_owned()),
        ..Overrides::default()
    };
    assert_eq!(*full.overrides(), expected);
    assert_eq!(full.to_string(), text);
    assert_eq!(full.check_client(), Ok(()));
    let there = full.relative_to(std::path::Path::new("specs"));
    assert_eq!(there.overrides().ca, Some("specs/pki/ca.pem".into()));
    assert_eq!(there.overrides().cert, Some("/etc/own.pem".into()));
    assert_eq!(there.overrides().key, Some("specs/own.key".into()));
    // A listener needs no authority; a client does.
    assert_eq!(address("tls://h?cert=c&key=k").check_client(), Err(AddressError::NoAuthority));
    assert_eq!(address("tcp://h").check_client(), Ok(()));
}

/// The settings of an address, as they are usually written.
fn written(settings: Settings) -> String {
    let word = |words: &[(&str, bool)]| words.iter().find(|(_, is)| *is).unwrap().0.to_owned();
    let data = DataBits::ALL.map(|(word, data)| (word, data == settings.data));
    let parity = Parity::ALL.map(|(word, parity)| (word, parity == settings.parity));
    let stop = StopBits::ALL.map(|(word, stop)| (word, stop == settings.stop));
    let (data, parity, stop) = (word(&data), word(&parity), word(&stop));
    let parity = parity.to_ascii_uppercase();
    format!("{} {data}{}{stop}", settings.baud.get(), &parity[..1])
}

#[test]
fn what_is_left_open_is_as_the_standard_sets_it() {
    for (text, settings, bits) in [
        ("rtu:///dev/a", "19200 8E1", 11),
        ("ascii:///dev/a", "19200 7E1", 10),
        ("rtu:///dev/a?baud=9600&parity=odd", "9600 8O1", 11),
        ("rtu:///dev/a?parity=none", "19200 8N2", 11),
        ("rtu:///dev/a?parity=none&stop=1", "19200 8N1", 10),
        ("ascii:///dev/a?parity=none", "19200 7N2", 10),
        ("ascii:///dev/a?data=8", "19200 8E1", 11),
        ("rtu:///dev/a?stop=2", "19200 8E2", 12),
    ] {
        let settings_found = address(text).settings().unwrap();
        assert_eq!(written(settings_found), settings, "{text}");
        assert_eq!(settings_found.bits(), bits, "{text}");
    }
    assert_eq!(address("rtu+tcp://h").settings(), None);
}

#[test]
fn settings_can_be_tried() {
    let other = address("rtu:///dev/a?baud=9600&parity=none").settings().unwrap();
    let tried = address("rtu:///dev/a?echo=on").with_settings(other).unwrap();
    assert_eq!(tried.settings(), Some(other));
    assert_eq!(tried.to_string(), "rtu:///dev/a?baud=9600&data=8&parity=none&stop=2&echo=on");
    let seven = Settings { data: DataBits::Seven, ..other };
    assert_eq!(address("rtu:///dev/a").with_settings(seven), Err(AddressError::SevenBits));
    assert!(address("rtu+tcp://h").with_settings(other).is_err());
}

/// Numbers of the serial line guide: 11-bit characters, 3.5 of them; fixed above 19,200 baud.
#[test]
fn silence_between_frames() {
    let silence = |text| address(text).settings().unwrap().silence();
    for (text, micros) in [
        ("rtu:///dev/a?baud=1200", 32_083.334),
        ("rtu:///dev/a?baud=9600", 4_010.417),
        ("rtu:///dev/a?baud=9600&parity=none&stop=1", 3_645.834),
        ("rtu:///dev/a", 2_005.209),
        ("rtu:///dev/a?baud=19201", 1_750.0),
        ("rtu:///dev/a?baud=115200", 1_750.0),
    ] {
        assert_eq!(silence(text), Duration::from_secs_f64(micros / 1e6), "{text}");
    }
    let settings = address("rtu:///dev/a?baud=9600&parity=none&stop=1").settings().unwrap();
    assert_eq!(settings.character(), Duration::from_nanos(1_041_667));
    assert_eq!(settings.wire_time(0), Duration::ZERO);
    assert_eq!(settings.wire_time(33), Duration::from_micros(34_375));
}

#[test]
fn what_is_refused_is_named() {
    for (text, sentence) in [
        ("192.0.2.10:502", "no scheme: write it as tcp://host:port or rtu:///dev/ttyUSB0"),
        ("tpc://h", "unknown scheme `tpc`, known: tcp, tls, udp, rtu, rtu+tcp, ascii, ascii+tcp"),
        ("TCP://h", "unknown scheme `TCP`, known: tcp, tls, udp, rtu, rtu+tcp, ascii, ascii+tcp"),
        ("tcp://", "`` is no host name, IPv4 address, or IPv6 address in brackets"),
        ("tcp://:502", "`` is no host name, IPv4 address, or IPv6 address in brackets"),
        ("tcp://h/", "`h/` is no host name, IPv4 address, or IPv6 address in brackets"),
        ("tcp://u@h", "`u@h` is no host name, IPv4 address, or IPv6 address in brackets"),
        ("tcp:// h", "` h` is no host name, IPv4 address, or IPv6 address in brackets"),
        ("tcp://::1", "`:` is no host name, IPv4 address, or IPv6 address in brackets"),
        ("tcp://[::1", "`[:` is no host name, IPv4 address, or IPv6 address in brackets"),
        ("tcp://[]", "`[]` is no host name, IPv4 address, or IPv6 address in brackets"),
        (
            "tcp://[192.0.2.1]",
            "`[192.0.2.1]` is no host name, IPv4 address, or IPv6 address in brackets",
        ),
        (
            "tcp://[fe80::1%]",
            "`[fe80::1%]` is no host name, IPv4 address, or IPv6 address in brackets",
        ),
        ("tcp://h:", "`` is no port from 0 to 65535"),
        ("tcp://h:65536", "`65536` is no port from 0 to 65535"),
        ("tcp://h:+5", "`+5` is no port from 0 to 65535"),
        ("tcp://h:5 ", "`5 ` is no port from 0 to 65535"),
        (
            "tcp://h?",
            "unknown option ``, known: in_flight, pause, response_timeout, exclusive, pause_after_connect, connect_timeout, idle_close, tolerate, answer_unit_id",
        ),
        (
            "tcp://h?baud=9600",
            "unknown option `baud`, known: in_flight, pause, response_timeout, exclusive, pause_after_connect, connect_timeout, idle_close, tolerate, answer_unit_id",
        ),
        ("tcp://h?in_flight", "`in_flight` takes a number from 1 to 16, not ``"),
        ("tcp://h?in_flight=0", "`in_flight` takes a number from 1 to 16, not `0`"),
        ("tcp://h?in_flight=17", "`in_flight` takes a number from 1 to 16, not `17`"),
        ("tcp://h?in_flight=+4", "`in_flight` takes a number from 1 to 16, not `+4`"),
        ("tcp://h?in_flight=2&in_flight=2", "`in_flight` is given twice"),
        ("tcp://h?pause=5", "`pause` takes a duration such as 500ms, 1.5s, 2m or 1h, not `5`"),
        (
            "tcp://h?response_timeout=0s",
            "`response_timeout` takes a duration above zero, such as 500ms, 1.5s, 2m or 1h, not `0s`",
        ),
        (
            "tcp://h?tolerate=crc",
            "`tolerate` takes transaction_id, unit_id, length or trailing, or several with commas between, not `crc`",
        ),
        (
            "tcp://h?tolerate=",
            "`tolerate` takes transaction_id, unit_id, length or trailing, or several with commas between, not ``",
        ),
        ("tcp://h?answer_unit_id=256", "`answer_unit_id` takes a number from 0 to 255, not `256`"),
        ("tls://h?cert=own.pem", "`cert` needs `key` beside it"),
        ("tls://h?key=own.key", "`key` needs `cert` beside it"),
        ("tls://h?ca=", "`ca` takes the path of a file, not ``"),
        ("tls://h?role=", "`role` takes the name of a role, not ``"),
        (
            "tls://h?name=a/b",
            "`name` takes a host name, IPv4 address, or IPv6 address in brackets, not `a/b`",
        ),
        (
            "udp://h?pause_after_connect=1s",
            "unknown option `pause_after_connect`, known: in_flight, pause, response_timeout, exclusive, tolerate, answer_unit_id",
        ),
        (
            "rtu+tcp://h?in_flight=2",
            "unknown option `in_flight`, known: pause, response_timeout, exclusive, pause_after_connect, connect_timeout, idle_close, gap, settle, turnaround, echo",
        ),
        (
            "rtu://dev/ttyUSB0",
            "`dev/ttyUSB0` is no serial port: write its whole path, as in rtu:///dev/ttyUSB0, or rtu://COM3",
        ),
        (
            "ascii://COM0",
            "`COM0` is no serial port: write its whole path, as in ascii:///dev/ttyUSB0, or ascii://COM3",
        ),
        (
            "rtu:///",
            "`/` is no serial port: write its whole path, as in rtu:///dev/ttyUSB0, or rtu://COM3",
        ),
        ("rtu:///dev/a?baud=49", "`baud` takes a number from 50 to 20000000, not `49`"),
        ("rtu:///dev/a?parity=mark", "`parity` takes none, even or odd, not `mark`"),
        ("rtu:///dev/a?stop=1.5", "`stop` takes 1 or 2, not `1.5`"),
        ("rtu:///dev/a?rs485=on", "`rs485` takes off, rts or rts_inverted, not `on`"),
        ("rtu:///dev/a?echo=yes", "`echo` takes on or off, not `yes`"),
        (
            "rtu:///dev/a?data=7",
            "`data` is 8 with rtu, whose bytes have eight bits; 7 is for ascii",
        ),
        (
            "rtu:///dev/a?baud=115200&silence=1.7ms",
            "`silence` cannot be shorter than the 3.5 characters that end a frame: 1.75ms here",
        ),
    ] {
        let error = text.parse::<Address>().unwrap_err();
        assert_eq!(error.to_string(), sentence, "{text}");
    }
}

#[test]
fn durations_are_written_as_people_do() {
    for (duration, text) in [
        (Duration::ZERO, "0ms"),
        (Duration::from_micros(1), "0.001ms"),
        (Duration::from_millis(999), "999ms"),
        (Duration::from_secs(1), "1s"),
        (Duration::from_millis(1050), "1.05s"),
        (Duration::from_mins(1), "1m"),
        (Duration::from_secs(90), "90s"),
        (Duration::from_hours(2), "2h"),
    ] {
        assert_eq!(write_duration(duration), text);
    }
}

fn span(least: u64) -> impl Strategy<Value = String> {
    let nanos =
        prop_oneof![least..10_000_000_000, (1..8760_u64).prop_map(|h| h * 3_600_000_000_000)];
    nanos.prop_map(|nanos| write_duration(Duration::from_nanos(nanos)))
}

/// Options of these names in any selection and order.
fn options(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    let value = |name: &'static str| match name {
        "in_flight" => (1..=16_u8).prop_map(|count| count.to_string()).boxed(),
        "echo" | "exclusive" => {
            prop::sample::select(vec!["on", "off"]).prop_map(str::to_owned).boxed()
        }
        "baud" => (50..=20_000_000_u32).prop_map(|baud| baud.to_string()).boxed(),
        "data" => Just("8".to_owned()).boxed(),
        "parity" => {
            prop::sample::select(vec!["none", "even", "odd"]).prop_map(str::to_owned).boxed()
        }
        "stop" => (1..=2_u8).prop_map(|count| count.to_string()).boxed(),
        "rs485" => {
            prop::sample::select(vec!["off", "rts", "rts_inverted"]).prop_map(str::to_owned).boxed()
        }
        "ca" | "cert" => "[a-z/._?= -]{1,12}".boxed(),
        "tolerate" => prop::sample::subsequence(
            vec!["transaction_id", "unit_id", "length", "trailing"],
            1..=4,
        )
        .prop_map(|words| words.join(","))
        .boxed(),
        "answer_unit_id" => any::<u8>().prop_map(|unit| unit.to_string()).boxed(),
        "name" => host().boxed(),
        "role" => "[A-Za-z =?]{1,12}".boxed(),
        // Above every 3.5 characters.
        "silence" => span(1_000_000_000).boxed(),
        "pause" | "pause_after_connect" | "idle_close" | "settle" | "turnaround" => span(0).boxed(),
        _ => span(1).boxed(),
    };
    let option =
        move |name: &'static str| value(name).prop_map(move |text| format!("{name}={text}"));
    prop::sample::subsequence(names, 0..=names.len())
        .prop_shuffle()
        .prop_flat_map(move |names| names.into_iter().map(option).collect::<Vec<_>>())
        .prop_map(|mut options| {
            // One needs the other.
            if options.iter().any(|option| option.starts_with("cert=")) {
                options.push("key=own.key".to_owned());
            }
            options.join("&")
        })
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9._-]{1,20}",
        any::<std::net::Ipv6Addr>().prop_map(|address| format!("[{address}]")),
    ]
}

const NETWORK: &[&str] = &[
    "in_flight",
    "exclusive",
    "pause",
    "pause_after_connect",
    "response_timeout",
    "connect_timeout",
    "idle_close",
    "tolerate",
    "answer_unit_id",
];
const TLS: &[&str] = &["ca", "cert", "name", "role", "in_flight", "pause", "connect_timeout"];
const BUS: &[&str] = &["pause", "response_timeout", "gap", "settle", "turnaround", "echo"];
const SERIAL: &[&str] = &[
    "baud",
    "data",
    "parity",
    "stop",
    "rs485",
    "pause",
    "silence",
    "gap",
    "settle",
    "turnaround",
    "echo",
];

fn any_address() -> impl Strategy<Value = String> {
    let network = |schemes: &'static [&'static str], names| {
        (prop::sample::select(schemes), host(), any::<u16>(), options(names)).prop_map(
            |(scheme, host, port, options)| match options.as_str() {
                "" => format!("{scheme}://{host}:{port}"),
                _ => format!("{scheme}://{host}:{port}?{options}"),
            },
        )
    };
    let path =
        prop_oneof!["(/[a-zA-Z0-9._:-]{1,8}){1,4}", (1..300_u16).prop_map(|n| format!("COM{n}"))];
    let path = path.prop_filter("`.` is left out", |path| !path.split('/').any(|part| part == "."));
    let serial = (prop::sample::select(vec!["rtu", "ascii"]), path, options(SERIAL)).prop_map(
        |(scheme, path, options)| match options.as_str() {
            "" => format!("{scheme}://{path}"),
            _ => format!("{scheme}://{path}?{options}"),
        },
    );
    prop_oneof![
        network(&["tcp"], NETWORK),
        network(&["tls"], TLS),
        network(&["udp"], &["in_flight", "pause", "response_timeout"]),
        network(&["rtu+tcp", "ascii+tcp"], BUS),
        serial,
    ]
}

proptest! {
    /// What is written reads back the same, and says all that was said: option by option.
    #[test]
    fn written_addresses_read_back_the_same(text in any_address()) {
        let address = address(&text);
        let written = address.to_string();
        prop_assert_eq!(written.parse::<Address>(), Ok(address));
        let parts = |text: &str| {
            let (place, options) = text.split_once('?').unwrap_or((text, ""));
            let mut options: Vec<String> = options.split('&').map(str::to_owned).collect();
            options.sort();
            (place.to_owned(), options)
        };
        prop_assert_eq!(parts(&written), parts(&text));
    }

    #[test]
    fn durations_read_back_the_same(nanos in 0..=31_536_000_000_000_000_u64) {
        let duration = Duration::from_nanos(nanos);
        prop_assert_eq!(parse_duration(&write_duration(duration)), Ok(duration));
    }

    #[test]
    fn any_text_is_an_address_or_an_error(text in ".{0,40}", options in "[a-z_=&0-9ms.]{0,40}") {
        for text in [
            text.clone(),
            format!("tcp://{text}"),
            format!("rtu://{text}"),
            format!("tcp://h?{options}"),
            format!("tls://h?{options}"),
            format!("ascii:///dev/a?{options}"),
        ] {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
            }
        }
    }
}
