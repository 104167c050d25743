//! What differs between databases: the texts of statements, how values are bound, how a transaction that writes begins.
//!
//! Every statement of the store is listed in [`Sql`] with its parameters, so that another database is added by one more file here. Batches travel as **one**
//! JSON parameter: no limit on the number of binds, no arrays with NULLs. Where a database takes longer to read JSON than to write rows, each value of the busiest
//! statements is a parameter ([`Batched`]). Rows come back as JSON arrays, one value a row instead of forty: the driver copies each value
//! through a channel, and that was most of the cost of a claim.

mod batched;
mod json_job;
mod mysql;
pub(crate) mod postgres;
mod sqlite;

pub(crate) use batched::{Batch, Batched, Part};
pub(crate) use mysql::tables as mysql_tables;
pub(crate) use postgres::tables as postgres_tables;
use sea_orm::{DbBackend, SqliteTransactionMode, TransactionOptions, Value};
use tasks_abstractions::StoreError;
use tasks_abstractions::store::{SortOrder, StoreErrorKind};
use uuid::Uuid;

/// A supported database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
    /// MariaDB, too.
    Mysql,
}

impl Dialect {
    /// The dialect of a connection, which may be the caller's own.
    pub(crate) fn of(backend: DbBackend) -> Result<Self, StoreError> {
        match backend {
            DbBackend::Sqlite => Ok(Self::Sqlite),
            DbBackend::Postgres => Ok(Self::Postgres),
            DbBackend::MySql => Ok(Self::Mysql),
            other => Err(StoreError::new(
                StoreErrorKind::Invalid,
                format!(
                    "jobs cannot be stored in {other:?} by this version; use a connection to SQLite, PostgreSQL, MariaDB or MySQL"
                ),
            )),
        }
    }

    pub(crate) fn sql(self) -> &'static Sql {
        match self {
            Self::Sqlite => &sqlite::SQL,
            Self::Postgres => &postgres::SQL,
            Self::Mysql => &mysql::SQL,
        }
    }

    pub(crate) fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
            Self::Mysql => DbBackend::MySql,
        }
    }

    /// How a transaction begins that is going to write: on SQLite with the write lock, so that it never has to be upgraded.
    pub(crate) fn writing(self) -> TransactionOptions {
        match self {
            Self::Sqlite => TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            },
            // READ COMMITTED is set for the whole session.
            Self::Postgres | Self::Mysql => TransactionOptions::default(),
        }
    }

    /// A UUID as it is bound.
    pub(crate) fn uuid(self, id: Uuid) -> Value {
        self.optional_uuid(Some(id))
    }

    /// A UUID or NULL as it is bound.
    pub(crate) fn optional_uuid(self, id: Option<Uuid>) -> Value {
        match self {
            Self::Sqlite | Self::Mysql => Value::Bytes(id.map(|it| it.as_bytes().to_vec())),
            Self::Postgres => Value::Uuid(id),
        }
    }

    /// A statement and its values as the driver takes them.
    pub(crate) fn sent(self, sql: String, values: Vec<Value>) -> (String, Vec<Value>) {
        match self {
            Self::Sqlite | Self::Postgres => (sql, values),
            Self::Mysql => mysql::in_order(&sql, values),
        }
    }

    /// A statement that was put together with `?` for each value, with the database's own placeholders.
    pub(crate) fn placed(self, sql: String) -> String {
        match self {
            Self::Sqlite | Self::Mysql => sql,
            Self::Postgres => postgres::numbered(&sql),
        }
    }

    /// Condition: the column has the text of the next value in it, by bytes.
    pub(crate) fn contains(self, column: &str) -> String {
        match self {
            Self::Sqlite | Self::Mysql => format!("instr(coalesce({column}, ''), ?) > 0"),
            Self::Postgres => format!("strpos(coalesce({column}, ''), ?) > 0"),
        }
    }

    /// Condition: the column is one of the ids in the next value, which is JSON.
    pub(crate) fn is_one_of(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("{column} IN (SELECT unhex(value) FROM json_each(?))"),
            Self::Postgres => postgres::is_one_of(column),
            Self::Mysql => mysql::is_one_of(column),
        }
    }

    /// Part of an ORDER BY in which a missing value is the smallest.
    pub(crate) fn order(self, column: &str, may_be_null: bool, order: SortOrder) -> String {
        let nulls = self == Self::Postgres && may_be_null;
        match (order, nulls) {
            (SortOrder::Ascending, false) => format!("{column} ASC"),
            (SortOrder::Descending, false) => format!("{column} DESC"),
            (SortOrder::Ascending, true) => format!("{column} ASC NULLS FIRST"),
            (SortOrder::Descending, true) => format!("{column} DESC NULLS LAST"),
        }
    }

    /// Statement: jobs of due executions of `lanes` lanes of one rank, earliest first. Where rows have locks, those of the executions are locked.
    ///
    /// Parameters: now, limit, rank, then one lane id each.
    pub(crate) fn claim_rows(self, lanes: usize) -> String {
        match self {
            Self::Sqlite => sqlite::claim_rows(lanes),
            Self::Postgres => postgres::claim_rows(lanes),
            Self::Mysql => mysql::claim_rows(lanes),
        }
    }

    /// Statement: the next rank in use in each of `lanes` lanes, as [`Sql::heads`] answers, where that does not answer all of them.
    ///
    /// Parameters: of each lane its last rank, its id, and the rank behind which the next is.
    pub(crate) fn next_heads(self, lanes: usize) -> Option<String> {
        match self {
            Self::Sqlite | Self::Postgres => None,
            Self::Mysql => Some(mysql::next_heads(lanes)),
        }
    }

    /// As [`claim_rows`](Self::claim_rows), with the jobs and `[lane name, rank, due, kind, attempt]`, all in one text in which each of both has a line of its own: where the
    /// driver hands each row over to another thread, that costs more than to read it.
    pub(crate) fn claim_lines(self, lanes: usize) -> Option<String> {
        match self {
            Self::Sqlite => Some(sqlite::claim_lines(lanes)),
            Self::Postgres | Self::Mysql => None,
        }
    }

    /// Most lanes that [`claim_rows`](Self::claim_rows) takes at once.
    pub(crate) const fn lanes_at_once(self) -> usize {
        match self {
            Self::Sqlite | Self::Postgres | Self::Mysql => 200,
        }
    }
}

