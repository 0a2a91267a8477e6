//! Checks that must hold by a time, and go on holding: looked at again and again. What a series of
//! looks means is worked out by [`Watch`], without a clock of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value as Document};
use tokio::time::{Instant, sleep, sleep_until};

use super::Running;
use super::bounds::Bounds;
use super::check::{Once, Seen, result};
use super::evaluate::{Judged, LATE};
use super::scan::Earlier;
use super::sheet::Sheet;
use crate::judge::Judgement;
use crate::plan::Scan;
use crate::record::{self, CheckResult, ErrorClass, Verdict};
use crate::spec::retry::{Pace, Retry};
use crate::spec::timing::Poll;

/// What one look at a check showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    /// When it began.
    began: Instant,
    /// When the answer came in.
    ended: Instant,
    /// Pass, fail or error.
    verdict: Verdict,
}

/// How the looks at a check came to their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It held in time, and for as long as it had to.
    Held,
    /// The look that came in last in time decides: it did not hold.
    Missed,
    /// It held, and no longer does.
    Broke,
}

/// The looks at one check so far, and what they mean.
#[derive(Debug)]
struct Watch {
    begun: Instant,
    poll: Poll,
    looks: u32,
    /// Since when it holds, and the beginning of the last look that still showed it.
    held: Option<(Instant, Instant)>,
}

impl Watch {
    fn new(begun: Instant, poll: Poll) -> Self {
        Self { begun, poll, looks: 0, held: None }
    }

    /// Whether a check that begins to hold then does so in time.
    fn may_begin(&self, at: Instant) -> bool {
        match self.poll.within {
            Some(within) => at.saturating_duration_since(self.begun) <= within,
            None => self.looks <= 1,
        }
    }

    /// Whether a look that begins then can still change anything.
    fn may_look_again(&self, at: Instant) -> bool {
        self.poll.within.is_some_and(|within| at.saturating_duration_since(self.begun) < within)
    }

    /// Takes a look; the next one would be made then. `None`: it is needed.
    fn note(&mut self, look: Look, next: Instant) -> Option<End> {
        self.looks += 1;
        let holds = look.verdict == Verdict::Pass;
        let stays = self.poll.stays.unwrap_or_default();
        match (self.held, holds) {
            (None, true) if self.may_begin(look.ended) => {
                self.held = Some((look.ended, look.ended));
                stays.is_zero().then_some(End::Held)
            }
            (Some((from, _)), true) => {
                self.held = Some((from, look.began.max(from)));
                (look.began.saturating_duration_since(from) >= stays).then_some(End::Held)
            }
            (Some(_), false) if self.may_look_again(next) => {
                self.held = None;
                None
            }
            (Some(_), false) => Some(End::Broke),
            (None, _) => (!self.may_look_again(next)).then_some(End::Missed),
        }
    }

    /// When the look is due that shows that it held for long enough.
    fn due(&self) -> Option<Instant> {
        let (from, _) = self.held?;
        from.checked_add(self.poll.stays?)
    }

    fn since_begun(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.begun)
    }

    /// For the record: what was asked for, and what of the looks counted.
    fn to_json(&self) -> Document {
        let mut all = Map::new();
        let Poll { settle, within, stays, every } = self.poll;
        let mut put = |key: &str, time: Duration| {
            let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            all.insert(key.to_owned(), micros.into());
        };
        put("settle_us", settle);
        if let Some(within) = within {
            put("within_us", within);
        }
        if let Some(stays) = stays {
            put("stays_us", stays);
        }
        put("every_us", every);
        if let Some((from, until)) = self.held {
            put("held_from_us", self.since_begun(from));
            put("held_until_us", self.since_begun(until));
        }
        all.insert("looks".to_owned(), self.looks.into());
        Document::Object(all)
    }
}

/// The attempts that a record keeps of many looks: the first, the last, and the two between which
/// it last began or ceased to hold. Each has the number of its look.
#[derive(Default)]
struct Kept {
    first: Option<record::Attempt>,
    turn: Vec<record::Attempt>,
    last: Option<record::Attempt>,
}

