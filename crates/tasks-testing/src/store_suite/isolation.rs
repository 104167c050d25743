//! Random operations of two tenants and the host through the management: nobody sees or changes what is another's.
//!
//! One model knows whose each job is. What an operation may not touch must be exactly as it was, and what an operation answers about another's job must be what it
//! answers about a job that does not exist.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use tasks_abstractions::run::JobSnapshot;
use tasks_abstractions::store::{JobLogQuery, JobQuery, Paging};
use tasks_abstractions::{
    BulkMode, Clock, CommandAnswer, CopyRequest, JobArgs, JobCommand, JobDispatcher, JobId, JobInfo,
    JobLimits, JobLockProvider, JobManagement, JobPublisher, JobStatus, LockOwner, ManagementError, WakeHint,
};
use tasks_core::EngineManagement;
use tasks_multitenancy::{TenantId, TenantScope};

use super::dice::Dice;
use super::fixture::{FullStore, StoreFixture};
use super::steps::{ALL, EVERYTHING, claim, finish, join};
use crate::ManualClock;
use crate::samples::{at, done, job_id, of_tenant, tenant};

const SEEDS: u64 = 6;
const STEPS: usize = 60;

/// Whose scope an operation has, or that of an operator who may see everything.
fn scopes() -> [TenantScope; 4] {
    [
        TenantScope::One(TenantId::HOST),
        TenantScope::One(tenant(1)),
        TenantScope::One(tenant(2)),
        ALL,
    ]
}

/// Six sequences of sixty random operations: listing, counting, reading, editing, commands on one, on many and by filter, copies, requeueing, logs,
/// statistics, runs and locks. After each, every row that the scope may not touch is what it was.
pub async fn random_operations_stay_in_their_tenant(fx: &impl StoreFixture) {
    join(&fx.store(), 1).await;
    let mut world = World::new(fx);
    for seed in 0..SEEDS {
        world.dice = Dice::new(seed);
        for step in 0..STEPS {
            let before = world.everything().await;
            let (scope, did) = world.step().await;
            let about = format!("seed {seed}, step {step}, {scope:?}: {did}");
            let after = world.everything().await;
            for (id, it) in &before {
                if !scope.allows(it.job.tenant_id) {
                    assert_eq!(after.get(id), Some(it), "{about} touched another's job");
                }
            }
            for (id, it) in &after {
                let owner = it.job.tenant_id;
                assert!(
                    before.contains_key(id) || scope.allows(owner),
                    "{about} made a job for {owner}"
                );
                let former = before.get(id).map(|it| it.job.tenant_id);
                assert!(
                    former.is_none_or(|it| it == owner),
                    "{about} moved a job to another tenant"
                );
            }
            world.owners = after.iter().map(|(id, it)| (*id, it.job.tenant_id)).collect();
            world.look(&about).await;
        }
    }
}

struct World {
    store: Arc<dyn FullStore>,
    management: EngineManagement,
    dice: Dice,
    /// The model: whose each job is.
    owners: BTreeMap<JobId, TenantId>,
    made: u128,
}

