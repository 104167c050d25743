//! Arguments of the commands that look at the whole: `workers`, `runs`, `nodes`, `stats`, `watch`, `check`.

use std::time::Duration;

use tasks_host::parse_duration;

use super::values::{Since, since};
use super::{DatabaseArgs, ManageArgs, OutputArgs};

#[derive(Debug, clap::Args)]
pub(crate) struct WorkersArgs {
    /// Contained in name, type or description.
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Pinned to this node.
    #[arg(long)]
    pub(crate) node: Option<String>,
    #[command(flatten)]
    pub(crate) manage: ManageArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunsArgs {
    /// Most runs to show.
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub(crate) take: usize,
    #[command(flatten)]
    pub(crate) manage: ManageArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct NodesArgs {
    /// Also nodes that have stopped or died.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StatsArgs {
    /// Runs that started at or after this: how long ago, or RFC 3339.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = since)]
    pub(crate) since: Since,
    #[command(flatten)]
    pub(crate) manage: ManageArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct WatchArgs {
    /// How often it looks.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = pause)]
    pub(crate) every: Duration,
    /// Looks once, prints the whole view, and ends.
    #[arg(long)]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) manage: ManageArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// A pause that leaves the database time for its work.
fn pause(text: &str) -> Result<Duration, String> {
    let pause = parse_duration(text)?;
    if (Duration::from_millis(100)..=Duration::from_secs(24 * 60 * 60)).contains(&pause) {
        Ok(pause)
    } else {
        Err("expected 100ms to 24h".to_owned())
    }
}
