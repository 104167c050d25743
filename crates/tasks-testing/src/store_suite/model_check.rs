//! Random sequences of steps on a store and on the model: what can be seen is equal after each.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use tasks_abstractions::job::Lane;
use tasks_abstractions::run::{JobLog, JobSnapshot, QueueEntry, RunKind};
use tasks_abstractions::store::{
    ClaimRequest, ClaimedRun, Decision, FinishRun, JobLogQuery, RenewRequest, Renewal, Settlement,
    StoreErrorKind, TakeOver,
};
use tasks_abstractions::{InstanceId, JobId, JobInfo, JobPriority, JobType, RunId, Timestamp};
use tasks_multitenancy::{TenantId, TenantScope};

use super::commands;
use super::dice::Dice;
use super::fixture::{FullStore, StoreFixture};
use super::model::{Became, Model};
use super::outcome::{became_of_change, became_of_finish, became_of_submit};
use super::steps::{ALL, EVERYTHING};
use crate::samples::{
    again, at, claim_id, done, due, instance_id, job_id, node, of_tenant, returned, run_id, tenant, unarmed,
};

const SEQUENCES: u64 = 40;
const STEPS: usize = 40;
const JOBS: u64 = 8;
const NODES: u64 = 3;

/// Forty sequences of forty random steps. A failure names the seed of its sequence; each sequence has jobs, lanes and nodes of its own, so
/// that it can be run alone.
pub async fn random_sequences_agree_with_the_model(fx: &impl StoreFixture) {
    for seed in 0..SEQUENCES {
        let mut sequence = Sequence::begin(fx, seed);
        for step in 0..STEPS {
            let did = sequence.step().await;
            sequence
                .compare(&format!("seed {seed}, step {step}: {did}"))
                .await;
        }
        sequence.end().await;
    }
}

struct Sequence {
    handles: [Arc<dyn FullStore>; 2],
    model: Model,
    dice: Dice,
    seed: u64,
    now: Timestamp,
    /// Every run that was ever claimed, with the job as it was: late settlements are part of the game.
    claimed: Vec<ClaimedRun>,
}

impl Sequence {
    fn begin(fx: &impl StoreFixture, seed: u64) -> Self {
        Self {
            handles: [fx.store(), fx.other_node()],
            model: Model::default(),
            dice: Dice::new(seed),
            seed,
            now: at(0),
            claimed: Vec::new(),
        }
    }

    fn number(&self, of: u64) -> u128 {
        u128::from(self.seed * 1_000 + of + 1)
    }

    fn tenant(&self) -> TenantId {
        tenant(self.number(0))
    }

    fn lanes(&self) -> [Lane; 2] {
        let lane = Lane::node(&format!("sequence-{}", self.seed));
        [lane.suspect(), lane]
    }

    fn store(&mut self) -> Arc<dyn FullStore> {
        Arc::clone(&self.handles[usize::from(self.dice.below(2) == 0)])
    }

    fn any_job(&mut self) -> JobId {
        let of = self.dice.below(JOBS);
        job_id(self.number(of))
    }

    fn any_node(&mut self) -> InstanceId {
        let of = self.dice.below(NODES);
        instance_id(self.number(of))
    }

    fn any_entry(&mut self) -> QueueEntry {
        let lane = self.dice.below(4).min(1);
        QueueEntry {
            lane: self.lanes()[usize::from(lane == 1)].clone(),
            rank: i16::try_from(self.dice.below(3)).unwrap_or(0),
            due_at: self.now + TimeDelta::seconds(i64::try_from(self.dice.below(40)).unwrap_or(0) - 25),
            kind: if self.dice.below(3) == 0 {
                RunKind::Retry
            } else {
                RunKind::Schedule
            },
            attempt: 1 + u32::try_from(self.dice.below(5)).unwrap_or(0),
        }
    }

