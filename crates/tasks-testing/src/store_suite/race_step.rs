//! What races, and from where.

use tasks_abstractions::Timestamp;
use tasks_abstractions::run::JobSnapshot;
use tasks_abstractions::store::Decision;

use super::commands;

/// What one side does: one call of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Submit,
    Claim,
    Finish,
    TakeOver,
    GiveBack,
    Trigger,
    Pause,
    Resume,
    Stop,
    Edit,
    EditSchedule,
    Delete,
    Check,
}

impl Step {
    pub(super) const ALL: [Self; 13] = [
        Self::Submit,
        Self::Claim,
        Self::Finish,
        Self::TakeOver,
        Self::GiveBack,
        Self::Trigger,
        Self::Pause,
        Self::Resume,
        Self::Stop,
        Self::Edit,
        Self::EditSchedule,
        Self::Delete,
        Self::Check,
    ];

    /// Whether it is a decision over the job's rows.
    pub(super) fn is_command(self) -> bool {
        !matches!(
            self,
            Self::Submit | Self::Claim | Self::Finish | Self::TakeOver | Self::GiveBack
        )
    }

    /// What a command decides.
    pub(super) fn command(self) -> fn(&JobSnapshot, Timestamp) -> Decision {
        match self {
            Self::Trigger => commands::trigger,
            Self::Pause => commands::pause,
            Self::Resume => commands::resume,
            Self::Stop => commands::stop,
            Self::Edit => commands::edit,
            Self::EditSchedule => commands::edit_schedule,
            Self::Delete => commands::delete,
            Self::Check => commands::check,
            other => panic!("{other:?} is no command"),
        }
    }
}

/// Where the job is when the race begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Absent,
    /// Due now.
    Due,
    /// Waiting, not due yet.
    Ahead,
    Running,
    /// In flight on a node that is dead.
    Orphan,
    Paused,
    PausedRunning,
    /// Active with neither a waiting execution nor one in flight: what check is for.
    Lost,
}

impl Start {
    pub(super) const ALL: [Self; 8] = [
        Self::Absent,
        Self::Due,
        Self::Ahead,
        Self::Running,
        Self::Orphan,
        Self::Paused,
        Self::PausedRunning,
        Self::Lost,
    ];

    pub(super) fn is_claimed(self) -> bool {
        matches!(self, Self::Running | Self::Orphan | Self::PausedRunning)
    }

    pub(super) fn is_paused(self) -> bool {
        matches!(self, Self::Paused | Self::PausedRunning)
    }
}
