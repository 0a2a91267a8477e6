//! One round of reads over all that answers. Pure. What a device refuses is halved: some let no
//! read cross certain borders.

use passline_modbus::pdu::Response;
use passline_modbus::point::Span;

use super::capture::Cells;
use super::search::Search;

/// A round of reads.
#[derive(Debug)]
pub struct Round {
    /// Not yet read; the next one last.
    waiting: Vec<Span>,
    memory: Vec<Cells>,
}

impl Round {
    /// All that the searches found.
    pub fn new<'s>(searches: impl IntoIterator<Item = &'s Search>) -> Self {
        let mut waiting: Vec<Span> = searches.into_iter().flat_map(Search::reads).collect();
        waiting.reverse();
        Self { waiting, memory: Vec::new() }
    }

    /// What to read next.
    pub fn next(&self) -> Option<Span> {
        self.waiting.last().copied()
    }

    /// The answer to the last question; `None` if the device refused it. `false`: one address that
    /// answered before does not answer any more.
    pub fn told(&mut self, answer: Option<&Response>) -> bool {
        let Some(span) = self.waiting.pop() else { return false };
        if let Some(values) = answer.and_then(|answer| values(span, answer)) {
            self.memory.push(Cells { table: span.table(), first: span.address(), values });
            return true;
        }
        let half = span.count() / 2;
        let parts = (
            Span::new(span.table(), span.address(), half),
            Span::new(span.table(), span.address().saturating_add(half), span.count() - half),
        );
        let (Some(first), Some(second)) = parts else { return false };
        self.waiting.extend([second, first]);
        true
    }

    /// What was read.
    pub fn memory(self) -> Vec<Cells> {
        self.memory
    }
}

/// Exactly what was asked for.
fn values(span: Span, answer: &Response) -> Option<Vec<u16>> {
    let count = usize::from(span.count());
    match answer {
        Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => {
            Some(bits.get(..count)?.iter().map(|bit| u16::from(*bit)).collect())
        }
        Response::ReadInputRegisters(words) | Response::ReadHoldingRegisters(words) => {
            Some(words.get(..count)?.to_vec())
        }
        _ => None,
    }
}
