//! A job made of a closure.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use tasks_abstractions::{JobResult, JobRunnable, JobRunnableContext};

type Run = dyn Fn(JobRunnableContext) -> BoxFuture<'static, JobResult> + Send + Sync;

/// A job whose code is a closure: in a test, what a job does stands beside what is expected of it.
#[derive(Clone)]
pub struct ClosureJob {
    name: String,
    is_blocking: bool,
    run: Arc<Run>,
}

impl ClosureJob {
    /// A job of this type.
    pub fn new<F, Fut>(name: impl Into<String>, run: F) -> Self
    where
        F: Fn(JobRunnableContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = JobResult> + Send + 'static,
    {
        Self {
            name: name.into(),
            is_blocking: false,
            run: Arc::new(move |ctx| Box::pin(run(ctx))),
        }
    }

    /// A job of this type that blocks its thread, so that it runs on the blocking pool.
    pub fn blocking(
        name: impl Into<String>,
        run: impl Fn(JobRunnableContext) -> JobResult + Send + Sync + 'static,
    ) -> Self {
        let run = Arc::new(run);
        Self {
            name: name.into(),
            is_blocking: true,
            run: Arc::new(move |ctx| {
                let run = Arc::clone(&run);
                Box::pin(async move { run(ctx) })
            }),
        }
    }
}

#[async_trait]
impl JobRunnable for ClosureJob {
    fn name(&self) -> &str {
        &self.name
    }

    async fn execute(&self, ctx: &JobRunnableContext) -> JobResult {
        (self.run)(ctx.clone()).await
    }

    fn is_blocking(&self) -> bool {
        self.is_blocking
    }
}

impl fmt::Debug for ClosureJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosureJob")
            .field("name", &self.name)
            .field("is_blocking", &self.is_blocking)
            .finish_non_exhaustive()
    }
}
