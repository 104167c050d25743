//! Enqueues jobs, alone and in transactions of an application, and notes what it was promised.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sea_orm::{ConnectionTrait as _, FromQueryResult, Statement};
use tasks_abstractions::store::{PreparedJob, SubmitAnswer};
use tasks_abstractions::{
    BackgroundJobManager as _, Clock, EnqueueRequest, JobArgs, JobPriority, StoreError,
};
use tasks_core::{EngineJobPublisher, Signals, StoreBackgroundJobManager};
use tasks_multitenancy::TenantId;
use tasks_store_seaorm::SeaOrmStore;
use tests::chaos::{Does, GROUPS, LOCKS, SPECIAL_TYPE, WORK_TYPE, Work};
use uuid::Uuid;

use crate::answers::{Answer, Answers};
use crate::settings::Settings;
use crate::waiting::pause;

/// Signals of a process that is no node: the nodes hear of what it does, where the store carries that.
pub(crate) fn signals_of(store: &SeaOrmStore) -> Signals {
    let signals = Signals::new();
    if let Some(notifier) = store.notifier() {
        // These signals are new, so there is no other.
        let _ = signals.connect(Arc::clone(notifier));
    }
    signals
}

/// Table of the application, whose rows commit or vanish with their jobs.
pub(crate) const ORDERS: &str = "chaos_orders";
/// How long a request waits before it is made again.
const AGAIN: Duration = Duration::from_millis(200);

/// What producer and operator share: the jobs that were accepted last, and whether the load is over.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) is_over: Cell<bool>,
    pub(crate) recent: RefCell<Vec<(String, Option<&'static str>)>>,
}

/// Enqueues.
#[derive(Debug)]
pub(crate) struct Producer<'a> {
    pub(crate) store: &'a SeaOrmStore,
    pub(crate) answers: &'a Answers,
    pub(crate) shared: &'a Shared,
    pub(crate) settings: &'a Settings,
    pub(crate) nodes: usize,
    jobs: StoreBackgroundJobManager,
    rng: StdRng,
    serial: u64,
    /// Whether some jobs kill their process.
    with_aborts: bool,
}

struct Draft {
    prepared: PreparedJob,
    work: Work,
    group: Option<&'static str>,
}

/// Why a transaction of the application was not committed.
enum Undone {
    Wanted,
    Store(StoreError),
    Database,
}

impl From<StoreError> for Undone {
    fn from(it: StoreError) -> Self {
        Self::Store(it)
    }
}

impl<'a> Producer<'a> {
    pub(crate) fn new(
        store: &'a SeaOrmStore,
        clock: Arc<dyn Clock>,
        answers: &'a Answers,
        shared: &'a Shared,
        settings: &'a Settings,
        (seed, nodes, with_aborts): (u64, usize, bool),
    ) -> Self {
        let guids = Arc::new(tasks_abstractions::SequentialGuidGenerator::new(Arc::clone(
            &clock,
        )));
        let jobs = StoreBackgroundJobManager::new(
            Arc::new(store.clone()),
            Arc::new(EngineJobPublisher::new(signals_of(store))),
            clock,
            guids,
            tasks_abstractions::JobLimits::default(),
        );
        Self {
            store,
            answers,
            shared,
            settings,
            nodes,
            jobs,
            rng: StdRng::seed_from_u64(seed ^ 0x1111_1111),
            serial: 0,
            with_aborts,
        }
    }

    /// Enqueues until the load is over.
    pub(crate) async fn run(mut self) -> Result<()> {
        while !self.shared.is_over.get() {
            let count = self.rng.random_range(1..=15_u64);
            let drafts = (0..count).map(|_| self.draft()).collect::<Result<Vec<_>>>()?;
            match self.rng.random_range(0..10_u8) {
                0 => self.roll_back(drafts).await?,
                1 | 2 => self.with_orders(drafts).await?,
                _ => self.submit(drafts).await?,
            }
            pause(Duration::from_secs_f64(count as f64 / self.settings.rate)).await;
        }
        Ok(())
    }

    fn draft(&mut self) -> Result<Draft> {
        self.serial += 1;
        let does = self.does();
        let rng = &mut self.rng;
        let is_special = rng.random_bool(0.05) && !matches!(does, Does::Abort);
        let work = Work {
            serial: self.serial,
            does,
        };
        let type_name = if is_special { SPECIAL_TYPE } else { WORK_TYPE };
        let mut request = EnqueueRequest::new(type_name, JobArgs::from_typed(&work)?);
        // What is given up must not begin anew with the resume of its group.
        let is_held = rng.random_bool(0.4) && !matches!(does, Does::Abort | Does::FailAlways);
        let group = is_held.then(|| GROUPS[rng.random_range(0..GROUPS.len())]);
        request.group = group.map(ToOwned::to_owned);
        request.tenant_id = match rng.random_range(0..4_u128) {
            0 => None,
            tenant => Some(TenantId::new(Uuid::from_u128(tenant))),
        };
        request.priority = [None, None, Some(JobPriority::High), Some(JobPriority::Low)]
            .get(rng.random_range(0..4_usize))
            .copied()
            .flatten();
        request.delay = rng
            .random_bool(0.2)
            .then(|| Duration::from_millis(rng.random_range(0..2_000)));
        request.node_name = rng
            .random_bool(0.05)
            .then(|| format!("n{}", rng.random_range(1..=self.nodes)));
        request.interval = Some(Duration::from_millis(rng.random_range(100..1_500)));
        if does == Does::FailAlways {
            request.max_try_count = Some(3);
        }
        let prepared = self.jobs.prepare_request(request)?;
        Ok(Draft {
            prepared,
            work,
            group,
        })
    }

