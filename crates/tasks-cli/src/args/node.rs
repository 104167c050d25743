//! Arguments of the commands that run jobs: `demo` and `serve`.

use std::path::PathBuf;

use super::DatabaseArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Directory whose files are read. Default: this directory without `target` and `.git`.
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
    /// As for the other commands; `memory` keeps the jobs in memory, where they end with the process.
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// Name of this node. Default: the machine's.
    #[arg(long, value_name = "NAME")]
    pub(crate) node_name: Option<String>,
    /// Jobs that run at once. Default: 500 (files are read by one thread a processor all the same).
    #[arg(long, value_name = "N")]
    pub(crate) concurrency: Option<usize>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// Name of this node. Default: the machine's.
    #[arg(long, value_name = "NAME")]
    pub(crate) node_name: Option<String>,
    /// Jobs that run at once.
    #[arg(long, value_name = "N")]
    pub(crate) concurrency: Option<usize>,
}
