//! CSV files (RFC 4180) with a header line: cells with their places, so that mistakes can name them.

use std::collections::BTreeSet;
use std::str::CharIndices;

use super::diagnostic::{Diagnostic, Diagnostics, quoted};
use super::source::{Source, SourceId, Span, Spanned};
use super::variables::{Scalar, Variable};
use super::yaml::{Plain, Written};

/// A table: rows that have a cell for each column.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The columns by their names: no name twice.
    pub columns: Vec<Spanned<String>>,
    /// The rows behind the header, without empty lines.
    pub rows: Vec<Vec<Spanned<String>>>,
}

impl Table {
    /// Reads a file. `None`: reported.
    pub fn read(source: &Source, diagnostics: &Diagnostics) -> Option<Self> {
        let refuse = |(span, message): (Span, String), remedy: &str| {
            diagnostics.push(Diagnostic::error(span, message).remedy(remedy));
            None
        };
        let mut lines = match Cells::new(source).lines() {
            Ok(lines) => lines.into_iter(),
            Err(wrong) => {
                return refuse(wrong, "a cell with `\"` is \"written \"\"like\"\" this\"");
            }
        };
        let columns = lines.next()?;
        let mut names = BTreeSet::new();
        for column in &columns {
            if !names.insert(column.value.as_str()) {
                let twice = format!("the column {} is there twice", quoted(&column.value));
                return refuse((column.span, twice), "give each column a name of its own");
            }
        }
        let rows: Vec<_> = lines.collect();
        for row in &rows {
            let (has, needs) = (row.len(), columns.len());
            if let (Some(first), false) = (row.first(), has == needs) {
                let message = format!("this row has {has} cells, and the header has {needs}");
                return refuse((first.span, message), "write one cell for each column");
            }
        }
        Some(Self { columns, rows })
    }

    /// The place of a column in each row.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.value == name)
    }
}

/// What a cell is worth where it stands alone, typed as a scalar of YAML is. `None`: it is empty.
pub fn variable(cell: &str) -> Option<Variable> {
    if cell.is_empty() {
        return None;
    }
    let text = || Scalar::Text(cell.to_owned());
    let value = match (Written { text: cell, plain: true }.typed()) {
        Ok(Plain::Bool(value)) => Scalar::Bool(value),
        Ok(Plain::Number(value)) => Scalar::Number(value),
        Ok(Plain::NotFinite(value)) => Scalar::NotFinite(value),
        // A number that is ambiguous is none: where one is needed, it is refused.
        Ok(Plain::Text(_) | Plain::Null) | Err(_) => text(),
    };
    Some(Variable { value, text: cell.to_owned() })
}

/// The characters of a file, cell by cell.
struct Cells<'s> {
    source: SourceId,
    end: usize,
    chars: std::iter::Peekable<CharIndices<'s>>,
}

/// How a cell ended.
#[derive(PartialEq)]
enum End {
    Cell,
    Line,
}

impl<'s> Cells<'s> {
    fn new(source: &'s Source) -> Self {
        let mut chars = source.text().char_indices().peekable();
        chars.next_if(|(_, char)| *char == '\u{feff}');
        Self { source: source.id(), end: source.text().len(), chars }
    }

    fn lines(mut self) -> Result<Vec<Vec<Spanned<String>>>, (Span, String)> {
        let (mut lines, mut line) = (Vec::new(), Vec::new());
        while self.chars.peek().is_some() || !line.is_empty() {
            let (cell, end) = self.cell()?;
            line.push(cell);
            if end == End::Line {
                let line = std::mem::take(&mut line);
                // A line without anything on it is no row.
                if line.len() > 1 || line.iter().any(|cell| !cell.value.is_empty()) {
                    lines.push(line);
                }
            }
        }
        Ok(lines)
    }

    fn here(&mut self) -> usize {
        self.chars.peek().map_or(self.end, |(at, _)| *at)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { source: self.source, start: offset(start), end: offset(end) }
    }

    /// The next cell, without the spaces around it.
    fn cell(&mut self) -> Result<(Spanned<String>, End), (Span, String)> {
        while self.chars.next_if(|(_, char)| matches!(char, ' ' | '\t')).is_some() {}
        let start = self.here();
        if self.chars.next_if(|(_, char)| *char == '"').is_some() {
            return self.quoted_cell(start);
        }
        let mut text = String::new();
        while let Some((_, char)) = self.chars.next_if(|(_, char)| !matches!(char, ',' | '\n')) {
            text.push(char);
        }
        let kept = text.trim_end();
        let span = self.span(start, start + kept.len());
        let cell = Spanned { value: kept.to_owned(), span };
        Ok((cell, self.ended()))
    }

