//! What a device does on its own: points that move, rules, states. A pure machine: the time is told
//! to it, and the same requests at the same times make the same memory.
//!
//! Knows nothing of clocks, streams and requests. What it cannot do itself it says: see [`Effects`].

mod held;
mod rule;
mod signal;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use jiff::Timestamp;
use passline_modbus::point::Span;
use passline_modbus::value::Value;

pub use held::Held;
pub use rule::{Action, Rule, Test, When};
use signal::Running;
pub use signal::{Compute, Formula, Lag, Signal};

use crate::behaviour::Origin;
use crate::fault::Seed;
use crate::image::Image;

/// How finely [`When::Becomes`] is looked at between two requests.
const TICK: Duration = Duration::from_millis(10);

/// How often at most: after a long time without a request, ticks are longer.
const MAX_TICKS: u32 = 10_000;

/// Where the chances of signals begin; those of faults come before.
const SIGNALS: u64 = 1 << 32;

/// How many states a device goes through at one moment. More is a circle.
const MAX_CHAIN: usize = 32;

/// What a device is taught. Every index is one of its own points, states, or of the device's faults.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Script {
    /// The points that signals and rules are about.
    pub points: Vec<Held>,
    /// What moves points, in an order in which inputs come before what depends on them.
    pub signals: Vec<(usize, Signal)>,
    /// What it does when.
    pub rules: Vec<Rule>,
    /// How many states it has; it begins in the first.
    pub states: usize,
    /// The faults that do not show before a rule lets them.
    pub dormant: Vec<usize>,
}

/// What the rules want of others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    /// Faults that are to show or not, in this order.
    pub(crate) faults: Vec<(usize, bool)>,
    /// The device began anew: its faults do so, too, and its connections are lost.
    pub(crate) restarted: bool,
}

/// A script as it runs.
#[derive(Debug)]
pub(crate) struct Program {
    script: Script,
    seed: Seed,
    /// The time of the host when the simulation began.
    host: Timestamp,
    /// The memory that it began with.
    initial: Image,
    /// By the point that each moves, in the order in which they are looked at.
    signals: Vec<(usize, Running)>,
    state: usize,
    /// Counts the states entered, to see whether one was left.
    entered: u64,
    now: Duration,
    /// When the device is there again after a restart.
    boots_until: Duration,
    timers: BinaryHeap<Reverse<(Duration, u64, Due)>>,
    scheduled: u64,
    /// Whether the test of each rule held when it was last looked at.
    held: Vec<bool>,
    effects: Effects,
}

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// [`When::At`] and [`When::Every`]: see whether the rule applies.
    Rule(usize),
    /// The actions of a rule that applied: dropped if another state was entered since.
    Actions { rule: usize, entered: Option<u64> },
    /// A restart is over.
    Booted,
}

impl Program {
    /// A script that begins with this memory, at this time of the host.
    pub(crate) fn new(script: Script, initial: &Image, seed: Seed, host: Timestamp) -> Self {
        let mut program = Self {
            seed,
            host,
            initial: initial.clone(),
            signals: Vec::new(),
            state: 0,
            entered: 0,
            now: Duration::ZERO,
            boots_until: Duration::ZERO,
            timers: BinaryHeap::new(),
            scheduled: 0,
            held: vec![false; script.rules.len()],
            effects: Effects::default(),
            script,
        };
        program.begin(Duration::ZERO);
        program
    }

    /// Brings the memory to a time, not before the last one.
    pub(crate) fn advance(&mut self, to: Duration, image: &mut Image) {
        let watches = self.script.rules.iter().any(|rule| matches!(rule.when, When::Becomes(..)));
        let tick = TICK.max(to.saturating_sub(self.now) / MAX_TICKS);
        loop {
            let timer = self.timers.peek().map(|Reverse((at, ..))| *at);
            let next_tick = watches.then(|| next_multiple(self.now, tick));
            let next = timer.into_iter().chain(next_tick).min().filter(|next| *next <= to);
            self.now = self.now.max(next.unwrap_or(to));
            self.refresh(image);
            self.watch(image);
            self.fire(image);
            // What is followed may have changed.
            self.refresh(image);
            if next.is_none() {
                return;
            }
        }
    }

