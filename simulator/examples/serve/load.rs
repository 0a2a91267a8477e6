//! The load: connections that are always full of requests, on one thread.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use crate::serve::Outcome;

const CONNECTIONS: usize = 16;
const IN_FLIGHT: u16 = 16;

/// Read holding registers 0 to 9 of unit 1.
const REQUEST: [u8; 12] = [0, 0, 0, 0, 0, 6, 1, 3, 0, 0, 0, 10];

/// They hold 0 to 9.
pub(crate) const ANSWER: [u8; 29] =
    [0, 0, 0, 0, 0, 23, 1, 3, 20, 0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8, 0, 9];

/// Frames as they follow each other, with transaction ids 0 to 15 over and over: twice the round.
fn round(frame: &[u8]) -> Vec<u8> {
    let ids = (0..IN_FLIGHT).chain(0..IN_FLIGHT);
    ids.flat_map(|id| [&id.to_be_bytes(), frame.get(2..).unwrap_or_default()].concat()).collect()
}

struct Connection {
    stream: TcpStream,
    /// Bytes that came, and bytes of requests sent.
    received: usize,
    sent: usize,
}

/// Loads a server for this long: answers, and answers per second.
pub(crate) fn run(address: SocketAddr, time: Duration) -> Outcome<(f64, f64)> {
    let (requests, answers) = (round(&REQUEST), round(&ANSWER));
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    let mut connections = Vec::new();
    for key in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        epoll::add(&poll, &stream, EventData::new_u64(key as u64), EventFlags::IN)?;
        let sent = requests.len() / 2;
        stream.write_all(requests.get(..sent).unwrap_or_default())?;
        connections.push(Connection { stream, received: 0, sent });
    }
    let begin = Instant::now();
    let mut events = Vec::with_capacity(CONNECTIONS);
    let mut input = vec![0; answers.len() / 2];
    while begin.elapsed() < time {
        epoll::wait(&poll, spare_capacity(&mut events), None)?;
        for event in events.drain(..) {
            let key = usize::try_from(event.data.u64())?;
            let connection = connections.get_mut(key).ok_or("an event of nobody")?;
            connection.go_on(&requests, &answers, &mut input)?;
        }
    }
    let bytes: usize = connections.iter().map(|connection| connection.received).sum();
    let answers = f64::from(u32::try_from(bytes / ANSWER.len())?);
    Ok((answers, answers / begin.elapsed().as_secs_f64()))
}

impl Connection {
    /// Takes what has come, and asks as much again.
    fn go_on(&mut self, requests: &[u8], answers: &[u8], input: &mut [u8]) -> Outcome<()> {
        let count = self.stream.read(input)?;
        let got = input.get(..count).filter(|got| !got.is_empty()).ok_or("a server has ended")?;
        let at = self.received % (answers.len() / 2);
        if answers.get(at..at + count) != Some(got) {
            return Err(format!("not what was asked for: {got:02x?}").into());
        }
        self.received += count;
        let sent = (self.received / ANSWER.len() + usize::from(IN_FLIGHT)) * REQUEST.len();
        let at = self.sent % (requests.len() / 2);
        self.stream.write_all(requests.get(at..at + sent - self.sent).unwrap_or_default())?;
        self.sent = sent;
        Ok(())
    }
}
