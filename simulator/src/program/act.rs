//! What each action of a rule does.

use std::time::Duration;

use jiff::Timestamp;
use passline_modbus::value::Value;

use super::signal::{Moment, Running, Signal};
use super::timers::Due;
use super::{Action, Effects, Program, SIGNALS, When};
use crate::behaviour::Origin;
use crate::image::Image;

impl Program {
    pub(super) fn perform(&mut self, action: Action, image: &mut Image) {
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
                self.start(point, signal, image);
                self.look(point, image, Moment::Event);
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
            // What the point cannot hold stays as near as it gets.
            let _ = held.write(image, value);
        }
    }

    pub(super) fn start(&mut self, point: usize, signal: Signal, image: &Image) {
        let host = self.host.checked_add(self.now).unwrap_or(Timestamp::MAX);
        let origin = Origin { chance: self.seed.chance(SIGNALS + point as u64), host };
        let value = self.script.points.get(point).and_then(|held| held.read(image));
        let present = value.and_then(|value| value.to_decimal());
        let present = present.map_or(0.0, |present| present.to_f64());
        if let Some(place) = self.signals.get_mut(point) {
            *place = Some(Running::new(signal, self.now, origin, present));
        }
    }

    /// Ends what moves a point, or memory that it shares.
    fn stop(&mut self, point: usize) {
        let Some(held) = self.script.points.get(point) else { return };
        for mover in self.script.movers.get(point).into_iter().flatten() {
            let shares = self.script.points.get(*mover).is_some_and(|other| other.shares(held));
            if shares && let Some(place) = self.signals.get_mut(*mover) {
                *place = None;
            }
        }
    }

    pub(super) fn enter(&mut self, state: usize) {
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
        self.signals.fill_with(|| None);
        self.timers.clear();
        self.effects = Effects { restarted: true, faults: Vec::new() };
        self.let_faults_rest();
        self.boots = true;
        self.timers.add(self.now.saturating_add(boot), Due::Booted);
    }
}
