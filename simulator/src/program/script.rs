//! What a device is taught: its points, what moves them, its rules.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use passline_modbus::value::Value;

use super::held::Held;
use super::rule::{Action, Rule, When};
use super::signal::{Moment, Running, Signal};
use crate::behaviour::Origin;
use crate::fault::Seed;
use crate::image::{Image, PutError};

/// What a device is taught. Every index is one of its own points, states, or of the device's faults.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Script {
    pub(super) points: Vec<Held>,
    pub(super) signals: Vec<(usize, Signal)>,
    pub(super) rules: Vec<Rule>,
    pub(super) states: usize,
    pub(super) dormant: Vec<usize>,
    /// The points that can move, each behind all that it can depend on.
    pub(super) order: Vec<usize>,
    /// For each point the ones that can move and share memory with it or with its scale factor.
    pub(super) movers: Vec<Vec<usize>>,
    /// Of `order`, those from which something can follow by time alone: what rules about values look
    /// at, lags, and all that these need.
    pub(super) watched: Vec<usize>,
}

/// Points that depend on each other, and so on none: each on the next one, the last on the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("points that depend on each other: {0:?}")]
pub struct Circle(pub Vec<usize>);

impl Script {
    /// What moves which point from the start on, and what the device does when.
    ///
    /// # Errors
    ///
    /// [`Circle`], whether or not all of its signals ever run at once.
    pub fn new(
        points: Vec<Held>,
        signals: Vec<(usize, Signal)>,
        rules: Vec<Rule>,
    ) -> Result<Self, Circle> {
        let all: Vec<(usize, &Signal)> = all(&signals, &rules).collect();
        let mut movable: Vec<usize> = all.iter().map(|(point, _)| *point).collect();
        movable.sort_unstable();
        movable.dedup();
        let movers: Vec<Vec<usize>> = points
            .iter()
            .map(|point| {
                let others = movable.iter().filter_map(|index| Some((*index, points.get(*index)?)));
                others
                    .filter(|(_, other)| point.depends_on(other))
                    .map(|(index, _)| index)
                    .collect()
            })
            .collect();
        let mut needs: Vec<Vec<usize>> = vec![Vec::new(); points.len()];
        for (point, signal) in &all {
            let Some(needs) = needs.get_mut(*point) else { continue };
            needs.extend(signal.inputs().iter().filter_map(|input| movers.get(*input)).flatten());
            // To put a value there takes the scale factor, which may move itself.
            let own = movers.get(*point).into_iter().flatten();
            needs.extend(own.filter(|mover| {
                points
                    .get(*point)
                    .zip(points.get(**mover))
                    .is_some_and(|(own, mover)| !own.shares(mover))
            }));
        }
        let order = order(&movable, &needs)?;
        let watched_for = rules.iter().filter_map(|rule| match &rule.when {
            When::Becomes(point, _) => movers.get(*point),
            _ => None,
        });
        let lags = all.iter().filter(|(_, signal)| matches!(signal, Signal::Lag(_)));
        let roots = watched_for.flatten().copied().chain(lags.map(|(point, _)| *point));
        let watched = with_needs(roots.collect(), &order, &needs);
        Ok(Self { points, signals, rules, order, movers, watched, ..Self::default() })
    }

    /// Computed values that their points could not hold at the start, and why.
    pub fn misfits(&self, image: &Image) -> Vec<(usize, Value, PutError)> {
        let mut image = image.clone();
        let chance = Seed::of_device(0, "").chance(0);
        let origin = Origin { chance, host: Timestamp::UNIX_EPOCH };
        let mut misfits = Vec::new();
        for point in &self.order {
            let signal = self.signals.iter().find(|(moved, _)| moved == point);
            let (Some((_, signal)), Some(held)) = (signal, self.points.get(*point)) else {
                continue;
            };
            let input = |index: &usize| self.points.get(*index)?.read(&image);
            let inputs: Option<Vec<Value>> = signal.inputs().iter().map(input).collect();
            let mut begun = Running::new(signal.clone(), Duration::ZERO, origin, 0.0);
            let value = inputs.and_then(|inputs| begun.at(Duration::ZERO, &inputs, Moment::Event));
            if let Some(value) = value
                && let Err(error) = held.write(&mut image, &value)
                && matches!(signal, Signal::Computed(_))
            {
                misfits.push((*point, value, error));
            }
        }
        misfits
    }

    /// How many states it has; it begins in the first.
    #[must_use]
    pub fn with_states(self, states: usize) -> Self {
        Self { states, ..self }
    }

    /// The faults that do not show before a rule lets them.
    #[must_use]
    pub fn with_dormant(self, dormant: Vec<usize>) -> Self {
        Self { dormant, ..self }
    }
}

/// All that may ever move a point.
fn all<'s>(
    signals: &'s [(usize, Signal)],
    rules: &'s [Rule],
) -> impl Iterator<Item = (usize, &'s Signal)> {
    let started = rules.iter().flat_map(|rule| &rule.actions).filter_map(|action| match action {
        Action::Start(point, signal) => Some((*point, signal)),
        _ => None,
    });
    signals.iter().map(|(point, signal)| (*point, signal)).chain(started)
}

/// Of `order`, these points and all that they need.
fn with_needs(mut points: HashSet<usize>, order: &[usize], needs: &[Vec<usize>]) -> Vec<usize> {
    // Behind each comes only what needs it: from the back, all who need it are known.
    for point in order.iter().rev() {
        if points.contains(point) {
            points.extend(needs.get(*point).into_iter().flatten());
        }
    }
    order.iter().copied().filter(|point| points.contains(point)).collect()
}

/// The points, each behind those that it needs.
fn order(movable: &[usize], needs: &[Vec<usize>]) -> Result<Vec<usize>, Circle> {
    let needed = |point: usize| needs.get(point).map(Vec::as_slice).unwrap_or_default();
    let mut open = vec![0; needs.len()];
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for &point in movable {
        if let Some(open) = open.get_mut(point) {
            *open = needed(point).len();
        }
        for need in needed(point) {
            if let Some(waiting) = waiting.get_mut(*need) {
                waiting.push(point);
            }
        }
    }
    let is_free = |open: &[usize], point: usize| open.get(point) == Some(&0);
    let mut order: Vec<usize> =
        movable.iter().copied().filter(|point| is_free(&open, *point)).collect();
    let mut next = 0;
    while let Some(done) = order.get(next).copied() {
        next += 1;
        for follower in waiting.get(done).into_iter().flatten() {
            if let Some(open) = open.get_mut(*follower) {
                *open -= 1;
            }
            if is_free(&open, *follower) {
                order.push(*follower);
            }
        }
    }
    let stuck = |point: &usize| !is_free(&open, *point);
    match movable.iter().copied().find(stuck) {
        None => Ok(order),
        Some(first) => {
            // Each that is stuck needs another that is: that way leads into the circle.
            let mut way: Vec<usize> = vec![first];
            loop {
                let last = way.last().copied().unwrap_or(first);
                let Some(need) = needed(last).iter().copied().find(stuck) else {
                    return Err(Circle(way));
                };
                if let Some(at) = way.iter().position(|point| *point == need) {
                    return Err(Circle(way.split_off(at)));
                }
                way.push(need);
            }
        }
    }
}
