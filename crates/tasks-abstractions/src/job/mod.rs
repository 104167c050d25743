//! The job record and the values it is made of.

mod args;
pub(crate) mod enums;
mod fields;
mod id;
mod info;
mod json_text;
mod lane;
mod retry;
mod validate;

pub use args::{ArgsError, JobArgs};
pub use enums::{
    JobActionType, JobExceptionType, JobPriority, JobSource, JobState, JobStatus, JobType, MisfirePolicy,
    UnknownCode,
};
pub use id::{ClaimId, InstanceId, JobId, RunId};
pub(crate) use info::millis;
pub use info::{DefinitionMark, JobInfo, JobInfoBuilder};
pub use lane::{Lane, rank_of};
pub use retry::RetryPolicy;
pub use validate::{FieldFault, JobLimits, ValidationErrors};

#[cfg(test)]
mod tests;
