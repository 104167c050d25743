//! Writing the ledger: every line is on the disk before the code goes on.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::{Context, Result};
use async_trait::async_trait;
use tasks_abstractions::{JobEvent, JobEventData, JobId, JobRunnableContext, JobSettled};
use tasks_core::Engine;
use tests::chaos::{EndKind, Line, Moment, Work};
use tokio::sync::oneshot;

type Entry = (Line, Option<oneshot::Sender<()>>);

/// The ledger of this process.
pub(crate) struct Ledger {
    lines: Sender<Entry>,
    engine: OnceLock<Engine>,
}

impl Ledger {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::options().create_new(true).append(true).open(path)?;
        let (lines, entries) = channel();
        std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || {
                if let Err(error) = write_all(file, &entries) {
                    // A ledger with holes would accuse the engine of what it did not do.
                    tracing::error!(%error, "the ledger cannot be written");
                    std::process::abort();
                }
            })?;
        Ok(Self {
            lines,
            engine: OnceLock::new(),
        })
    }

    /// The engine whose runs these are.
    pub(crate) fn is_of(&self, engine: Engine) {
        // Called once, before the first run.
        let _ = self.engine.set(engine);
    }

    pub(crate) async fn start(&self, ctx: &JobRunnableContext) -> Result<()> {
        let job = ctx.job();
        self.write(Line::Start {
            run: ctx.run_id().to_string(),
            job: job.id.to_string(),
            type_name: job.type_name.clone(),
            instance: self
                .engine
                .get()
                .map(|it| it.instance().to_string())
                .unwrap_or_default(),
            at: Moment::now(),
            attempt: ctx.attempt(),
            interruptions: ctx.interruptions(),
        })
        .await
    }

    pub(crate) async fn held(&self, ctx: &JobRunnableContext, key: &str) -> Result<()> {
        self.write(Line::Held {
            run: ctx.run_id().to_string(),
            key: format!("{} of {}", key, ctx.tenant()),
            at: Moment::now(),
        })
        .await
    }

    pub(crate) async fn freed(&self, ctx: &JobRunnableContext) -> Result<()> {
        self.write(Line::Freed {
            run: ctx.run_id().to_string(),
            at: Moment::now(),
        })
        .await
    }

    pub(crate) async fn child(&self, job: JobId, work: Work) -> Result<()> {
        let job = job.to_string();
        self.write(Line::Child { job, work }).await
    }

    pub(crate) async fn end(&self, ctx: &JobRunnableContext, how: EndKind) -> Result<()> {
        self.write(Line::End {
            run: ctx.run_id().to_string(),
            at: Moment::now(),
            how,
            reason: ctx.cancel_reason().map(|it| format!("{it:?}")),
        })
        .await
    }

    /// Writes a line that nothing waits for.
    pub(crate) fn note(&self, line: Line) {
        // Only a ledger that cannot be written has ended, and it ends the process.
        let _ = self.lines.send((line, None));
    }

    async fn write(&self, line: Line) -> Result<()> {
        let (written, is_written) = oneshot::channel();
        self.lines
            .send((line, Some(written)))
            .ok()
            .context("the ledger's thread has ended")?;
        is_written.await.context("the ledger's thread has ended")
    }
}

/// Writes what has come, all of it by one write and one sync.
fn write_all(mut file: File, entries: &Receiver<Entry>) -> Result<()> {
    while let Ok(first) = entries.recv() {
        let (mut text, mut waiting) = (String::new(), Vec::new());
        for (line, written) in std::iter::once(first).chain(entries.try_iter()) {
            text.push_str(&serde_json::to_string(&line)?);
            text.push('\n');
            waiting.extend(written);
        }
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        for it in waiting {
            // Nobody waits any more where the run was dropped with its runtime.
            let _ = it.send(());
        }
    }
    Ok(())
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

/// Notes which execution each run was, and what the store answered for its outcome.
#[derive(Debug)]
pub(crate) struct Observer(Arc<Ledger>);

impl Observer {
    pub(crate) fn new(ledger: Arc<Ledger>) -> Self {
        Self(ledger)
    }
}

#[async_trait]
impl JobEvent for Observer {
    async fn after(&self, it: &JobEventData) {
        let line = Line::Due {
            run: it.run.run_id.to_string(),
            at: it.run.entry.due_at.timestamp_micros(),
        };
        // As below.
        drop(self.0.write(line).await);
    }

    fn settled(&self, it: &JobSettled) {
        let line = Line::Settled {
            run: it.run_id.to_string(),
            job: it.job_id.to_string(),
            at: Moment::now(),
            outcome: it.outcome.to_string(),
            applied: it.is_applied,
        };
        self.0.note(line);
    }
}