    fn does(&mut self) -> Does {
        let rng = &mut self.rng;
        let long = self.settings.long;
        // So many that about a quarter of all slots is taken by them.
        let slots = (self.settings.concurrency * self.nodes) as f64;
        let long_share = slots / 4.0 / self.settings.rate / long.as_secs_f64();
        let millis = u64::try_from(long.as_millis()).unwrap_or(u64::MAX);
        let luck: f64 = rng.random();
        if luck < long_share {
            return Does::Long {
                millis: rng.random_range(millis * 3 / 4..=millis),
            };
        }
        match rng.random_range(0..1_000_u32) {
            0..2 if self.with_aborts => Does::Abort,
            2..12 => Does::FailAlways,
            12..30 => Does::Sour,
            30..80 => Does::FailFirst {
                times: rng.random_range(1..=3),
            },
            80..120 => Does::Locked {
                key: rng.random_range(0..LOCKS),
                millis: rng.random_range(10..200),
            },
            120..180 => Does::Late {
                millis: rng.random_range(300..1_800),
            },
            180..240 => Does::Parent {
                millis: rng.random_range(0..60),
            },
            _ => Does::Quick {
                millis: rng.random_range(0..60),
            },
        }
    }

    /// Until the store has answered: a request whose reply was lost is made again, and the store knows its jobs.
    async fn submit(&self, drafts: Vec<Draft>) -> Result<()> {
        let jobs: Vec<PreparedJob> = drafts.iter().map(|it| it.prepared.clone()).collect();
        loop {
            match self.jobs.submit(jobs.clone()).await {
                Ok(answers) => {
                    if answers
                        .iter()
                        .any(|it| matches!(it, SubmitAnswer::NameTaken { .. }))
                    {
                        bail!("a generated name is taken");
                    }
                    return self.accepted(drafts, false);
                }
                Err(tasks_abstractions::EnqueueError::Store(error)) if error.is_unavailable() => {}
                Err(error) => return Err(error).context("a job was refused"),
            }
            pause(AGAIN).await;
        }
    }

    async fn with_orders(&self, drafts: Vec<Draft>) -> Result<()> {
        let jobs: Vec<PreparedJob> = drafts.iter().map(|it| it.prepared.clone()).collect();
        loop {
            match self.transaction(&jobs, true).await {
                Ok(()) => return self.accepted(drafts, true),
                Err(Undone::Store(error)) if error.is_unavailable() => {}
                Err(Undone::Store(error)) => return Err(error).context("a transaction failed"),
                // The way to the database, or a full disk: the same as above, in the application's own statements.
                Err(Undone::Database) => {}
                Err(Undone::Wanted) => bail!("a transaction was rolled back that should not be"),
            }
            pause(AGAIN).await;
        }
    }

    /// A transaction that the application gives up.
    async fn roll_back(&self, drafts: Vec<Draft>) -> Result<()> {
        let jobs: Vec<PreparedJob> = drafts.iter().map(|it| it.prepared.clone()).collect();
        // Whatever it answers: it cannot have been committed.
        drop(self.transaction(&jobs, false).await);
        let answers: Vec<Answer> = drafts
            .iter()
            .map(|it| Answer::RolledBack {
                job: it.prepared.job.id.to_string(),
            })
            .collect();
        self.answers.write(&answers)
    }

    async fn transaction(&self, jobs: &[PreparedJob], commits: bool) -> Result<(), Undone> {
        let body = |tx: tasks_store_seaorm::StoreTransaction| async move {
            tx.enqueue_many(jobs).await?;
            for it in jobs {
                let id = it.job.id;
                let there = format!("SELECT id FROM {ORDERS} WHERE id = '{id}'");
                let there = tx.query_one_raw(Statement::from_string(tx.get_database_backend(), there));
                if there.await.map_err(|_| Undone::Database)?.is_none() {
                    let sql = format!("INSERT INTO {ORDERS} (id) VALUES ('{id}')");
                    tx.execute_unprepared(&sql).await.map_err(|_| Undone::Database)?;
                }
            }
            if commits { Ok(()) } else { Err(Undone::Wanted) }
        };
        self.store.transaction(body).await
    }

    fn accepted(&self, drafts: Vec<Draft>, with_order: bool) -> Result<()> {
        let answers: Vec<Answer> = drafts
            .iter()
            .map(|it| Answer::Accepted {
                job: it.prepared.job.id.to_string(),
                work: it.work,
                with_order,
            })
            .collect();
        self.answers.write(&answers)?;
        let mut recent = self.shared.recent.borrow_mut();
        recent.extend(
            drafts
                .into_iter()
                .map(|it| (it.prepared.job.id.to_string(), it.group)),
        );
        let surplus = recent.len().saturating_sub(2_000);
        recent.drain(..surplus);
        Ok(())
    }
}

/// Makes the application's table.
pub(crate) async fn create_orders(store: &SeaOrmStore) -> Result<()> {
    let sql = format!("CREATE TABLE {ORDERS} (id varchar(36) PRIMARY KEY)");
    store.connection().execute_unprepared(&sql).await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Order {
    id: String,
}

/// The rows of the application's table.
pub(crate) async fn orders(store: &SeaOrmStore) -> Result<Vec<String>> {
    let sql = format!("SELECT id FROM {ORDERS}");
    let connection = store.connection();
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter()
        .map(|it| Ok(Order::from_query_result(it, "")?.id))
        .collect()
}
