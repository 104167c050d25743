//! The view on a terminal.

use std::io::{self, Stdout, Write, stdout};
use std::time::{Duration, Instant};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{self, Event, KeyCode, KeyModifiers};
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size,
};
use crossterm::{execute, queue};
use tokio::task::spawn_blocking;

use super::ended;
use super::view::{Size, View};
use crate::failure::Failure;
use crate::manage::Manage;

/// Shows the view anew until somebody presses `q`, Escape or Ctrl-C, or a signal comes. A store that fails is shown and asked again.
///
/// # Errors
/// Where the terminal cannot be used, or the store failed at first.
pub(super) async fn run(manage: &Manage, every: Duration) -> Result<(), Failure> {
    let mut view = Ok(View::read(manage).await?);
    let mut screen = Screen::open().map_err(failed)?;
    let mut ended = std::pin::pin!(ended());
    loop {
        screen.show(&view).map_err(failed)?;
        // Ends by itself at the latest when the next look is due.
        let asked = spawn_blocking(move || next(every));
        let asked = tokio::select! {
            it = asked => it.map_err(|error| Failure::because("the terminal", error))?.map_err(failed)?,
            it = &mut ended => {
                it?;
                Asked::End
            }
        };
        match asked {
            Asked::End => return Ok(()),
            // Only the size is another one.
            Asked::ShowAgain => {}
            Asked::Look => view = View::read(manage).await,
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "given to `map_err`")]
fn failed(error: io::Error) -> Failure {
    Failure::new(format!("the terminal: {error}"))
}

enum Asked {
    End,
    Look,
    ShowAgain,
}

/// Waits for a key that means something, or for the time.
fn next(every: Duration) -> io::Result<Asked> {
    let begun = Instant::now();
    loop {
        let left = every.saturating_sub(begun.elapsed());
        if left.is_zero() || !event::poll(left)? {
            return Ok(Asked::Look);
        }
        match event::read()? {
            Event::Resize(..) => return Ok(Asked::ShowAgain),
            Event::Key(key) => {
                let is_interrupt =
                    key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
                if is_interrupt || matches!(key.code, KeyCode::Char('q' | 'Q') | KeyCode::Esc) {
                    return Ok(Asked::End);
                }
            }
            _ => {}
        }
    }
}

/// A screen of its own, given back when dropped.
struct Screen(Stdout);

impl Screen {
    fn open() -> io::Result<Self> {
        enable_raw_mode()?;
        // From here on dropping gives everything back.
        let mut screen = Self(stdout());
        execute!(screen.0, EnterAlternateScreen, Hide)?;
        Ok(screen)
    }

    fn show(&mut self, view: &Result<View, Failure>) -> io::Result<()> {
        // A terminal that does not know its size says 0.
        let (columns, lines) = match size()? {
            (0, _) | (_, 0) => (80, 24),
            known => known,
        };
        let size = Size { columns, lines };
        let text = match view {
            Ok(view) => view.text(Some(size)),
            Err(failure) => format!("{failure}\n\ntrying again"),
        };
        queue!(self.0, MoveTo(0, 0))?;
        let last = lines.saturating_sub(1);
        for (at, line) in text.lines().take(usize::from(last)).enumerate() {
            if at > 0 {
                write!(self.0, "\r\n")?;
            }
            let line: String = line.chars().take(usize::from(columns)).collect();
            write!(self.0, "{line}")?;
            queue!(self.0, Clear(ClearType::UntilNewLine))?;
        }
        queue!(self.0, Clear(ClearType::FromCursorDown), MoveTo(0, last))?;
        write!(self.0, "q ends")?;
        self.0.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = execute!(self.0, LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}