/// Statements by name. `(json)` is the one JSON parameter of a batch; `[…]` shows one element of it. A [`Batched`] one may take the values of the elements instead.
#[derive(Debug)]
pub(crate) struct Sql {
    /// (json) `[name]`
    pub(crate) ensure_lanes: &'static str,
    /// (json) `[job columns]`; answers ids of those that were inserted, or takes a mark for [`WithoutReturning::inserted`]
    pub(crate) insert_jobs: &'static str,
    /// (json) `[plain job columns]`, as `insert_jobs`, where that is worth a statement of its own
    pub(crate) insert_plain_jobs: Option<Batched>,
    /// (json) `[plain job columns]`, none of which is there yet: fails where one is
    pub(crate) insert_new_jobs: Option<Batched>,
    /// (json) `[id, name key or null]`; answers (index, whether the id exists, id of the job with that name)
    pub(crate) existing_jobs: &'static str,
    /// (json) `[job, lane name, rank, due, kind, attempt]`; replaces
    pub(crate) put_queue: Batched,
    /// (json ids)
    pub(crate) delete_queue: Batched,
    /// (json lane names); answers (lane id, rank, earliest due time, last rank in use that has no row here, the clock of a database that has one) of lanes where
    /// something waits
    pub(crate) heads: &'static str,
    /// (json, instance, claim, now) by job: `[job, run, lane name, rank, due, kind, attempt, suspect, version]`
    pub(crate) insert_runs: Batched,
    /// (claim); answers run ids
    pub(crate) runs_of_claim: &'static str,
    /// (); answers names of lanes in which something waits
    pub(crate) waiting_lanes: &'static str,
    /// (lane name, after or null, limit); answers jobs
    pub(crate) waiting_in: &'static str,
    /// (json) `[job, run, version, index]`; answers (index, counted from [`Part::first`], whether the run is there) of those that cannot be settled
    pub(crate) finish_exceptions: Batched,
    /// (json ids of jobs)
    pub(crate) delete_runs: Batched,
    /// (json ids of runs)
    pub(crate) delete_locks: &'static str,
    /// (json) `[log columns]`
    pub(crate) insert_logs: Batched,
    /// (json) `[job, state, result, last run, trigger count, try count, interruptions, suspect interruptions, abandoned]`
    pub(crate) settle_jobs: Batched,
    /// (json ids, tenant or null); answers (job, queue row or null, run row or null)
    pub(crate) snapshots: &'static str,
    /// (json) `[job columns]`: everything but id, tenant and creation time
    pub(crate) update_jobs: &'static str,
    /// (job, after or null, cancel or null)
    pub(crate) update_run: &'static str,
    /// (json ids)
    pub(crate) delete_jobs: Batched,
    /// (instance, name, state, started, heartbeat, capacity, running, lanes, version; where rows have locks also the process)
    pub(crate) put_node: &'static str,
    /// (instance); answers the state, and the clock of a database that has one
    pub(crate) node_state: &'static str,
    /// (instance, now, running, lanes or null)
    pub(crate) renew_node: &'static str,
    /// (instance, json runs)
    pub(crate) clear_suspects: &'static str,
    /// (instance); answers (job, run, reason)
    pub(crate) cancel_requests: &'static str,
    /// (instance); answers runs
    pub(crate) runs_of: &'static str,
    /// (); answers nodes
    pub(crate) nodes: &'static str,
    /// (instance, heartbeat)
    pub(crate) declare_dead: &'static str,
    /// (json ids); answers those that were alive
    pub(crate) declare_gone: &'static str,
    /// (instance); answers instances of other living members, and their processes
    pub(crate) other_living_nodes: &'static str,
    /// (instance)
    pub(crate) stop_node: &'static str,
    /// (limit; where rows have locks: json ids); answers (job, run row, node name)
    pub(crate) orphaned_runs: &'static str,
    /// (json, instance, claim, now) `[job, former run, new run, version]`
    pub(crate) take_runs: &'static str,
    /// (tenant, key, job, run, now)
    pub(crate) acquire_lock: &'static str,
    /// (tenant, key, run)
    pub(crate) release_lock: &'static str,
    /// (tenant or null, limit); answers (job, queue row, run row)
    pub(crate) running_list: &'static str,
    /// (tenant or null, limit, now); answers (job, queue row, run row)
    pub(crate) waiting_list: &'static str,
    /// (tenant or null, after or null, limit); answers (job, queue row, run row)
    pub(crate) period_tasks: &'static str,
    /// (job, run); answers a log row
    pub(crate) find_log: &'static str,
    /// (tenant or null); answers (status, jobs, abandoned jobs)
    pub(crate) counts: &'static str,
    /// (before, state, abandoned or null, mode of types, json types, limit); answers ids
    pub(crate) old_jobs: &'static str,
    /// (before, state, abandoned or null, mode of types, json types, json ids)
    pub(crate) delete_old_jobs: &'static str,
    /// (before, outcome or null, mode of types, json types, limit); answers (job, start, run)
    pub(crate) old_logs: &'static str,
    /// (json jobs, starts, runs)
    pub(crate) delete_logs: &'static str,
    /// (before, limit); answers instances
    pub(crate) delete_old_nodes: &'static str,
    /// (after or null, limit); answers (job, whether it should be armed and is not)
    pub(crate) find_unarmed: &'static str,
    /// (name); answers the value
    pub(crate) read_cursor: &'static str,
    /// (name, value); replaces
    pub(crate) put_cursor: &'static str,
    /// (name)
    pub(crate) delete_cursor: &'static str,
    /// (tenant or null, since); answers (type, outcome, runs, total and longest duration), in that order
    pub(crate) run_statistics: &'static str,
    /// (json, now) `[job, run, done, total, message]`
    pub(crate) store_progress: &'static str,
    /// Job columns of a list, as one JSON array
    pub(crate) job_columns: &'static str,
    /// Queue columns of a list, or NULL
    pub(crate) queue_columns: &'static str,
    /// Run columns of a list, or NULL
    pub(crate) run_columns: &'static str,
    /// Log columns of a list
    pub(crate) log_columns: &'static str,
    /// Tables of a list of jobs: `j`, `q`, `r`
    pub(crate) job_tables: &'static str,
    /// Shown status of a job in such a list
    pub(crate) shown_status: &'static str,
    /// (); answers (schema version, oldest program that understands it)
    pub(crate) schema: &'static str,
    /// (); answers a row where the tables are there
    pub(crate) has_tables: &'static str,
    /// (); answers the database's clock, where it has one
    pub(crate) clock: Option<&'static str>,
    /// What a database needs in which writers lock rows, not all of it
    pub(crate) rows: Option<RowLocks>,
    /// How programs that change the tables hold each other up, where a transaction alone does not
    pub(crate) tables: Option<TableLock>,
    /// What a database with schemas needs
    pub(crate) schemas: Option<Schemas>,
    /// What a database needs that does not answer which rows a statement wrote
    pub(crate) without_returning: Option<WithoutReturning>,
}

