//! How soon one node hears what another one did: from the commit to the start of the code, and from a command to its cancellation.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use async_trait::async_trait;
use tasks_abstractions::prelude::*;
use tasks_abstractions::{JobCommand, JobRegistration};
use tasks_core::JobRegistry;
use tasks_host::{Host, SeaOrmStoreModule};
use tasks_multitenancy::TenantScope;
use tasks_store_seaorm::SeaOrmStoreOptions;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::node::postgres_options;
use crate::report::{print_table, table};

const LIMIT: Duration = Duration::from_secs(60);

/// What the code of a run says.
struct Told(UnboundedSender<Instant>);

inject! {
    /// Runs until it is asked to end.
    pub(crate) struct Waiting { told: Arc<Told> }
}

#[async_trait]
impl BackgroundJob for Waiting {
    const NAME: &'static str = "bench.waiting";
    type Args = ();

    async fn execute(&self, (): (), ctx: &JobRunnableContext) -> JobResult {
        let _ = self.told.0.send(Instant::now());
        ctx.cancellation().cancelled().await;
        let _ = self.told.0.send(Instant::now());
        Err(JobError::msg("asked to end"))
    }
}

struct Services(Arc<Told>);

#[async_trait]
impl Module for Services {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        registry.singleton::<Told>(Arc::clone(&self.0))?;
        Ok(())
    }
}

async fn node(
    options: &SeaOrmStoreOptions,
    name: &'static str,
    runs_jobs: bool,
) -> Result<(Host, UnboundedReceiver<Instant>)> {
    let (sender, said) = unbounded_channel();
    let mut registry = JobRegistry::new();
    registry.add_job(&JobRegistration::of::<Waiting>("bench"))?;
    let host = Host::builder()
        .module(SeaOrmStoreModule::with(options.clone()))
        .module(Services(Arc::new(Told(sender))))
        .ignore_environment()
        .registry(registry)
        .node_name(name)
        .options(move |it| {
            it.maintenance.cleaning.enabled = false;
            it.maintenance.checking.enabled = false;
            it.engine.is_execution_enabled = runs_jobs;
        })
        .build()
        .await?;
    host.start().await?;
    Ok((host, said))
}

/// Measures `rounds` jobs on PostgreSQL, one after the other, and prints the table.
pub(crate) fn run(rounds: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let options = postgres_options().await?;
        let (office, _silent) = node(&options, "office", false).await?;
        let (worker, mut said) = node(&options, "worker", true).await?;
        let (mut starts, mut cancels) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
        let scope = TenantScope::All;
        for _ in 0..rounds {
            let id = office.jobs().enqueue::<Waiting>(()).await?;
            starts.push(wait(Instant::now(), &mut said).await?);
            office.management().command(scope, id, JobCommand::Cancel).await?;
            cancels.push(wait(Instant::now(), &mut said).await?);
        }
        office.stop().await?;
        worker.stop().await?;
        print(
            rounds,
            [("enqueue → start", starts), ("cancel → asked to end", cancels)],
        )
    })
}

/// From `since`, when the caller had its answer; nothing where the code was faster.
async fn wait(since: Instant, said: &mut UnboundedReceiver<Instant>) -> Result<Duration> {
    let at = timeout(LIMIT, said.recv())
        .await
        .map_err(|_| anyhow!("nothing was heard within {LIMIT:?}"))?
        .context("the node has ended")?;
    Ok(at.saturating_duration_since(since))
}

fn print(rounds: usize, rows: [(&str, Vec<Duration>); 2]) -> Result<()> {
    let mut table = table(["on another node, PostgreSQL", "p50 ms", "p99 ms", "max ms"]);
    for (name, mut times) in rows {
        times.sort_unstable();
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
        table.add_row([
            name.to_owned(),
            format!("{:.2}", at(50)),
            format!("{:.2}", at(99)),
            format!("{:.2}", at(100)),
        ]);
    }
    print_table(
        table,
        &format!(
            "{rounds} jobs one after the other, two nodes and the server on one machine, default options"
        ),
    )
}
