//! What an address makes of a line.

use std::time::Duration;

use passline_modbus::{
    address::Address,
    link::{Bus, Discipline, InFlight, Options, Pace},
};

fn options(text: &str) -> Options {
    Options::of(&text.parse::<Address>().unwrap())
}

#[test]
fn each_scheme_has_its_discipline() {
    assert_eq!(options("tcp://h").discipline, Discipline::Mbap);
    assert_eq!(options("tls://h").discipline, Discipline::Mbap);
    assert_eq!(options("udp://h").discipline, Discipline::Datagrams);
    assert_eq!(options("rtu+tcp://h").discipline, Discipline::Rtu(Bus::rtu(None)));
    assert_eq!(options("ascii+tcp://h").discipline, Discipline::Ascii(Bus::ascii(None)));
    // 8N1: ten bits for a character, 1.75 ms above 19,200 baud.
    let pace =
        Pace { character: Duration::from_nanos(86_806), silence: Duration::from_micros(1_750) };
    assert_eq!(
        options("rtu:///dev/a?baud=115200&parity=none&stop=1").discipline,
        Discipline::Rtu(Bus::rtu(Some(pace)))
    );
    // Seven data bits; what ends an ASCII frame is in it, so no silence is needed.
    let pace = Pace { character: Duration::from_nanos(520_834), silence: Duration::ZERO };
    assert_eq!(options("ascii:///dev/a").discipline, Discipline::Ascii(Bus::ascii(Some(pace))));
}

#[test]
fn what_an_address_says_is_done() {
    let bus = options(
        "rtu:///dev/a?silence=5ms&gap=7ms&settle=9ms&turnaround=11ms&echo=on&pause=1ms&pause_after_connect=2ms",
    );
    let Discipline::Rtu(rtu) = bus.discipline else { panic!("{bus:?}") };
    assert_eq!(rtu.pace.map(|pace| pace.silence), Some(Duration::from_millis(5)));
    assert_eq!(rtu.gap, Duration::from_millis(7));
    assert_eq!(rtu.settle, Some(Duration::from_millis(9)));
    assert_eq!(rtu.turnaround, Duration::from_millis(11));
    assert!(rtu.echo);
    assert_eq!(bus.pause, Duration::from_millis(1));
    assert_eq!(bus.pause_after_connect, Duration::from_millis(2));
    let tcp = options("tcp://h?in_flight=4&connect_timeout=3ms");
    assert_eq!(Some(tcp.in_flight), InFlight::new(4));
    assert_eq!(tcp.connect_timeout, Duration::from_millis(3));
}
