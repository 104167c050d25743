//! A person at work during the run: pauses and resumes whole groups, edits and deletes jobs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tasks_abstractions::store::JobQuery;
use tasks_abstractions::{
    BulkMode, Clock, CommandAnswer, JobCommand, JobId, JobLimits, JobManagement as _, JobStore as _,
    ManagementError,
};
use tasks_core::{EngineJobDispatcher, EngineJobPublisher, EngineManagement};
use tasks_multitenancy::TenantScope;
use tasks_store_seaorm::SeaOrmStore;
use tests::chaos::{GROUPS, Moment};

use crate::answers::{Answer, Answers};
use crate::producer::{Shared, signals_of};
use crate::settings::Settings;
use crate::waiting::pause;

const AGAIN: Duration = Duration::from_millis(200);

/// The person.
#[derive(Debug)]
pub(crate) struct Operator<'a> {
    store: &'a SeaOrmStore,
    answers: &'a Answers,
    shared: &'a Shared,
    settings: &'a Settings,
    management: EngineManagement,
    rng: StdRng,
    edits: u64,
}

impl<'a> Operator<'a> {
    pub(crate) fn new(
        store: &'a SeaOrmStore,
        clock: Arc<dyn Clock>,
        answers: &'a Answers,
        shared: &'a Shared,
        settings: &'a Settings,
        seed: u64,
    ) -> Self {
        Self {
            store,
            answers,
            shared,
            settings,
            management: management(store, clock),
            rng: StdRng::seed_from_u64(seed ^ 0x2222_2222),
            edits: 0,
        }
    }

    /// Works until the load is over; leaves nothing paused.
    pub(crate) async fn run(mut self) -> Result<()> {
        let mut round = 0;
        while !self.shared.is_over.get() {
            pause(self.settings.heartbeat).await;
            let group = GROUPS[round % GROUPS.len()];
            if round % 3 == 2 {
                self.hold_whole(group).await?;
            } else {
                self.hold_each(group).await?;
            }
            self.edit().await?;
            self.delete().await?;
            round += 1;
        }
        Ok(())
    }

    /// Pauses the jobs of a group that were accepted last, each with an answer of its own, and looks at the end whether they are.
    async fn hold_each(&mut self, group: &str) -> Result<()> {
        let ids: Vec<JobId> = {
            let recent = self.shared.recent.borrow();
            let of_group = recent.iter().rev().filter(|it| it.1 == Some(group));
            of_group
                .take(150)
                .map(|it| it.0.parse())
                .collect::<Result<_, _>>()?
        };
        let many = |command| {
            self.management
                .command_many(TenantScope::All, &ids, command, BulkMode::Apply)
        };
        let mut paused = Vec::new();
        // Where the store was away, some may have been paused and some not: they are resumed all the same.
        if let Ok(answers) = many(JobCommand::Pause).await {
            let at = Moment::now();
            let changed = ids
                .iter()
                .zip(&answers)
                .filter(|(_, it)| **it == CommandAnswer::Changed);
            paused = changed.map(|(id, _)| *id).collect();
            let lines: Vec<Answer> = paused
                .iter()
                .map(|id| Answer::Paused {
                    job: id.to_string(),
                    at,
                })
                .collect();
            self.answers.write(&lines)?;
        }
        pause(self.settings.heartbeat * 2).await;
        let at = Moment::now();
        if let Ok(snapshots) = self.store.snapshots(TenantScope::All, &paused).await {
            let lines: Vec<Answer> = snapshots
                .iter()
                .map(|it| Answer::Held {
                    job: it.job.id.to_string(),
                    status: format!("{:?}", it.job.status),
                    at,
                })
                .collect();
            self.answers.write(&lines)?;
        }
        while many(JobCommand::Resume).await.is_err() {
            pause(AGAIN).await;
        }
        Ok(())
    }

    /// Pauses and resumes a whole group by filter, against everything that goes on in it.
    async fn hold_whole(&self, group: &str) -> Result<()> {
        let query = JobQuery {
            group: Some(group.to_owned()),
            ..JobQuery::default()
        };
        let all = |command| {
            self.management
                .command_where(TenantScope::All, &query, command, BulkMode::Apply)
        };
        // Where the store was away, some may have been paused: they are resumed all the same.
        drop(all(JobCommand::Pause).await);
        pause(self.settings.heartbeat).await;
        while all(JobCommand::Resume).await.is_err() {
            pause(AGAIN).await;
        }
        Ok(())
    }

    fn some(&mut self, count: usize) -> Result<Vec<JobId>> {
        let recent = self.shared.recent.borrow();
        // The last ones, which may be waiting or running.
        let last = &recent[recent.len().saturating_sub(60)..];
        if last.is_empty() {
            return Ok(Vec::new());
        }
        let pick = (0..count).map(|_| last[self.rng.random_range(0..last.len())].0.parse());
        Ok(pick.collect::<Result<_, _>>()?)
    }

    async fn edit(&mut self) -> Result<()> {
        for id in self.some(5)? {
            self.edits += 1;
            let text = format!("edit {}", self.edits);
            let Ok(mut job) = self.management.get(TenantScope::All, id).await else {
                continue;
            };
            job.description = Some(text.clone());
            let is_sure = match self.management.update(TenantScope::All, job).await {
                Ok(_) => true,
                Err(ManagementError::Store(error)) if error.is_unavailable() => false,
                Err(ManagementError::Conflict { .. } | ManagementError::NotFound(_)) => continue,
                Err(error) => return Err(error).context("an edit was refused"),
            };
            self.answers.write(&[Answer::Edited {
                job: id.to_string(),
                text,
                is_sure,
            }])?;
        }
        Ok(())
    }

    async fn delete(&mut self) -> Result<()> {
        for id in self.some(1)? {
            loop {
                match self
                    .management
                    .command(TenantScope::All, id, JobCommand::Delete)
                    .await
                {
                    // Not found: by an earlier request whose reply was lost.
                    Ok(CommandAnswer::Changed | CommandAnswer::NotFound) => break,
                    Ok(other) => anyhow::bail!("a job could not be deleted: {other:?}"),
                    Err(ManagementError::Store(error)) if error.is_unavailable() => pause(AGAIN).await,
                    Err(error) => return Err(error).context("a job could not be deleted"),
                }
            }
            self.answers.write(&[Answer::Deleted {
                job: id.to_string(),
                at: Moment::now(),
            }])?;
        }
        Ok(())
    }
}

/// The management of a driver, which has no engine of its own to wake.
pub(crate) fn management(store: &SeaOrmStore, clock: Arc<dyn Clock>) -> EngineManagement {
    let signals = signals_of(store);
    EngineManagement::new(
        Arc::new(store.clone()),
        Arc::new(store.clone()),
        Arc::new(EngineJobPublisher::new(signals.clone())),
        Arc::new(EngineJobDispatcher::new(signals)),
        clock,
        JobLimits::default(),
    )
}
