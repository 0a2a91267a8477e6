//! A log as a capture in pcapng (draft-ietf-opsawg-pcapng), for Wireshark: each link is an interface
//! of it.
//!
//! Modbus TCP, which may have been inside TLS, is shown as TCP or UDP packets to port 502, serial
//! frames as PDUs that name their dissector (LINKTYPE 252): so Wireshark decodes both untold. The
//! addresses of servers, and of clients that have none of IPv4, are made up.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

use passline_modbus::framing::Framing;
use passline_simulator::endpoint::{Event, Peer, What};
use passline_simulator::fault::End;

use super::super::line::Watched;
use super::packet::{ACK, Ends, FIN, PSH, Position, RST, SEGMENT, SYN, Way};

const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;

const ETHERNET: u16 = 1;
const UPPER_PDU: u16 = 252;

/// The port at which Wireshark expects Modbus TCP.
const PORT: u16 = 502;

/// Servers are at 198.18.x.y, clients without an address at 198.19.x.y: a network for tests of
/// devices (RFC 2544).
const SERVERS: u8 = 18;
const CLIENTS: u8 = 19;

/// Ports for those who have none.
const PORTS: u16 = 49_152;

/// What has to be known of the packets so far.
#[derive(Debug, Default)]
pub(super) struct Capture {
    /// By link and connection: what each side of it has sent.
    connections: HashMap<(usize, u64), Sides>,
}

/// The next sequence numbers of both sides.
#[derive(Debug, Clone, Copy)]
struct Sides {
    client: u32,
    server: u32,
}

impl Sides {
    fn at(self, way: Way) -> Position {
        match way {
            Way::In => Position { sequence: self.client, acknowledged: self.server },
            Way::Out => Position { sequence: self.server, acknowledged: self.client },
        }
    }

    fn advance(&mut self, way: Way, by: usize) {
        let side = if way == Way::In { &mut self.client } else { &mut self.server };
        // Sequence numbers go round.
        *side = side.wrapping_add(u32::try_from(by).unwrap_or_default());
    }
}

/// A link's packets of one event.
struct Packets<'a> {
    index: usize,
    now: jiff::Timestamp,
    ends: Ends,
    sides: &'a mut Sides,
    out: Vec<u8>,
}

impl Capture {
    /// What stands before all packets.
    pub(super) fn header(links: &[Watched]) -> Vec<u8> {
        let mut section = 0x1A2B_3C4D_u32.to_le_bytes().to_vec();
        section.extend([1, 0, 0, 0]);
        section.extend((-1_i64).to_le_bytes());
        section.extend(option(4, format!("passline {}", env!("CARGO_PKG_VERSION")).as_bytes()));
        section.extend(option(0, &[]));
        let mut header = block(SECTION, &section);
        for link in links {
            let kind = if link.framing == Framing::Mbap { ETHERNET } else { UPPER_PDU };
            let mut interface = kind.to_le_bytes().to_vec();
            interface.extend([0; 6]);
            interface.extend(option(2, link.name.as_bytes()));
            interface.extend(option(3, link.url.as_bytes()));
            // Time stamps are in units of 10^-9 seconds.
            interface.extend(option(9, &[9]));
            interface.extend(option(0, &[]));
            header.extend(block(INTERFACE, &interface));
        }
        header
    }

    /// The packets of an event.
    pub(super) fn packets(
        &mut self,
        index: usize,
        link: &Watched,
        event: &Event<'_>,
        now: jiff::Timestamp,
    ) -> Vec<u8> {
        let key = (index, event.peer.number);
        // Where there are no connections, these stay as they are.
        let sides = self.connections.entry(key).or_insert(Sides { client: 0, server: 0 });
        let ends = ends(index, event.peer);
        let mut packets = Packets { index, now, ends, sides, out: Vec::new() };
        let moved = match event.what {
            What::Received(bytes) => Some((Way::In, bytes)),
            What::Sent(bytes) => Some((Way::Out, bytes)),
            _ => None,
        };
        match (link.framing, moved) {
            (Framing::Mbap, Some((way, bytes))) if link.datagrams => {
                packets.put(way, &ends.datagram(way, bytes));
            }
            (Framing::Mbap, Some((way, bytes))) => packets.data(way, bytes),
            (Framing::Mbap, None) => packets.connection(event.what),
            (Framing::Rtu, Some((way, bytes))) => packets.pdu(way, "mbrtu", bytes),
            (Framing::Ascii, Some((way, bytes))) => packets.pdu(way, "data", bytes),
            (Framing::Rtu | Framing::Ascii, None) => {}
        }
        let out = packets.out;
        if matches!(event.what, What::Ended(_) | What::Refused) {
            self.connections.remove(&key);
        }
        out
    }
}

