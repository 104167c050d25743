//! Contracts of the tasks engine.
//!
//! Everything that an application, a store, a scheduler or a transport must agree on lives here: the job record
//! ([`JobInfo`]), the traits that user code implements ([`BackgroundJob`], [`BackgroundWorker`], [`PeriodicWorker`],
//! [`AsyncPeriodicWorker`]), the seams that the engine stands on ([`JobStore`], [`JobQueue`], [`JobScheduler`], …), the
//! service registry ([`services`]) and the registration of jobs and workers ([`register_job!`], [`register_worker!`]).
//!
//! This crate holds no behaviour that waits: it never spawns, sleeps, logs or reads the environment, and it reads the
//! clock only inside [`SystemClock`].
//!
//! ```
//! use tasks_abstractions::prelude::*;
//!
//! inject! {
//!     /// Greets somebody.
//!     pub struct Greet;
//! }
//!
//! #[async_trait]
//! impl BackgroundJob for Greet {
//!     const NAME: &'static str = "demo.greet";
//!     type Args = String;
//!     async fn execute(&self, name: String, ctx: &JobRunnableContext) -> JobResult {
//!         ctx.set_result(format!("hello {name}"));
//!         Ok(Outcome::Done)
//!     }
//! }
//! register_job!(Greet);
//! ```

mod clock;
mod definition;
mod dispatch;
mod event;
mod exception;
mod follow_up;
mod guid;
pub mod job;
mod lock;
mod management;
mod manager;
mod notify;
mod registration;
pub mod run;
mod scheduler;
mod selector;
pub mod services;
pub mod store;
pub mod worker;

pub use clock::{Clock, SystemClock, Timestamp, truncate_to_micros};
pub use definition::{
    JobDefinition, JobDefinitionContext, JobDefinitionManager, JobDefinitionParameter, JobDefinitionProvider,
};
pub use dispatch::{JobDispatcher, JobPublisher, WakeHandle, WakeHint};
pub use event::{JobEvent, JobEventData, JobSettled};
pub use exception::{BusinessError, HttpStatusError, JobExceptionTypeFinder};
pub use follow_up::{AbandonedNotice, AdministratorChannel, ChannelError, FollowUpRequest, RunFollowUps};
pub use guid::{GuidGenerator, SequentialGuidGenerator};
pub use job::{
    DefinitionMark, FieldFault, InstanceId, JobActionType, JobArgs, JobExceptionType, JobId, JobInfo,
    JobInfoBuilder, JobLimits, JobPriority, JobSource, JobState, JobStatus, JobType, MisfirePolicy,
    RetryPolicy, RunId, ValidationErrors,
};
pub use lock::{JobLock, JobLockProvider, LockOwner};
pub use management::{
    BulkAnswer, BulkMode, CheckReport, CommandAnswer, CopyRequest, JobCommand, JobManagement, ManagementError,
};
pub use manager::{
    BackgroundJobManager, BackgroundJobManagerExt, BackgroundWorkerManager, Enqueue, EnqueueError,
    EnqueueRequest, WorkerError,
};
pub use notify::{JobNotifier, Notification};
pub use registration::{
    BackgroundJob, BackgroundJobAdapter, JobFlags, JobRegistration, JobRunnable, WorkerRegistration,
};
pub use run::{
    CancelReason, JobError, JobResult, JobRunnableContext, Outcome, Progress, RunContextError, RunOutcome,
};
pub use scheduler::{JobScheduler, SchedulerError};
pub use selector::{
    DuplicateSelector, JobDispatcherSelectors, JobTypeSelector, RustType, SelectedKind, SelectedSettings,
    SelectedType,
};
pub use store::{JobQueue, JobStore, StoreError};
pub use worker::{
    AsyncPeriodicWorker, BackgroundWorker, BackgroundWorkerAdapter, BackgroundWorkerRunnable, DynamicWorker,
    PeriodicWorker, WorkerContext, WorkerDefinition, WorkerSchedule,
};

/// What a file that defines jobs and workers usually needs.
pub mod prelude {
    pub use crate::services::{Module, ModuleError, ServiceRegistry};
    pub use crate::{
        AsyncPeriodicWorker, BackgroundJob, BackgroundJobManager, BackgroundJobManagerExt, BackgroundWorker,
        JobError, JobPriority, JobResult, JobRunnableContext, Outcome, PeriodicWorker, RetryPolicy,
        WorkerContext, WorkerSchedule, inject, register_job, register_worker,
    };
    pub use async_trait::async_trait;
}

/// What the macros of this crate expand to. Not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use inventory;
}
