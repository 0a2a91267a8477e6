//! What a device does on its own: points that move, rules, states. A pure machine: the time is told
//! to it, and the same requests at the same times make the same memory, however often it is looked
//! at between them.
//!
//! Knows nothing of clocks and streams. What it cannot do itself it says, for the line to do.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `held` | values of points in the memory |
//! | `signal` | what moves a point |
//! | `rule` | what happens, and what the device does then |
//! | `script` | all of it together, and what depends on what |
//! | `act` | what each action does |
//! | `timers` | what is due when |

mod act;
mod held;
mod rule;
mod script;
mod signal;
mod timers;

use std::time::Duration;

use jiff::Timestamp;
use passline_modbus::pdu::Request;
use passline_modbus::value::Value;

pub use held::Held;
pub(crate) use rule::is_same;
pub use rule::{Action, Rule, Test, When};
pub use script::{Circle, Script};
pub use signal::{Compute, Formula, Lag, Signal};
use signal::{Moment, Running};
use timers::{Due, Timers};

use crate::fault::{Seed, is_write, reads, writes};
use crate::image::Image;

/// How finely what moves is looked at between two requests, where something follows from it.
const TICK: Duration = Duration::from_millis(10);

/// How often at most: after a long time without a request, ticks are longer.
const MAX_TICKS: u32 = 10_000;

/// How often each rule may apply at one moment. More is a circle: it goes on a tick later.
const MAX_TURNS: usize = 8;

/// How much may wait for its time: of what follows later from what clients do, more is dropped.
const MAX_WAITING: usize = 10_000;

/// How much is done on its own between two looks at most. A simulation that has more to do, for it is
/// to run faster than it can, does what is late once, and at once.
const MAX_MOMENTS: u32 = 100_000;

/// Where the chances of signals begin; those of faults come before.
const SIGNALS: u64 = 1 << 32;

/// What the rules want of others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Effects {
    /// The device began anew: its faults do so first, and its connections are lost.
    pub(crate) restarted: bool,
    /// Faults that are to show or not, in this order.
    pub(crate) faults: Vec<(usize, bool)>,
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
    /// By point.
    signals: Vec<Option<Running>>,
    /// By point: whether its signal is to be looked at.
    wanted: Vec<bool>,
    state: usize,
    /// Counts the states entered, to see whether one was left.
    entered: u64,
    now: Duration,
    /// Whether it boots after a restart.
    boots: bool,
    timers: Timers,
    /// Whether something follows from what moves, so that it is looked at between requests.
    ticks: bool,
    /// Whether the test of each rule held when it was last looked at.
    held: Vec<bool>,
    effects: Effects,
}

impl Program {
    /// A script that begins with this memory, at this time of the host.
    pub(crate) fn new(script: Script, initial: &Image, seed: Seed, host: Timestamp) -> Self {
        let mut program = Self {
            seed,
            host,
            initial: initial.clone(),
            signals: script.points.iter().map(|_| None).collect(),
            wanted: vec![false; script.points.len()],
            state: 0,
            entered: 0,
            now: Duration::ZERO,
            boots: false,
            timers: Timers::default(),
            ticks: false,
            held: vec![false; script.rules.len()],
            effects: Effects::default(),
            script,
        };
        program.let_faults_rest();
        program.begin(initial);
        program
    }

    /// Brings what happens on its own to a time, not before the last one. Points that move are not
    /// brought into the memory: see [`Self::show`].
    pub(crate) fn advance(&mut self, to: Duration, image: &mut Image) {
        let tick = TICK.max(to.saturating_sub(self.now) / MAX_TICKS);
        for _ in 0..MAX_MOMENTS {
            let Some(next) = self.next(tick).filter(|next| *next <= to) else {
                self.now = self.now.max(to);
                return;
            };
            self.now = self.now.max(next);
            self.settle(image);
        }
        self.now = self.now.max(to);
        self.timers.bring_to(self.now);
        self.settle(image);
    }

