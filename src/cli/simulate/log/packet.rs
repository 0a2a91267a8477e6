//! Packets as they would have been on an Ethernet, with the checksums that they would have had.

use std::net::{Ipv4Addr, SocketAddrV4};

/// The largest payload of a packet on an Ethernet.
pub(super) const SEGMENT: usize = 1460;

/// Our own addresses, administered locally: client, server.
const CLIENT: [u8; 6] = [2, 0, 0, 0, 0, 1];
const SERVER: [u8; 6] = [2, 0, 0, 0, 0, 2];

const IPV4: [u8; 2] = [0x08, 0x00];
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Flags of a TCP segment.
pub(super) const FIN: u8 = 0x01;
pub(super) const SYN: u8 = 0x02;
pub(super) const RST: u8 = 0x04;
pub(super) const PSH: u8 = 0x08;
pub(super) const ACK: u8 = 0x10;

/// Which way a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// From the client to the server.
    In,
    /// From the server to the client.
    Out,
}

/// A client and its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) client: SocketAddrV4,
    pub(super) server: SocketAddrV4,
}

impl Ends {
    /// Source and destination.
    pub(super) fn toward(self, way: Way) -> (SocketAddrV4, SocketAddrV4) {
        match way {
            Way::In => (self.client, self.server),
            Way::Out => (self.server, self.client),
        }
    }

    /// A datagram.
    pub(super) fn datagram(self, way: Way, payload: &[u8]) -> Vec<u8> {
        let (from, to) = self.toward(way);
        let mut datagram = [from.port().to_be_bytes(), to.port().to_be_bytes()].concat();
        datagram.extend(length(8 + payload.len()));
        datagram.extend([0, 0]);
        datagram.extend(payload);
        let sum = match transport_sum(*from.ip(), *to.ip(), UDP, &datagram) {
            // 0 says that there is none (RFC 768).
            0 => 0xFFFF,
            sum => sum,
        };
        put(&mut datagram, 6, sum);
        packet(way, (*from.ip(), *to.ip()), UDP, &datagram)
    }

    /// A segment of a connection.
    pub(super) fn segment(self, way: Way, at: Position, flags: u8, payload: &[u8]) -> Vec<u8> {
        let (from, to) = self.toward(way);
        let mut segment = [from.port().to_be_bytes(), to.port().to_be_bytes()].concat();
        segment.extend(at.sequence.to_be_bytes());
        segment.extend(at.acknowledged.to_be_bytes());
        // Five words of header, the flags, the largest window; checksum and urgent pointer.
        segment.extend([0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]);
        segment.extend(payload);
        let sum = transport_sum(*from.ip(), *to.ip(), TCP, &segment);
        put(&mut segment, 16, sum);
        packet(way, (*from.ip(), *to.ip()), TCP, &segment)
    }
}

/// How far the two sides of a connection are, as a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) sequence: u32,
    pub(super) acknowledged: u32,
}

/// An Ethernet frame around an IPv4 packet (RFC 791).
fn packet(way: Way, (from, to): (Ipv4Addr, Ipv4Addr), protocol: u8, content: &[u8]) -> Vec<u8> {
    let macs = if way == Way::In { [SERVER, CLIENT] } else { [CLIENT, SERVER] };
    let mut header = vec![0x45, 0];
    header.extend(length(20 + content.len()));
    // No identification, not to be cut into fragments, 64 hops; checksum.
    header.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
    header.extend(from.octets());
    header.extend(to.octets());
    let sum = !folded(&header);
    put(&mut header, 10, sum);
    [macs.concat().as_slice(), &IPV4, &header, content].concat()
}

/// What is longer than a datagram can be is not sent by anybody.
fn length(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

fn put(bytes: &mut [u8], at: usize, word: u16) {
    if let Some(place) = bytes.get_mut(at..at + 2) {
        place.copy_from_slice(&word.to_be_bytes());
    }
}

/// The checksum of a TCP segment or a datagram, over it and a header made up from its addresses.
fn transport_sum(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, content: &[u8]) -> u16 {
    let mut all = [from.octets(), to.octets()].concat();
    all.extend([0, protocol]);
    all.extend(length(content.len()));
    all.extend(content);
    !folded(&all)
}

/// The sum of all words in ones' complement (RFC 1071).
fn folded(bytes: &[u8]) -> u16 {
    let word = |pair: &[u8]| match *pair {
        [high, low] => u32::from(u16::from_be_bytes([high, low])),
        [high] => u32::from(high) << 8,
        _ => 0,
    };
    let mut sum: u32 = bytes.chunks(2).map(word).sum();
    while let carry @ 1.. = sum >> 16 {
        sum = (sum & 0xFFFF) + carry;
    }
    u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_a_header_from_the_wire() {
        // A datagram from 192.168.0.1 to 192.168.0.199, as captured: its checksum is B861.
        let mut header = [
            0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x00, 0x00, 0xC0, 0xA8,
            0x00, 0x01, 0xC0, 0xA8, 0x00, 0xC7,
        ];
        assert_eq!(!folded(&header), 0xB861);
        put(&mut header, 10, 0xB861);
        assert_eq!(folded(&header), 0xFFFF);
        assert_eq!(folded(&[0xFF, 0xFF, 0x01]), 0x0100);
    }
}
