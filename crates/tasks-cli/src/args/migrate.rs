//! Arguments of `tasks migrate`.

use clap::Subcommand;

use super::{DatabaseArgs, OutputArgs};

#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct MigrateArgs {
    #[command(subcommand)]
    pub(crate) action: MigrateAction,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum MigrateAction {
    /// Makes all outstanding changes; creates a missing file.
    Up,
    /// Takes changes back. THEIR TABLES ARE REMOVED WITH EVERYTHING IN THEM, after a confirmation.
    Down {
        /// How many changes, from the last one backwards.
        #[arg(long, default_value_t = 1, conflicts_with = "all")]
        steps: u32,
        /// All of them.
        #[arg(long)]
        all: bool,
        /// Asks nothing. Without it, a person confirms on the terminal; where there is none, nothing is done (exit code 2).
        #[arg(long, short = 'y')]
        yes: bool,
    },
    /// Lists the changes and whether the database has them. Changes nothing.
    Status,
}
