//! Whether the drain stays as fast with much history in the database, and with many jobs of more urgent rank that are due later.

use anyhow::{Context, Result};
use clap::Args;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use std::time::Duration;
use tasks_abstractions::{BackgroundJobManagerExt as _, JobPriority};

use crate::drain::{self, Around};
use crate::frame::backend::Backend;
use crate::frame::ledger::{NO_OP, NoOp};
use crate::frame::node::{Node, Parts};
use crate::frame::pass::runtime;
use crate::frame::place::Place;
use crate::frame::settings::Settings;
use crate::ratio::{Compared, ratio_of_drains};

/// The database that is filled once for all passes.
pub(crate) const NAME: &str = "tasks_bench_flat";

const BACKENDS: &[Backend] = &[Backend::Postgres, Backend::Mysql];

/// Rows of one statement.
const PART: usize = 500_000;

/// Options of this bench.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Jobs that were done before, each with a log row.
    #[arg(long, default_value_t = 10_000_000)]
    finished: usize,
    /// Waiting jobs of more urgent rank that are due in an hour.
    #[arg(long, default_value_t = 100_000)]
    future: usize,
}

/// Drains with and without, in turn.
pub(crate) fn run(settings: &Settings, options: &Options) -> Result<()> {
    for backend in settings.backend_or(Backend::Postgres, BACKENDS)? {
        let place = runtime()?.block_on(filled(backend, options))?;
        let compared = Compared {
            mode: "flat",
            around: Around::History,
            what: format!(
                "beside {} finished jobs and {} of more urgent rank that are due later",
                options.finished, options.future
            ),
        };
        let done = ratio_of_drains(settings, &[backend], drain::JOBS, &compared);
        runtime()?.block_on(place.remove(NAME))?;
        done?;
    }
    Ok(())
}

async fn filled(backend: Backend, options: &Options) -> Result<Place> {
    let place = Place::empty_named(backend, NAME).await?;
    // A node that runs nothing makes the tables and accepts jobs.
    let node = Parts::new(&place, 0, &[NO_OP]).start().await?;
    finished(&place, &node, options.finished).await?;
    future(&node, options.future).await?;
    node.stop().await?;
    Ok(place)
}

/// Jobs that nobody runs while the bench lasts, and that stand before all others.
async fn future(node: &Node, count: usize) -> Result<()> {
    let jobs = node.jobs();
    let mut left = count;
    while left > 0 {
        let part = left.min(drain::BULK);
        let one = || {
            jobs.enqueue::<NoOp>(usize::MAX)
                .delay(Duration::from_secs(3_600))
                .priority(JobPriority::High)
                .prepare()
        };
        jobs.submit((0..part).map(|_| one()).collect::<Result<Vec<_>, _>>()?)
            .await?;
        left -= part;
    }
    Ok(())
}

/// Copies of one job as it looks when it is done, with their log rows.
async fn finished(place: &Place, node: &Node, count: usize) -> Result<()> {
    let pattern = node.jobs().prepare::<NoOp>(usize::MAX)?;
    node.jobs().submit(vec![pattern]).await?;
    let client = place.client().await?;
    let run = async |sql: &str| {
        client
            .execute_unprepared(sql)
            .await
            .with_context(|| format!("the history cannot be written: {sql}"))
    };
    let columns = columns(&client).await?;
    let mut from = 1;
    while from <= count {
        let to = count.min(from + PART - 1);
        run(&jobs_sql(client.get_database_backend(), &columns, from, to)).await?;
        run(&logs_sql(client.get_database_backend(), from, to)).await?;
        from = to + 1;
    }
    run("DELETE FROM tk_job_queue").await?;
    run("DELETE FROM tk_background_jobs WHERE name <> 'history'").await?;
    match client.get_database_backend() {
        // As after the days in which such a history comes to be.
        DbBackend::Postgres => {
            run("VACUUM ANALYZE tk_background_jobs").await?;
            run("VACUUM ANALYZE tk_background_job_logs").await?;
        }
        _ => {
            run("ANALYZE TABLE tk_background_jobs, tk_background_job_logs").await?;
        }
    }
    Ok(client.close().await?)
}

async fn columns(client: &DatabaseConnection) -> Result<Vec<String>> {
    let schema = match client.get_database_backend() {
        DbBackend::Postgres => "current_schema()",
        _ => "DATABASE()",
    };
    let sql = format!(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = {schema} \
         AND table_name = 'tk_background_jobs' ORDER BY ordinal_position"
    );
    let rows = client
        .query_all_raw(Statement::from_string(client.get_database_backend(), sql))
        .await?;
    rows.iter().map(|it| Ok(it.try_get_by_index(0)?)).collect()
}

/// Ids of the history are older than all others, and in order, as ids are that come one after the other.
fn id(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "('00000000-0000-7000-8000-' || lpad(to_hex(g.n), 12, '0'))::uuid",
        _ => "UNHEX(CONCAT('00000000000070008000', LPAD(HEX(g.n), 12, '0')))",
    }
}

fn numbers(backend: DbBackend, from: usize, to: usize) -> String {
    match backend {
        DbBackend::Postgres => format!("generate_series({from}, {to}) g(n)"),
        _ => format!("(SELECT seq AS n FROM seq_{from}_to_{to}) g"),
    }
}

fn jobs_sql(backend: DbBackend, columns: &[String], from: usize, to: usize) -> String {
    let values: Vec<&str> = columns
        .iter()
        .map(|it| match it.as_str() {
            "id" => id(backend),
            "name" => "'history'",
            "state" => "0",
            "trigger_count" => "1",
            "last_run_time" => "p.creation_time",
            "name_key" => "NULL",
            other => other,
        })
        .collect();
    format!(
        "INSERT INTO tk_background_jobs ({}) SELECT {} FROM {} CROSS JOIN \
         (SELECT * FROM tk_background_jobs WHERE name <> 'history' LIMIT 1) p",
        columns.join(", "),
        values.join(", "),
        numbers(backend, from, to)
    )
}

fn logs_sql(backend: DbBackend, from: usize, to: usize) -> String {
    let id = id(backend);
    format!(
        "INSERT INTO tk_background_job_logs (run_id, job_id, tenant_id, job_name, job_group, type_name, outcome, started_at, duration_ms, \
         node_name, instance, attempt) SELECT {id}, {id}, p.tenant_id, 'history', p.job_group, p.type_name, 0, p.creation_time, 0, 'history', \
         p.id, 1 FROM {} CROSS JOIN (SELECT * FROM tk_background_jobs WHERE name <> 'history' LIMIT 1) p",
        numbers(backend, from, to)
    )
}
