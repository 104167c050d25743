//! Reading, storing and removing jobs for people and managers.

use sea_orm::{ConnectionTrait, QueryResult, Value};
use tasks_abstractions::job::JobStatus;
use tasks_abstractions::run::JobSnapshot;
use tasks_abstractions::store::{JobCounts, JobQuery, JobSort, Page, Paging, SortOrder, StoreErrorKind};
use tasks_abstractions::{JobId, JobInfo, StoreError, Timestamp};
use tasks_multitenancy::TenantScope;

use crate::change::{self, name_holder};
use crate::dialect::Dialect;
use crate::row::{Hex, JobRow, json_rows, micros, read_job, read_snapshot};
use crate::statement::{On, column};
use crate::store::{SeaOrmStore, lock_jobs_and_queue};
use crate::submit::{insert_rows, refuse_job_nul};

/// The tenant of a scope as it is bound: NULL for all.
pub(crate) fn tenant<C: ConnectionTrait>(on: On<'_, C>, scope: TenantScope) -> Value {
    on.dialect.optional_uuid(scope.only().map(|it| it.as_uuid()))
}

/// Jobs with their executions in the order of `ids`; missing ones are left out.
pub(crate) async fn snapshots_on<C: ConnectionTrait>(
    on: On<'_, C>,
    scope: TenantScope,
    ids: &[JobId],
) -> Result<Vec<JobSnapshot>, StoreError> {
    let mut snapshots = Vec::with_capacity(ids.len());
    for (json, _) in json_rows(ids.iter().map(|it| Hex(it.as_uuid())))? {
        let values = vec![json.into(), tenant(on, scope)];
        let rows = on.rows(on.dialect.sql().snapshots, values, "read jobs").await?;
        for row in &rows {
            snapshots.push(read_snapshot(row)?);
        }
    }
    Ok(snapshots)
}

fn limit(limit: usize) -> Value {
    i64::try_from(limit).unwrap_or(i64::MAX).into()
}

impl SeaOrmStore {
    pub(crate) async fn snapshots_of(
        &self,
        scope: TenantScope,
        ids: &[JobId],
    ) -> Result<Vec<JobSnapshot>, StoreError> {
        snapshots_on(self.reading(), scope, ids).await
    }

    pub(crate) async fn running(
        &self,
        scope: TenantScope,
        most: usize,
    ) -> Result<Vec<JobSnapshot>, StoreError> {
        let on = self.reading();
        let values = vec![tenant(on, scope), limit(most)];
        let rows = on
            .rows(on.dialect.sql().running_list, values, "list running jobs")
            .await?;
        rows.iter().map(read_snapshot).collect()
    }

    pub(crate) async fn waiting(
        &self,
        scope: TenantScope,
        most: usize,
        now: Option<Timestamp>,
    ) -> Result<Vec<JobSnapshot>, StoreError> {
        let on = self.reading();
        let values = vec![
            tenant(on, scope),
            limit(most),
            micros(self.now_on(on, now).await?).into(),
        ];
        let rows = on
            .rows(on.dialect.sql().waiting_list, values, "list due jobs")
            .await?;
        rows.iter().map(read_snapshot).collect()
    }

    pub(crate) async fn period_tasks(
        &self,
        scope: TenantScope,
        after: Option<JobId>,
        most: usize,
    ) -> Result<Vec<JobInfo>, StoreError> {
        let on = self.reading();
        let after = on.dialect.optional_uuid(after.map(|it| it.as_uuid()));
        let values = vec![tenant(on, scope), after, limit(most)];
        let rows = on
            .rows(on.dialect.sql().period_tasks, values, "list repeating jobs")
            .await?;
        rows.iter().map(read_job).collect()
    }

    pub(crate) async fn store_job(&self, job: &JobInfo) -> Result<Option<JobInfo>, StoreError> {
        let doing = "store a job";
        refuse_job_nul(job)?;
        let id = job.id;
        let tx = self.begin(doing).await?;
        let on = self.on(&tx);
        lock_jobs_and_queue(on, &[id], doing).await?;
        let former = snapshots_on(on, TenantScope::All, &[id]).await?.pop();
        match former {
            None => {
                let row = JobRow {
                    job,
                    state: job.state(),
                };
                let mut inserted = 0;
                for (json, _) in json_rows([row])? {
                    inserted += insert_rows(on, on.dialect.sql().insert_jobs, json, doing)
                        .await?
                        .len();
                }
                if inserted == 0 {
                    // Somebody else may have stored this id since the look.
                    let free = snapshots_on(on, TenantScope::All, &[id]).await?.is_empty();
                    self.rollback(tx, doing).await?;
                    return match free {
                        true => Err(name_taken(job, None)),
                        false => Ok(None),
                    };
                }
            }
            // The id of another tenant must not be found out by this.
            Some(it) if it.job.version != job.version || it.job.tenant_id != job.tenant_id => {
                self.rollback(tx, doing).await?;
                return Ok(None);
            }
            Some(it) => {
                if let Some(by) = name_holder(on, &it.job, job).await? {
                    self.rollback(tx, doing).await?;
                    return Err(name_taken(job, Some(by)));
                }
                change::update(on, &redefined(it.job, job.clone())).await?;
            }
        }
        let stored = snapshots_on(on, TenantScope::All, &[id]).await?.pop();
        self.commit(tx, doing).await?;
        Ok(stored.map(|it| it.job))
    }