    /// One random step on both; their answers must be equal. Answers what it was.
    async fn step(&mut self) -> String {
        match self.dice.below(100) {
            0..10 => self.submit().await,
            10..14 => self.register().await,
            14..38 => self.claim().await,
            38..60 => self.finish().await,
            60..82 => self.change().await,
            82..85 => self.remove().await,
            85..91 => self.take_over().await,
            91..94 => self.renew().await,
            94..96 => self.declare_dead().await,
            96..97 => self.unregister().await,
            _ => {
                self.now += TimeDelta::seconds(i64::try_from(self.dice.below(30)).unwrap_or(0));
                "time goes on".to_owned()
            }
        }
    }

    async fn submit(&mut self) -> String {
        let mut batch = Vec::new();
        for _ in 0..=self.dice.below(3) {
            let id = self.any_job();
            let mut job = JobInfo {
                id,
                name: id.to_string(),
                creation_time: self.now,
                begin_time: self.now,
                ..of_tenant(1, self.tenant())
            };
            if self.dice.below(2) == 0 {
                job.name = format!("name {}", self.dice.below(3));
            }
            if self.dice.below(2) == 0 {
                job.job_type = JobType::Persistent;
            }
            if self.dice.below(4) == 0 {
                job.priority = JobPriority::High;
            }
            batch.push(if self.dice.below(6) == 0 {
                unarmed(job)
            } else {
                let first = self.any_entry();
                crate::samples::waiting(job, first)
            });
        }
        let answers = self.store().submit(&batch).await.expect("submit");
        let answers: Vec<Became> = answers.iter().map(became_of_submit).collect();
        let expected: Vec<Became> = batch.iter().map(|it| self.model.submit(it)).collect();
        assert_eq!(answers, expected, "seed {}: submit {batch:?}", self.seed);
        format!("submit {} jobs", batch.len())
    }

    async fn register(&mut self) -> String {
        let instance = self.any_node();
        if self.model.nodes.contains_key(&instance) {
            return "nothing".to_owned();
        }
        let mut new = node(instance.as_uuid().as_u128());
        new.started_at = self.now;
        new.heartbeat_at = self.now;
        self.store().register_node(&new).await.expect("register");
        self.model.nodes.insert(instance, new);
        format!("register {instance}")
    }

