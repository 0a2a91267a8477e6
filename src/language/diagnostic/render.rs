//! One diagnostic as text, with its source line and a caret. Only ever looks at the lines it
//! shows, and shows of a long line only what is around the caret.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Severity};
use crate::language::source::{BYTE_ORDER_MARK, Source, Sources, Span};

/// How many characters are shown on either side of where a long line's span starts.
const SHOWN_BEFORE: usize = 60;
const SHOWN_AFTER: usize = 100;

/// Whether the text may carry terminal colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Characters only: files, CI logs, pipes.
    Plain,
    /// With ANSI colours.
    Coloured,
}

pub(super) fn diagnostic(diagnostic: &Diagnostic, sources: &Sources, style: Style) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(printable(&diagnostic.message)));
    let label = diagnostic.label.as_deref().unwrap_or_default();
    let primary = diagnostic.span.map(|span| (span, label, AnnotationKind::Primary));
    let related =
        diagnostic.related.iter().map(|(span, why)| (*span, why.as_str(), AnnotationKind::Context));
    for (span, label, kind) in primary.into_iter().chain(related) {
        let Some(source) = sources.get(span.source) else { continue };
        group = with_excerpt(group, source, &Excerpt::of(source, span), (printable(label), kind));
    }
    if let Some(remedy) = &diagnostic.remedy {
        group = group.element(Level::HELP.message(printable(remedy)));
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    renderer.render(&[group])
}

fn with_excerpt<'d>(
    group: Group<'d>,
    source: &Source,
    excerpt: &Excerpt,
    (label, kind): (String, AnnotationKind),
) -> Group<'d> {
    let annotation = kind.span(excerpt.marked.clone());
    let annotation = if label.is_empty() { annotation } else { annotation.label(label) };
    let path = printable(&source.path().display().to_string());
    let snippet = Snippet::source(excerpt.text.clone())
        .line_start(excerpt.line)
        .fold(false)
        .annotation(annotation);
    if excerpt.cut_before {
        // The renderer counts columns in what it is shown.
        let origin = Origin::path(path).line(excerpt.line).char_column(excerpt.column);
        return group.element(origin).element(snippet);
    }
    group.element(snippet.path(path))
}

/// The part of one line that is shown.
struct Excerpt {
    line: usize,
    column: usize,
    text: String,
    marked: Range<usize>,
    cut_before: bool,
}

impl Excerpt {
    fn of(source: &Source, span: Span) -> Self {
        let text = source.text();
        let (line, column) = source.line_and_column(span.start);
        let start = boundary(text, span.start as usize);
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let before = before.get(line_start..).unwrap_or_default();
        let before = before.trim_start_matches(BYTE_ORDER_MARK);
        let after = text.get(start..).unwrap_or_default();
        let after = after.split(['\n', '\r']).next().unwrap_or_default();

        let kept_before = last_chars(before, SHOWN_BEFORE);
        let kept_after = first_chars(after, SHOWN_AFTER);
        let mark = |cut: bool| if cut { "..." } else { "" };
        let head = mark(kept_before.len() < before.len());
        let tail = mark(kept_after.len() < after.len());
        let marked_start = head.len() + kept_before.len();
        let length = boundary(text, span.end as usize).saturating_sub(start).min(kept_after.len());
        Self {
            line,
            column,
            text: format!("{head}{kept_before}{kept_after}{tail}"),
            marked: marked_start..marked_start + length,
            cut_before: !head.is_empty(),
        }
    }
}

fn boundary(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn first_chars(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

fn last_chars(text: &str, count: usize) -> &str {
    let cut = text.char_indices().rev().nth(count.saturating_sub(1));
    cut.and_then(|(start, _)| text.get(start..)).unwrap_or(text)
}

/// A text that cannot drive the terminal: what a spec says reaches messages too.
fn printable(text: &str) -> String {
    annotate_snippets::normalize_untrusted_str(text)
}
