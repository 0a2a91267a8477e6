//! Waiting for a moment to within some ten microseconds. Tokio's timer steps by a millisecond and
//! makes 2.8 ms of the 1.75 ms between two frames; a bus would lose a sixth of its speed by that.
//! Knows nothing of frames or links.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    thread,
    time::{self, Duration},
};

use tokio::time::{Instant, sleep_until};

/// What tokio's timer may be late by, and more: the end of a wait that is timed by the thread.
const FINE: Duration = Duration::from_millis(2);

/// The thread rings earlier by this, and the task spins for what is left. The system wakes a thread
/// late (Linux: by 50 µs of slack and the time to schedule it), and then the task is woken by it.
const EARLY: Duration = Duration::from_micros(120);

/// Ends waits on time, one at a time. Has a thread of its own from its first short wait on.
#[derive(Debug, Default)]
pub struct Alarm {
    bell: Option<Arc<Bell>>,
}

/// What the thread and the waiting task share.
#[derive(Debug, Default)]
struct Bell {
    order: Mutex<Order>,
    changed: Condvar,
}

/// What the thread is to do.
#[derive(Debug, Default)]
enum Order {
    #[default]
    Idle,
    Ring {
        at: time::Instant,
        waker: Waker,
    },
    End,
}

impl Alarm {
    /// Has no thread yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until `at`; never less. With tokio's time paused it is tokio's own wait. Dropping the
    /// future ends the wait.
    pub async fn until(&mut self, at: Instant) {
        if let Some(begin) = at.checked_sub(FINE)
            && Instant::now() < begin
        {
            sleep_until(begin).await;
        }
        if Instant::now() >= at {
            return;
        }
        // Paused time moves by this one alone; and it is there if the thread is not.
        let mut coarse = pin!(sleep_until(at));
        poll_fn(|context| {
            spin(at);
            if Instant::now() >= at || coarse.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            self.set(at, context.waker());
            Poll::Pending
        })
        .await;
    }

    fn set(&mut self, at: Instant, waker: &Waker) {
        if is_paused() {
            return;
        }
        if self.bell.is_none() {
            self.bell = Bell::start();
        }
        if let Some(bell) = &self.bell {
            bell.tell(Order::Ring { at: at.into_std(), waker: waker.clone() });
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(bell) = &self.bell {
            bell.tell(Order::End);
        }
    }
}

/// Spins if `at` is very near, by the system's clock: tokio's may be paused.
fn spin(at: Instant) {
    if at.saturating_duration_since(Instant::now()) <= EARLY && !is_paused() {
        while time::Instant::now() < at.into_std() {
            std::hint::spin_loop();
        }
    }
}

/// Whether tokio's clock is not the system's. Right after it was paused the two still agree; then
/// the thread rings in vain.
fn is_paused() -> bool {
    let (tokio, system) = (Instant::now().into_std(), time::Instant::now());
    let apart = system.saturating_duration_since(tokio) + tokio.saturating_duration_since(system);
    apart > Duration::from_millis(1)
}

impl Bell {
    /// `None` if the system has no thread to spare: tokio's timer does it then.
    fn start() -> Option<Arc<Self>> {
        let bell = Arc::new(Self::default());
        let shared = Arc::clone(&bell);
        let thread = thread::Builder::new().name("alarm".to_owned());
        thread.spawn(move || shared.run()).ok().map(|_| bell)
    }

    fn tell(&self, order: Order) {
        *self.lock() = order;
        self.changed.notify_one();
    }

    fn run(&self) {
        let mut order = self.lock();
        loop {
            let at = match &*order {
                Order::End => return,
                Order::Idle => None,
                Order::Ring { at, .. } => Some(*at),
            };
            let left = at.map(|at| at.saturating_duration_since(time::Instant::now()));
            order = match left.map(|left| left.saturating_sub(EARLY)) {
                None => self.changed.wait(order).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => {
                    if let Order::Ring { waker, .. } = std::mem::take(&mut *order) {
                        drop(order);
                        waker.wake();
                        order = self.lock();
                    }
                    order
                }
                Some(left) => {
                    let waited = self.changed.wait_timeout(order, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Order> {
        // Nothing panics while it is held.
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