    /// Brings the points that a request asks for, or all that move, to what they are now.
    pub(crate) fn show(&mut self, request: Option<&Request<'_>>, image: &mut Image) {
        let Script { points, order, movers, .. } = &self.script;
        for point in order.iter().rev() {
            let Some(Some(running)) = self.signals.get(*point) else { continue };
            let is_asked_for = points.get(*point).is_some_and(|held| {
                let place = held.point.location();
                request.is_none_or(|request| reads(request, place) || writes(request, place))
            });
            if !is_asked_for && self.wanted.get(*point) != Some(&true) {
                continue;
            }
            let inputs = running.inputs().iter().chain([point]);
            for needed in inputs.filter_map(|input| movers.get(*input)).flatten() {
                if let Some(wanted) = self.wanted.get_mut(*needed) {
                    *wanted = true;
                }
            }
        }
        for index in 0..self.script.order.len() {
            let Some(point) = self.script.order.get(index).copied() else { return };
            if self.wanted.get_mut(point).is_some_and(std::mem::take) {
                self.look(point, image, Moment::Look);
            }
        }
    }

    /// A client was given what it asked for.
    pub(crate) fn asked(&mut self, request: &Request<'_>, image: &mut Image) {
        let points = &self.script.points;
        let is = |point: usize, how: fn(&Request<'_>, _) -> bool| {
            points.get(point).is_some_and(|held| how(request, held.point.location()))
        };
        let has_happened = |rule: &Rule| match &rule.when {
            When::Written(point, test) if is(*point, writes) => {
                let value = points.get(*point).and_then(|held| held.read(image));
                value.is_some_and(|value| test.holds(&value))
            }
            When::Read(point) => is(*point, reads),
            _ => false,
        };
        let rules = self.script.rules.iter().enumerate();
        let rules: Vec<usize> =
            rules.filter(|(_, rule)| has_happened(rule)).map(|(rule, _)| rule).collect();
        let is_write = is_write(request);
        if is_write {
            // What a client writes stays: a signal that went on would undo it.
            let written =
                self.signals.iter_mut().enumerate().filter(|(point, _)| is(*point, writes));
            written.for_each(|(_, signal)| *signal = None);
        }
        // A look by itself changes nothing.
        if is_write || !rules.is_empty() {
            for rule in rules {
                self.apply(rule);
            }
            self.settle(image);
        }
    }

    /// Whether there is anything but signals, which are worked out for any time at once.
    pub(crate) fn has_rules(&self) -> bool {
        !self.script.rules.is_empty()
    }

    /// Whether the device is there: it is not while it boots.
    pub(crate) fn is_there(&self) -> bool {
        !self.boots
    }

    /// What the rules want of others since this was asked last.
    pub(crate) fn take_effects(&mut self) -> Effects {
        std::mem::take(&mut self.effects)
    }

    /// When something is to be seen to next.
    fn next(&self, tick: Duration) -> Option<Duration> {
        let tick = (self.ticks && !self.boots).then(|| next_multiple(self.now, tick));
        self.timers.next().into_iter().chain(tick).min()
    }

    fn begin(&mut self, image: &Image) {
        for (point, signal) in self.script.signals.clone() {
            self.start(point, signal, image);
        }
        self.state = 0;
        self.held.fill(false);
        for (rule, Rule { when, .. }) in self.script.rules.iter().enumerate() {
            if let When::At(after) | When::Every(after) = when {
                self.timers.add(self.now.saturating_add(*after), Due::Rule(rule));
            }
        }
        // What holds from the start on has come to hold.
        self.timers.add(self.now, Due::Begun);
    }

    fn let_faults_rest(&mut self) {
        self.effects.faults.extend(self.script.dormant.iter().map(|fault| (*fault, false)));
    }

    /// Does all that is due now, and what follows from it.
    fn settle(&mut self, image: &mut Image) {
        let mut left = MAX_TURNS * (self.script.rules.len() + 1);
        loop {
            // Where nothing is due, only what something follows from has to be looked at.
            let is_due = self.timers.next().is_some_and(|at| at <= self.now);
            self.refresh(is_due, image);
            self.watch(image);
            if left == 0 {
                self.timers.postpone(self.now, self.now.saturating_add(TICK));
            }
            if !is_due && self.timers.next().is_some_and(|at| at <= self.now) {
                continue;
            }
            let Some((at, due)) = self.timers.pop(self.now) else { break };
            left -= 1;
            self.fire(at, due, image);
        }
        self.ticks = self.needs_ticks();
    }

