//! Arguments of `tasks export` and `tasks import`.

use std::path::PathBuf;

use super::{DatabaseArgs, FilterArgs, OutputArgs, TenantArgs};

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Where to write. An existing file is replaced when everything is written. Default: standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    #[command(flatten)]
    pub(crate) tenant: TenantArgs,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// File with one job a line, as `tasks export` writes it; `-` is standard input.
    pub(crate) file: PathBuf,
    /// Says what would be imported, and does nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) tenant: TenantArgs,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
