//! The seams under the engine: what a store must do, and what of it must be atomic.
//!
//! [`JobStore`] is for people and managers: reading, filtering, cleaning. [`JobQueue`] is for the engine: moving executions. A store
//! implements both and [`JobLockProvider`](crate::JobLockProvider) over the same rows. The conformance suite of `tasks-testing` checks every
//! contract; the names of its cases are given with the methods.

mod change;
mod claim;
mod cleanup;
mod error;
mod finish;
mod job_store;
mod node;
mod query;
mod queue;
mod submit;

pub use change::{ChangeAnswer, Decide, Decision, JobChange, RunChange, WaitingChange};
pub use claim::{ClaimFloor, ClaimRequest, ClaimedRun, TakeOver, TakenOver};
pub use cleanup::{Cleanup, CleanupTarget, JobEnd, TypeFilter};
pub use error::{StoreError, StoreErrorKind};
pub use finish::{FinishAnswer, FinishRun, JobUpdate, Settlement};
pub use job_store::JobStore;
pub use node::{CancelRequest, NodeInfo, NodeState, RenewRequest, Renewal};
pub use query::{
    JobCounts, JobLogQuery, JobLogSort, JobQuery, JobSort, Page, Paging, RunStatistics, SortOrder,
    UnarmedPage,
};
pub use queue::{JobQueue, ProgressReport};
pub use submit::{PreparedJob, SubmitAnswer};
