//! Lists and counts: filter, then order, then cut the page.

use std::cmp::Ordering;
use std::collections::HashSet;

use tasks_abstractions::run::{JobLog, JobSnapshot};
use tasks_abstractions::store::{
    JobCounts, JobLogQuery, JobLogSort, JobQuery, JobSort, Page, Paging, SortOrder,
};
use tasks_abstractions::{JobId, JobInfo, JobState, StoreError, Timestamp};
use tasks_multitenancy::TenantScope;

use super::rows::{JobRow, Rows, invalid};

impl Rows {
    /// Jobs with a run in flight, longest running first.
    pub(super) fn running(&self, scope: TenantScope, limit: usize) -> Vec<JobSnapshot> {
        let mut runs: Vec<_> = self
            .runs()
            .jobs()
            .filter_map(|id| {
                let row = self.visible(scope, id)?;
                Some((row.run()?.claimed_at, id, row))
            })
            .collect();
        runs.sort_unstable_by_key(|(since, id, _)| (*since, *id));
        runs.into_iter()
            .take(limit)
            .map(|(.., row)| row.snapshot())
            .collect()
    }

    /// Jobs that are due, in the order of a claim, whatever lane they wait in.
    pub(super) fn waiting(&self, scope: TenantScope, limit: usize, now: Timestamp) -> Vec<JobSnapshot> {
        let lanes = self.lanes();
        let due = lanes.due(lanes.names(), now, limit, |id| self.visible(scope, id).is_some());
        self.snapshots(scope, &due)
    }

    pub(super) fn snapshots(&self, scope: TenantScope, ids: &[JobId]) -> Vec<JobSnapshot> {
        ids.iter()
            .filter_map(|id| self.visible(scope, *id))
            .map(JobRow::snapshot)
            .collect()
    }

    /// Repeating jobs in state Active, by id.
    pub(super) fn period_tasks(
        &self,
        scope: TenantScope,
        after: Option<JobId>,
        limit: usize,
    ) -> Vec<JobInfo> {
        let mut rows: Vec<_> = self
            .visible_jobs(scope)
            .filter(|it| it.info().is_repeating() && it.state() == JobState::Active)
            .filter(|it| after.is_none_or(|after| it.info().id > after))
            .collect();
        rows.sort_unstable_by_key(|it| it.info().id);
        rows.into_iter().take(limit).map(JobRow::shown).collect()
    }

    pub(super) fn list(&self, scope: TenantScope, query: &JobQuery) -> Result<Page<JobInfo>, StoreError> {
        let ids: Option<HashSet<JobId>> = query.ids.as_ref().map(|it| it.iter().copied().collect());
        let rows = self
            .visible_jobs(scope)
            .filter(|it| ids.as_ref().is_none_or(|ids| ids.contains(&it.info().id)))
            .filter(|it| job_passes(it, query))
            .collect();
        let order = |a: &&JobRow, b: &&JobRow| {
            let by_id = || a.info().id.cmp(&b.info().id);
            directed(compare_jobs(a, b, query.sort).then_with(by_id), query.order)
        };
        page(rows, order, query.paging, JobRow::shown)
    }

    pub(super) fn list_logs(
        &self,
        scope: TenantScope,
        query: &JobLogQuery,
    ) -> Result<Page<JobLog>, StoreError> {
        let rows = self
            .logs
            .iter()
            .filter(|it| scope.allows(it.tenant_id) && log_passes(it, query))
            .collect();
        let order = |a: &&JobLog, b: &&JobLog| {
            let by_key = match query.sort {
                JobLogSort::StartedAt => a.started_at.cmp(&b.started_at),
                JobLogSort::Duration => a.duration.cmp(&b.duration),
            };
            directed(by_key.then_with(|| a.run_id.cmp(&b.run_id)), query.order)
        };
        page(rows, order, query.paging, JobLog::clone)
    }

    pub(super) fn counts(&self, scope: TenantScope) -> JobCounts {
        let mut counts = JobCounts::default();
        for row in self.visible_jobs(scope) {
            *counts.by_status.entry(row.status()).or_insert(0) += 1;
            counts.abandoned += u64::from(row.info().is_abandoned);
        }
        counts
    }

    fn visible_jobs(&self, scope: TenantScope) -> impl Iterator<Item = &JobRow> {
        self.jobs()
            .values()
            .filter(move |it| scope.allows(it.info().tenant_id))
    }
}

