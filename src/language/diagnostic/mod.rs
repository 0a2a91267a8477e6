//! What is wrong with a spec, said so that it can be mended: where, what, and what to do. Collects
//! all of it; knows nothing of what is being read.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::source::{Sources, Span};

pub use render::Style;

mod render;

/// How many diagnostics are kept; the rest is only counted. One wrong line repeated through a
/// large file must not fill the memory.
const MAX_KEPT: usize = 1000;

/// How many diagnostics are shown before "and N more".
const MAX_SHOWN: usize = 50;

/// Whether something runs at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing runs.
    Error,
    /// It runs, and is probably not what was meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Diagnostic {
    /// Whether anything runs.
    pub severity: Severity,
    /// Where. `None` if it is in no file: the command line, or a file that cannot be read.
    pub span: Option<Span>,
    /// What is wrong, in one line.
    pub message: String,
    /// A few words for beside the caret.
    pub label: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// Other places that have to do with it, and why.
    pub related: Vec<(Span, String)>,
}

impl Diagnostic {
    /// An error: nothing runs.
    pub fn error(span: impl Into<Option<Span>>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            span: span.into(),
            message: message.into(),
            label: None,
            remedy: None,
            related: Vec::new(),
        }
    }

    /// A warning: it runs.
    pub fn warning(span: impl Into<Option<Span>>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, message) }
    }

    /// A few words beside the caret.
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    /// What to do about it.
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    /// "did you mean" as the remedy, if one of the candidates is similar to the word.
    pub fn suggest<'c>(self, word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Self {
        match did_you_mean(word, candidates) {
            Some(candidate) => self.remedy(format!("did you mean `{candidate}`?")),
            None => self,
        }
    }

    /// Another place that has to do with it.
    pub fn related(mut self, span: Span, why: impl Into<String>) -> Self {
        self.related.push((span, why.into()));
        self
    }
}

/// Everything found so far. Shared by reference: whoever finds something pushes it.
#[derive(Debug, Default)]
pub struct Diagnostics(RefCell<Found>);

#[derive(Debug, Default)]
struct Found {
    kept: Vec<Diagnostic>,
    seen: BTreeSet<(Option<Span>, String)>,
    errors: usize,
    warnings: usize,
}

impl Diagnostics {
    /// Nothing found yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one. The same message about the same place counts once, however often it is found
    /// (each instance of a `for_each` reads the same lines).
    pub fn push(&self, diagnostic: Diagnostic) {
        let mut found = self.0.borrow_mut();
        if !found.seen.contains(&(diagnostic.span, diagnostic.message.clone())) {
            found.add(diagnostic);
        }
    }

    /// Whether anything forbids to run.
    pub fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// How many errors.
    pub fn errors(&self) -> usize {
        self.0.borrow().errors
    }

    /// How many warnings.
    pub fn warnings(&self) -> usize {
        self.0.borrow().warnings
    }

    /// What was found, ordered by file and position; at most the first 1000 found.
    pub fn sorted(&self) -> Vec<Diagnostic> {
        let mut all = self.0.borrow().kept.clone();
        all.sort_by(|a, b| a.span.cmp(&b.span).then_with(|| a.severity.cmp(&b.severity)));
        all
    }

    /// All of it as text for people, each with its file, line, column, source line and remedy;
    /// after 50 only a count. Empty if nothing was found, else it ends with a line feed.
    pub fn render(&self, sources: &Sources, style: Style) -> String {
        let (errors, warnings) = (self.errors(), self.warnings());
        let mut text = String::new();
        let shown = self.sorted();
        for diagnostic in shown.iter().take(MAX_SHOWN) {
            text.push_str(&render::diagnostic(diagnostic, sources, style));
            text.push_str("\n\n");
        }
        let more = (errors + warnings).saturating_sub(shown.len().min(MAX_SHOWN));
        if more > 0 {
            text += &["... and ", &more.to_string(), " more\n\n"].concat();
        }
        if errors + warnings > 0 {
            text.push_str(&summary(errors, warnings));
        }
        text
    }
}

impl Found {
    fn add(&mut self, diagnostic: Diagnostic) {
        match diagnostic.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        if self.kept.len() < MAX_KEPT {
            self.seen.insert((diagnostic.span, diagnostic.message.clone()));
            self.kept.push(diagnostic);
        }
    }
}

fn summary(errors: usize, warnings: usize) -> String {
    let count = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    match (errors, warnings) {
        (_, 0) => format!("{}\n", count(errors, "error")),
        (0, _) => format!("{}\n", count(warnings, "warning")),
        _ => format!("{}, {}\n", count(errors, "error"), count(warnings, "warning")),
    }
}

/// The candidate that was probably meant: at most one letter in three differs (a swap of two
/// neighbours counts as one), or one of the two begins with the other. The first of equals.
pub fn did_you_mean<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    /// The distance takes length² steps: nobody means a name by a whole page.
    const LONGEST: usize = 100;
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    let lower = word.to_lowercase();
    let badness = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let distance = strsim::osa_distance(&lower, &candidate);
        let shorter = length.min(candidate.len());
        let begins = candidate.starts_with(&lower) || lower.starts_with(&candidate);
        (distance <= length / 3 || distance == 1 && length > 1 || begins && shorter >= 3)
            .then_some(distance)
    };
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word && candidate.len() <= LONGEST)
        .filter_map(|candidate| Some((badness(candidate)?, candidate)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A text of the spec for use in a message: in backquotes, on one line, and not all of it if it is
/// long.
pub fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    let escaped = text.chars().take(SHOWN).map(|c| match c {
        '\n' | '\r' | '\t' => ' ',
        other => other,
    });
    let cut = if text.chars().nth(SHOWN).is_some() { "..." } else { "" };
    format!("`{}{cut}`", escaped.collect::<String>())
}
