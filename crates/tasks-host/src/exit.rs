//! The exit codes of a program that hosts the engine.

use std::process::{ExitCode, Termination};

/// How a program ended. The codes are part of the interface: supervisors decide by them whether to start it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostExit {
    /// 0: everything that was begun has ended and is recorded.
    Done,
    /// 1: something failed that no other code names.
    Failed,
    /// 2: the command line was wrong; nothing was begun.
    Usage,
    /// 3: the program is not complete or its configuration is wrong, or its parts did not start; no job was run. Starting it again
    /// unchanged helps only where the store was away.
    CannotStart,
    /// 4: a second signal cut the drain short. Runs that had not ended are taken over like those of a killed process.
    Forced,
    /// 5: the drain ended, but runs would not end, or their outcomes could not be stored. They are taken over like those of a killed process.
    DrainIncomplete,
}

impl HostExit {
    /// Every value.
    pub const ALL: [Self; 6] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::CannotStart,
        Self::Forced,
        Self::DrainIncomplete,
    ];

    /// The code that the operating system is given.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::CannotStart => 3,
            Self::Forced => 4,
            Self::DrainIncomplete => 5,
        }
    }
}

impl From<HostExit> for ExitCode {
    fn from(it: HostExit) -> Self {
        Self::from(it.code())
    }
}

impl Termination for HostExit {
    fn report(self) -> ExitCode {
        self.into()
    }
}

#[cfg(test)]
mod tests;
