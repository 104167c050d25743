//! A line each time, where nobody looks at a screen.

use std::future::pending;
use std::time::Duration;

use tokio::time::timeout;

use super::ended;
use super::view::View;
use crate::args::Output;
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;

/// Prints until a signal comes or nobody reads any more.
///
/// # Errors
/// Where the store failed, or the output is closed.
pub(super) async fn run(manage: &Manage, every: Duration) -> Result<(), Failure> {
    tokio::select! {
        it = ended() => it,
        it = print(manage, every) => it,
    }
}

async fn print(manage: &Manage, every: Duration) -> Result<(), Failure> {
    loop {
        let view = View::read(manage).await?;
        match manage.output {
            Output::Json => output::print(&view.json().to_string())?,
            Output::Table => output::print(&view.line())?,
        }
        // Nothing to wait for but the time.
        let _ = timeout(every, pending::<()>()).await;
    }
}
