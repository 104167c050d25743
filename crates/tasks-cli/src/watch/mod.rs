//! `tasks watch`: jobs, nodes and runs as they change.

mod lines;
mod screen;
mod view;

use std::io::{IsTerminal as _, stdin, stdout};

use tasks_host::HostExit;

use self::view::View;
use crate::args::{Output, WatchArgs};
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;

pub(crate) async fn run(args: WatchArgs) -> Result<HostExit, Failure> {
    let manage = Manage::of(&args.manage).await?;
    if args.once {
        let view = View::read(&manage).await?;
        match manage.output {
            Output::Json => output::json(&view.json())?,
            Output::Table => output::print(&view.text(None))?,
        }
    } else if manage.output == Output::Table && stdin().is_terminal() && stdout().is_terminal() {
        screen::run(&manage, args.every).await?;
    } else {
        lines::run(&manage, args.every).await?;
    }
    Ok(HostExit::Done)
}

/// Ends when a signal asks the program to end.
///
/// # Errors
/// Where signals cannot be listened to.
async fn ended() -> Result<(), Failure> {
    let failed = |error| Failure::because("cannot listen for signals", error);
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        tokio::select! {
            it = tokio::signal::ctrl_c() => it.map_err(failed),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(failed)
}
