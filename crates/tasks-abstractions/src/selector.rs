//! Dispatcher selectors: settings that the program's operator gives to jobs and workers by their type, without touching their code.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use uuid::Uuid;

use crate::job::{JobInfo, JobPriority, JobType, RetryPolicy};
use crate::{BackgroundJob, FieldFault, GuidGenerator};

/// A Rust type behind a job or worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RustType {
    id: TypeId,
    path: &'static str,
}

impl RustType {
    /// The type `T`.
    #[must_use]
    pub fn of<T: ?Sized + 'static>() -> Self {
        Self {
            id: TypeId::of::<T>(),
            path: std::any::type_name::<T>(),
        }
    }

    /// Its path, such as `shop::billing::SendInvoice`.
    #[must_use]
    pub const fn path(self) -> &'static str {
        self.path
    }
}

/// Whether a type is a job or a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SelectedKind {
    /// A job that is enqueued.
    Job,
    /// A worker of the program.
    Worker,
}

/// What a selector's predicate sees of a job or worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectedType<'a> {
    /// Its stable name, such as `billing.send-invoice`.
    pub name: &'a str,
    /// What it is.
    pub kind: SelectedKind,
    /// Its Rust type. `None` where a job is enqueued by name, or a worker was made of a closure.
    pub rust_type: Option<RustType>,
}

/// Settings that a selector gives. What is not set stays as the code says.
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use]
pub struct SelectedSettings {
    /// Longest exclusivity.
    pub lock_timeout: Option<Duration>,
    /// Only the node of this name runs it. Without effect on a worker that every node has.
    pub node_name: Option<String>,
    /// Cron expression. It makes a worker a Period job, whatever its code says; a job that is enqueued is done once and has none.
    pub cron: Option<String>,
    /// IANA zone of the cron expression, also of one that the code gives.
    pub time_zone: Option<String>,
    /// Which of two due jobs goes first.
    pub priority: Option<JobPriority>,
    /// Gap between runs of a worker, which makes it a Persistent job; first retry wait of a job.
    pub interval: Option<Duration>,
    /// Runs after which a worker is Completed. Without meaning for a job that is done once.
    pub max_count: Option<u32>,
    /// Failures in a row after which it is given up; 0 = no limit.
    pub max_try_count: Option<u32>,
    /// Longest run.
    pub timeout: Option<Duration>,
    /// Waits between tries.
    pub retry_policy: Option<RetryPolicy>,
}