    pub(crate) async fn remove_job(&self, scope: TenantScope, id: JobId) -> Result<bool, StoreError> {
        let doing = "remove a job";
        let tx = self.begin(doing).await?;
        let on = self.on(&tx);
        lock_jobs_and_queue(on, &[id], doing).await?;
        let Some(job) = snapshots_on(on, scope, &[id]).await?.pop() else {
            self.rollback(tx, doing).await?;
            return Ok(false);
        };
        change::delete(on, &job).await?;
        self.commit(tx, doing).await?;
        Ok(true)
    }

    pub(crate) async fn list_jobs(
        &self,
        scope: TenantScope,
        query: &JobQuery,
    ) -> Result<Page<JobInfo>, StoreError> {
        let on = self.reading();
        let sql = on.dialect.sql();
        let filter = job_filter(on.dialect, scope, query)?;
        let sort = match query.sort {
            JobSort::CreationTime => "j.creation_time",
            JobSort::Name => "j.name",
            JobSort::Group => "j.job_group",
            JobSort::TypeName => "j.type_name",
            JobSort::LastRunTime => "j.last_run_time",
            JobSort::NextRunTime => "q.due_at",
            JobSort::Priority => "j.priority",
            JobSort::TriggerCount => "j.trigger_count",
            JobSort::TryCount => "j.try_count",
        };
        let list = List {
            columns: &format!("{}, {}, {}", sql.job_columns, sql.queue_columns, sql.run_columns),
            tables: sql.job_tables,
            sort,
            may_be_null: matches!(query.sort, JobSort::LastRunTime | JobSort::NextRunTime),
            then: "j.id",
            order: query.order,
            paging: query.paging,
        };
        list.read(on, filter, "list jobs", read_job).await
    }

    pub(crate) async fn count_jobs(&self, scope: TenantScope) -> Result<JobCounts, StoreError> {
        let doing = "count jobs";
        let on = self.reading();
        let rows = on
            .rows(on.dialect.sql().counts, vec![tenant(on, scope)], doing)
            .await?;
        let mut counts = JobCounts::default();
        let size =
            |row: &QueryResult, at| column::<i64>(row, at, doing).map(|it| u64::try_from(it).unwrap_or(0));
        for row in &rows {
            let status = JobStatus::try_from(column::<i64>(row, 0, doing)?)
                .map_err(|it| crate::row::unreadable("the state of a job", &it.to_string()))?;
            counts.by_status.insert(status, size(row, 1)?);
            counts.abandoned += size(row, 2)?;
        }
        Ok(counts)
    }
}

fn name_taken(job: &JobInfo, by: Option<JobId>) -> StoreError {
    let by = by.map_or_else(|| "another job".to_owned(), |it| format!("job {it}"));
    StoreError::new(
        StoreErrorKind::Rejected,
        format!(
            "{by} has the name `{}` in group `{}`; choose another name",
            job.name, job.group
        ),
    )
}

/// A job with a new definition and new settings: what happened to it so far stays.
fn redefined(former: JobInfo, new: JobInfo) -> JobInfo {
    JobInfo {
        status: former.status,
        result: former.result,
        creation_time: former.creation_time,
        last_run_time: former.last_run_time,
        trigger_count: former.trigger_count,
        try_count: former.try_count,
        is_abandoned: former.is_abandoned,
        interruptions: former.interruptions,
        suspect_interruptions: former.suspect_interruptions,
        version: former.version + 1,
        ..new
    }
}

/// The conditions of a query on the tables of a list.
pub(crate) fn job_filter(
    dialect: Dialect,
    scope: TenantScope,
    query: &JobQuery,
) -> Result<Filter, StoreError> {
    let mut filter = Filter::of(dialect);
    filter.is("j.tenant_id", scope.only().map(|it| dialect.uuid(it.as_uuid())));
    filter.contains(
        &["j.name", "j.job_group", "j.type_name", "j.description"],
        query.filter.as_deref(),
    );
    if let Some(ids) = &query.ids {
        let ids = ids.iter().map(|it| Hex(it.as_uuid())).collect::<Vec<_>>();
        let json = serde_json::to_string(&ids).map_err(|it| {
            StoreError::new(StoreErrorKind::Invalid, "ids cannot be written as JSON").caused_by(it)
        })?;
        filter.add(dialect.is_one_of("j.id"), [json.into()]);
    }
    filter.is("j.name", query.name.as_deref());
    filter.is("j.job_group", query.group.as_deref());
    filter.contains(&["j.type_name"], query.type_name.as_deref());
    filter.is("j.type_name", query.exact_type.as_deref());
    filter.is(dialect.sql().shown_status, query.status.map(|it| it.code()));
    filter.is("j.job_type", query.job_type.map(|it| it.code()));
    filter.is("j.priority", query.priority.map(|it| it.code()));
    filter.is("j.source", query.source.map(|it| it.code()));
    // The rare ones are found by the index of what needs attention, however many jobs there are.
    filter.is("j.attention", query.is_abandoned.filter(|it| *it).map(i64::from));
    filter.is(
        "j.is_abandoned",
        query.is_abandoned.filter(|it| !*it).map(i64::from),
    );
    filter.is("j.is_enabled", query.is_enabled.map(i64::from));
    filter.is("j.node_name", query.node_name.as_deref());
    filter.within("j.begin_time", query.begin_time, None);
    filter.within("j.end_time", None, query.end_time);
    filter.within(
        "j.last_run_time",
        query.begin_last_run_time,
        query.end_last_run_time,
    );
    filter.within(
        "j.creation_time",
        query.begin_creation_time,
        query.end_creation_time,
    );
    Ok(filter)
}

