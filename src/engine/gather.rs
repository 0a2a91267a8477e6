//! What the expressions of a step name, read just before: conditions, and values to be written.

use std::collections::HashMap;

use passline_modbus::value::Value;

use super::Running;
use super::bounds::Bounds;
use super::evaluate::{ByInput, value};
use super::scan::{Earlier, Manners};
use super::tries::{Brought, Tries};
use crate::judge::Judgement;
use crate::plan::Scan;
use crate::record::ErrorClass;
use crate::spec::model::Expression;

/// What was read for expressions.
pub(super) struct Gathered<'s> {
    scan: Option<&'s Scan>,
    tries: HashMap<usize, Tries>,
}

impl Running<'_> {
    /// Reads what expressions name.
    pub(super) async fn gather<'s>(&self, scan: Option<&'s Scan>, bounds: Bounds) -> Gathered<'s> {
        let mut gathered = Gathered { scan, tries: HashMap::new() };
        if let Some(scan) = scan {
            let (earlier, satisfied) = (Earlier::default(), |_: &Brought| false);
            let manners = Manners { retry: None, bounds, earlier, satisfied: &satisfied };
            self.read(scan, manners, |brought| gathered.tries.extend(brought)).await;
        }
        gathered
    }

    /// The value of an expression with what was read for it.
    pub(super) fn evaluate(
        &self,
        expression: &Expression,
        gathered: &Gathered<'_>,
    ) -> Result<Value, Judgement> {
        expression.value(&|name| match gathered.value(name) {
            Some(value) => value,
            None => self.saved(name),
        })
    }

    /// A value that an earlier step saved.
    pub(super) fn saved(&self, name: &str) -> Result<Value, Judgement> {
        self.saved.borrow().get(name).cloned().ok_or_else(|| {
            let message = format!("{name} has no value: the step that saves it brought none");
            Judgement::Error { class: ErrorClass::Decode, message }
        })
    }
}

impl Gathered<'_> {
    /// Whether the run was stopped before all was read.
    pub(super) fn is_stopped(&self) -> bool {
        self.tries.values().any(|tries| tries.last().brought == Brought::Stopped)
    }

    /// The transactions that it took.
    pub(super) fn transactions(&self) -> Vec<u64> {
        self.tries.values().flat_map(Tries::transactions).collect()
    }

    /// What a point had; `None`: it was not asked for.
    pub(super) fn value(&self, name: &str) -> Option<Result<Value, Judgement>> {
        let sources = self.scan.into_iter().flat_map(|scan| &scan.checks);
        let mut sources = sources.flat_map(|check| &check.sources);
        let source = sources.find(|source| source.name == name)?;
        Some(value(source, &self.brought()))
    }

    /// What each input brought in the end.
    pub(super) fn brought(&self) -> ByInput<'_> {
        self.tries.iter().map(|(input, tries)| (*input, &tries.last().brought)).collect()
    }
}
