//! What is refused while a tree is built, in words.

use granit_parser::{ErrorKind, ScanError};

use super::MAX_DEPTH;
use crate::language::diagnostic::Diagnostic;
use crate::language::source::{Source, Span};

pub(super) fn depth_error(span: Span) -> Diagnostic {
    Diagnostic::error(span, format!("lists and mappings are nested deeper than {MAX_DEPTH} levels"))
        .remedy("no spec needs that: look for brackets that are not closed")
}

pub(super) fn key_error(span: Span) -> Diagnostic {
    Diagnostic::error(span, "a list or a mapping cannot be a key")
        .remedy("a text with braces or brackets needs quotes: `\"{...}\"`")
}

pub(super) fn merge_error(span: Span) -> Diagnostic {
    Diagnostic::error(span, "`<<` merges aliases of mappings, and this is none")
        .remedy("name an anchor: `<<: *defaults`, or several: `<<: [*a, *b]`")
}

pub(super) fn tag_error(span: Span) -> Diagnostic {
    Diagnostic::error(span, "YAML tags are not used here")
        .remedy("remove the tag; a text that begins with `!` needs quotes")
}

pub(super) fn syntax_error(error: &ScanError, source: &Source) -> Diagnostic {
    let at = error.marker().byte_offset().unwrap_or_default();
    let at = u32::try_from(at).unwrap_or(u32::MAX);
    let span = Span { source: source.id(), start: at, end: at.saturating_add(1) };
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return depth_error(span);
    }
    let diagnostic = match error.kind() {
        ErrorKind::UnexpectedCharacter { character } if !character.is_ascii_graphic() => {
            return not_allowed(*character, span);
        }
        kind => Diagnostic::error(span, format!("this is not YAML: {kind}")),
    };
    diagnostic.remedy(remedy(error.kind()))
}

fn not_allowed(character: char, span: Span) -> Diagnostic {
    let code = u32::from(character);
    Diagnostic::error(span, format!("YAML does not allow the character U+{code:04X} as it is"))
        .remedy(format!("remove it; a text that needs it is written \"\\U{code:08X}\""))
}

fn remedy(kind: &ErrorKind) -> &'static str {
    use ErrorKind as K;
    match kind {
        K::TabNotAllowed
        | K::TabInBlockIndentation
        | K::TabInIndentation
        | K::TabAtBlockScalarStart
        | K::TabInPlainScalar => "indent with spaces: YAML does not allow tabs there",
        K::InvalidIndentation
        | K::ExpectedBlockMappingKey
        | K::ExpectedBlockSequenceEntry
        | K::BlockSequenceEntryNotAllowed => {
            "check the indentation: the entries of one list or mapping begin in the same column"
        }
        K::MappingValueNotAllowed | K::MappingKeyNotAllowed => {
            "a text with `: ` in it needs quotes; else check the indentation"
        }
        K::SimpleKeyExpected | K::InvalidSimpleKey => "an entry is written `key: value`",
        K::InvalidColonPlacement
        | K::ExpectedFlowMappingSeparator
        | K::ExpectedFlowSequenceSeparator
        | K::UnexpectedEofFlowSequence
        | K::UnexpectedEofFlowMapping
        | K::UnexpectedEofImplicitFlowMapping
        | K::UnclosedFlowCollection { .. }
        | K::MismatchedFlowCollectionEnd { .. }
        | K::MisplacedFlowCollectionEnd => "check brackets, braces and commas around here",
        K::UnclosedQuotedScalar
        | K::InvalidTrailingSingleQuotedScalar
        | K::InvalidTrailingDoubleQuotedScalar
        | K::DocumentIndicatorInQuotedScalar => {
            "check the quotes: inside '...' a quote is written '', inside \"...\" it is written \\\""
        }
        K::UnknownQuotedScalarEscape | K::InvalidQuotedScalarHexEscape => {
            "inside \"...\" a backslash is written \\\\; inside '...' it needs nothing"
        }
        K::UnexpectedCharacter { .. } => "a text that begins with this character needs quotes",
        _ => "look at this line and the one above it",
    }
}
