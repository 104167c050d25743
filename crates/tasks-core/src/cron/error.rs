//! Why a cron expression or its zone cannot be read.

use thiserror::Error;

/// The fault of a cron expression: which field, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CronError {
    /// The expression has neither 5 (unix) nor 6 or 7 (Quartz) fields and is no `@` shortcut.
    #[error(
        "the cron expression has {found} fields; expected 6 or 7 (second minute hour day-of-month month day-of-week [year]), \
         or 5 (minute hour day-of-month month day-of-week)"
    )]
    FieldCount {
        /// Fields found.
        found: usize,
    },
    /// A field, or one part of its list, cannot be read.
    #[error("cron field {field}: `{text}` is not valid; expected {expected}")]
    Field {
        /// Name of the field, such as `hour` or `day-of-month`.
        field: &'static str,
        /// The part that is at fault.
        text: String,
        /// What may stand there.
        expected: String,
    },
    /// Day of month and day of week are both restricted, which Quartz does not allow.
    #[error(
        "cron fields day-of-month and day-of-week are both restricted (`{day_of_month}`, `{day_of_week}`); expected `?` or `*` in one of them"
    )]
    BothDays {
        /// Text of the day-of-month field.
        day_of_month: String,
        /// Text of the day-of-week field.
        day_of_week: String,
    },
    /// The expression starts with `@` and is no known shortcut.
    #[error(
        "`{text}` is not a cron shortcut; expected @yearly, @annually, @monthly, @weekly, @daily, @midnight or @hourly"
    )]
    Shortcut {
        /// The text found.
        text: String,
    },
    /// The zone is not in the time zone database.
    #[error("`{zone}` is not a time zone; expected an IANA name such as `Europe/London`")]
    Zone {
        /// The name that is not known.
        zone: String,
    },
}
