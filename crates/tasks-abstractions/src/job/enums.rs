//! Enumerations whose integers are part of the wire and database format.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An integer that stands for no value of the enumeration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code} is not a {of}; expected one of {expected}")]
pub struct UnknownCode {
    pub(crate) code: i64,
    pub(crate) of: &'static str,
    pub(crate) expected: String,
}

macro_rules! coded_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The integer of the wire and database format.
            #[must_use]
            pub const fn code(self) -> i16 {
                match self { $(Self::$variant => $code),+ }
            }

            /// The value's name as it is written in code.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant)),+ }
            }
        }

        impl TryFrom<i64> for $name {
            type Error = $crate::job::UnknownCode;

            fn try_from(code: i64) -> Result<Self, $crate::job::UnknownCode> {
                match code {
                    $($code => Ok(Self::$variant),)+
                    _ => Err($crate::job::UnknownCode {
                        code,
                        of: stringify!($name),
                        expected: [$(concat!(stringify!($variant), " (", stringify!($code), ")")),+].join(", "),
                    }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::job::UnknownCode;

            /// Reads the value's name (in any case) or its integer.
            fn from_str(text: &str) -> Result<Self, $crate::job::UnknownCode> {
                if let Some(it) = Self::ALL.iter().find(|it| it.as_str().eq_ignore_ascii_case(text)) {
                    return Ok(*it);
                }
                Self::try_from(text.parse::<i64>().unwrap_or(i64::MIN))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_i16(self.code())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::try_from(<i64 as serde::Deserialize>::deserialize(from)?).map_err(<D::Error as serde::de::Error>::custom)
            }
        }
    };
}

pub(crate) use coded_enum;

coded_enum! {
    /// What a job shows. Derived: from the stored [`JobState`] and from where its rows are.
    JobStatus {
        /// Stored, never armed.
        None = -1,
        /// Nothing more will run.
        Completed = 0,
        /// An execution waits.
        Queuing = 5,
        /// An execution is in flight now.
        Running = 10,
        /// The waiting execution is a retry.
        FailedRetry = 15,
        /// Held by a person; resume goes on.
        Paused = 20,
        /// Ended by a person, or given up (`is_abandoned`); start goes on.
        Stopped = 30,
    }
}

coded_enum! {
    /// What a store keeps of a job's condition. An Active and enabled job has exactly one of: a queue row, a run row.
    JobState {
        /// Stored, never armed.
        None = -1,
        /// Nothing more will run.
        Completed = 0,
        /// Waits or runs.
        Active = 5,
        /// Held by a person.
        Paused = 20,
        /// Ended by a person, or given up.
        Stopped = 30,
    }
}

impl JobStatus {
    /// The stored state under this status.
    #[must_use]
    pub const fn state(self) -> JobState {
        match self {
            Self::None => JobState::None,
            Self::Completed => JobState::Completed,
            Self::Queuing | Self::Running | Self::FailedRetry => JobState::Active,
            Self::Paused => JobState::Paused,
            Self::Stopped => JobState::Stopped,
        }
    }
}

impl From<JobState> for JobStatus {
    /// The status of a job in this state that has neither an execution in flight nor a retry waiting.
    fn from(state: JobState) -> Self {
        match state {
            JobState::None => Self::None,
            JobState::Completed => Self::Completed,
            JobState::Active => Self::Queuing,
            JobState::Paused => Self::Paused,
            JobState::Stopped => Self::Stopped,
        }
    }
}

coded_enum! {
    /// How a job repeats.
    JobType {
        /// Runs once, now or later; failures are retried.
        Once = 0,
        /// Repeats by a cron expression.
        Period = 1,
        /// Repeats by a fixed interval, counted from the end of a run.
        Persistent = 2,
    }
}

coded_enum! {
    /// Which of two due jobs runs first.
    JobPriority {
        /// Last.
        Low = 5,
        /// After normal ones.
        BelowNormal = 10,
        /// The default.
        Normal = 15,
        /// Before normal ones.
        AboveNormal = 20,
        /// First.
        High = 25,
    }
}

coded_enum! {
    /// Who made a job.
    JobSource {
        /// Not said.
        None = -1,
        /// A person, over the API or command line.
        User = 0,
        /// The application or the system itself.
        System = 10,
    }
}

coded_enum! {
    /// After which outcome an action runs.
    JobActionType {
        /// After a failure.
        Failed = -1,
        /// After a success.
        Successed = 0,
        /// After every run.
        Completed = 1,
    }
}

coded_enum! {
    /// What kind of failure an error is. On the wire these are bits; [`JobExceptionType::All`] holds every class.
    ///
    /// `Business` keeps its wire value 0, which as a bit set would be contained in everything; [`contains`](Self::contains) therefore treats it
    /// as a class of its own.
    JobExceptionType {
        /// A rule of the application said no.
        Business = 0,
        /// A request was wrong.
        Application = 2,
        /// The other side was not reachable or not able.
        Network = 4,
        /// Anything else.
        System = 8,
        /// Every class.
        All = 14,
    }
}

impl JobExceptionType {
    /// Whether a filter of this class lets `class` pass: equal, or this is [`All`](Self::All).
    #[must_use]
    pub fn contains(self, class: Self) -> bool {
        self == Self::All || self == class
    }
}

/// What to do with fires that nobody could run at their time.
///
/// A fire counts as missed when it is later than the engine's misfire threshold (60 s by default).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MisfirePolicy {
    /// One run now for all missed fires; the next is computed from now. The default.
    #[default]
    FireOnce,
    /// No run for missed fires (logged as Skipped); the next is computed from now.
    Skip,
    /// Every missed fire runs, up to `max` of them; the next is computed from the due time.
    FireAll {
        /// At most this many; older ones are dropped.
        max: u32,
    },
}
