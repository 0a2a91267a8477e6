use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::mpsc::{Receiver, channel};

use crate::bench::Bench;
use crate::binary::{passline, succeeded, text};

fn write(url: &str, more: &[&str]) -> Output {
    passline(&[&["write", url, "--unit-id", "7"], more].concat())
}

/// A device that keeps what it is sent, as hexadecimal digits from the unit id on, and answers
/// every write with what the standard says and every read with 3, or nothing.
fn recorder(answers: bool) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("tcp://{}", listener.local_addr().expect("an address"));
    let (sender, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a client");
            let mut head = [0; 6];
            while stream.read_exact(&mut head).is_ok() {
                let mut body = vec![0; usize::from(u16::from_be_bytes([head[4], head[5]]))];
                stream.read_exact(&mut body).expect("a whole frame");
                let hex: Vec<String> = body.iter().map(|byte| format!("{byte:02X}")).collect();
                if sender.send(hex.join(" ")).is_err() {
                    return;
                }
                match body[1] {
                    0x0F | 0x10 => body.truncate(6),
                    0x03 => body = vec![7, 3, 2, 0, 3],
                    _ => {}
                }
                head[5] = u8::try_from(body.len()).expect("a short answer");
                if answers {
                    stream.write_all(&[&head[..], &body].concat()).expect("a client");
                }
            }
        }
    });
    (url, received)
}

#[test]
fn every_function_goes_out_as_the_standard_has_it() {
    let (url, received) = recorder(true);
    for (arguments, frames) in [
        (vec!["coil:16=on"], vec!["07 05 00 10 FF 00"]),
        (vec!["coil:16=off"], vec!["07 05 00 10 00 00"]),
        (vec!["coil:16=true", "--function", "multiple"], vec!["07 0F 00 10 00 01 01 01"]),
        (vec!["coil:16=1,0,on,off,false,true,1,1,1"], vec!["07 0F 00 10 00 09 02 E5 01"]),
        (vec!["holding:0x10=3"], vec!["07 06 00 10 00 03"]),
        (vec!["holding:16=0xCAFE"], vec!["07 06 00 10 CA FE"]),
        (vec!["holding:16=3", "--function", "multiple"], vec!["07 10 00 10 00 01 02 00 03"]),
        (vec!["holding:16=1,2"], vec!["07 10 00 10 00 02 04 00 01 00 02"]),
        (vec!["holding:16=-5", "--type", "i16"], vec!["07 06 00 10 FF FB"]),
        (vec!["holding:16=23.5", "--scale", "0.1"], vec!["07 06 00 10 00 EB"]),
        (vec!["holding:16=258", "--order", "BA"], vec!["07 06 00 10 02 01"]),
        (vec!["holding:16=230.4", "--type", "f32"], vec!["07 10 00 10 00 02 04 43 66 66 66"]),
        (
            vec!["holding:16=230.4", "--type", "f32", "--order", "CDAB"],
            vec!["07 10 00 10 00 02 04 66 66 43 66"],
        ),
        (vec!["holding:16=NaN", "--type", "f32"], vec!["07 10 00 10 00 02 04 7F C0 00 00"]),
        (
            vec!["holding:16=9007199254740993", "--type", "u64"],
            vec!["07 10 00 10 00 04 08 00 20 00 00 00 00 00 01"],
        ),
        (vec!["holding:16=1234", "--type", "bcd16"], vec!["07 06 00 10 12 34"]),
        (
            vec!["holding:16=a,b", "--type", "string", "--length", "2"],
            vec!["07 10 00 10 00 02 04 61 2C 62 00"],
        ),
        (vec!["holding:16=CA FE", "--type", "bytes", "--length", "1"], vec!["07 06 00 10 CA FE"]),
        // Bits of a register: the device itself keeps the others.
        (vec!["holding:16.3=on"], vec!["07 16 00 10 FF F7 00 08"]),
        (vec!["holding:16.4..6=5"], vec!["07 16 00 10 FF 8F 00 50"]),
        (vec!["holding:16.3=on", "--order", "BA"], vec!["07 16 00 10 F7 FF 08 00"]),
        (vec!["holding:16.17=on", "--type", "u32"], vec!["07 16 00 10 FF FD 00 02"]),
        (vec!["holding:16.3=on", "--type", "u32"], vec!["07 16 00 11 FF F7 00 08"]),
        // Or they are read first: here they are 3.
        (
            vec!["holding:16.3=on", "--bits", "read_modify_write"],
            vec!["07 03 00 10 00 01", "07 06 00 10 00 0B"],
        ),
        (
            vec!["holding:16.0=off", "--bits", "read_modify_write", "--function", "multiple"],
            vec!["07 03 00 10 00 01", "07 10 00 10 00 01 02 00 02"],
        ),
        // Several places are written one by one, in order.
        (
            vec!["holding:2=1", "holding:1=2", "--verbose"],
            vec!["07 06 00 02 00 01", "07 06 00 01 00 02"],
        ),
    ] {
        succeeded(&write(&url, &arguments));
        let sent: Vec<String> = received.try_iter().collect();
        assert_eq!(sent, frames, "{arguments:?}");
    }
}

