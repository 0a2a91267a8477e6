//! The simplest server there can be: of a request it looks at the length, and copies an answer.

use std::collections::HashMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use crate::load::ANSWER;
use crate::serve::Outcome;

/// The listener; connections count from 1.
const LISTENER: u64 = 0;

struct Connection {
    stream: TcpStream,
    /// What has come of a request that is not whole.
    rest: Vec<u8>,
}

pub(crate) fn serve() -> Outcome<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&poll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let mut connections = HashMap::new();
    let (mut events, mut accepted) = (Vec::with_capacity(64), LISTENER);
    let (mut input, mut output) = (vec![0; 64 * 1024], Vec::new());
    loop {
        epoll::wait(&poll, spare_capacity(&mut events), None)?;
        for event in events.drain(..) {
            let key = event.data.u64();
            if key == LISTENER {
                let (stream, _) = listener.accept()?;
                stream.set_nodelay(true)?;
                accepted += 1;
                epoll::add(&poll, &stream, EventData::new_u64(accepted), EventFlags::IN)?;
                connections.insert(accepted, Connection { stream, rest: Vec::new() });
            } else if let Some(connection) = connections.get_mut(&key)
                && !connection.answer(&mut input, &mut output)?
            {
                // Closing it takes it off the list.
                connections.remove(&key);
            }
        }
    }
}

impl Connection {
    /// Whether there can be more.
    fn answer(&mut self, input: &mut [u8], output: &mut Vec<u8>) -> Outcome<bool> {
        let count = match self.stream.read(input) {
            Ok(0) => return Ok(false),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let came = input.get(..count).unwrap_or_default();
        let mut pending = came;
        if !self.rest.is_empty() {
            self.rest.extend_from_slice(came);
            pending = &self.rest;
        }
        output.clear();
        while let Some([high, low, _, _, more, less]) = pending.first_chunk() {
            let length = 6 + usize::from(u16::from_be_bytes([*more, *less]));
            let Some(rest) = pending.get(length..) else { break };
            output.extend([*high, *low]);
            output.extend_from_slice(ANSWER.get(2..).unwrap_or_default());
            pending = rest;
        }
        self.rest = pending.to_vec();
        self.stream.write_all(output)?;
        Ok(true)
    }
}
