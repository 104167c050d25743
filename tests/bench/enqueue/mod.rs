//! How many jobs a second are accepted: one by one, in bulk, in bulk inside the caller's own transaction, and from many callers at once.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use sea_orm::{DbBackend, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use serde::{Deserialize, Serialize};
use tasks_abstractions::{BackgroundJobManagerExt, JobStatus};
use tasks_multitenancy::TenantScope;
use tokio::task::JoinSet;

use crate::drain::{self, BULK, enqueue_all};
use crate::frame::backend::Backend;
use crate::frame::ledger::{NO_OP, NoOp};
use crate::frame::node::{Node, Parts};
use crate::frame::pass;
use crate::frame::place::Place;
use crate::frame::report::{Cell, Report};
use crate::frame::samples::{Samples, rate};
use crate::frame::settings::Settings;

/// Callers at once.
const CALLERS: usize = 16;

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pass {
    pub(crate) backend: Backend,
    /// Jobs of the bulk figures; a tenth of them is stored one by one.
    pub(crate) jobs: usize,
}

/// What was measured, in jobs a second.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) single: f64,
    pub(crate) bulk: f64,
    /// `None` for a store without transactions of its callers.
    pub(crate) in_transaction: Option<f64>,
    pub(crate) callers: f64,
}

impl Pass {
    /// Measures it in a process of its own.
    pub(crate) fn in_own_process(&self) -> Result<Figures> {
        pass::Pass::Enqueue(self.clone()).in_own_process()
    }

    pub(crate) async fn measure(self) -> Result<Figures> {
        let place = Place::empty(self.backend).await?;
        let node = Parts::new(&place, 1, &[NO_OP]).start().await?;
        node.claims(false);
        let singles = (self.jobs / 10).clamp(100, 5_000);
        let mut stored = 0;

        let began = Instant::now();
        for number in 0..singles {
            node.jobs().enqueue::<NoOp>(number).await?;
        }
        let single = rate(singles, began.elapsed());
        stored += singles;

        let began = Instant::now();
        enqueue_all(&node, self.jobs).await?;
        let bulk = rate(self.jobs, began.elapsed());
        stored += self.jobs;

        let in_transaction = match self.backend {
            Backend::Memory => None,
            _ => {
                let began = Instant::now();
                in_transactions(&node, self.jobs).await?;
                stored += self.jobs;
                Some(rate(self.jobs, began.elapsed()))
            }
        };

        let began = Instant::now();
        let called = from_callers(&node, singles.max(CALLERS)).await?;
        let callers = rate(called, began.elapsed());
        stored += called;

        let waiting = node
            .jobs_stored()
            .counts(TenantScope::All)
            .await?
            .of(JobStatus::Queuing);
        ensure!(
            waiting == stored as u64,
            "{waiting} jobs wait, {stored} were accepted"
        );
        node.stop().await?;
        place.close()?;
        Ok(Figures {
            single,
            bulk,
            in_transaction,
            callers,
        })
    }
}

/// Stores jobs through transactions of the caller's, 1,000 in each.
async fn in_transactions(node: &Node, count: usize) -> Result<()> {
    let store = node.database()?;
    let mut options = TransactionOptions::default();
    if store.connection().get_database_backend() == DbBackend::Sqlite {
        options.sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    }
    let mut from = 0;
    while from < count {
        let to = count.min(from + BULK);
        let batch = (from..to)
            .map(|number| node.jobs().prepare::<NoOp>(number))
            .collect::<Result<Vec<_>, _>>()?;
        let transaction = store.connection().begin_with_options(options).await?;
        let enqueued = store.enqueue_in(&transaction, &batch).await?;
        transaction.commit().await?;
        enqueued.wake.wake().await;
        from = to;
    }
    Ok(())
}

/// Stores about so many jobs one by one from several tasks; answers how many.
async fn from_callers(node: &Node, count: usize) -> Result<usize> {
    let each = count / CALLERS;
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let jobs = node.jobs();
        callers.spawn(async move {
            for number in 0..each {
                jobs.enqueue::<NoOp>(number).await?;
            }
            Ok::<_, anyhow::Error>(())
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.context("a caller panicked")??;
    }
    Ok(each * CALLERS)
}

/// Measures every backend and shows the medians.
pub(crate) fn run(settings: &Settings) -> Result<()> {
    let backends = settings.backends(drain::BACKENDS)?;
    let jobs = settings.jobs_or(drain::JOBS);
    let mut report = Report::new(
        "enqueue",
        format!(
            "{jobs} jobs in bulk, {BULK} at once, a tenth of them one by one from one task and from {CALLERS}, while nothing is claimed; \
             median (least–most) of {} passes",
            settings.passes
        ),
        [
            "backend",
            "single /s",
            "bulk /s",
            "bulk in the caller's transaction /s",
            "16 callers /s",
        ],
    );
    for backend in &backends {
        let mut figures = Vec::new();
        let pass = Pass {
            backend: *backend,
            jobs,
        };
        for _ in 0..settings.passes {
            figures.push(pass.in_own_process()?);
        }
        let all = |of: fn(&Figures) -> f64| Cell::rate(figures.iter().map(of).collect());
        let inside: Samples = figures.iter().filter_map(|it| it.in_transaction).collect();
        report.row([
            Cell::text(backend.name()),
            all(|it| it.single),
            all(|it| it.bulk),
            match inside.all() {
                [] => Cell::Nothing,
                _ => Cell::rate(inside),
            },
            all(|it| it.callers),
        ]);
    }
    report.finish(&backends)
}