#[test]
fn what_cannot_be_held_or_sent_is_refused_before_anything_is_written() {
    let (url, received) = recorder(true);
    let refused = |more: &[&str]| {
        let output = write(&url, more);
        assert_eq!(output.status.code(), Some(2), "{more:?} {}", text(&output.stderr));
        assert_eq!(received.try_iter().count(), 0, "{more:?}");
        text(&output.stderr)
    };
    let inexact = refused(&["holding:1=23.55", "--scale", "0.1"]);
    assert!(inexact.contains("the nearest is 23.6; --round writes that"), "{inexact}");
    let float = refused(&["holding:1=16777217", "--type", "f32"]);
    assert!(float.contains("the nearest is 16777216; --round writes that"), "{float}");
    assert!(refused(&["holding:1=65536"]).contains("0 to 65535"));
    assert!(refused(&["holding:1=65536", "--round"]).contains("0 to 65535"));
    assert!(refused(&["holding:1=1e40", "--type", "f32"]).contains("range"));
    assert!(refused(&["holding:1=NaN"]).contains("finite"));
    // The second one is refused, so the first is not sent either.
    assert!(refused(&["holding:1=1", "holding:2=x"]).contains("holding:2=x: not a decimal number"));
    assert!(refused(&["input:1=1"]).contains("cannot be written"));
    assert!(refused(&["discrete:1=on"]).contains("cannot be written"));
    assert!(refused(&["coil:1=2"]).contains("on or off"));
    assert!(refused(&["holding:1=1,2", "--function", "single"]).contains("function 06"));
    assert!(refused(&["coil:1=1,0", "--function", "single"]).contains("function 05"));
    assert!(refused(&["holding:1=1", "--type", "u32", "--function", "single"]).contains("06"));
    assert!(refused(&["holding:1.3=on", "--function", "single"]).contains("function 16"));
    assert!(refused(&["holding:1.14..17=3", "--type", "u32"]).contains("one register"));
    assert!(refused(&["holding:1.3=on", "--function", "bits"]).contains("possible values"));
    assert!(refused(&["holding:1.3=on,off"]).contains("one by one"));
    assert!(refused(&["holding:1.4..6=8"]).contains("0 to 7"));
    assert!(refused(&["holding:1="]).contains("not a decimal number"));
    assert!(refused(&["holding:1"]).contains("PLACE=VALUE"));
    assert!(refused(&["holding:65535=1,2"]).contains("65535"));
    let many = format!("holding:0={}", ["1"; 124].join(","));
    assert!(refused(&[&many]).contains("at most 123"));
    assert!(
        refused(&["holding:1=abc", "--type", "string", "--length", "1"]).contains("do not fit")
    );
    assert!(refused(&["holding:1=1", "--broadcast"]).contains("--broadcast"));
    for more in [["--broadcast", "holding:1=1"], ["holding:1=1", "--verbose"]] {
        let output = passline(&[&["write", &url], &more[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{more:?}");
    }
    assert_eq!(received.try_iter().count(), 0);
}

/// A flag that a variable switches off does not send to all what is meant for one.
#[test]
fn nobody_is_written_to_unless_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_passline"))
        .args(["write", "rtu:///dev/no-port", "holding:1=1"])
        .env("PASSLINE_BROADCAST", "0")
        .output()
        .expect("the binary");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--unit-id"), "{}", text(&output.stderr));
}

#[test]
fn rounding_is_done_where_it_is_asked_for() {
    let (url, received) = recorder(true);
    let said = succeeded(&write(&url, &["holding:1=23.55", "--scale", "0.1", "--round", "-v"]));
    assert_eq!(said, "holding:1 = 23.6\n");
    let float = ["holding:1=16777217", "--type", "f32", "--round", "-v"];
    assert_eq!(succeeded(&write(&url, &float)), "holding:1..2 = 16777216\n");
    let sent: Vec<String> = received.try_iter().collect();
    assert_eq!(sent, ["07 06 00 01 00 EC", "07 10 00 01 00 02 04 4B 80 00 00"]);
}

#[test]
fn a_write_without_an_answer_is_in_doubt_and_is_never_sent_twice() {
    let (url, received) = recorder(false);
    let output = write(&url, &["holding:1=1", "holding:2=2", "--timeout", "50ms"]);
    assert_eq!(output.status.code(), Some(3));
    let said = text(&output.stderr);
    assert!(said.contains("holding:1: no answer within 50ms [timeout]"), "{said}");
    assert!(said.contains("may have written it or not"), "{said}");
    assert_eq!(received.recv().expect("a request"), "07 06 00 01 00 01");
    assert_eq!(received.try_iter().count(), 0, "once, and nothing behind it");
}

#[test]
fn bits_whose_register_cannot_be_read_are_not_written() {
    let (url, received) = recorder(false);
    let bits = ["holding:1.3=on", "--bits", "read_modify_write", "--timeout", "50ms"];
    let output = write(&url, &bits);
    assert_eq!(output.status.code(), Some(3));
    let said = text(&output.stderr);
    assert!(said.contains("holding:1: no answer within 50ms [timeout]: nothing was"), "{said}");
    assert_eq!(received.recv().expect("a request"), "07 03 00 01 00 01");
    assert_eq!(received.try_iter().count(), 0, "nothing behind it");
}

#[test]
fn what_was_written_is_read_back_where_that_is_asked_for() {
    let bench = Bench::start();
    let level = ["holding:30=21.5", "--type", "f32", "--order", "CDAB", "--verify"];
    assert_eq!(succeeded(&write(&bench.url, &level)), "");
    let read =
        ["read", &bench.url, "--unit-id", "7", "holding:30", "--type", "f32", "--order", "CDAB"];
    assert_eq!(succeeded(&passline(&read)), "21.5\n");
    succeeded(&write(&bench.url, &["coil:0=off,on,off", "--verify"]));
    succeeded(&write(&bench.url, &["holding:0.1=on", "--verify"]));
    let status = ["read", &bench.url, "--unit-id", "7", "holding:0", "coil:0", "coil:1"];
    assert_eq!(succeeded(&passline(&status)), "167\nfalse\ntrue\n");
    let refused = write(&bench.url, &["holding:999=1", "--verify"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(text(&refused.stderr).contains("holding:999: the device answered with exception"));
}

#[test]
fn a_device_that_keeps_another_value_is_told() {
    let (url, _received) = recorder(true);
    let output = write(&url, &["holding:0=5", "--verify"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("holding:0: wrote 5, reads back 3"));
    succeeded(&write(&url, &["holding:0=3", "--verify"]));
}
