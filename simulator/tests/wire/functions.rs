//! Every function code on the wire: requests and answers written out by hand.

use crate::support::{ask, hex, image, line, listen};
use passline_modbus::point::Table;
use passline_simulator::device::Device;
use passline_simulator::image::Image;
use tokio::net::TcpStream;

/// Asks one device over memory, and a second one like it over TCP, request after request.
async fn check(image: Image, exchanges: &[(&str, &str)]) {
    let in_memory = line(Device::new(image.clone()));
    let mut duplex = in_memory.connect();
    let over_tcp = line(Device::new(image));
    let (listener, address) = listen().await;
    tokio::spawn(over_tcp.serve(listener, std::future::pending()));
    let mut tcp = TcpStream::connect(address).await.unwrap();
    for (request, answer) in exchanges {
        let (pdu, expected) = (hex(request), hex(answer));
        assert_eq!(ask(&mut duplex, &pdu).await, expected, "{request} in memory");
        assert_eq!(ask(&mut tcp, &pdu).await, expected, "{request} over TCP");
    }
}

/// Bits of bytes as they travel: the first in the lowest bit.
fn bits(bytes: &[u8], count: usize) -> Vec<bool> {
    let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
    bits.take(count).collect()
}

/// The examples of the Modbus application protocol specification V1.1b3, clause 6.
#[tokio::test]
async fn the_examples_of_the_specification() {
    let mut image = Image::new();
    image.set_bits(Table::Coil, 0x13, &bits(&[0xCD, 0x6B, 0x05], 19)).unwrap();
    image.set_bits(Table::Discrete, 0xC4, &bits(&[0xAC, 0xDB, 0x35], 22)).unwrap();
    image.set_words(Table::Holding, 0x6B, &[0x022B, 0, 0x64]).unwrap();
    image.set_words(Table::Input, 8, &[0x0A]).unwrap();
    image.set_bits(Table::Coil, 0xAC, &[false]).unwrap();
    image.set_words(Table::Holding, 1, &[0, 0]).unwrap();
    check(
        image,
        &[
            ("01 0013 0013", "01 03 CD6B05"),
            ("02 00C4 0016", "02 03 ACDB35"),
            ("03 006B 0003", "03 06 022B 0000 0064"),
            ("04 0008 0001", "04 02 000A"),
            ("05 00AC FF00", "05 00AC FF00"),
            ("01 00AC 0001", "01 01 01"),
            ("06 0001 0003", "06 0001 0003"),
            ("03 0001 0002", "03 04 0003 0000"),
            ("08 0000 A537", "08 0000 A537"),
            ("0F 0013 000A 02 CD01", "0F 0013 000A"),
            ("10 0001 0002 04 000A 0102", "10 0001 0002"),
            ("03 0001 0002", "03 04 000A 0102"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_mask_write_stores_the_example_of_the_specification() {
    let mut image = Image::new();
    image.set_words(Table::Holding, 4, &[0x0012]).unwrap();
    check(
        image,
        &[
            ("16 0004 00F2 0025", "16 0004 00F2 0025"),
            ("03 0004 0001", "03 02 0017"),
            // All zero in the AND mask stores the OR mask; all one leaves the register as it is.
            ("16 0004 0000 ABCD", "16 0004 0000 ABCD"),
            ("03 0004 0001", "03 02 ABCD"),
            ("16 0004 FFFF 1234", "16 0004 FFFF 1234"),
            ("03 0004 0001", "03 02 ABCD"),
        ],
    )
    .await;
}

#[tokio::test]
async fn function_23_writes_before_it_reads() {
    let mut image = Image::new();
    image.set_words(Table::Holding, 3, &[0xFE, 0x0ACD, 1, 3, 0x0D, 0xFF]).unwrap();
    image.set_words(Table::Holding, 0x0E, &[0, 0, 0]).unwrap();
    check(
        image,
        &[
            ("17 0003 0006 000E 0003 06 00FF 00FF 00FF", "17 0C 00FE 0ACD 0001 0003 000D 00FF"),
            ("03 000E 0003", "03 06 00FF 00FF 00FF"),
            ("17 0003 0002 0004 0001 02 5555", "17 04 00FE 5555"),
        ],
    )
    .await;
}

#[tokio::test]
async fn holes_are_refused_wherever_a_request_touches_one() {
    check(
        image(),
        &[
            ("01 000A 0001", "81 02"),
            ("01 0009 0002", "81 02"),
            ("02 000F 0002", "82 02"),
            ("02 0010 0008", "02 01 FF"),
            ("03 000A 0001", "83 02"),
            ("03 0009 0002", "83 02"),
            ("03 0000 000B", "83 02"),
            ("03 FFFF 0001", "03 02 BEEF"),
            // Past the last address there is nothing, and the addresses do not begin again.
            ("03 FFFF 0002", "83 02"),
            ("04 0000 0001", "84 02"),
            ("04 0064 0003", "04 06 0A0B FFFF 8000"),
            ("05 000A FF00", "85 02"),
            ("06 000A 0000", "86 02"),
            ("0F 0009 0002 01 03", "8F 02"),
            ("10 FFFF 0002 04 0001 0002", "90 02"),
            ("16 000A 0000 0000", "96 02"),
            ("17 0000 0001 000A 0001 02 0001", "97 02"),
            ("17 000A 0001 0000 0001 02 0001", "97 02"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_refused_write_stores_nothing() {
    check(
        image(),
        &[
            ("10 0009 0002 04 DEAD DEAD", "90 02"),
            ("0F 0009 0002 01 03", "8F 02"),
            ("17 000A 0001 0009 0001 02 DEAD", "97 02"),
            ("03 0009 0001", "03 02 0109"),
            ("01 0009 0001", "01 01 00"),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_function_is_checked_before_anything_else() {
    for function in (0..=0x7F).filter(|f| ![1, 2, 3, 4, 5, 6, 8, 15, 16, 22, 23].contains(f)) {
        let answer = format!("{:02X} 01", function | 0x80);
        // Complete, cut short, and with data that no function allows.
        for rest in ["0E 01 00", "", "00", "0000 0000", "FFFF FFFF FFFF"] {
            check(image(), &[(&format!("{function:02X} {rest}"), &answer)]).await;
        }
    }
    check(image(), &[("08 0001 0000", "88 01"), ("83 0000 0001", "83 01")]).await;
}

#[tokio::test]
async fn the_quantity_is_checked_before_the_address() {
    // Where there is a hole, and where there is none.
    for start in ["FFF0", "0000"] {
        for (request, answer) in [
            ("01 @ 0000", "81 03"),
            ("01 @ 07D1", "81 03"),
            ("02 @ 0000", "82 03"),
            ("02 @ 07D1", "82 03"),
            ("03 @ 0000", "83 03"),
            ("03 @ 007E", "83 03"),
            ("04 @ 0000", "84 03"),
            ("04 @ 007E", "84 03"),
            ("05 @ 1234", "85 03"),
            ("0F @ 0000 00", "8F 03"),
            ("10 @ 0000 00", "90 03"),
            ("17 @ 0000 0000 0001 02 0001", "97 03"),
            ("17 @ 007E 0000 0001 02 0001", "97 03"),
            ("17 0000 0001 @ 0000 00", "97 03"),
        ] {
            check(image(), &[(&request.replace('@', start), answer)]).await;
        }
        let write = |function: &str, quantity: &str, bytes: usize| {
            format!("{function} {start} {quantity} {bytes:02X} {}", "00".repeat(bytes))
        };
        check(image(), &[(&write("0F", "07B1", 247), "8F 03")]).await;
        check(image(), &[(&write("10", "007C", 247), "90 03")]).await;
        check(image(), &[(&write("17 0000 0001", "007A", 242), "97 03")]).await;
    }
}

#[tokio::test]
async fn the_largest_quantities_are_served() {
    let mut image = Image::new();
    image.set_bits(Table::Coil, 0, &[true; 2000]).unwrap();
    image.set_words(Table::Holding, 0, &[0x5A5A; 125]).unwrap();
    let zeros = |count| "00".repeat(count);
    check(
        image,
        &[
            ("01 0000 07D0", &format!("01 FA {}", "FF".repeat(250))),
            ("03 0000 007D", &format!("03 FA {}", "5A".repeat(250))),
            (&format!("0F 0000 07B0 F6 {}", zeros(246)), "0F 0000 07B0"),
            ("01 0000 07D0", &format!("01 FA {} FFFFFFFF", zeros(246))),
            (&format!("10 0000 007B F6 {}", zeros(246)), "10 0000 007B"),
            ("03 0000 007D", &format!("03 FA {} 5A5A 5A5A", zeros(246))),
            (
                &format!("17 0000 007D 0004 0079 F2 {}", zeros(242)),
                &format!("17 FA {}", zeros(250)),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn requests_that_are_none_are_refused_and_do_nothing() {
    check(
        image(),
        &[
            ("03", "83 03"),
            ("03 00", "83 03"),
            ("03 0000 00", "83 03"),
            ("03 0000 0001 00", "83 03"),
            ("05 0000", "85 03"),
            ("06 0000 DEAD 00", "86 03"),
            ("0F 0000 0009 01 FF", "8F 03"),
            ("10 0000 0001 02 DE", "90 03"),
            ("10 0000 0001 02 DEAD 00", "90 03"),
            ("10 0000 0001 04 DEAD DEAD", "90 03"),
            ("16 0000 DEAD", "96 03"),
            ("17 0000 0001 0000 0001 02 DE", "97 03"),
            ("08 00", "88 03"),
            ("03 0000 0001", "03 02 0100"),
        ],
    )
    .await;
}