    /// A client wrote to these addresses.
    pub(crate) fn written(&mut self, span: Span, image: &mut Image) {
        // What a client writes stays: a signal that went on would undo it.
        let points = &self.script.points;
        self.signals
            .retain(|(point, _)| !points.get(*point).is_some_and(|held| touches(held, span)));
        self.happened(image, |when, program, image| match when {
            When::Written(point, test) => {
                let held = program.script.points.get(*point);
                held.filter(|held| touches(held, span))
                    .and_then(|held| held.read(image))
                    .is_some_and(|value| test.holds(&value))
            }
            _ => false,
        });
        self.refresh(image);
        self.watch(image);
        self.fire(image);
        self.refresh(image);
    }

    /// A client read these addresses.
    pub(crate) fn read(&mut self, span: Span, image: &mut Image) {
        self.happened(image, |when, program, _| match when {
            When::Read(point) => {
                program.script.points.get(*point).is_some_and(|held| touches(held, span))
            }
            _ => false,
        });
        self.fire(image);
        self.refresh(image);
    }

    /// Whether the device is there: it is not while it boots.
    pub(crate) fn is_there(&self) -> bool {
        self.boots_until <= self.now
    }

    /// What the rules want of others since this was asked last.
    pub(crate) fn take_effects(&mut self) -> Effects {
        std::mem::take(&mut self.effects)
    }

    fn begin(&mut self, now: Duration) {
        self.signals.clear();
        for (point, signal) in self.script.signals.clone() {
            self.start(point, signal, now);
        }
        self.timers.clear();
        self.state = 0;
        self.held.fill(false);
        let dormant = self.script.dormant.iter();
        self.effects.faults.extend(dormant.map(|fault| (*fault, false)));
        for rule in 0..self.script.rules.len() {
            match self.script.rules.get(rule).map(|rule| &rule.when) {
                Some(When::At(at)) => self.schedule(now.saturating_add(*at), Due::Rule(rule)),
                Some(When::Every(every)) => {
                    self.schedule(now.saturating_add(*every), Due::Rule(rule));
                }
                _ => {}
            }
        }
        if self.script.states > 0 {
            self.enter(0);
        }
    }

    fn schedule(&mut self, at: Duration, due: Due) {
        self.scheduled += 1;
        self.timers.push(Reverse((at, self.scheduled, due)));
    }

    /// Moves what moves.
    fn refresh(&mut self, image: &mut Image) {
        for (point, running) in &mut self.signals {
            let points = &self.script.points;
            let input = |index: &usize| points.get(*index)?.read(image);
            let inputs: Option<Vec<Value>> = running.inputs().iter().map(input).collect();
            let value = inputs.and_then(|inputs| running.at(self.now, &inputs));
            if let (Some(held), Some(value)) = (points.get(*point), value) {
                held.write(image, &value);
            }
        }
    }

    /// Applies the rules whose test has come to hold.
    fn watch(&mut self, image: &mut Image) {
        let mut held = std::mem::take(&mut self.held);
        for (rule, held) in held.iter_mut().enumerate() {
            let Some(When::Becomes(point, test)) =
                self.script.rules.get(rule).map(|rule| &rule.when)
            else {
                continue;
            };
            let value = self.script.points.get(*point).and_then(|held| held.read(image));
            let holds = value.is_some_and(|value| test.holds(&value));
            if holds && !std::mem::replace(held, holds) {
                self.apply(rule);
            }
            *held = holds;
        }
        self.held = held;
    }

    /// Applies the rules for which something happened.
    fn happened(&mut self, image: &Image, what: impl Fn(&When, &Self, &Image) -> bool) {
        for rule in 0..self.script.rules.len() {
            let when = self.script.rules.get(rule).map(|rule| &rule.when);
            if when.is_some_and(|when| what(when, self, image)) {
                self.apply(rule);
            }
        }
    }

    /// Lets the actions of a rule follow, if it applies in the present state.
    fn apply(&mut self, rule: usize) {
        let Some(Rule { when, state, after, .. }) = self.script.rules.get(rule) else { return };
        if state.is_some_and(|state| state != self.state) {
            return;
        }
        let is_of_state = state.is_some() || matches!(when, When::Enters(_));
        let due = Due::Actions { rule, entered: is_of_state.then_some(self.entered) };
        self.schedule(self.now.saturating_add(*after), due);
    }