macro_rules! settings {
    ($($(#[$doc:meta])* $name:ident: $type:ty),+ $(,)?) => {$(
        $(#[$doc])*
        pub fn $name(mut self, value: impl Into<$type>) -> Self {
            self.$name = Some(value.into());
            self
        }
    )+};
}

impl SelectedSettings {
    settings! {
        /// Longest exclusivity.
        lock_timeout: Duration,
        /// Only the node of this name runs it. A blank name changes nothing.
        node_name: String,
        /// Cron expression of workers. A blank one changes nothing.
        cron: String,
        /// IANA zone of the cron expression.
        time_zone: String,
        /// Which of two due jobs goes first.
        priority: JobPriority,
        /// Gap between runs of a worker, or first retry wait of a job.
        interval: Duration,
        /// Runs after which a worker is Completed.
        max_count: u32,
        /// Failures in a row after which it is given up; 0 = no limit.
        max_try_count: u32,
        /// Longest run.
        timeout: Duration,
        /// Waits between tries.
        retry_policy: RetryPolicy,
    }

    fn apply(&self, job: &mut JobInfo) {
        let is_once = job.job_type == JobType::Once;
        let text = |it: &Option<String>| it.clone().filter(|it| !it.trim().is_empty());
        if let Some(interval) = self.interval {
            job.interval = interval;
            if job.job_type == JobType::Period {
                (job.job_type, job.cron, job.time_zone) = (JobType::Persistent, None, None);
            }
        }
        if let Some(cron) = text(&self.cron).filter(|_| !is_once) {
            (job.job_type, job.cron) = (JobType::Period, Some(cron));
        }
        if let Some(zone) = text(&self.time_zone).filter(|_| job.job_type == JobType::Period) {
            job.time_zone = Some(zone);
        }
        if let Some(node) = text(&self.node_name) {
            job.node_name = Some(node);
        }
        if let Some(count) = self.max_count.filter(|_| !is_once) {
            job.max_count = count;
        }
        job.lock_timeout = self.lock_timeout.or(job.lock_timeout);
        job.priority = self.priority.unwrap_or(job.priority);
        job.max_try_count = self.max_try_count.unwrap_or(job.max_try_count);
        job.timeout = self.timeout.or(job.timeout);
        job.retry_policy = self.retry_policy.or(job.retry_policy);
    }
}

type Predicate = Arc<dyn Fn(&SelectedType<'_>) -> bool + Send + Sync>;

/// One selector: which types it is for, and what it gives them.
#[derive(Clone)]
pub struct JobTypeSelector {
    name: String,
    /// `Some` where it is for one kind by intent, so that settings without meaning for it can be reported.
    kind: Option<SelectedKind>,
    matches: Predicate,
    settings: SelectedSettings,
}

impl JobTypeSelector {
    /// Longest name in characters.
    pub const MAX_NAME: usize = 255;

    /// Its name, which jobs that it applied to carry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it gives.
    pub const fn settings(&self) -> &SelectedSettings {
        &self.settings
    }

    /// Whether it is for this type.
    #[must_use]
    pub fn is_for(&self, it: &SelectedType<'_>) -> bool {
        (self.matches)(it)
    }

    /// Gives `job` the settings, and notes the selector on it.
    pub fn apply(&self, job: &mut JobInfo) {
        self.settings.apply(job);
        job.selector = Some(self.name.clone());
    }
}

impl fmt::Debug for JobTypeSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobTypeSelector")
            .field("name", &self.name)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl PartialEq for JobTypeSelector {
    /// Same name, same settings, and the very same predicate.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.settings == other.settings
            && Arc::ptr_eq(&self.matches, &other.matches)
    }
}

/// A selector of this name is there already.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a selector is called `{0}` already; give this one another name or remove the other first")]
pub struct DuplicateSelector(pub String);

/// The selectors of a program, in order. **The first one that matches applies; settings of several are never merged.**
///
/// They apply to workers of the program and to jobs that it enqueues, not to jobs that people create by hand.
///
/// ```
/// use std::time::Duration;
/// use tasks_abstractions::JobDispatcherSelectors;
///
/// let mut selectors = JobDispatcherSelectors::new();
/// selectors
///     .add_namespace("billing", |it| it.node_name("batch-1").timeout(Duration::from_secs(600)))
///     .add_all(|it| it.max_try_count(10_u32));
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobDispatcherSelectors(Vec<JobTypeSelector>);

impl JobDispatcherSelectors {
    /// No selectors.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// For every job and worker of a namespace: those whose stable name is `namespace` or begins with it and a dot, and those whose Rust
    /// path begins with it and `::`. Its name is `Namespace:` and the namespace. Without effect where there is one of that name.
    pub fn add_namespace(
        &mut self,
        namespace: impl Into<String>,
        set: impl FnOnce(SelectedSettings) -> SelectedSettings,
    ) -> &mut Self {
        let namespace = namespace.into();
        let name = format!("Namespace:{namespace}");
        let begins = move |text: &str, separator: &str| {
            text.strip_prefix(namespace.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(separator))
        };
        self.push(name, None, set, move |it| {
            begins(it.name, ".") || it.rust_type.is_some_and(|it| begins(it.path(), "::"))
        })
    }

    /// For the job `J`. Its name is `Job:` and the type's path. Without effect where there is one of that name.
    pub fn add_job<J: BackgroundJob>(
        &mut self,
        set: impl FnOnce(SelectedSettings) -> SelectedSettings,
    ) -> &mut Self {
        self.push(job_selector::<J>(), Some(SelectedKind::Job), set, |it| {
            it.kind == SelectedKind::Job && it.name == J::NAME
        })
    }

    /// For the worker `W`, of whatever kind. Its name is `Worker:` and the type's path. Without effect where there is one of that name.
    pub fn add_worker<W: 'static>(
        &mut self,
        set: impl FnOnce(SelectedSettings) -> SelectedSettings,
    ) -> &mut Self {
        let wanted = RustType::of::<W>();
        self.push(
            worker_selector::<W>(),
            Some(SelectedKind::Worker),
            set,
            move |it| it.kind == SelectedKind::Worker && it.rust_type == Some(wanted),
        )
    }

    /// For every job and worker. Its name is `All`. Without effect where there is one of that name.
    pub fn add_all(&mut self, set: impl FnOnce(SelectedSettings) -> SelectedSettings) -> &mut Self {
        self.push("All".to_owned(), None, set, |_| true)
    }

    /// For everything that `matches` says, under a name of the caller's.
    ///
    /// # Errors
    /// Where there is one of that name.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        matches: impl Fn(&SelectedType<'_>) -> bool + Send + Sync + 'static,
        set: impl FnOnce(SelectedSettings) -> SelectedSettings,
    ) -> Result<&mut Self, DuplicateSelector> {
        let name = name.into();
        if self.get(&name).is_some() {
            return Err(DuplicateSelector(name));
        }
        Ok(self.push(name, None, set, matches))
    }

    /// As [`add`](Self::add), under a name that `guids` makes up.
    pub fn add_unnamed(
        &mut self,
        guids: &dyn GuidGenerator,
        matches: impl Fn(&SelectedType<'_>) -> bool + Send + Sync + 'static,
        set: impl FnOnce(SelectedSettings) -> SelectedSettings,
    ) -> &mut Self {
        let id: Uuid = guids.create();
        self.push(id.to_string(), None, set, matches)
    }

    /// Removes the selector of this name; answers whether there was one.
    pub fn remove_by_name(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|it| it.name != name);
        self.0.len() < before
    }

    /// Removes what [`add_job`](Self::add_job) added for `J`; answers whether there was one.
    pub fn remove_job<J: BackgroundJob>(&mut self) -> bool {
        self.remove_by_name(&job_selector::<J>())
    }

    /// Removes what [`add_worker`](Self::add_worker) added for `W`; answers whether there was one.
    pub fn remove_worker<W: 'static>(&mut self) -> bool {
        self.remove_by_name(&worker_selector::<W>())
    }

    /// The selector of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&JobTypeSelector> {
        self.0.iter().find(|it| it.name == name)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &JobTypeSelector> {
        self.0.iter()
    }

    /// The first one that is for this type.
    #[must_use]
    pub fn first_match(&self, it: &SelectedType<'_>) -> Option<&JobTypeSelector> {
        self.0.iter().find(|selector| selector.is_for(it))
    }

    /// What is wrong with the selectors themselves, with the field `selectors` and the selector's name. Expressions are checked by whoever
    /// can read them.
    #[must_use]
    pub fn faults(&self) -> Vec<FieldFault> {
        let mut faults = Vec::new();
        for it in &self.0 {
            let mut fault =
                |problem: &str| faults.push(FieldFault::new(format!("selectors.{}", it.name), problem));
            if it.name.chars().count() > JobTypeSelector::MAX_NAME {
                fault("has a name of over 255 characters; choose a shorter one");
            }
            if it.kind == Some(SelectedKind::Job)
                && (it.settings.cron.is_some() || it.settings.max_count.is_some())
            {
                fault(
                    "gives a cron expression or a number of runs to a job that is done once; only workers repeat",
                );
            }
            if it.settings.cron.is_some() && it.settings.interval.is_some() {
                fault("gives a cron expression and an interval; choose one");
            }
        }
        faults
    }

    fn push(
        &mut self,
        name: String,
        kind: Option<SelectedKind>,
        set: impl FnOnce(SelectedSettings) -> SelectedSettings,
        matches: impl Fn(&SelectedType<'_>) -> bool + Send + Sync + 'static,
    ) -> &mut Self {
        if self.get(&name).is_none() {
            let settings = set(SelectedSettings::default());
            self.0.push(JobTypeSelector {
                name,
                kind,
                matches: Arc::new(matches),
                settings,
            });
        }
        self
    }
}

fn job_selector<J: BackgroundJob>() -> String {
    format!("Job:{}", std::any::type_name::<J>())
}

fn worker_selector<W: 'static>() -> String {
    format!("Worker:{}", std::any::type_name::<W>())
}

#[cfg(test)]
mod tests;
