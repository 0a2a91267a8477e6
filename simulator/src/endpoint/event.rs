//! What an endpoint tells whoever watches it: connections, bytes and transactions, as they happen.
//! An endpoint that nobody watches does nothing for it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use passline_modbus::framing::{mbap, serial};
use passline_modbus::pdu::{self, Answer, Request};

use crate::fault::{Arrival, End, Kind, Reaction, Received, Transmission};

/// Something that happens on a line, told at the time when it happens.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// With whom.
    pub peer: Peer,
    /// What.
    pub what: What<'a>,
}

/// The other end of a connection, or the sender of datagrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Counts the connections of the line, from 1; 0 for all who send datagrams.
    pub number: u64,
    /// Where it is, if that can be said.
    pub address: Option<SocketAddr>,
}

/// What happens.
#[derive(Debug, Clone, Copy)]
pub enum What<'a> {
    /// A connection is served from now on.
    Connected,
    /// A connection was refused.
    Refused,
    /// These bytes came in. With Modbus TCP as the stream has them; with serial framings a frame, or
    /// what is none.
    Received(&'a [u8]),
    /// What came in is no frame: the label of its defect.
    Defect(&'static str),
    /// A request was dealt with.
    Transaction(Transaction<'a>),
    /// These bytes go out. With serial framings those that follow each other without a gap.
    Sent(&'a [u8]),
    /// The connection ends.
    Ended(End),
}

/// A request, and what is done about it.
#[derive(Debug, Clone, Copy)]
pub struct Transaction<'a> {
    /// The request.
    pub request: &'a Received<'a>,
    /// When and where it came.
    pub arrival: Arrival,
    /// What is done; `None`: nobody was meant, or all were.
    pub reaction: Option<&'a Reaction>,
}

impl Transaction<'_> {
    /// What goes out for it, and when. The event is told before any of it is sent.
    pub fn transmission(&self) -> Transmission {
        match self.reaction {
            None => Transmission::default(),
            Some(reaction) => reaction.clone().transmission(self.request),
        }
    }

    /// What is answered, if what goes out begins with a sound answer to the request.
    pub fn answer(&self) -> Option<Answer> {
        let asked = pdu::decode_request(self.request.pdu).ok()?;
        let pieces = self.transmission().pieces.into_iter();
        let sent: Vec<u8> = pieces.flat_map(|piece| piece.bytes).collect();
        let pdu = answer_pdu(self.request, &asked, &sent)?;
        pdu::decode_answer(&pdu, &asked).ok()
    }

    /// The faults that showed, in the order in which they acted.
    pub fn faults(&self) -> &[Kind] {
        match self.reaction {
            Some(Reaction::Wire(sent)) => &sent.faults,
            _ => &[],
        }
    }
}

/// The PDU of the first frame that goes out, if it is sound and the answer.
fn answer_pdu(request: &Received<'_>, asked: &Request<'_>, answer: &[u8]) -> Option<Vec<u8>> {
    let Some(mode) = request.framing.mode() else {
        let mut decoder = mbap::Decoder::new();
        decoder.feed(answer);
        let frame = decoder.next_frame()?.ok()?;
        let is_its = (frame.transaction, frame.unit) == (request.transaction, request.unit_id);
        return is_its.then(|| frame.pdu.to_vec());
    };
    let mut decoder = mode.answers();
    decoder.expect(request.unit_id, asked);
    decoder.feed(answer);
    decoder.silence();
    match decoder.next_part()? {
        serial::Part::Frame(frame) if frame.unit == request.unit_id => Some(frame.pdu.to_vec()),
        _ => None,
    }
}

/// Whoever watches a line. It is called where the line is served: what it does delays answers.
#[derive(Clone)]
pub(super) struct Observer(Arc<dyn Fn(&Event<'_>) + Send + Sync>);

impl Observer {
    pub(super) fn new(observe: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }

    pub(super) fn tell(&self, peer: Peer, what: What<'_>) {
        (self.0)(&Event { peer, what });
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Observer")
    }
}
