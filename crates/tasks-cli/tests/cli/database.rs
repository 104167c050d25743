//! A database of a test, and the program on it.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Running, shown, tasks, text};

/// How long a test waits for what a node does.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database, and a folder to work in.
pub(crate) struct Database {
    folder: TempDir,
    /// Where the database is, as the environment says it.
    variables: Vec<(&'static str, String)>,
}

impl Database {
    /// A file with its tables and no jobs.
    pub(crate) fn new() -> Self {
        let database = Self::on(vec![("TASKS_DATABASE", "jobs.db".to_owned())]);
        database.done(&["migrate", "up"]);
        database
    }

    /// What these variables name, as it is.
    pub(crate) fn on(variables: Vec<(&'static str, String)>) -> Self {
        Self {
            folder: TempDir::new().expect("a folder"),
            variables,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The program with this database.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = tasks(self.folder());
        command.args(args).envs(self.variables.iter().cloned());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program runs")
    }

    /// What the program prints, which must succeed.
    pub(crate) fn done(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", shown(&output));
        text(&output.stdout)
    }

    /// The JSON that the program prints, which must succeed.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let printed = self.done(&[args, &["--output", "json"]].concat());
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{args:?}: {error}: {printed}"))
    }

    /// What the program says on standard error when it ends with this code.
    pub(crate) fn fails(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", shown(&output));
        text(&output.stderr)
    }

    /// Makes a job that waits for years; answers its id.
    pub(crate) fn waiting_job(&self, args: &[&str]) -> String {
        let made = self.json(
            &[
                &[
                    "jobs",
                    "create",
                    "demo.delayed",
                    "--begin",
                    "2100-01-01T00:00:00Z",
                ],
                args,
            ]
            .concat(),
        );
        made["id"].as_str().expect("an id").to_owned()
    }

    /// One job.
    pub(crate) fn job(&self, id: &str) -> Value {
        self.json(&["jobs", "show", id])["job"].clone()
    }

    /// The name of a job's status.
    pub(crate) fn status(&self, id: &str) -> &'static str {
        match self.job(id)["status"].as_i64() {
            Some(-1) => "None",
            Some(0) => "Completed",
            Some(5) => "Queuing",
            Some(10) => "Running",
            Some(15) => "FailedRetry",
            Some(20) => "Paused",
            Some(30) => "Stopped",
            other => panic!("{other:?}"),
        }
    }

    /// Changes the database behind the program's back.
    pub(crate) fn sql(&self, statement: &str) {
        let url = format!("sqlite://{}", self.folder().join("jobs.db").display());
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let changed = runtime.block_on(async {
            let connection = sea_orm::Database::connect(url).await?;
            let changed = connection.execute_unprepared(statement).await?;
            connection.close().await?;
            Ok::<_, sea_orm::DbErr>(changed.rows_affected())
        });
        assert_eq!(changed.expect("changed"), 1, "{statement}");
    }

    /// A node on this database, which runs what becomes due.
    pub(crate) fn serve(&self) -> Running {
        let mut command = self.command(&["serve", "--node-name", "n1"]);
        command.env("TASKS_POLL_INTERVAL", "50ms");
        let mut node = Running::start(&mut command);
        node.wait_for("started");
        node
    }

    /// Asks again and again until `check` is content with the answer.
    pub(crate) fn until<T>(&self, what: &str, check: impl Fn(&Self) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(answer) = check(self) {
                return answer;
            }
            assert!(begun.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        }
    }
}