    /// Does what is due.
    fn fire(&mut self, image: &mut Image) {
        let last = self.entered.saturating_add(MAX_CHAIN as u64);
        while let Some(Reverse((at, _, due))) = self.timers.peek().copied() {
            if at > self.now {
                return;
            }
            self.timers.pop();
            match due {
                // A circle of states: it ends somewhere, as it must.
                Due::Actions { .. } if self.entered > last => {}
                Due::Rule(rule) => {
                    self.apply(rule);
                    if let Some(When::Every(every)) =
                        self.script.rules.get(rule).map(|rule| &rule.when)
                    {
                        self.schedule(at.saturating_add(*every), due);
                    }
                }
                Due::Actions { entered: Some(entered), .. } if entered != self.entered => {}
                Due::Actions { rule, .. } => self.act(rule, image),
                Due::Booted => self.begin(self.now),
            }
        }
    }

    fn act(&mut self, rule: usize, image: &mut Image) {
        let actions = self.script.rules.get(rule).map(|rule| rule.actions.clone());
        for action in actions.unwrap_or_default() {
            self.perform(action, image);
        }
    }

    fn perform(&mut self, action: Action, image: &mut Image) {
        match action {
            Action::Set(point, value) => self.set(point, &value, image),
            Action::Compute(point, formula) => {
                let points = &self.script.points;
                let input = |index: &usize| points.get(*index)?.read(image);
                let inputs: Option<Vec<Value>> = formula.inputs.iter().map(input).collect();
                let value = inputs.and_then(|inputs| (formula.compute)(&inputs, self.now));
                if let Some(value) = value {
                    self.set(point, &value, image);
                }
            }
            Action::Increment(point, by) => {
                let value = self.script.points.get(point).and_then(|held| held.read(image));
                let sum = value.and_then(|value| value.to_decimal()?.checked_add(&by).ok());
                if let Some(sum) = sum {
                    self.set(point, &Value::Number(sum), image);
                }
            }
            Action::Start(point, signal) => {
                self.stop(point);
                self.start(point, signal, self.now);
                self.refresh(image);
            }
            Action::Stop(point) => self.stop(point),
            Action::Fault(fault, shows) => self.effects.faults.push((fault, shows)),
            Action::Enter(state) => self.enter(state),
            Action::Restart(boot) => self.restart(boot, image),
        }
    }

    fn set(&mut self, point: usize, value: &Value, image: &mut Image) {
        self.stop(point);
        if let Some(held) = self.script.points.get(point) {
            held.write(image, value);
        }
    }

    fn start(&mut self, point: usize, signal: Signal, now: Duration) {
        let host = self.host.checked_add(now).unwrap_or(Timestamp::MAX);
        let origin = Origin { chance: self.seed.chance(SIGNALS + point as u64), host };
        self.signals.push((point, Running::new(signal, now, origin)));
    }

    fn stop(&mut self, point: usize) {
        self.signals.retain(|(moved, _)| *moved != point);
    }

    fn enter(&mut self, state: usize) {
        self.state = state;
        self.entered += 1;
        for rule in 0..self.script.rules.len() {
            let when = self.script.rules.get(rule).map(|rule| &rule.when);
            if matches!(when, Some(When::Enters(entered)) if *entered == state) {
                self.apply(rule);
            }
        }
    }

    fn restart(&mut self, boot: Duration, image: &mut Image) {
        image.clone_from(&self.initial);
        self.signals.clear();
        self.timers.clear();
        self.effects = Effects { faults: Vec::new(), restarted: true };
        self.boots_until = self.now.saturating_add(boot);
        self.schedule(self.boots_until, Due::Booted);
    }
}

/// The first multiple of `step` after `now`: what is seen does not depend on who looked when.
fn next_multiple(now: Duration, step: Duration) -> Duration {
    let count = now.as_nanos() / step.as_nanos().max(1) + 1;
    step.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX)).max(now)
}

fn touches(held: &Held, span: Span) -> bool {
    held.point.span().is_some_and(|own| own.overlaps(span))
}

#[cfg(test)]
mod tests;
