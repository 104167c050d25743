//! Arguments of `tasks migrate`.

use clap::Subcommand;

use super::DatabaseArgs;

#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct MigrateArgs {
    #[command(subcommand)]
    pub(crate) action: MigrateAction,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum MigrateAction {
    /// Makes all outstanding changes; creates a missing file.
    Up,
    /// Takes changes back. THEIR TABLES ARE REMOVED WITH EVERYTHING IN THEM.
    Down {
        /// How many changes, from the last one backwards.
        #[arg(long, default_value_t = 1, conflicts_with = "all")]
        steps: u32,
        /// All of them.
        #[arg(long)]
        all: bool,
    },
    /// Lists the changes and whether the database has them. Changes nothing.
    Status,
}
