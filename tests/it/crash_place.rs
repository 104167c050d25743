//! Where a crash test happens: a database of its own, a ledger outside of it, and programs that use both.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::future::Future;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;

use sea_orm::ConnectionTrait;
use tasks_abstractions::run::JobLog;
use tasks_abstractions::store::{JobLogQuery, JobQuery, Paging};
use tasks_abstractions::{JobInfo, JobStatus, JobStore, RunOutcome, SystemClock};
use tasks_multitenancy::TenantScope;
use tasks_store_seaorm::{SeaOrmStore, SeaOrmStoreOptions};
use tempfile::TempDir;

use crate::mysql_database::OwnDatabase;
use crate::postgres_schema::Schema;

/// A lease in milliseconds that no test waits for.
const ENDLESS: u64 = 24 * 60 * 60 * 1_000;
/// A lease in milliseconds that tests can wait for.
pub(crate) const SHORT: u64 = 2_000;

/// The database of one test.
enum Database {
    Sqlite,
    Postgres(Schema),
    Mysql(OwnDatabase),
}

/// A database, a ledger, and a folder for what else a test needs.
pub(crate) struct Place {
    folder: TempDir,
    database: Database,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::with(Database::Sqlite)
    }

    pub(crate) fn postgres() -> Self {
        Self::with(Database::Postgres(Schema::new()))
    }

    pub(crate) fn mysql() -> Self {
        Self::with(Database::Mysql(now(OwnDatabase::new())))
    }

    fn with(database: Database) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            database,
        }
    }

    /// How many of `full` jobs a test takes: all on SQLite, a quarter on servers. What is killed and found again is the same with fewer, and a server
    /// beside the programs leaves them little of two cores.
    pub(crate) const fn jobs(&self, full: usize) -> usize {
        match self.database {
            Database::Sqlite => full,
            Database::Postgres(_) | Database::Mysql(_) => full / 4,
        }
    }

    /// Whether a program that starts knows at once that its predecessor on this machine is gone: by its lock file, or by what the system tells of its process.
    const fn proves_gone_processes(&self) -> bool {
        match self.database {
            Database::Sqlite => true,
            Database::Postgres(_) | Database::Mysql(_) => cfg!(target_os = "linux"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn options(&self) -> SeaOrmStoreOptions {
        match &self.database {
            Database::Sqlite => SeaOrmStoreOptions::path(self.path("jobs.db")).unwrap(),
            Database::Postgres(schema) => schema.options(),
            Database::Mysql(database) => database.options(),
        }
    }

    /// Starts a worker that never waits for a lease where its predecessor's end can be proved.
    pub(crate) fn start(&self, args: &[&str]) -> Worker {
        let lease = if self.proves_gone_processes() {
            ENDLESS
        } else {
            SHORT
        };
        self.start_with_lease(lease, args)
    }

    pub(crate) fn start_with_lease(&self, lease: u64, args: &[&str]) -> Worker {
        let options = self.options();
        let mut command = Command::new(env!("CARGO_BIN_EXE_crash_worker"));
        command
            .env("TASKS_CRASH_DATABASE", options.url)
            .arg("--ledger")
            .arg(self.path("ledger"))
            .args(["--lease", &lease.to_string()])
            .args(args)
            .stdout(Stdio::piped());
        if let Some(schema) = options.schema {
            command.args(["--schema", &schema]);
        }
        Worker(command.spawn().unwrap())
    }

    pub(crate) fn run(&self, args: &[&str]) -> ExitStatus {
        self.start(args).wait()
    }

    pub(crate) fn ledger(&self) -> String {
        fs::read_to_string(self.path("ledger")).unwrap_or_default()
    }

    /// Takes away what would tell a program on this machine that the processes of other nodes are gone, as if they were elsewhere.
    pub(crate) fn forget_processes(&self) {
        match self.database {
            Database::Sqlite => fs::remove_dir_all(self.path("jobs.db-nodes")).unwrap(),
            Database::Postgres(_) | Database::Mysql(_) => now(async {
                let store = self.open().await;
                let forget = "UPDATE tk_nodes SET process = 'elsewhere'";
                let changed = store.connection().execute_unprepared(forget).await.unwrap();
                assert!(changed.rows_affected() > 0, "no node is known");
                store.close().await.unwrap();
            }),
        }
    }

    async fn open(&self) -> SeaOrmStore {
        SeaOrmStore::connect(self.options(), Arc::new(SystemClock))
            .await
            .unwrap()
    }

    /// Reads everything that is stored, when no worker runs.
    pub(crate) fn records(&self) -> Records {
        let (jobs, logs) = now(async {
            let store = self.open().await;
            let read = (all_jobs(&store).await, all_logs(&store).await);
            store.close().await.unwrap();
            read
        });
        let mut started = BTreeMap::<String, Vec<String>>::new();
        let mut ended = BTreeSet::new();
        for line in self.ledger().lines() {
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["start", job, run, ..] => started.entry(job.to_owned()).or_default().push(run.to_owned()),
                ["end", _, run, ..] => assert!(ended.insert(run.to_owned()), "run {run} ended twice"),
                _ => panic!("cannot read the ledger's line `{line}`"),
            }
        }
        let is_scripted = |it: &str| it == "crash.scripted";
        Records {
            jobs: jobs.into_iter().filter(|it| is_scripted(&it.type_name)).collect(),
            logs: logs.into_iter().filter(|it| is_scripted(&it.type_name)).collect(),
            started,
            ended,
        }
    }
}

/// Carries this out and waits for it.
fn now<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

async fn all_jobs(store: &SeaOrmStore) -> Vec<JobInfo> {
    let mut jobs = Vec::new();
    loop {
        let query = JobQuery {
            paging: from(jobs.len()),
            ..JobQuery::default()
        };
        let page = store.list(TenantScope::All, &query).await.unwrap();
        jobs.extend(page.items);
        if jobs.len() as u64 >= page.total {
            return jobs;
        }
    }
}

async fn all_logs(store: &SeaOrmStore) -> Vec<JobLog> {
    let mut logs = Vec::new();
    loop {
        let query = JobLogQuery {
            paging: from(logs.len()),
            ..JobLogQuery::default()
        };
        let page = store.list_logs(TenantScope::All, &query).await.unwrap();
        logs.extend(page.items);
        if logs.len() as u64 >= page.total {
            return logs;
        }
    }
}

const fn from(skip: usize) -> Paging {
    Paging {
        skip: skip as u64,
        take: Paging::MAX_TAKE,
    }
}

/// A program at work. It does not outlive a test that fails.
pub(crate) struct Worker(Child);

impl Worker {
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.0.wait().unwrap()
    }

    pub(crate) fn kill(&mut self) -> ExitStatus {
        self.0.kill().unwrap();
        self.wait()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    pub(crate) fn output(&mut self) -> ChildStdout {
        self.0.stdout.take().unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Ended already in every test that passes.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// What a test left.
pub(crate) struct Records {
    pub(crate) jobs: Vec<JobInfo>,
    pub(crate) logs: Vec<JobLog>,
    /// Started runs by job, as the code itself wrote them down.
    pub(crate) started: BTreeMap<String, Vec<String>>,
    ended: BTreeSet<String>,
}

impl Records {
    pub(crate) fn outcomes(&self, job: &JobInfo, outcome: RunOutcome) -> usize {
        self.logs
            .iter()
            .filter(|it| it.job_id == job.id && it.outcome == outcome)
            .count()
    }

    pub(crate) fn interruptions(&self) -> usize {
        self.logs
            .iter()
            .filter(|it| it.outcome == RunOutcome::Interrupted)
            .count()
    }

    /// Every job of `count` is Completed by one recorded success, and every further start of its code is explained by a recorded interruption.
    pub(crate) fn assert_nothing_lost(&self, count: usize) {
        assert_eq!(self.jobs.len(), count, "jobs in the store");
        for job in &self.jobs {
            assert_eq!(job.status, JobStatus::Completed, "{job:?}");
            assert_eq!(
                self.outcomes(job, RunOutcome::Succeeded),
                1,
                "successes of {}",
                job.name
            );
            let interrupted = self.outcomes(job, RunOutcome::Interrupted);
            let started = self.started.get(&job.id.to_string()).map_or(0, Vec::len);
            assert!(
                (1..=1 + interrupted).contains(&started),
                "{}: {started} starts, {interrupted} interruptions",
                job.name
            );
            assert_eq!(job.result.as_deref(), Some("did it"));
        }
        assert_eq!(
            self.logs.len(),
            count + self.interruptions(),
            "log rows are jobs and interruptions"
        );
        for log in self.logs.iter().filter(|it| it.outcome == RunOutcome::Succeeded) {
            assert!(
                self.ended.contains(&log.run_id.to_string()),
                "run {} is recorded and never ended",
                log.run_id
            );
        }
    }
}