impl World {
    fn new(fx: &impl StoreFixture) -> Self {
        let store = fx.store();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(at(1_000)));
        let management = EngineManagement::new(
            Arc::clone(&store) as _,
            fx.other_node() as _,
            Arc::new(Deaf),
            Arc::new(Deaf),
            clock,
            JobLimits::default(),
        );
        Self {
            store,
            management,
            dice: Dice::new(0),
            owners: BTreeMap::new(),
            made: 0,
        }
    }

    async fn everything(&self) -> BTreeMap<JobId, JobSnapshot> {
        let ids = self
            .store
            .list_ids(ALL, &JobQuery::default(), None, 10_000)
            .await
            .expect("list_ids");
        let found = self.store.snapshots(ALL, &ids).await.expect("snapshots");
        found.into_iter().map(|it| (it.job.id, it)).collect()
    }

    /// Any job's id, or now and then one that nobody has.
    fn any(&mut self) -> JobId {
        let known = u64::try_from(self.owners.len()).unwrap_or(0);
        let at = self.dice.below(known + 1);
        let id = self.owners.keys().nth(usize::try_from(at).unwrap_or(0));
        id.copied().unwrap_or(job_id(999_999))
    }

    fn is_seen(&self, scope: TenantScope, id: JobId) -> bool {
        self.owners.get(&id).is_some_and(|owner| scope.allows(*owner))
    }

    fn any_command(&mut self) -> JobCommand {
        let at = self.dice.below(JobCommand::ALL.len() as u64);
        JobCommand::ALL[usize::try_from(at).unwrap_or(0)]
    }

    async fn step(&mut self) -> (TenantScope, String) {
        let scope = scopes()[usize::try_from(self.dice.below(4)).unwrap_or(0)];
        let id = self.any();
        let did = match self.dice.below(12) {
            0..=3 => self.create(scope).await,
            4 => self.edit(scope, id).await,
            5 => self.command(scope, id).await,
            6 => self.command_many(scope).await,
            7 => self.command_where(scope).await,
            8 => self.copy(scope, id).await,
            9 => self.requeue(scope, id).await,
            10 => self.lock(id).await,
            // Runs are the engine's, which works for all tenants.
            _ => return (ALL, self.run_some().await),
        };
        (scope, did)
    }

    async fn create(&mut self, scope: TenantScope) -> String {
        self.made += 1;
        let owner = scope.only().unwrap_or(TenantId::HOST);
        // A few names, so that tenants have the same ones.
        let name = format!("name-{}", self.dice.below(6));
        let job = JobInfo {
            name: name.clone(),
            begin_time: at(0),
            ..of_tenant(self.made, owner)
        };
        match self.management.create(job).await {
            Ok(job) => assert_eq!(job.tenant_id, owner),
            Err(ManagementError::NameTaken { by, .. }) => {
                assert_eq!(
                    self.owners.get(&by),
                    Some(&owner),
                    "a name is taken by one's own job only"
                );
            }
            Err(other) => panic!("create: {other}"),
        }
        format!("create {name}")
    }

    async fn edit(&mut self, scope: TenantScope, id: JobId) -> String {
        let found = self.management.get(scope, id).await;
        assert_eq!(found.is_ok(), self.is_seen(scope, id), "get {id}");
        // As an attacker would: the job as it is, whoever may have it, with a tenant that is tempting.
        let Ok(mut job) = self.management.get(ALL, id).await else {
            return "edit nothing".to_owned();
        };
        job.description = Some(format!("edited {}", self.dice.below(1_000)));
        job.tenant_id = tenant(u128::from(self.dice.below(3)));
        let edited = self.management.update(scope, job).await;
        if self.is_seen(scope, id) {
            assert_eq!(Some(&edited.expect("edited").tenant_id), self.owners.get(&id));
        } else {
            assert!(matches!(edited, Err(ManagementError::NotFound(_))), "{edited:?}");
        }
        let reset = self.management.reset_overrides(scope, id).await;
        assert_eq!(reset.is_ok(), self.is_seen(scope, id));
        format!("edit {id}")
    }

    async fn command(&mut self, scope: TenantScope, id: JobId) -> String {
        let command = self.any_command();
        let answer = self
            .management
            .command(scope, id, command)
            .await
            .expect("command");
        assert_eq!(
            answer == CommandAnswer::NotFound,
            !self.is_seen(scope, id),
            "{command} {id}: {answer:?}"
        );
        format!("{command} {id}")
    }

    async fn command_many(&mut self, scope: TenantScope) -> String {
        let ids = [self.any(), self.any(), self.any()];
        let command = self.any_command();
        for mode in [BulkMode::DryRun, BulkMode::Apply] {
            let answers = self
                .management
                .command_many(scope, &ids, command, mode)
                .await
                .expect("command_many");
            assert_eq!(answers.len(), ids.len());
            for (id, answer) in ids.iter().zip(answers) {
                if !self.is_seen(scope, *id) {
                    assert_eq!(answer, CommandAnswer::NotFound, "{mode:?}");
                }
            }
        }
        format!("{command} {ids:?}")
    }

    async fn command_where(&mut self, scope: TenantScope) -> String {
        let query = JobQuery {
            filter: Some(format!("name-{}", self.dice.below(6))),
            ..JobQuery::default()
        };
        let command = self.any_command();
        let name = query.filter.as_deref().unwrap_or_default();
        let everything = self.everything().await;
        let matching = everything
            .values()
            .filter(|it| scope.allows(it.job.tenant_id) && it.job.name.contains(name))
            .count() as u64;
        let foreseen = self
            .management
            .command_where(scope, &query, command, BulkMode::DryRun)
            .await
            .expect("command_where");
        assert_eq!(foreseen.matched, matching, "{foreseen:?}");
        let carried_out = self
            .management
            .command_where(scope, &query, command, BulkMode::Apply)
            .await
            .expect("command_where");
        assert_eq!(carried_out, foreseen);
        self.management
            .retry_abandoned(scope, None, BulkMode::Apply)
            .await
            .expect("retry_abandoned");
        format!("{command} where {:?}", query.filter)
    }

    async fn copy(&mut self, scope: TenantScope, id: JobId) -> String {
        match self.management.copy(scope, id, CopyRequest::default()).await {
            Ok(copy) => {
                assert!(self.is_seen(scope, id));
                assert_eq!(
                    self.owners.get(&id),
                    Some(&copy.tenant_id),
                    "a copy stays with its owner"
                );
            }
            Err(ManagementError::NotFound(_)) => assert!(!self.is_seen(scope, id)),
            Err(other) => panic!("copy: {other}"),
        }
        format!("copy {id}")
    }

    async fn requeue(&mut self, scope: TenantScope, id: JobId) -> String {
        let mut args = JobArgs::new();
        args.insert("TenantId", tenant(1).to_string());
        let answer = self.management.requeue(scope, id, Some(args)).await;
        let is_found = !matches!(answer, Err(ManagementError::NotFound(_)));
        assert_eq!(is_found, self.is_seen(scope, id), "{answer:?}");
        format!("requeue {id}")
    }

    /// A lock of a run, under a key that all tenants use.
    async fn lock(&self, id: JobId) -> String {
        let found = self.store.snapshots(ALL, &[id]).await.expect("snapshots");
        if let Some(run) = found.first().and_then(|it| it.run.as_ref()) {
            let owner = LockOwner {
                job_id: id,
                run_id: run.run_id,
                tenant_id: found[0].job.tenant_id,
            };
            let locks: &dyn JobLockProvider = self.store.as_ref();
            locks.try_acquire("key", owner).await.expect("try_acquire");
        }
        format!("lock {id}")
    }

    async fn run_some(&mut self) -> String {
        let runs = claim(&self.store, 1, 3, at(1_000)).await;
        // Some stay in flight, so that commands meet them.
        let ended = runs.iter().skip(1).map(done).collect::<Vec<_>>();
        finish(&self.store, &ended).await;
        format!("run {}", runs.len())
    }

    /// Every way of looking, in every scope, shows what the model says and no more.
    async fn look(&self, about: &str) {
        for scope in scopes() {
            let own: Vec<JobId> = self
                .owners
                .iter()
                .filter(|(_, owner)| scope.allows(**owner))
                .map(|(id, _)| *id)
                .collect();
            let query = JobQuery {
                paging: EVERYTHING,
                ..JobQuery::default()
            };
            let page = self.management.list(scope, &query).await.expect("list");
            let mut listed: Vec<JobId> = page.items.iter().map(|it| it.id).collect();
            listed.sort_unstable();
            assert_eq!(listed, own, "{about}: list for {scope:?}");
            assert_eq!(page.total, own.len() as u64, "{about}: total for {scope:?}");
            let counts = self.management.counts(scope).await.expect("counts");
            let counted: u64 = JobStatus::ALL.iter().map(|it| counts.of(*it)).sum();
            assert_eq!(counted, own.len() as u64, "{about}: counts for {scope:?}");
            for run in self.management.runs(scope, 1_000).await.expect("runs") {
                assert!(scope.allows(run.job.tenant_id), "{about}: runs for {scope:?}");
            }
            let logs = JobLogQuery {
                paging: Paging {
                    skip: 0,
                    take: Paging::MAX_TAKE,
                },
                ..JobLogQuery::default()
            };
            let logs = self.management.logs(scope, &logs).await.expect("logs");
            assert!(
                logs.items.iter().all(|it| scope.allows(it.tenant_id)),
                "{about}: logs for {scope:?}"
            );
            let sums = self
                .management
                .statistics(scope, at(0))
                .await
                .expect("statistics");
            assert_eq!(
                sums.iter().map(|it| it.runs).sum::<u64>(),
                logs.total,
                "{about}: {scope:?}"
            );
        }
    }
}

/// Nobody is to be woken.
#[derive(Debug)]
struct Deaf;

#[async_trait]
impl JobPublisher for Deaf {
    async fn publish(&self, _: &[WakeHint]) {}
}

#[async_trait]
impl JobDispatcher for Deaf {
    async fn dispatch(&self, _: JobCommand, _: TenantId, _: &[JobId]) {}
}
