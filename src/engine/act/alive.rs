//! `keep_alive`: what a device is written again and again while its record runs.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep_until};

use super::request::{Repeats, Sending};
use super::write::Unready;
use crate::engine::Running;
use crate::engine::bounds::Bounds;
use crate::engine::safe::contained;
use crate::engine::tries::Trouble;
use crate::record::{CheckResult, ErrorClass, Phase, Verdict};
use crate::spec::model::KeepAlive;

/// A device that is kept alive, while its record runs.
#[derive(Debug, Default)]
pub(in crate::engine) struct Alive {
    /// Told when the first was written.
    begun: Notify,
    /// Held while it is written. Whether that is over.
    over: Mutex<bool>,
    written: Cell<u64>,
    missed: Cell<u64>,
    in_a_row: Cell<u32>,
    /// Why more went wrong in a row than may.
    failure: RefCell<Option<Trouble>>,
}

impl Alive {
    /// The next time comes so much too late: every time that fits in between is one that was missed.
    fn went_without(&self, keep: &KeepAlive, late: Duration) {
        let times = late.as_nanos().checked_div(keep.every.as_nanos()).unwrap_or_default();
        let times = u32::try_from(times).unwrap_or(u32::MAX);
        if times > 0 {
            let text = format!("the line was busy for {late:.1?} when it was due");
            self.miss(keep, times, Trouble { class: ErrorClass::Timeout, text });
        }
    }

    fn miss(&self, keep: &KeepAlive, times: u32, trouble: Trouble) {
        self.missed.set(self.missed.get() + u64::from(times));
        self.in_a_row.set(self.in_a_row.get().saturating_add(times));
        if self.in_a_row.get() > keep.misses {
            self.failure.borrow_mut().get_or_insert(trouble);
        }
    }
}

impl Running<'_> {
    /// Writes every device that is to be kept alive for the first time.
    pub(in crate::engine) async fn come_alive(&self) {
        for (index, alive) in self.alive.iter().enumerate() {
            if let Some((alive, keep)) = alive.as_ref().zip(self.keeps(index)) {
                self.beat(keep, alive).await;
                alive.begun.notify_one();
            }
        }
    }

    /// Goes on writing to them until each is let go.
    pub(in crate::engine) async fn keep_alive(&self) {
        let kept = self.alive.iter().enumerate();
        let kept = kept.filter_map(|(index, alive)| Some((alive.as_ref()?, self.keeps(index)?)));
        let each = kept.map(|(alive, keep)| async move {
            alive.begun.notified().await;
            let mut next = Instant::now();
            loop {
                // What a busy line held up is not made up for, but the device went without.
                let (due, now) = (next + keep.every, Instant::now());
                alive.went_without(keep, now.saturating_duration_since(due));
                next = due.max(now);
                sleep_until(next).await;
                if self.beat(keep, alive).await {
                    return;
                }
            }
        });
        futures_util::future::join_all(each).await;
    }

    fn keeps(&self, device: usize) -> Option<&KeepAlive> {
        self.plan.spec.devices.get(device)?.keep_alive.as_ref()
    }

    /// Writes once, unless that is over. Whether it is.
    async fn beat(&self, keep: &KeepAlive, alive: &Alive) -> bool {
        let over = alive.over.lock().await;
        if *over {
            return true;
        }
        let trouble = contained(self.beat_once(keep)).await.unwrap_or_else(Some);
        match trouble {
            None => {
                alive.written.set(alive.written.get() + 1);
                alive.in_a_row.set(0);
            }
            Some(trouble) => alive.miss(keep, 1, trouble),
        }
        false
    }

    /// What went wrong with the requests of one time.
    async fn beat_once(&self, keep: &KeepAlive) -> Option<Trouble> {
        // It goes on through a teardown.
        let bounds = Bounds::of(Phase::Teardown);
        for assignments in &keep.write.requests {
            let first = assignments.first()?;
            let needs = crate::plan::needs(&self.plan.spec.devices, 0, assignments);
            let gathered = self.gather(needs.as_ref(), bounds).await;
            let ready = match self.ready(&keep.write, assignments, &gathered) {
                Ok(ready) => ready,
                Err(Unready::Trouble(trouble)) => return Some(trouble),
                Err(Unready::Stopped) => return None,
            };
            let sending = Sending {
                device: first.device,
                parts: &ready.parts,
                change: &ready.change,
                reply: &keep.write.reply,
                verify: false,
                repeats: Repeats::Never,
                bounds,
            };
            let sent = self.send(&sending).await;
            let last = sent.tries.last().and_then(|one| one.judged.first())?;
            if let Some(class) = last.judgement.error_class() {
                let text = last.judgement.message().unwrap_or_default().to_owned();
                return Some(Trouble { class, text });
            }
        }
        None
    }

    /// Ends it for a device, and says how it went.
    pub(in crate::engine) async fn let_go(&self, device: usize) -> CheckResult {
        let Some(Some(alive)) = self.alive.get(device) else {
            return self.error(ErrorClass::Internal, "nothing kept it alive");
        };
        *alive.over.lock().await = true;
        let (written, missed) = (alive.written.get(), alive.missed.get());
        let account = format!("{written} times written, {missed} times missed");
        if let Some(Trouble { class, text }) = alive.failure.borrow().as_ref() {
            let text = format!("missed too often in a row ({account}): {text}");
            return self.error(*class, &text);
        }
        CheckResult { verdict: Verdict::Recorded, ..CheckResult::skipped(account) }
    }
}
