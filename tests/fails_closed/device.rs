//! A device of bytes written by hand: it hears whole requests and does what its script says. Shares
//! no code with Passline.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// The how manieth of all, from 1.
    pub(crate) n: usize,
    pub(crate) bytes: Vec<u8>,
    /// How many requests were without their answer when it came, itself among them.
    pub(crate) open: usize,
}

/// What a device does.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Send(Vec<u8>),
    Wait(Duration),
    /// Waits until so many requests were heard in all.
    Until(usize),
    /// Waits until the test lets it go on.
    Gate(Arc<Notify>),
    Close,
    /// Resets the connection: nothing that was sent is surely received.
    Reset,
}

/// What a device does once it is connected, and at each request.
pub(crate) type Script = dyn Fn(Option<&Heard>) -> Vec<Act> + Send + Sync;

/// A device under its script, on a port of its own.
pub(crate) struct Device {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    stop: Arc<Notify>,
}

struct Shared {
    script: Box<Script>,
    heard: Mutex<Vec<Heard>>,
    /// Every byte in either direction, in order.
    sent: Mutex<Vec<u8>>,
    open: AtomicUsize,
    more: Notify,
}

impl Device {
    /// Does `script` once connected (`None`) and at each request.
    pub(crate) fn new(script: impl Fn(Option<&Heard>) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            heard: Mutex::default(),
            sent: Mutex::default(),
            open: AtomicUsize::new(0),
            more: Notify::new(),
        });
        let stop = Arc::new(Notify::new());
        let device = Self { address, shared: Arc::clone(&shared), stop: Arc::clone(&stop) };
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                tokio::select! {
                    () = stop.notified() => {}
                    () = serve(listener, shared) => {}
                }
            });
        });
        device
    }

    /// One that answers each request.
    pub(crate) fn answering(answer: impl Fn(&Heard) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::new(move |heard| heard.map(|heard| Act::Send(answer(heard))).into_iter().collect())
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.shared.heard.lock().unwrap().clone()
    }

    /// Every byte that was sent.
    pub(crate) fn sent(&self) -> Vec<u8> {
        self.shared.sent.lock().unwrap().clone()
    }
}

/// The answer to a read of registers: these words, under the request's header.
pub(crate) fn words(heard: &Heard, words: &[u16]) -> Vec<u8> {
    let data: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    let count = u8::try_from(data.len()).unwrap();
    pdu(heard, &[&[heard.bytes[7], count], &data[..]].concat())
}

pub(crate) fn exception(heard: &Heard, code: u8) -> Vec<u8> {
    pdu(heard, &[heard.bytes[7] | 0x80, code])
}

/// A frame under the request's header.
pub(crate) fn pdu(heard: &Heard, pdu: &[u8]) -> Vec<u8> {
    let length = u16::try_from(pdu.len() + 1).unwrap();
    let [t0, t1, p0, p1, ..] = heard.bytes[..] else { panic!("no header") };
    let [l0, l1] = length.to_be_bytes();
    [&[t0, t1, p0, p1, l0, l1, heard.bytes[6]], pdu].concat()
}

/// First register and quantity of a request.
pub(crate) fn range(heard: &Heard) -> (u16, u16) {
    let [a0, a1, q0, q1] = heard.bytes[8..12] else { panic!("no read") };
    (u16::from_be_bytes([a0, a1]), u16::from_be_bytes([q0, q1]))
}

/// Every register holds its own address.
pub(crate) fn addresses(heard: &Heard) -> Vec<u8> {
    let (first, count) = range(heard);
    words(heard, &(first..first + count).collect::<Vec<u16>>())
}

impl Drop for Device {
    fn drop(&mut self) {
        self.stop.notify_one();
    }
}

async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) {
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { connection(stream, &shared).await });
    }
}

/// Requests are heard while others are being answered.
async fn connection(stream: TcpStream, shared: &Arc<Shared>) {
    stream.set_nodelay(true).unwrap();
    let (mut from, to) = stream.into_split();
    let line = Arc::new(Line { to: tokio::sync::Mutex::new(Some(to)), over: Notify::new() });
    perform((shared.script)(None), shared, &line).await;
    loop {
        let bytes = tokio::select! {
            frame = frame(&mut from) => frame,
            () = line.over.notified() => return,
        };
        let Ok(bytes) = bytes else { break };
        let open = shared.open.fetch_add(1, Ordering::SeqCst) + 1;
        let heard = {
            let mut all = shared.heard.lock().unwrap();
            let heard = Heard { n: all.len() + 1, bytes, open };
            all.push(heard.clone());
            heard
        };
        shared.more.notify_waiters();
        let (shared, line) = (Arc::clone(shared), Arc::clone(&line));
        tokio::spawn(async move {
            perform((shared.script)(Some(&heard)), &shared, &line).await;
        });
    }
    // Whatever was open on it is over.
    shared.open.store(0, Ordering::SeqCst);
}

/// The sending half of a connection, while it is open.
struct Line {
    to: tokio::sync::Mutex<Option<OwnedWriteHalf>>,
    over: Notify,
}

async fn perform(acts: Vec<Act>, shared: &Shared, line: &Line) {
    for act in acts {
        match act {
            Act::Wait(time) => tokio::time::sleep(time).await,
            Act::Until(count) => until(shared, count).await,
            Act::Gate(gate) => gate.notified().await,
            Act::Send(bytes) => {
                let mut to = line.to.lock().await;
                let Some(to) = to.as_mut() else { return };
                // Before it is written: who received the answer may ask at once.
                let _ = shared
                    .open
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |open| open.checked_sub(1));
                shared.sent.lock().unwrap().extend(&bytes);
                let _ = to.write_all(&bytes).await;
            }
            Act::Close => {
                // The reading half goes when the client is gone.
                line.to.lock().await.take();
            }
            Act::Reset => {
                if let Some(to) = line.to.lock().await.take() {
                    to.as_ref().set_zero_linger().unwrap();
                    to.forget();
                }
                line.over.notify_one();
            }
        }
    }
}

async fn until(shared: &Shared, count: usize) {
    loop {
        let more = shared.more.notified();
        if shared.heard.lock().unwrap().len() >= count {
            return;
        }
        more.await;
    }
}

/// One request: six bytes of header, and as many as the header says.
async fn frame(from: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 6];
    from.read_exact(&mut bytes).await?;
    let length = usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
    bytes.resize(6 + length, 0);
    from.read_exact(&mut bytes[6..]).await?;
    Ok(bytes)
}