/// A lock of all tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableLock {
    /// (): no limit for a statement, a minute for waiting
    pub(crate) patience: &'static str,
    /// (schema or null); where it has to be freed: (), answers 1 when it is taken
    pub(crate) take: &'static str,
    /// (); where the end of the transaction does not free it, and `patience` not end
    pub(crate) free: Option<&'static [&'static str]>,
}

/// Where tables are looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schemas {
    /// (name); answers (whether it is there, whether the user may create one, the user)
    pub(crate) state: &'static str,
    /// (); answers where tables are looked for
    pub(crate) search_path: &'static str,
    /// (path), until the end of the transaction
    pub(crate) set_search_path: &'static str,
}

/// The other half of statements that elsewhere answer what they wrote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WithoutReturning {
    /// (json `[job columns]`, mark); answers ids of rows with the mark
    pub(crate) inserted: &'static str,
    /// (json ids): after [`Sql::declare_gone`] has answered and locked them
    pub(crate) declare_gone: &'static str,
    /// (json ids): after [`Sql::delete_old_nodes`] has answered and locked them
    pub(crate) delete_nodes: &'static str,
}

/// Statements that lock rows. Each is one of its own: what comes after it sees what it waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowLocks {
    /// (json ids)
    pub(crate) jobs: &'static str,
    /// (json ids)
    pub(crate) queue: &'static str,
    /// (tenant, key): locks what is not there yet, too
    pub(crate) key: &'static str,
    /// (json ids); answers (job, queue row) of queue rows that are locked
    pub(crate) claimed: &'static str,
    /// (limit); answers the jobs of runs whose node is gone
    pub(crate) orphans: &'static str,
}
