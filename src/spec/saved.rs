//! The values that steps save: which names there are where an expression is read, and of what type.
//! A name is known from the step that saves it on, in the order of the file.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::expression::Type;
use crate::language::decode::Context;
use crate::language::diagnostic::{Diagnostic, quoted};
use crate::language::source::{Span, Spanned};

/// The saved values of a spec so far.
#[derive(Debug, Default)]
pub(super) struct Saved(RefCell<BTreeMap<String, (Type, Span)>>);

impl Saved {
    /// Adds a value. `None`: reported.
    pub(super) fn add(
        &self,
        context: &Context<'_>,
        name: Spanned<String>,
        of: Type,
    ) -> Option<String> {
        if context.variables.get(&name.value).is_some() {
            let message = format!("{} is a variable", quoted(&name.value));
            let error = Diagnostic::error(name.span, message);
            context.report(error.remedy("save it under another name: a variable never changes"));
            return None;
        }
        let before = self.0.borrow_mut().insert(name.value.clone(), (of, name.span));
        if let Some((_, first)) = before {
            let message = format!("two steps save {}", quoted(&name.value));
            let error = Diagnostic::error(name.span, message).related(first, "the first one");
            context.report(
                error.remedy(
                    "give each its own name; in a `for_each`, put its variable into the name",
                ),
            );
            return None;
        }
        Some(name.value)
    }

    /// The type of a value.
    pub(super) fn type_of(&self, name: &str) -> Option<Type> {
        self.0.borrow().get(name).map(|(of, _)| *of)
    }

    /// All names.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.borrow().keys().cloned().collect()
    }
}
