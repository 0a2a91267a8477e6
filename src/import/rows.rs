//! Rows of cells, with the lines they begin on: RFC 4180, any delimiter.

use super::Problem;

/// A row, and its line, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
}

impl Row {
    /// A cell without the space around it; empty if there is none.
    pub(super) fn cell(&self, index: usize) -> &str {
        self.cells.get(index).map_or("", |cell| cell.trim())
    }

    pub(super) fn problem(&self, message: impl Into<String>, remedy: &'static str) -> Problem {
        Problem::new(format!("line {}", self.line), message, remedy)
    }
}

/// All rows that have something in them.
///
/// # Errors
/// A quote that is never closed.
pub(super) fn rows(text: &str, delimiter: char) -> Result<Vec<Row>, Problem> {
    let mut rows = Vec::new();
    let mut row = Row { line: 1, cells: vec![String::new()] };
    let mut quoted: Option<usize> = None;
    let mut line = 1;
    let mut characters = text.trim_start_matches('\u{FEFF}').chars().peekable();
    while let Some(character) = characters.next() {
        line += usize::from(character == '\n');
        let Some(cell) = row.cells.last_mut() else { break };
        match character {
            '"' if quoted.is_some() && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' if quoted.is_some() => quoted = None,
            '"' if cell.trim().is_empty() => {
                cell.clear();
                quoted = Some(line);
            }
            '\n' if quoted.is_none() => {
                let done = Row { line, cells: vec![String::new()] };
                rows.push(std::mem::replace(&mut row, done));
            }
            _ if character == delimiter && quoted.is_none() => row.cells.push(String::new()),
            _ => cell.push(character),
        }
    }
    if let Some(line) = quoted {
        let problem = "a quote begins here, and never ends";
        return Err(Problem::new(format!("line {line}"), problem, "close it with another `\"`"));
    }
    rows.push(row);
    rows.retain(|row| row.cells.iter().any(|cell| !cell.trim().is_empty()));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_hold_delimiters_lines_and_quotes() {
        let found = rows("a;\"b;\"\"c\n\"\"\"\n\n d ;e\r\n", ';').expect("rows");
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].cell(1), found[0].line), ("b;\"c\n\"", 1));
        assert_eq!((found[1].cell(0), found[1].cell(1), found[1].line), ("d", "e", 4));
        assert_eq!(found[1].cell(9), "");
        assert_eq!(rows("a\n\"b", ',').expect_err("open").place, "line 2");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a,\"\n \r]{0,60}") {
            let _ = rows(&text, ',');
        }
    }
}
