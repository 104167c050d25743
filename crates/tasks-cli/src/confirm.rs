//! Asking before something is destroyed.

use std::io::{self, BufRead, IsTerminal};

use crate::failure::Failure;
use crate::output;

/// Asks on the terminal whether to go on; an answer other than `y` or `yes` ends the command.
///
/// # Errors
/// [`Failure::Usage`] where nobody can be asked, or somebody said no.
pub(crate) fn ask(what: &str) -> Result<(), Failure> {
    can_ask(what)?;
    output::prompt(&format!("{what}? [y/N] "));
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Failure::because("standard input", error))?;
    if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        Err(Failure::Usage("not confirmed; nothing was done".to_owned()))
    }
}

/// Refuses where nobody can be asked: before work that is only done to ask better.
///
/// # Errors
/// [`Failure::Usage`] where standard input is no terminal.
pub(crate) fn can_ask(what: &str) -> Result<(), Failure> {
    if io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "{what} needs a confirmation, and standard input is no terminal; add --yes to go on without one"
    )))
}