    async fn claim(&mut self) -> String {
        let ask = ClaimRequest {
            instance: self.any_node(),
            claim_id: claim_id(),
            lanes: self.lanes()[usize::from(self.dice.below(3) == 0)..].to_vec(),
            limit: usize::try_from(self.dice.below(4)).unwrap_or(0),
            now: Some(self.now),
            floors: Vec::new(),
        };
        let answer = self.store().claim(&ask).await;
        let (claimed, fenced) = match answer {
            Ok(claimed) => (claimed, false),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Fenced, "{error}");
                (Vec::new(), true)
            }
        };
        let ids: BTreeMap<JobId, RunId> = claimed.iter().map(|it| (it.job.id, it.run.run_id)).collect();
        let expected = self
            .model
            .claim(&ask, self.now, |id| ids.get(&id).copied().unwrap_or(run_id(0)));
        assert_eq!(fenced, expected.is_err(), "seed {}: {ask:?}", self.seed);
        let order: Vec<JobId> = claimed.iter().map(|it| it.job.id).collect();
        assert_eq!(order, expected.unwrap_or_default(), "seed {}: {ask:?}", self.seed);
        self.claimed.extend(claimed);
        format!("claim {order:?}")
    }

    /// Settles runs, some of them late, some with the version they were claimed at, some with the present one.
    async fn finish(&mut self) -> String {
        let mut batch = Vec::new();
        for _ in 0..=self.dice.below(2) {
            if self.claimed.is_empty() {
                break;
            }
            let which = self.dice.below(self.claimed.len() as u64);
            let mut run = self.claimed.remove(usize::try_from(which).unwrap_or(0));
            if self.dice.below(5) == 0 {
                self.claimed.push(run.clone());
            }
            if self.dice.below(3) > 0
                && let Some(now) = self.model.snapshot(run.job.id)
            {
                run.job = Arc::new(now.job);
            }
            let next = self.any_entry();
            let mut end = match self.dice.below(4) {
                0 => returned(&run),
                1 | 2 => again(&run, next),
                _ => FinishRun {
                    settlement: Settlement {
                        is_removed: self.dice.below(2) == 0,
                        ..done(&run).settlement
                    },
                    ..done(&run)
                },
            };
            if self.dice.below(3) == 0 {
                let follow_up = JobId::from_run(run.run.run_id, "follow-up");
                let job = JobInfo {
                    id: follow_up,
                    name: follow_up.to_string(),
                    ..of_tenant(1, self.tenant())
                };
                end.settlement.follow_ups.push(due(job, at(100_000)));
            }
            end.settlement.update.interruptions = u32::try_from(self.dice.below(3)).unwrap_or(0);
            end.settlement.update.is_abandoned = self.dice.below(5) == 0;
            batch.push(end);
        }
        // One run twice in one batch is not a question that an engine asks.
        batch.dedup_by_key(|it| it.job_id);
        let answers = self.store().finish(&batch).await.expect("finish");
        for (answer, end) in answers.iter().zip(&batch) {
            if let tasks_abstractions::store::FinishAnswer::Stale(shown) = answer {
                assert_eq!(
                    Some(&**shown),
                    self.model.snapshot(end.job_id).as_ref(),
                    "seed {}",
                    self.seed
                );
            }
        }
        let answers: Vec<Became> = answers.iter().map(became_of_finish).collect();
        let expected: Vec<Became> = batch.iter().map(|it| self.model.finish(it)).collect();
        assert_eq!(answers, expected, "seed {}: finish {batch:?}", self.seed);
        format!(
            "finish {answers:?} of {:?}",
            batch.iter().map(|it| it.job_id).collect::<Vec<_>>()
        )
    }

    async fn change(&mut self) -> String {
        type Command = fn(&JobSnapshot, Timestamp) -> Decision;
        const COMMANDS: [(&str, Command); 9] = [
            ("trigger", commands::trigger),
            ("pause", commands::pause),
            ("stop", commands::stop),
            ("resume", commands::resume),
            ("edit", commands::edit),
            ("edit schedule", commands::edit_schedule),
            ("delete", commands::delete),
            ("check", commands::check),
            ("refuse", |_, _| Decision::Refuse("no".to_owned())),
        ];
        let mut which = usize::try_from(self.dice.below(COMMANDS.len() as u64)).unwrap_or(0);
        if which == 6 && self.dice.below(2) == 0 {
            which = 0;
        }
        let (name, command) = COMMANDS[which];
        let ids = [self.any_job(), self.any_job()];
        let ids = if ids[0] == ids[1] { &ids[..1] } else { &ids[..] };
        let scope = TenantScope::One(self.tenant());
        let answers = self
            .store()
            .change(scope, ids, Some(self.now), &command)
            .await
            .expect("change");
        let became: Vec<Became> = answers.iter().map(became_of_change).collect();
        let expected: Vec<Became> = ids
            .iter()
            .map(|id| self.model.change(*id, self.now, &command))
            .collect();
        assert_eq!(became, expected, "seed {}: {name} {ids:?}", self.seed);
        format!("{name} {ids:?}: {became:?}")
    }

    async fn remove(&mut self) -> String {
        let id = self.any_job();
        let removed = self.store().remove(ALL, id).await.expect("remove");
        assert_eq!(removed, self.model.remove(id), "seed {}: remove {id}", self.seed);
        format!("remove {id}")
    }

    async fn take_over(&mut self) -> String {
        let ask = TakeOver {
            instance: self.any_node(),
            claim_id: claim_id(),
            limit: 1_000,
            now: Some(self.now),
        };
        let (taken, fenced) = match self.store().take_over(&ask).await {
            Ok(taken) => (taken, false),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Fenced, "{error}");
                (Vec::new(), true)
            }
        };
        let ids: BTreeMap<JobId, RunId> = taken
            .iter()
            .map(|it| (it.claimed.job.id, it.claimed.run.run_id))
            .collect();
        let expected = self
            .model
            .take_over(&ask, self.now, |id| ids.get(&id).copied().unwrap_or(run_id(0)));
        assert_eq!(fenced, expected.is_err(), "seed {}: {ask:?}", self.seed);
        let order: Vec<JobId> = ids.into_keys().collect();
        assert_eq!(order, expected.unwrap_or_default(), "seed {}: {ask:?}", self.seed);
        self.claimed.extend(taken.into_iter().map(|it| it.claimed));
        format!("take over {order:?}")
    }

    async fn renew(&mut self) -> String {
        let ask = RenewRequest {
            instance: self.any_node(),
            running: u32::try_from(self.dice.below(9)).unwrap_or(0),
            lanes: None,
            cleared_suspects: Vec::new(),
            now: Some(self.now),
        };
        let alive = match self.store().renew(&ask).await.expect("renew") {
            Renewal::Alive { .. } => true,
            Renewal::Fenced => false,
        };
        let expected = self.model.renew(ask.instance, ask.running, self.now);
        assert_eq!(alive, expected, "seed {}: {ask:?}", self.seed);
        format!("renew {}", ask.instance)
    }

    async fn declare_dead(&mut self) -> String {
        let instance = self.any_node();
        let known = self
            .model
            .nodes
            .get(&instance)
            .map_or(self.now, |it| it.heartbeat_at);
        let seen = if self.dice.below(4) == 0 { self.now } else { known };
        let dead = self
            .store()
            .declare_dead(instance, seen)
            .await
            .expect("declare_dead");
        assert_eq!(
            dead,
            self.model.declare_dead(instance, seen),
            "seed {}: {instance}",
            self.seed
        );
        format!("declare {instance} dead")
    }

    async fn unregister(&mut self) -> String {
        let instance = self.any_node();
        let alive = self.model.nodes.get(&instance);
        if alive.is_some_and(|it| it.state == tasks_abstractions::store::NodeState::Alive) {
            self.store().unregister_node(instance).await.expect("unregister");
            self.model.unregister(instance);
        }
        format!("unregister {instance}")
    }

    /// Everything that can be seen of this sequence, by the handle that did not necessarily write it.
    async fn compare(&mut self, what: &str) {
        let store = self.store();
        let scope = TenantScope::One(self.tenant());
        let expected: Vec<JobSnapshot> = self.model.snapshots();
        let mut ids: Vec<JobId> = expected.iter().map(|it| it.job.id).collect();
        let mine: Vec<JobId> = (0..JOBS).map(|of| job_id(self.number(of))).collect();
        ids.extend(mine.iter().filter(|id| self.model.snapshot(**id).is_none()));
        let found = store.snapshots(scope, &ids).await.expect("snapshots");
        assert_eq!(found, expected, "{what}");
        assert_eq!(
            store.counts(scope).await.expect("counts"),
            self.model.counts(),
            "{what}"
        );
        let all = JobLogQuery {
            paging: EVERYTHING,
            ..JobLogQuery::default()
        };
        let mut logs = store.list_logs(scope, &all).await.expect("list_logs").items;
        logs.sort_by_key(|it| it.run_id);
        let mut expected: Vec<JobLog> = self.model.logs.clone();
        expected.sort_by_key(|it| it.run_id);
        assert_eq!(logs, expected, "{what}");
        let mut nodes = store.nodes().await.expect("nodes");
        nodes.retain(|it| self.model.nodes.contains_key(&it.instance));
        nodes.sort_by_key(|it| it.instance);
        assert!(
            nodes.iter().eq(self.model.nodes.values()),
            "{what}: {nodes:?} {:?}",
            self.model.nodes
        );
    }

    /// Leaves no run behind that the next sequence would take over.
    async fn end(&mut self) {
        for found in self.model.snapshots() {
            self.store().remove(ALL, found.job.id).await.expect("remove");
        }
    }
}
