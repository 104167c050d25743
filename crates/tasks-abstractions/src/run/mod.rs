//! One execution of a job: what the code is given, and what it may answer.

mod context;
mod error;
mod outcome;
mod row;

pub use context::{JobRunnableContext, JobRunnableContextParts, Progress, ProgressSink, RunContextError};
pub use error::{JobError, error_chain};
pub use outcome::{CancelReason, JobResult, Outcome, RunOutcome};
pub use row::{After, JobLog, JobSnapshot, QueueEntry, RunInfo, RunKind, RunProgress};
