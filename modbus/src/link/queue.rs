//! What the handles ask for, in order.

use std::{
    collections::VecDeque,
    task::{Context, Poll, ready},
};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{Call, Completed, LinkError, Oddities};
use crate::pdu::{Answer, Request};

/// What a handle asks of its line.
#[derive(Debug)]
pub(super) enum Command {
    Call(Waiting),
    Connect(oneshot::Sender<Result<(), LinkError>>),
    /// A new connection, once the calls made before are done.
    Reconnect(oneshot::Sender<Result<(), LinkError>>),
    Close,
}

/// Who waits for a call to end.
#[derive(Debug)]
pub(super) enum Reply {
    Call(oneshot::Sender<Completed>),
    Broadcast(oneshot::Sender<Result<Instant, LinkError>>),
}

/// A call that is not completed.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) call: Call,
    reply: Reply,
    /// When its last byte was written, be it on an earlier connection.
    pub(super) sent: Option<Instant>,
    /// An earlier connection took it down when it ended.
    pub(super) again: bool,
    /// What was put up with in its answer.
    pub(super) tolerated: Oddities,
}

impl Waiting {
    pub(super) fn new(call: Call, reply: Reply) -> Self {
        Self { call, reply, sent: None, again: false, tolerated: Oddities::NONE }
    }

    pub(super) fn finish(self, ended: Instant, result: Result<Answer, LinkError>) {
        // A caller who gave the call up does not listen.
        match self.reply {
            Reply::Call(reply) => {
                let (sent, tolerated) = (self.sent, self.tolerated);
                let _ = reply.send(Completed { sent, ended, result, tolerated });
            }
            Reply::Broadcast(reply) => {
                let _ = reply.send(result.map(|_| ended));
            }
        }
    }

    /// Ends a broadcast, whose last byte left at `sent`: no answer will come.
    pub(super) fn finish_broadcast(self, sent: Instant) {
        if let Reply::Broadcast(reply) = self.reply {
            let _ = reply.send(Ok(sent));
        }
    }

    pub(super) fn is_given_up(&self) -> bool {
        match &self.reply {
            Reply::Call(reply) => reply.is_closed(),
            Reply::Broadcast(reply) => reply.is_closed(),
        }
    }

    /// Whether sending the request twice is the same as sending it once.
    pub(super) fn is_read(&self) -> bool {
        is_read(&self.call.request)
    }

    /// Whether all that the request does is to change something. What the standard leaves to the
    /// user may be that.
    pub(super) fn is_write(&self) -> bool {
        // 8 tests the line and 23 reads besides.
        !self.is_read() && !matches!(self.call.request.function_code().value(), 8 | 23)
    }
}

/// Whether sending the request twice is the same as sending it once.
pub(super) fn is_read(request: &Request<'_>) -> bool {
    matches!(request.function_code().value(), 1..=4 | 7 | 11 | 12 | 17 | 20 | 24 | 43)
}

/// The calls that are not sent yet.
#[derive(Debug)]
pub(super) struct Queue {
    commands: mpsc::Receiver<Command>,
    /// Calls that are out of the channel: they come first.
    backlog: VecDeque<Waiting>,
    connects: Vec<oneshot::Sender<Result<(), LinkError>>>,
    /// Whether the connection that is open is to end.
    is_renewing: bool,
    is_closing: bool,
}

impl Queue {
    pub(super) fn new(commands: mpsc::Receiver<Command>) -> Self {
        let (backlog, connects) = (VecDeque::new(), Vec::new());
        Self { commands, backlog, connects, is_renewing: false, is_closing: false }
    }

    /// Waits until somebody needs a connection; `false` if nobody will any more.
    pub(super) async fn needs_connection(&mut self) -> bool {
        loop {
            while self.backlog.front().is_some_and(Waiting::is_given_up) {
                self.backlog.pop_front();
            }
            if !self.backlog.is_empty() || !self.connects.is_empty() {
                return true;
            }
            if self.is_closing {
                return false;
            }
            let command = self.commands.recv().await;
            self.take(command);
        }
    }

    /// The next call, while connected; `None` if there will be no more on this connection.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Waiting>> {
        loop {
            match self.backlog.pop_front() {
                Some(waiting) if waiting.is_given_up() => continue,
                Some(waiting) => return Poll::Ready(Some(waiting)),
                None if self.is_closing || self.is_renewing => return Poll::Ready(None),
                None => {}
            }
            match ready!(self.commands.poll_recv(context)) {
                Some(Command::Call(waiting)) if !waiting.is_given_up() => {
                    return Poll::Ready(Some(waiting));
                }
                command => self.take(command),
            }
            if !self.is_renewing {
                self.connected(&Ok(()));
            }
        }
    }

    /// Answers those who asked for a connection.
    pub(super) fn connected(&mut self, result: &Result<(), LinkError>) {
        self.is_renewing = false;
        for reply in self.connects.drain(..) {
            let _ = reply.send(result.clone());
        }
    }

    /// No connection: fails every call made up to now. Each of them would meet the same, one
    /// connect timeout after the other.
    pub(super) fn fail(&mut self, error: &LinkError) {
        while let Ok(command) = self.commands.try_recv() {
            self.take(Some(command));
        }
        let ended = Instant::now();
        for waiting in self.backlog.drain(..) {
            waiting.finish(ended, Err(error.clone()));
        }
        self.connected(&Err(error.clone()));
    }

    /// Puts calls back in front of all others.
    pub(super) fn put_back(&mut self, mut calls: VecDeque<Waiting>) {
        calls.append(&mut self.backlog);
        self.backlog = calls;
    }

    fn take(&mut self, command: Option<Command>) {
        match command {
            Some(Command::Call(waiting)) => self.backlog.push_back(waiting),
            Some(Command::Connect(reply)) => self.connects.push(reply),
            Some(Command::Reconnect(reply)) => {
                self.connects.push(reply);
                self.is_renewing = true;
            }
            Some(Command::Close) | None => self.is_closing = true,
        }
    }
}
