//! What the names in behaviours and rules stand for: indices, as the simulator wants them.

use std::collections::HashMap;
use std::sync::Arc;

use passline_simulator::image::Image;
use passline_simulator::program::Held;

use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::source::{Source, Spanned};
use crate::spec::map;
use crate::spec::model::Map;

/// Gives the file that a text of the spec names, which the record then names, too. `None`: reported.
pub(in super::super) type ReadFile<'f> =
    dyn FnMut(&Context<'_>, &Spanned<String>) -> Option<Arc<Source>> + 'f;

/// What a simulation has so far, and what its names stand for.
pub(super) struct Names<'n, 'c> {
    pub(super) context: &'n Context<'c>,
    pub(super) map: &'n Map,
    pub(super) read_file: &'n mut ReadFile<'n>,
    /// The memory at the start.
    pub(super) image: &'n Image,
    /// In their order; the device begins in the first.
    pub(super) states: Vec<String>,
    /// The names of the faults, in their order.
    pub(super) faults: Vec<Option<String>>,
    /// The points named so far.
    pub(super) points: Vec<Held>,
    known: HashMap<String, usize>,
}

impl<'n, 'c> Names<'n, 'c> {
    pub(super) fn new(
        context: &'n Context<'c>,
        map: &'n Map,
        read_file: &'n mut ReadFile<'n>,
        image: &'n Image,
    ) -> Self {
        let (states, faults, points) = (Vec::new(), Vec::new(), Vec::new());
        Self { context, map, read_file, image, states, faults, points, known: HashMap::new() }
    }

    /// The index of a point. `None`: reported.
    pub(super) fn point(&mut self, name: &Spanned<String>) -> Option<usize> {
        if let Some(index) = self.known.get(&name.value) {
            return Some(*index);
        }
        let point = map::named(self.context, self.map, name, "this device")?;
        let factor = point.scale_factor().and_then(|factor| self.map.points.get(factor));
        self.points.push(Held { point: Arc::clone(point), factor: factor.cloned() });
        self.known.insert(name.value.clone(), self.points.len() - 1);
        Some(self.points.len() - 1)
    }

    /// The index of a state. `None`: reported.
    pub(super) fn state(&self, name: &Spanned<String>) -> Option<usize> {
        let found = self.states.iter().position(|state| *state == name.value);
        if found.is_none() {
            let message = format!("there is no state {}", quoted(&name.value));
            let error = Diagnostic::error(name.span, message).remedy("list it under `states:`");
            let states = self.states.iter().map(String::as_str);
            self.context.report(error.suggest(&name.value, states));
        }
        found
    }

    /// The index of a fault. `None`: reported.
    pub(super) fn fault(&self, name: &Spanned<String>) -> Option<usize> {
        let found = self.faults.iter().position(|fault| fault.as_ref() == Some(&name.value));
        if found.is_none() {
            let message = format!("there is no fault named {}", quoted(&name.value));
            let error = Diagnostic::error(name.span, message);
            let error = error.remedy("give the fault under `faults:` this `name:`");
            let faults = self.faults.iter().flatten().map(String::as_str);
            self.context.report(error.suggest(&name.value, faults));
        }
        found
    }
}