    fn quoted_cell(&mut self, start: usize) -> Result<(Spanned<String>, End), (Span, String)> {
        let mut text = String::new();
        loop {
            match self.chars.next() {
                Some((_, '"')) if self.chars.next_if(|(_, char)| *char == '"').is_some() => {
                    text.push('"');
                }
                Some((_, '"')) => break,
                Some((_, char)) => text.push(char),
                None => {
                    let span = self.span(start, start + 1);
                    return Err((span, "this quoted cell has no end".to_owned()));
                }
            }
        }
        let end = self.here();
        while self.chars.next_if(|(_, char)| matches!(char, ' ' | '\t' | '\r')).is_some() {}
        let behind = self.here();
        if self.chars.peek().is_some_and(|(_, char)| !matches!(char, ',' | '\n')) {
            let span = self.span(behind, behind + 1);
            return Err((span, "there is something behind a quoted cell".to_owned()));
        }
        let cell = Spanned { value: text, span: self.span(start, end) };
        Ok((cell, self.ended()))
    }

    fn ended(&mut self) -> End {
        match self.chars.next() {
            Some((_, ',')) => End::Cell,
            _ => End::Line,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::language::diagnostic::Style;
    use crate::language::source::Sources;

    fn read(text: &str) -> Result<Table, String> {
        let (mut sources, diagnostics) = (Sources::new(), Diagnostics::new());
        let id = sources.add("t.csv", text);
        let table = Table::read(sources.get(id).unwrap(), &diagnostics);
        table.ok_or_else(|| diagnostics.render(&sources, Style::Plain))
    }

    fn texts(cells: &[Spanned<String>]) -> Vec<&str> {
        cells.iter().map(|cell| cell.value.as_str()).collect()
    }

    #[test]
    fn cells_are_what_stands_between_commas() {
        let table = read("\u{feff}a, b ,c\r\n1,, x y \r\n\n\"2,\n\"\"3\"\"\" ,é,\"\"\r\n").unwrap();
        assert_eq!(texts(&table.columns), ["a", "b", "c"]);
        assert_eq!(table.rows.len(), 2);
        assert_eq!(texts(&table.rows[0]), ["1", "", "x y"]);
        assert_eq!(texts(&table.rows[1]), ["2,\n\"3\"", "é", ""]);
        assert_eq!(table.column("c"), Some(2));
        // The last line needs no end; a comma at the end begins an empty cell.
        assert_eq!(texts(&read("a,b\n1,").unwrap().rows[0]), ["1", ""]);
        assert_eq!(read("a,b").unwrap().rows.len(), 0);
    }

    #[test]
    fn mistakes_name_their_place() {
        for (text, place, says) in [
            ("a,b\n1,2\n3\n", "t.csv:3:1", "this row has 1 cells, and the header has 2"),
            ("a,b\n1,2,3", "t.csv:2:1", "has 3 cells"),
            ("a,b,a\n", "t.csv:1:5", "the column `a` is there twice"),
            ("a,b\n1,\"2\n", "t.csv:2:3", "has no end"),
            ("a,b\n\"1\"2,3\n", "t.csv:2:4", "something behind"),
        ] {
            let shown = read(text).unwrap_err();
            assert!(shown.contains(place) && shown.contains(says), "{text:?}: {shown}");
        }
    }

    #[test]
    fn a_cell_is_typed_as_yaml_is() {
        let typed = |cell| variable(cell).map(|variable| variable.value);
        assert_eq!(typed("1.10"), Some(Scalar::Number("1.1".parse().unwrap())));
        assert_eq!(variable("1.10").unwrap().text, "1.10");
        assert_eq!(typed("true"), Some(Scalar::Bool(true)));
        assert_eq!(typed("5%"), Some(Scalar::Text("5%".into())));
        assert_eq!(typed("007"), Some(Scalar::Text("007".into())));
        assert_eq!(typed("1,5"), Some(Scalar::Text("1,5".into())));
        assert_eq!(typed(""), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(cells in prop::collection::vec(
            prop::collection::vec("[a-z\",\n é]{1,4}", 3), 1..5,
        )) {
            let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(",");
            let lines: Vec<_> = cells.iter().map(line).collect();
            let table = read(&format!("1,2,3\n{}\n", lines.join("\n"))).unwrap();
            let rows: Vec<Vec<_>> = table.rows.iter().map(|row| texts(row)).collect();
            prop_assert_eq!(rows, cells);
        }

        #[test]
        fn nothing_panics(text in "[a,\"\n\r\t é\u{feff}]{1,20}") {
            let _ = read(&text);
        }
    }
}