    /// Brings to what they are now all points that move, or those that something follows from.
    fn refresh(&mut self, all: bool, image: &mut Image) {
        let of = |script: &Script, index| {
            let points = if all { &script.order } else { &script.watched };
            points.get(index).copied()
        };
        for index in 0.. {
            let Some(point) = of(&self.script, index) else { return };
            self.look(point, image, Moment::Event);
        }
    }

    /// Whether something can follow from time alone that no timer knows of: a rule about a value,
    /// or a lag behind something that moves.
    fn needs_ticks(&self) -> bool {
        let mut rules = self.script.rules.iter();
        rules.any(|rule| matches!(rule.when, When::Becomes(..)))
            || self.signals.iter().flatten().filter(|signal| signal.is_lag()).any(|lag| {
                let movers = lag.inputs().iter().filter_map(|input| self.script.movers.get(*input));
                movers.flatten().any(|mover| matches!(self.signals.get(*mover), Some(Some(_))))
            })
    }

    /// Brings a point that moves to what it is now.
    fn look(&mut self, point: usize, image: &mut Image, moment: Moment) {
        let Some(Some(running)) = self.signals.get_mut(point) else { return };
        let points = &self.script.points;
        let input = |index: &usize| points.get(*index)?.read(image);
        let inputs: Option<Vec<Value>> = running.inputs().iter().map(input).collect();
        let value = inputs.and_then(|inputs| running.at(self.now, &inputs, moment));
        if let (Some(held), Some(value)) = (points.get(point), value) {
            // What the point cannot hold stays as near as it gets.
            let _ = held.write(image, &value);
        }
    }

    /// Applies the rules whose test has come to hold.
    fn watch(&mut self, image: &Image) {
        if self.boots {
            return;
        }
        for rule in 0..self.script.rules.len() {
            let Some(When::Becomes(point, test)) =
                self.script.rules.get(rule).map(|rule| &rule.when)
            else {
                continue;
            };
            let value = self.script.points.get(*point).and_then(|held| held.read(image));
            let holds = value.is_some_and(|value| test.holds(&value));
            let held = self.held.get_mut(rule).map(|held| std::mem::replace(held, holds));
            if holds && held == Some(false) {
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
        if !after.is_zero() && self.timers.len() >= MAX_WAITING {
            return;
        }
        let is_of_state = state.is_some() || matches!(when, When::Enters(_));
        let due = Due::Actions { rule, entered: is_of_state.then_some(self.entered) };
        self.timers.add(self.now.saturating_add(*after), due);
    }

    fn fire(&mut self, at: Duration, due: Due, image: &mut Image) {
        match due {
            Due::Rule(rule) => {
                self.apply(rule);
                if let Some(When::Every(every)) = self.script.rules.get(rule).map(|rule| &rule.when)
                {
                    self.timers.add(at.saturating_add(*every), due);
                }
            }
            Due::Actions { entered: Some(entered), .. } if entered != self.entered => {}
            Due::Actions { rule, .. } => {
                let actions = self.script.rules.get(rule).map(|rule| rule.actions.clone());
                for action in actions.unwrap_or_default() {
                    self.perform(action, image);
                    if self.boots {
                        // The others were the device's that is gone.
                        return;
                    }
                }
            }
            Due::Booted => {
                self.boots = false;
                self.begin(image);
            }
            Due::Begun if self.script.states > 0 => self.enter(0),
            Due::Begun => {}
        }
    }
}

/// The first multiple of `step` after `now`: what is seen does not depend on who looked when.
fn next_multiple(now: Duration, step: Duration) -> Duration {
    let count = now.as_nanos() / step.as_nanos().max(1) + 1;
    step.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX)).max(now)
}

#[cfg(test)]
mod tests;
