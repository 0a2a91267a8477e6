//! Addresses as people write them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use passline_modbus::{
    address::{Address, Overrides, Place},
    duration::{parse_duration, write_duration},
    link::InFlight,
};
use proptest::prelude::*;

#[test]
fn places() {
    for (text, host, port, written) in [
        ("tcp://192.0.2.10:502", "192.0.2.10", 502, "tcp://192.0.2.10:502"),
        ("tcp://192.0.2.10", "192.0.2.10", 502, "tcp://192.0.2.10:502"),
        (
            "tcp://Meter-3.plant_2.example:1502",
            "meter-3.plant_2.example",
            1502,
            "tcp://meter-3.plant_2.example:1502",
        ),
        ("tcp://[::1]", "::1", 502, "tcp://[::1]:502"),
        ("tcp://[2001:DB8:0:0::7]:5020", "2001:db8::7", 5020, "tcp://[2001:db8::7]:5020"),
        ("tcp://[fe80::1%eth0]:0", "fe80::1%eth0", 0, "tcp://[fe80::1%eth0]:0"),
        ("tcp://localhost:65535", "localhost", 65535, "tcp://localhost:65535"),
    ] {
        let address: Address = text.parse().unwrap();
        assert_eq!(address.place, Place::Tcp { host: host.to_owned(), port }, "{text}");
        assert_eq!(address.overrides, Overrides::default(), "{text}");
        assert_eq!(address.to_string(), written);
    }
}

#[test]
fn options_say_how_and_not_where() {
    let text = "tcp://h:502?connect_timeout=2m&in_flight=4&pause=1.5s&pause_after_connect=500ms&response_timeout=1h";
    let address: Address = text.parse().unwrap();
    let expected = Overrides {
        in_flight: InFlight::new(4),
        pause: Some(Duration::from_millis(1500)),
        pause_after_connect: Some(Duration::from_millis(500)),
        response_timeout: Some(Duration::from_hours(1)),
        connect_timeout: Some(Duration::from_mins(2)),
    };
    assert_eq!(address.overrides, expected);
    assert_eq!(
        address.to_string(),
        "tcp://h:502?in_flight=4&pause=1.5s&pause_after_connect=500ms&response_timeout=1h&connect_timeout=2m"
    );
    let bare: Address = "tcp://H".parse().unwrap();
    assert_eq!(address.place, bare.place);
    assert_ne!(address, bare);
}

#[test]
fn what_is_refused_is_named() {
    for (text, sentence) in [
        ("192.0.2.10:502", "no scheme: write it as tcp://host:port"),
        ("tpc://h", "unknown scheme `tpc`, known: tcp"),
        ("TCP://h", "unknown scheme `TCP`, known: tcp"),
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
            "unknown option ``, known: in_flight, pause, pause_after_connect, response_timeout, connect_timeout",
        ),
        (
            "tcp://h?baud=9600",
            "unknown option `baud`, known: in_flight, pause, pause_after_connect, response_timeout, connect_timeout",
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

fn place() -> impl Strategy<Value = Place> {
    let host = prop_oneof![
        "[a-z0-9._-]{1,20}",
        any::<std::net::Ipv6Addr>().prop_map(|address| address.to_string()),
    ];
    (host, any::<u16>()).prop_map(|(host, port)| Place::Tcp { host, port })
}

fn duration(least: u64) -> impl Strategy<Value = Option<Duration>> {
    let nanos =
        prop_oneof![least..10_000_000_000, (1..8760_u64).prop_map(|h| h * 3_600_000_000_000)];
    prop::option::of(nanos.prop_map(Duration::from_nanos))
}

fn address() -> impl Strategy<Value = Address> {
    let in_flight = prop::option::of((1..=16_u8).prop_map(|count| InFlight::new(count).unwrap()));
    (place(), in_flight, [duration(0), duration(0)], [duration(1), duration(1)]).prop_map(
        |(place, in_flight, [pause, pause_after_connect], [response_timeout, connect_timeout])| {
            let overrides = Overrides {
                in_flight,
                pause,
                pause_after_connect,
                response_timeout,
                connect_timeout,
            };
            Address { place, overrides }
        },
    )
}

proptest! {
    #[test]
    fn written_addresses_read_back_the_same(address in address()) {
        prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
    }

    #[test]
    fn durations_read_back_the_same(nanos in 0..=31_536_000_000_000_000_u64) {
        let duration = Duration::from_nanos(nanos);
        prop_assert_eq!(parse_duration(&write_duration(duration)), Ok(duration));
    }

    #[test]
    fn any_text_is_an_address_or_an_error(text in ".{0,40}", options in "[a-z_=&0-9ms.]{0,40}") {
        for text in [text.clone(), format!("tcp://{text}"), format!("tcp://h?{options}")] {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
            }
        }
    }
}