/// Orders the rows, cuts the page, and copies only what is on it.
fn page<'a, R, T>(
    mut rows: Vec<&'a R>,
    order: impl Fn(&&'a R, &&'a R) -> Ordering,
    paging: Paging,
    copy: impl Fn(&'a R) -> T,
) -> Result<Page<T>, StoreError> {
    if paging.take > Paging::MAX_TAKE {
        return Err(invalid(format!(
            "a page of {} rows was asked for; ask for at most {}",
            paging.take,
            Paging::MAX_TAKE
        )));
    }
    let total = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let size = |it: u64| usize::try_from(it).unwrap_or(usize::MAX);
    let (skip, take) = (size(paging.skip), size(paging.take));
    let end = skip.saturating_add(take);
    if end < rows.len() {
        // What lies behind the page needs no order; sorting all of a large store for ten rows would hold up the engine.
        rows.select_nth_unstable_by(end, &order);
        rows.truncate(end);
    }
    rows.sort_unstable_by(order);
    let items = rows.into_iter().skip(skip).map(copy).collect();
    Ok(Page { total, items })
}

fn directed(ascending: Ordering, order: SortOrder) -> Ordering {
    match order {
        SortOrder::Ascending => ascending,
        SortOrder::Descending => ascending.reverse(),
    }
}

/// Ascending by the key alone. `None` is less than any value, which is how absent times count as earliest.
fn compare_jobs(a: &JobRow, b: &JobRow, sort: JobSort) -> Ordering {
    let (x, y) = (a.info(), b.info());
    match sort {
        JobSort::CreationTime => x.creation_time.cmp(&y.creation_time),
        JobSort::Name => x.name.cmp(&y.name),
        JobSort::Group => x.group.cmp(&y.group),
        JobSort::TypeName => x.type_name.cmp(&y.type_name),
        JobSort::LastRunTime => x.last_run_time.cmp(&y.last_run_time),
        JobSort::NextRunTime => a.next_run_time().cmp(&b.next_run_time()),
        JobSort::Priority => x.priority.cmp(&y.priority),
        JobSort::TriggerCount => x.trigger_count.cmp(&y.trigger_count),
        JobSort::TryCount => x.try_count.cmp(&y.try_count),
    }
}

pub(super) fn job_passes(row: &JobRow, query: &JobQuery) -> bool {
    let job = row.info();
    let description = job.description.as_deref().unwrap_or("");
    contained(
        &query.filter,
        &[&job.name, &job.group, &job.type_name, description],
    ) && equal(&query.name, &job.name)
        && equal(&query.group, &job.group)
        && contained(&query.type_name, &[&job.type_name])
        && equal(&query.exact_type, &job.type_name)
        && equal(&query.status, &row.status())
        && equal(&query.job_type, &job.job_type)
        && equal(&query.priority, &job.priority)
        && equal(&query.source, &job.source)
        && equal(&query.is_abandoned, &job.is_abandoned)
        && equal(&query.is_enabled, &job.is_enabled)
        && (query.node_name.is_none() || query.node_name == job.node_name)
        && within(query.begin_time, None, Some(job.begin_time))
        && within(None, query.end_time, job.end_time)
        && within(
            query.begin_last_run_time,
            query.end_last_run_time,
            job.last_run_time,
        )
        && within(
            query.begin_creation_time,
            query.end_creation_time,
            Some(job.creation_time),
        )
}

fn log_passes(log: &JobLog, query: &JobLogQuery) -> bool {
    let message = log.message.as_deref().unwrap_or("");
    equal(&query.job_id, &log.job_id)
        && contained(
            &query.filter,
            &[&log.job_name, &log.job_group, &log.type_name, message],
        )
        && equal(&query.name, &log.job_name)
        && equal(&query.group, &log.job_group)
        && contained(&query.type_name, &[&log.type_name])
        && equal(&query.outcome, &log.outcome)
        && equal(&query.has_exceptions, &log.error.is_some())
        && within(query.begin_run_time, query.end_run_time, Some(log.started_at))
}

fn equal<T: PartialEq>(wanted: &Option<T>, value: &T) -> bool {
    wanted.as_ref().is_none_or(|it| it == value)
}

fn contained(wanted: &Option<String>, texts: &[&str]) -> bool {
    wanted
        .as_deref()
        .is_none_or(|it| texts.iter().any(|text| text.contains(it)))
}

/// Bounds are inclusive; an absent instant lies within no bound that is set.
fn within(from: Option<Timestamp>, to: Option<Timestamp>, at: Option<Timestamp>) -> bool {
    from.is_none_or(|from| at.is_some_and(|it| it >= from))
        && to.is_none_or(|to| at.is_some_and(|it| it <= to))
}