/// Conditions with their values, in order.
#[derive(Debug)]
pub(crate) struct Filter {
    dialect: Dialect,
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Filter {
    pub(crate) fn of(dialect: Dialect) -> Self {
        Self {
            dialect,
            conditions: Vec::new(),
            values: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, condition: impl Into<String>, values: impl IntoIterator<Item = Value>) {
        self.conditions.push(condition.into());
        self.values.extend(values);
    }

    /// The condition with its `WHERE`, empty where nothing is filtered, and its values.
    pub(crate) fn into_parts(self) -> (String, Vec<Value>) {
        let condition = if self.conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", self.conditions.join(" AND "))
        };
        (condition, self.values)
    }

    /// Equal, where a value is wanted.
    pub(crate) fn is<V: Into<Value>>(&mut self, column: &str, wanted: Option<V>) {
        if let Some(wanted) = wanted {
            self.add(format!("({column}) = ?"), [wanted.into()]);
        }
    }

    /// Contained in one of the columns, by bytes: case counts, and no character is a wildcard.
    pub(crate) fn contains(&mut self, columns: &[&str], wanted: Option<&str>) {
        let Some(wanted) = wanted else { return };
        let any = columns
            .iter()
            .map(|it| self.dialect.contains(it))
            .collect::<Vec<_>>();
        self.add(
            format!("({})", any.join(" OR ")),
            columns.iter().map(|_| wanted.into()),
        );
    }

    /// Between both, inclusive; NULL is within no bound that is set.
    pub(crate) fn within(&mut self, column: &str, from: Option<Timestamp>, to: Option<Timestamp>) {
        if let Some(from) = from {
            self.add(format!("{column} >= ?"), [micros(from).into()]);
        }
        if let Some(to) = to {
            self.add(format!("{column} <= ?"), [micros(to).into()]);
        }
    }
}

/// A sorted, paged list.
#[derive(Debug)]
pub(crate) struct List<'a> {
    pub(crate) columns: &'a str,
    pub(crate) tables: &'a str,
    pub(crate) sort: &'a str,
    /// Whether rows may have no value to sort by; those are the smallest.
    pub(crate) may_be_null: bool,
    /// What breaks ties, in the same direction.
    pub(crate) then: &'a str,
    pub(crate) order: SortOrder,
    pub(crate) paging: Paging,
}

impl List<'_> {
    pub(crate) async fn read<C: ConnectionTrait, T>(
        self,
        on: On<'_, C>,
        filter: Filter,
        doing: &str,
        read: fn(&QueryResult) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        if self.paging.take > Paging::MAX_TAKE {
            return Err(StoreError::new(
                StoreErrorKind::Invalid,
                format!(
                    "a page of {} rows was asked for; ask for at most {}",
                    self.paging.take,
                    Paging::MAX_TAKE
                ),
            ));
        }
        let Self {
            columns,
            tables,
            sort,
            then,
            ..
        } = self;
        let dialect = on.dialect;
        let (filtered, filter_values) = filter.into_parts();
        let count = format!("SELECT count(*) FROM {tables}{filtered}");
        let total: Option<i64> = on
            .row(dialect.placed(count), filter_values.clone(), doing)
            .await?
            .map(|it| column(&it, 0, doing))
            .transpose()?;
        let sort = dialect.order(sort, self.may_be_null, self.order);
        let then = dialect.order(then, false, self.order);
        let page =
            format!("SELECT {columns} FROM {tables}{filtered} ORDER BY {sort}, {then} LIMIT ? OFFSET ?");
        let mut values = filter_values;
        let bound = |it: u64| Value::from(i64::try_from(it).unwrap_or(i64::MAX));
        values.extend([bound(self.paging.take), bound(self.paging.skip)]);
        let rows = on.rows(dialect.placed(page), values, doing).await?;
        Ok(Page {
            total: total.and_then(|it| u64::try_from(it).ok()).unwrap_or(0),
            items: rows.iter().map(read).collect::<Result<_, _>>()?,
        })
    }
}
