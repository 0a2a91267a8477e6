//! The other screen of a terminal, drawn as a whole: whatever its size has become, no line is out of
//! place. Knows nothing of what is shown.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use console::Term;

/// The other screen, without a cursor; lines that are too long are cut.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";

/// As it was before.
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// To the first place.
const HOME: &str = "\x1b[H";

/// Ends a line, and clears what was behind it.
const CLEAR_LINE: &str = "\x1b[K";

/// Clears all that is below.
const CLEAR_REST: &str = "\x1b[J";

/// How long what others have written into it may stand.
const RENEWAL: Duration = Duration::from_secs(1);

pub(super) struct Screen {
    terminal: Term,
    /// With the size of the terminal, and when.
    shown: Option<(String, (u16, u16), Instant)>,
}

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        let mut terminal = Term::stderr();
        terminal.write_all(ENTER.as_bytes())?;
        Ok(Self { terminal, shown: None })
    }

    /// Draws what there is to see on so many lines, if it is not what was drawn last.
    pub(super) fn draw(&mut self, lines: impl FnOnce(usize) -> Vec<String>) -> io::Result<()> {
        let size @ (rows, columns) = self.terminal.size();
        let (rows, columns) = (usize::from(rows).max(1), usize::from(columns).max(1));
        let mut text = String::from(HOME);
        for (row, line) in lines(rows).into_iter().take(rows).enumerate() {
            if row > 0 {
                text.push_str("\r\n");
            }
            text.extend(line.chars().take(columns));
            text.push_str(CLEAR_LINE);
        }
        text.push_str(CLEAR_REST);
        let is_shown = self.shown.as_ref().is_some_and(|(shown, of, since)| {
            *shown == text && *of == size && since.elapsed() < RENEWAL
        });
        if !is_shown {
            self.terminal.write_all(text.as_bytes())?;
            self.terminal.flush()?;
            self.shown = Some((text, size, Instant::now()));
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone is nobody's error.
        let _ = self.terminal.write_all(LEAVE.as_bytes());
        let _ = self.terminal.flush();
    }
}
