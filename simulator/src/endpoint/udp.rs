//! Modbus TCP frames in datagrams: each is answered to where it came from. What is no frame is
//! ignored: there is no connection to end.

use std::sync::Arc;
use std::time::Duration;

use passline_modbus::framing::{Framing, mbap};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::event::{Peer, What};
use super::later::Later;
use super::units::{Reply, Units};
use crate::fault::{Received, Transmission};

/// The largest datagram there is.
const DATAGRAM: usize = 65_535;

/// So many answers wait at the most. What is asked beyond them is lost, as datagrams may be.
const WAITING: usize = 1024;

/// How long the socket rests after an error, which mostly tells that a client is gone.
const REST: Duration = Duration::from_millis(1);

/// Serves the units on a socket, for ever. What is to be answered later ends with it.
pub(super) async fn serve(socket: UdpSocket, units: Arc<Units>) {
    let socket = Arc::new(socket);
    let mut waiting = JoinSet::new();
    let mut datagram = vec![0; DATAGRAM];
    loop {
        tokio::select! {
            received = socket.recv_from(&mut datagram) => match received {
                Ok((count, client)) => {
                    let bytes = datagram.get(..count).unwrap_or_default();
                    let peer = Peer { number: 0, address: Some(client) };
                    for answer in answers(bytes, &units, peer) {
                        if waiting.len() < WAITING {
                            waiting.spawn(send(Arc::clone(&socket), Arc::clone(&units), peer, answer));
                        }
                    }
                }
                Err(_) => sleep(REST).await,
            },
            Some(_) = waiting.join_next() => {}
        }
    }
}

/// What is answered to one frame.
enum Answer {
    Now(Transmission),
    /// What one client asks is not held up by what it asked before: datagrams have no order.
    Later(Later),
}

/// What the units answer to the frames of one datagram.
fn answers(datagram: &[u8], units: &Arc<Units>, peer: Peer) -> Vec<Answer> {
    units.tell(peer, What::Received(datagram));
    let mut decoder = mbap::Decoder::new();
    decoder.feed(datagram);
    let mut answers = Vec::new();
    while let Some(Ok(frame)) = decoder.next_frame() {
        let received = Received {
            framing: Framing::Mbap,
            transaction: frame.transaction,
            unit_id: frame.unit,
            pdu: frame.pdu,
            bytes: frame.bytes,
        };
        // There is no connection: it is as old as the simulation.
        let arrival = units.arrival(Instant::now(), units.started(), false);
        match units.react(peer, &received, arrival) {
            Reply::Now(None) => {}
            Reply::Now(Some(reaction)) => {
                answers.push(Answer::Now(reaction.transmission(&received)));
            }
            Reply::Later(all) => answers.extend(all.into_iter().map(Answer::Later)),
        }
    }
    answers
}

/// Every piece is a datagram.
async fn send(socket: Arc<UdpSocket>, units: Arc<Units>, peer: Peer, answer: Answer) {
    let Some(client) = peer.address else { return };
    let sent = match answer {
        Answer::Now(sent) => sent,
        Answer::Later(later) => later.transmission().await,
    };
    sleep(sent.delay).await;
    for piece in sent.pieces.into_iter().filter(|piece| !piece.bytes.is_empty()) {
        sleep(piece.pause).await;
        units.tell(peer, What::Sent(&piece.bytes));
        // The client may be gone.
        let _ = socket.send_to(&piece.bytes, client).await;
    }
}
