//! Which jobs a command is for: some by id, or all that a filter lets pass.

use tasks_abstractions::{JobCommand, JobId};

use super::FilterArgs;

/// The jobs of a command.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SelectArgs {
    /// Ids of jobs.
    #[arg(
        value_name = "ID",
        required_unless_present = "all_matching",
        conflicts_with = "all_matching"
    )]
    pub(crate) ids: Vec<JobId>,
    /// Instead of ids: every job that the filters let pass, of which at least one must be given.
    #[arg(long)]
    pub(crate) all_matching: bool,
    /// Says what would be done, and does nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Asks nothing. Without it, `delete`, and `pause`, `stop`, `cancel` and `disable` with `--all-matching`, are confirmed on the terminal, and refused (exit
    /// code 2) where there is none.
    #[arg(long, short = 'y')]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

impl SelectArgs {
    /// Whether a person has to confirm the command: it removes jobs, or takes many of them out of service.
    pub(crate) const fn must_confirm(&self, command: JobCommand) -> bool {
        let takes_away = matches!(
            command,
            JobCommand::Pause | JobCommand::Stop | JobCommand::Cancel | JobCommand::Disable
        );
        !self.yes
            && !self.dry_run
            && (matches!(command, JobCommand::Delete) || (takes_away && self.all_matching))
    }
}