impl Kept {
    fn add(&mut self, look: record::Attempt) {
        let before = self.last.replace(look.clone());
        let turned = before.filter(|before| before.verdict != look.verdict);
        if let Some(before) = turned {
            self.turn = vec![before, look.clone()];
        }
        self.first.get_or_insert(look);
    }

    fn into_attempts(self) -> Vec<record::Attempt> {
        let all = self.first.into_iter().chain(self.turn).chain(self.last);
        let all: BTreeMap<u32, record::Attempt> = all.map(|look| (look.n, look)).collect();
        all.into_values().collect()
    }
}

/// One check while it is looked at.
struct Watched {
    watch: Watch,
    kept: Kept,
    /// What the last look that came in in time showed.
    in_time: Option<Judged>,
    done: bool,
}

impl Running<'_> {
    /// Looks at the checks of these scans until each has come to its end.
    pub(super) async fn poll(
        &self,
        sheet: &Sheet<'_>,
        scans: &[Scan],
        poll: &Poll,
        bounds: Bounds,
    ) {
        let begun = Instant::now();
        if !poll.looks_again() {
            self.unless_over(bounds, sleep(poll.settle)).await;
            for scan in scans {
                self.scan(sheet, scan, bounds).await;
            }
            return;
        }
        let new = || Watched {
            watch: Watch::new(begun, *poll),
            kept: Kept::default(),
            in_time: None,
            done: false,
        };
        let lines = scans.iter().flat_map(|scan| &scan.checks).map(|check| check.line);
        let mut watched: BTreeMap<usize, Watched> = lines.map(|line| (line, new())).collect();
        self.unless_over(bounds, sleep(poll.settle)).await;
        let first = Instant::now();
        while !self.is_over(bounds) && watched.values().any(|one| !one.done) {
            self.look(sheet, scans, (first, poll), bounds, &mut watched).await;
            let open = || watched.values().filter(|one| !one.done);
            if open().next().is_some() {
                let due = open().filter_map(|one| one.watch.due()).min();
                let next = tick_after(first, poll.every, Instant::now());
                let next = due.map_or(next, |due| due.min(next));
                self.unless_over(bounds, sleep_until(next)).await;
                if Instant::now() < next {
                    break;
                }
            }
        }
        for (line, one) in watched.into_iter().filter(|(_, one)| !one.done) {
            sheet.finish(line, self.cut_short(one, bounds));
        }
    }

    /// Makes all scans once, and tells what is decided by it.
    async fn look(
        &self,
        sheet: &Sheet<'_>,
        scans: &[Scan],
        (first, poll): (Instant, &Poll),
        bounds: Bounds,
        watched: &mut BTreeMap<usize, Watched>,
    ) {
        // What does not hold yet is looked at again anyway; what holds must not break for a
        // disturbance of the line.
        let single = Retry { pace: Pace { attempts: 1, ..Pace::default() }, ..Retry::default() };
        let holds = watched.values().any(|one| one.watch.held.is_some());
        let repeats = holds || poll.within.is_none();
        for scan in scans {
            let began = Instant::now();
            let retry = if repeats { scan.retry.as_ref() } else { Some(&single) };
            let once = Once { bounds, earlier: Earlier::default(), retry };
            self.scan_once(sheet, scan, once, |seen| {
                let line = seen.line;
                let Some(one) = watched.get_mut(&line).filter(|one| !one.done) else { return };
                let next = tick_after(first, poll.every, seen.ended);
                if let Some((judged, result)) = one.take(seen, began, next) {
                    one.done = true;
                    self.save(sheet, line, &judged);
                    sheet.finish(line, result);
                }
            })
            .await;
        }
    }

    /// What becomes of a check whose step was over before its looks came to their end.
    fn cut_short(&self, one: Watched, bounds: Bounds) -> CheckResult {
        let stopped = self.stop.ends(bounds.phase);
        let timing = Some(one.watch.to_json().into());
        let mut attempts = one.kept.into_attempts();
        if stopped {
            return CheckResult { timing, attempts, ..CheckResult::skipped(super::test::ABORTED) };
        }
        let late = self.error(ErrorClass::Timeout, LATE);
        attempts.extend(late.attempts.iter().cloned());
        CheckResult { timing, attempts, ..late }
    }
}

