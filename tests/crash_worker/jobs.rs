//! The job of crash tests, which does what its arguments say and writes down that it did.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tasks_abstractions::JobRegistration;
use tasks_abstractions::prelude::*;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Ends at once.
    Quick,
    /// Kills the process.
    Abort,
    /// Takes a second.
    Long,
    /// Waits until the test lets it go.
    Hold,
}

/// What the code did, outside the database. Each line is appended by one write, so a kill never leaves half of one before another.
#[derive(Debug)]
pub(crate) struct Ledger {
    file: Mutex<File>,
    hold: Option<PathBuf>,
}

impl Ledger {
    pub(crate) fn new(file: File, hold: Option<PathBuf>) -> Self {
        Self {
            file: Mutex::new(file),
            hold,
        }
    }

    fn write(&self, what: &str, ctx: &JobRunnableContext) -> std::io::Result<()> {
        let line = format!(
            "{what} {} {} {} {}\n",
            ctx.job().id,
            ctx.run_id(),
            ctx.attempt(),
            ctx.interruptions()
        );
        self.file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write_all(line.as_bytes())
    }

    fn is_held(&self) -> bool {
        self.hold.as_ref().is_some_and(|it| !it.exists())
    }
}

inject! {
    /// Does what its arguments say.
    pub(crate) struct Scripted {
        ledger: std::sync::Arc<Ledger>,
    }
}

impl Scripted {
    pub(crate) const fn registration() -> JobRegistration {
        JobRegistration::of::<Self>("crash_worker")
    }

    pub(crate) const fn name() -> &'static str {
        Self::NAME
    }
}

#[async_trait]
impl BackgroundJob for Scripted {
    const NAME: &'static str = "crash.scripted";
    type Args = Kind;

    async fn execute(&self, kind: Kind, ctx: &JobRunnableContext) -> JobResult {
        self.ledger.write("start", ctx)?;
        match kind {
            Kind::Quick => tokio::task::yield_now().await,
            Kind::Abort => std::process::abort(),
            Kind::Long => pause(Duration::from_secs(1)).await,
            Kind::Hold => {
                while self.ledger.is_held() {
                    pause(Duration::from_millis(20)).await;
                }
            }
        }
        self.ledger.write("end", ctx)?;
        ctx.set_result("did it");
        Ok(Outcome::Done)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the work of these jobs is to take time, until they are killed"
)]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
