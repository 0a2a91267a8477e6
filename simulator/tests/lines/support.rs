//! What these tests share: frames written out by hand, so that a defect of the codec cannot hide
//! itself, and clients that know nothing but bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use passline_modbus::point::Table;
use passline_simulator::device::Device;
use passline_simulator::endpoint::Endpoint;
use passline_simulator::fault::{Fault, FrameFault, Scope, Seed, Trigger};
use passline_simulator::image::Image;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout};

/// Longer than anything takes: it ends a test that hangs, and is never waited for otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Read holding register 0; unit `u` answers `0x100 + u`.
pub(crate) const READ: [u8; 5] = [3, 0, 0, 0, 1];

/// The CRC of an RTU frame, bit by bit (Serial Line V1.02, clause 6.2.2).
fn crc(bytes: &[u8]) -> [u8; 2] {
    let shift = |crc: u16| if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 };
    let crc = bytes
        .iter()
        .fold(0xFFFF, |crc, byte| (0..8).fold(crc ^ u16::from(*byte), |crc, _| shift(crc)));
    crc.to_le_bytes()
}

/// An RTU frame around a PDU.
pub(crate) fn rtu(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let bytes = [&[unit], pdu].concat();
    [&bytes[..], &crc(&bytes)].concat()
}

/// An ASCII frame around a PDU.
pub(crate) fn ascii(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let bytes = [&[unit], pdu].concat();
    let lrc = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)).wrapping_neg();
    let digits: Vec<_> = bytes.iter().chain([&lrc]).map(|byte| format!("{byte:02X}")).collect();
    format!(":{}\r\n", digits.concat()).into_bytes()
}

/// A Modbus TCP frame around a PDU.
pub(crate) fn mbap(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let [t1, t0] = transaction.to_be_bytes();
    let [l1, l0] = u16::try_from(pdu.len() + 1).unwrap().to_be_bytes();
    [&[t1, t0, 0, 0, l1, l0, unit], pdu].concat()
}

/// The answer PDU of [`READ`] by this unit.
pub(crate) fn value(unit: u8) -> [u8; 4] {
    [3, 2, 1, unit]
}

/// The unit `id`: holding registers 0 to 9, `0x100 + id` each; coils 0 to 7, all off.
pub(crate) fn device(id: u8, faults: &[Fault]) -> Device {
    let mut image = Image::new();
    image.set_words(Table::Holding, 0, &[0x100 + u16::from(id); 10]).unwrap();
    image.set_bits(Table::Coil, 0, &[false; 8]).unwrap();
    Device::new(image).with_faults(faults.iter().cloned(), Seed::of_device(0, "device"))
}

/// A line with units of these ids.
pub(crate) fn line(units: &[u8]) -> Endpoint {
    let units = units.iter().map(|&id| (id, device(id, &[])));
    Endpoint::new(units.collect::<BTreeMap<_, _>>(), Instant::now())
}

/// The next so many bytes.
pub(crate) async fn take(stream: &mut (impl AsyncRead + Unpin), count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    let read = timeout(PATIENCE, stream.read_exact(&mut bytes)).await;
    read.unwrap().unwrap();
    bytes
}

/// The bytes that come until nothing comes for so long.
pub(crate) async fn listen(stream: &mut (impl AsyncRead + Unpin), quiet: Duration) -> Vec<u8> {
    let mut heard = Vec::new();
    let mut chunk = [0; 512];
    while let Ok(Ok(count @ 1..)) = timeout(quiet, stream.read(&mut chunk)).await {
        heard.extend_from_slice(&chunk[..count]);
    }
    heard
}

/// Every answer so much later.
pub(crate) fn late(by: Duration) -> Fault {
    let kind = FrameFault::Delay { by }.into();
    Fault { kind, scope: Scope::default(), trigger: Trigger::default() }
}