impl Watched {
    /// Takes a look. `Some`: that was the last, and this is what became of the check.
    fn take(&mut self, seen: Seen, began: Instant, next: Instant) -> Option<(Judged, CheckResult)> {
        let Seen { judged, mut attempts, ended, .. } = seen;
        if judged.stopped {
            return None;
        }
        let look = Look { began, ended, verdict: judged.judgement.verdict() };
        let in_time = self.watch.may_begin(ended) || self.watch.held.is_some();
        let held = self.watch.held;
        let end = self.watch.note(look, next);
        if let Some(mut last) = attempts.pop() {
            last.n = self.watch.looks;
            self.kept.add(last);
        }
        let Some(end) = end else {
            self.in_time = if in_time { Some(judged) } else { self.in_time.take() };
            return None;
        };
        // What came in after the time never counts for it.
        let mut judged = match (end, look.verdict) {
            (End::Missed, Verdict::Pass) => self.in_time.take().unwrap_or_else(|| too_late(judged)),
            _ => judged,
        };
        let from = match end {
            End::Held => self.watch.held,
            End::Missed | End::Broke => held,
        };
        judged.judgement = self.told(end, from.map(|(from, _)| from), look, judged.judgement);
        self.watch.held = from;
        let attempts = std::mem::take(&mut self.kept).into_attempts();
        let timing = Some(self.watch.to_json().into());
        let result = CheckResult { flaky: false, timing, ..result(judged.clone(), attempts) };
        Some((judged, result))
    }

    /// The judgement with when it held.
    fn told(&self, end: End, from: Option<Instant>, look: Look, of: Judgement) -> Judgement {
        let Poll { within, stays, .. } = self.watch.poll;
        let ms = |at: Instant| format!("{} ms", self.watch.since_begun(at).as_millis());
        let when = match (end, from) {
            (End::Held, Some(from)) => format!("held from {} on", ms(from)),
            (End::Broke, Some(from)) => {
                let wanted = stays.unwrap_or_default();
                format!(
                    "held from {} on, but at {} no longer: not for {wanted:?}",
                    ms(from),
                    ms(look.ended)
                )
            }
            _ => match within {
                Some(within) => format!("did not hold within {within:?}"),
                None => "did not hold at the first look".to_owned(),
            },
        };
        let join = |message: String| format!("{message}; it {when}");
        match of {
            Judgement::Pass { marginal, conformity, remark } => {
                let remark = Some(remark.map_or_else(|| when.clone(), join));
                Judgement::Pass { marginal, conformity, remark }
            }
            Judgement::Fail { conformity, message } => {
                Judgement::Fail { conformity, message: join(message) }
            }
            Judgement::Error { class, message } => {
                Judgement::Error { class, message: join(message) }
            }
            Judgement::Recorded => Judgement::Recorded,
        }
    }
}

/// No look came in in time.
fn too_late(mut judged: Judged) -> Judged {
    judged.value = None;
    let message = "no answer came in in time".to_owned();
    judged.judgement = Judgement::Error { class: ErrorClass::Timeout, message };
    judged
}

/// The next beat after this moment: beats that were missed are not caught up.
fn tick_after(first: Instant, every: Duration, moment: Instant) -> Instant {
    let every = every.max(Duration::from_nanos(1));
    let beats = moment.saturating_duration_since(first).as_nanos() / every.as_nanos() + 1;
    let beats = u32::try_from(beats).unwrap_or(u32::MAX);
    first.checked_add(every.saturating_mul(beats)).unwrap_or(moment + every)
}