impl Packets<'_> {
    /// The beginning or the end of a connection.
    fn connection(&mut self, what: What<'_>) {
        match what {
            What::Connected => {
                self.control(Way::In, SYN);
                self.control(Way::Out, SYN | ACK);
                self.control(Way::In, ACK);
            }
            What::Refused => {
                self.control(Way::In, SYN);
                self.control(Way::Out, RST | ACK);
            }
            What::Ended(End::Reset) => self.control(Way::Out, RST | ACK),
            What::Ended(End::Close) => {
                self.control(Way::Out, FIN | ACK);
                self.control(Way::In, FIN | ACK);
                self.control(Way::Out, ACK);
            }
            _ => {}
        }
    }

    /// A segment without data. The first of a connection acknowledges nothing.
    fn control(&mut self, way: Way, flags: u8) {
        let segment = self.ends.segment(way, self.sides.at(way), flags, &[]);
        self.put(way, &segment);
        // Each of them counts as one byte.
        self.sides.advance(way, usize::from(flags & (SYN | FIN) != 0));
    }

    fn data(&mut self, way: Way, bytes: &[u8]) {
        for part in bytes.chunks(SEGMENT) {
            let segment = self.ends.segment(way, self.sides.at(way), PSH | ACK, part);
            self.put(way, &segment);
            self.sides.advance(way, part.len());
        }
    }

    /// A frame with what Wireshark's `epan/exported_pdu.h` says of it, tag by tag.
    fn pdu(&mut self, way: Way, dissector: &str, bytes: &[u8]) {
        const DISSECTOR: u16 = 12;
        const FROM: u16 = 20;
        const TO: u16 = 21;
        const PORT_TYPE: u16 = 24;
        const FROM_PORT: u16 = 25;
        const TO_PORT: u16 = 26;
        const TCP: u32 = 2;
        let (from, to) = self.ends.toward(way);
        let mut pdu = tag(DISSECTOR, dissector.as_bytes());
        pdu.extend(tag(FROM, &from.ip().octets()));
        pdu.extend(tag(TO, &to.ip().octets()));
        pdu.extend(tag(PORT_TYPE, &TCP.to_be_bytes()));
        pdu.extend(tag(FROM_PORT, &u32::from(from.port()).to_be_bytes()));
        pdu.extend(tag(TO_PORT, &u32::from(to.port()).to_be_bytes()));
        pdu.extend(tag(0, &[]));
        pdu.extend(bytes);
        self.put(way, &pdu);
    }

    fn put(&mut self, way: Way, packet: &[u8]) {
        let time = u64::try_from(self.now.as_nanosecond()).unwrap_or_default();
        // The time as two words, the greater half first.
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        let index = u32::try_from(self.index).unwrap_or(u32::MAX);
        let mut body = index.to_le_bytes().to_vec();
        body.extend(time.rotate_right(32).to_le_bytes());
        body.extend([length.to_le_bytes(), length.to_le_bytes()].concat());
        body.extend(packet);
        pad(&mut body);
        let direction: u32 = if way == Way::In { 1 } else { 2 };
        body.extend(option(2, &direction.to_le_bytes()));
        body.extend(option(0, &[]));
        self.out.extend(block(PACKET, &body));
    }
}

/// Where a client and its server are to be seen.
fn ends(index: usize, peer: Peer) -> Ends {
    let [.., high, low] = (index + 1).to_be_bytes();
    let client = match peer.address.map(|address| (address.ip().to_canonical(), address)) {
        Some((IpAddr::V4(ip), address)) => SocketAddrV4::new(ip, address.port()),
        other => {
            let own = other.map(|(_, address)| SocketAddr::port(&address));
            let counted = u16::try_from(peer.number % u64::from(u16::MAX - PORTS));
            let port = own.unwrap_or(PORTS + counted.unwrap_or_default());
            SocketAddrV4::new(Ipv4Addr::new(198, CLIENTS, high, low), port)
        }
    };
    Ends { client, server: SocketAddrV4::new(Ipv4Addr::new(198, SERVERS, high, low), PORT) }
}

/// A block: type, length, body, length.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut padded = body.to_vec();
    pad(&mut padded);
    let length = u32::try_from(padded.len() + 12).unwrap_or(u32::MAX).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, &padded, &length].concat()
}

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    let mut option = [code.to_le_bytes(), length.to_le_bytes()].concat();
    option.extend(value.get(..length.into()).unwrap_or_default());
    pad(&mut option);
    option
}

/// A tag of an exported PDU. Its length counts the padding.
fn tag(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut padded = value.to_vec();
    pad(&mut padded);
    let length = u16::try_from(padded.len()).unwrap_or(u16::MAX);
    [&kind.to_be_bytes()[..], &length.to_be_bytes(), &padded].concat()
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}
