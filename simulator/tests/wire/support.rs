//! What the tests of this crate share: frames written out by hand, so that a defect of the codec
//! cannot hide itself, and a client that knows nothing but bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use passline_modbus::point::Table;
use passline_simulator::device::Device;
use passline_simulator::endpoint::Endpoint;
use passline_simulator::image::Image;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};

/// Bytes written as hexadecimal digits, blanks ignored.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    let pairs = (0..digits.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// A Modbus TCP frame around a PDU.
pub(crate) fn frame(transaction: u16, unit_id: u8, pdu: &[u8]) -> Vec<u8> {
    let [t1, t0] = transaction.to_be_bytes();
    let [l1, l0] = u16::try_from(pdu.len() + 1).unwrap().to_be_bytes();
    [&[t1, t0, 0, 0, l1, l0, unit_id], pdu].concat()
}

/// Coils 0 to 9 (even ones on), discrete inputs 16 to 23 (all on), input registers 100 to 102,
/// holding registers 0 to 9 (0x100 plus the address) and 65535; nothing else.
pub(crate) fn image() -> Image {
    let mut image = Image::new();
    image.set_bits(Table::Coil, 0, &[true, false].repeat(5)).unwrap();
    image.set_bits(Table::Discrete, 16, &[true; 8]).unwrap();
    image.set_words(Table::Input, 100, &[0x0A0B, 0xFFFF, 0x8000]).unwrap();
    let words: Vec<u16> = (0x100..0x10A).collect();
    image.set_words(Table::Holding, 0, &words).unwrap();
    image.set_words(Table::Holding, 65535, &[0xBEEF]).unwrap();
    image
}

/// A line with this device as unit 1.
pub(crate) fn line(device: Device) -> Endpoint {
    Endpoint::new(BTreeMap::from([(1, device)]), Instant::now())
}

/// A listener on a free port, and its address.
pub(crate) async fn listen() -> (TcpListener, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Sends a PDU to unit 1 and gives the PDU answered, whose header must be in order.
pub(crate) async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), pdu: &[u8]) -> Vec<u8> {
    stream.write_all(&frame(0x1234, 1, pdu)).await.unwrap();
    let (transaction, unit_id, answer) = receive(stream).await.unwrap();
    assert_eq!((transaction, unit_id), (0x1234, 1));
    answer
}

/// The next frame: transaction id, unit id, PDU. `None` if the stream has ended.
pub(crate) async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> Option<(u16, u8, Vec<u8>)> {
    let mut header = [0; 7];
    let read = timeout(Duration::from_secs(10), stream.read_exact(&mut header)).await;
    read.expect("neither a frame nor the end").ok()?;
    let [t1, t0, p1, p0, l1, l0, unit_id] = header;
    assert_eq!([p1, p0], [0, 0], "protocol id");
    let mut pdu = vec![0; usize::from(u16::from_be_bytes([l1, l0])) - 1];
    stream.read_exact(&mut pdu).await.unwrap();
    Some((u16::from_be_bytes([t1, t0]), unit_id, pdu))
}
