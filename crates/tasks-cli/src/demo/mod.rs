//! `tasks demo`: one durable job for each file, and beside them every kind of work that does not go smoothly.

mod board;
mod checksum;
mod enqueue;
mod extras;
mod files;
mod path;
mod summary;
mod sums;
mod wait;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tasks_abstractions::services::{Module, ModuleError, ServiceRegistry};
use tasks_abstractions::{Clock, JobRegistration, SystemClock, WorkerRegistration};
use tasks_core::{DuplicateName, JobRegistry, MaintenanceOptions};
use tasks_host::{Host, HostExit};

use self::board::Board;
use self::checksum::{Checksum, HashSlots};
use self::enqueue::Enqueued;
use self::extras::{Delayed, Flaky, Hopeless, ReportProgress};
use self::files::Files;
use crate::args::DemoArgs;
use crate::database::Database;
use crate::failure::Failure;
use crate::output;

/// Where the checksums are written.
const SUMS: &str = "checksums.sha256";
/// Jobs at once where nothing else is said. More than files are read at once, so that the store is asked for large batches.
const CONCURRENCY: usize = 500;
/// How long runs may go on after a signal.
const GRACE: Duration = Duration::from_secs(2);

/// The services of the demo's jobs.
#[derive(Debug)]
pub(crate) struct DemoModule {
    board: Arc<Board>,
}

impl DemoModule {
    /// For a node that only helps with the jobs of a demo.
    pub(crate) fn quiet() -> Self {
        Self {
            board: Arc::new(Board::new(Arc::new(SystemClock))),
        }
    }
}

#[async_trait]
impl Module for DemoModule {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        registry
            .singleton::<Board>(Arc::clone(&self.board))?
            .singleton::<HashSlots>(Arc::new(HashSlots::of_machine()))?;
        Ok(())
    }
}

/// What `tasks serve` can run: what is registered in the program, and the jobs of demos on the same database. The worker stays with the demo.
pub(crate) fn served_types() -> Result<JobRegistry, Failure> {
    let (mut registry, duplicates) = tasks_host::registered();
    if let Some(duplicate) = duplicates.into_iter().next() {
        return Err(Failure::because("the program is not complete", duplicate));
    }
    add_jobs(&mut registry).map_err(|error| Failure::because("the program is not complete", error))?;
    Ok(registry)
}

fn add_jobs(registry: &mut JobRegistry) -> Result<(), DuplicateName> {
    registry
        .add_job(&JobRegistration::of::<Checksum>(concat!(file!(), ":", line!())))?
        .add_job(&JobRegistration::of::<Delayed>(concat!(file!(), ":", line!())))?
        .add_job(&JobRegistration::of::<Flaky>(concat!(file!(), ":", line!())))?
        .add_job(&JobRegistration::of::<Hopeless>(concat!(file!(), ":", line!())))?;
    Ok(())
}

/// What a demo can run: its jobs and its worker.
fn types() -> Result<JobRegistry, Failure> {
    let mut registry = JobRegistry::new();
    add_jobs(&mut registry)
        .and_then(|()| {
            let worker = WorkerRegistration::async_periodic::<ReportProgress>(concat!(file!(), ":", line!()));
            registry.add_worker(&worker).map(drop)
        })
        .map_err(|error| Failure::because("the program is not complete", error))?;
    Ok(registry)
}

pub(crate) async fn run(args: DemoArgs) -> Result<HostExit, Failure> {
    let database = Database::configured(&args.database)?;
    let here = std::env::current_dir().map_err(|error| Failure::because("this directory", error))?;
    let plan = Plan {
        is_default: args.path.is_none(),
        root: args.path.unwrap_or_else(|| PathBuf::from(".")),
        sums: here.join(SUMS),
        database,
    };
    if !plan.root.is_dir() {
        return Err(Failure::Usage(format!(
            "--path {}: there is no such directory",
            plan.root.display()
        )));
    }
    output::line(&format!(
        "files under {}, jobs in {}",
        plan.root.display(),
        plan.database.shown()
    ))
    .map_err(|error| Failure::because("standard output", error))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let board = Arc::new(Board::new(Arc::clone(&clock)));
    let mut host = Host::builder();
    if let Some(file) = args.database.config {
        host = host.config_file(file);
    }
    let host = host
        .boxed_module(plan.database.module()?)
        .module(DemoModule {
            board: Arc::clone(&board),
        })
        .registry(types()?)
        .event(Arc::clone(&board) as _)
        .clock(clock)
        .version(env!("CARGO_PKG_VERSION"))
        .options(move |it| {
            it.engine.max_concurrency = args.concurrency.unwrap_or(CONCURRENCY);
            // Reading a file can be begun again, so a person who ends the demo need not wait for it.
            it.engine.shutdown_grace = GRACE;
            // Its table is about its own jobs, and what it has computed is never to be forgotten.
            it.maintenance = MaintenanceOptions::off();
            if let Some(name) = args.node_name {
                it.engine.node_name = name;
            }
        })
        .build()
        .await?;
    let answer = host.run_until(work(&host, &board, &plan)).await;
    output::show(None);
    match answer? {
        Some(done) => done.map(|()| HostExit::Done),
        None => {
            output::error(&format!(
                "stopped by a signal after {} files; start the same command again to go on",
                board.finished()
            ));
            Ok(HostExit::Failed)
        }
    }
}

/// What this demo is about.
#[derive(Debug)]
struct Plan {
    root: PathBuf,
    /// Whether the root was not said, and build output and history are left out.
    is_default: bool,
    sums: PathBuf,
    database: Database,
}

impl Plan {
    /// Whether a path (absolute, links resolved) is none of the user's files.
    fn leaves_out(&self, path: &Path) -> bool {
        self.database.owns(path) || path == self.sums || path == sums::temporary(&self.sums)
    }
}

/// The demo itself, while the host runs.
async fn work(host: &Host, board: &Board, plan: &Plan) -> Result<(), Failure> {
    let closed = |error| Failure::because("standard output", error);
    let jobs = host.jobs();
    let management = host.management();
    enqueue::extras(jobs.as_ref(), management.as_ref()).await?;
    let files = files::list(plan).await?;
    let Files { unreadable, .. } = files;
    if unreadable > 0 {
        output::error(&format!(
            "{unreadable} directories or files could not be listed and are left out"
        ));
    }
    let root = files.root.clone();
    let Enqueued {
        ids,
        new,
        already,
        again,
    } = enqueue::files(jobs.as_ref(), management.as_ref(), files).await?;
    let waiting = ids.len() - new - already - again;
    output::line(&format!(
        "{} files: {new} new, {already} already done, {waiting} still to do from before, {again} tried again",
        ids.len()
    ))
    .map_err(closed)?;
    board.begin(ids.len(), already);
    let written = loop {
        wait::until_done(host, board).await?;
        if let Some(written) = sums::write(management.as_ref(), &ids, &root, plan).await? {
            break written;
        }
    };
    output::show(None);
    output::line(&summary::text(management.as_ref(), board).await?).map_err(closed)?;
    output::line(&written.to_string()).map_err(closed)
}
