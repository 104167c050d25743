//! One round of a race: a job at its starting point, two steps at once, and what may come of it.

use std::sync::Arc;

use tasks_abstractions::job::Lane;
use tasks_abstractions::run::{After, CancelReason, JobSnapshot, QueueEntry, RunInfo};
use tasks_abstractions::store::{
    ClaimRequest, ClaimedRun, FinishRun, PreparedJob, RunChange, TakeOver, WaitingChange,
};
use tasks_abstractions::{InstanceId, JobId, JobInfo, JobState, RunId, RunOutcome, Timestamp};
use tokio::sync::Barrier;

use super::commands;
use super::fixture::{FullStore, StoreFixture};
use super::model::{Became, Model};
use super::outcome::{became_of_change, became_of_finish, became_of_submit};
use super::race_hold::Hold;
use super::race_step::{Start, Step};
use super::steps::{ALL, join, kill, logs_of, submit, until_available, with};
use crate::samples::{
    again, at, claim_id, due, entry, finish, instance_id, job_id, log, node, repeating, returned, run_id,
    unchanged,
};

/// Rounds of a pair, spread over its starting points.
const ROUNDS: usize = 30;
/// At least so many from each starting point.
const LEAST: usize = 8;
/// Node that holds a run before the race; orphans have holders of their own, beyond the ids of jobs.
const HOLDER: u128 = 3;

/// One job at its starting point.
#[derive(Debug, Clone)]
struct Round {
    start: Start,
    prepared: PreparedJob,
    holder: u128,
    /// The run in flight at the start; one that no store knows where there is none.
    first: ClaimedRun,
}

/// What can be seen of the job afterwards. Ids of new runs differ from order to order; whether a run is the first one does not.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    answers: [Became; 2],
    job: Option<JobInfo>,
    waiting: Option<QueueEntry>,
    run: Option<(InstanceId, bool, bool, After, Option<CancelReason>, QueueEntry)>,
    logs: Vec<(bool, RunOutcome)>,
}

/// Races `step` with every step from itself on.
pub(super) async fn race_with_all_from(fx: &impl StoreFixture, step: Step) {
    let store = fx.store();
    for number in [1, 2, HOLDER] {
        join(&store, number).await;
    }
    let mut next = 1_000;
    let first = Step::ALL.iter().position(|it| *it == step).unwrap_or(0);
    for other in &Step::ALL[first..] {
        let pair = [step, *other];
        let starts = starts_of(pair);
        assert!(
            !starts.is_empty(),
            "{pair:?} does something from some starting point"
        );
        let rounds = LEAST.max(ROUNDS.div_ceil(starts.len()));
        for start in starts {
            race(fx, pair, start, rounds, &mut next).await;
        }
    }
}

/// Starting points at which the order matters or both sides do something; else one at which either does.
fn starts_of(pair: [Step; 2]) -> Vec<Start> {
    let mut together = Vec::new();
    let mut either = Vec::new();
    for start in Start::ALL {
        let round = Round::new(start, 1_000);
        let rows = |steps: &[(usize, Step)]| {
            let mut model = round.model();
            for (side, step) in steps {
                round.on_model(*step, *side, &mut model);
            }
            round.seen(&model, [Became::Kept; 2])
        };
        let (a, b) = ((0, pair[0]), (1, pair[1]));
        let (before, only_a, only_b) = (rows(&[]), rows(&[a]), rows(&[b]));
        let (in_order, reversed) = (rows(&[a, b]), rows(&[b, a]));
        if in_order != reversed || (only_a != before && only_b != before) {
            together.push(start);
        } else if in_order != before {
            either.push(start);
        }
    }
    if together.is_empty() {
        either.truncate(1);
        return either;
    }
    together
}

async fn race(fx: &impl StoreFixture, pair: [Step; 2], start: Start, rounds: usize, next: &mut u128) {
    let prepared = prepare(fx, start, rounds, next).await;
    let mut ids = Vec::new();
    for (i, round) in prepared.into_iter().enumerate() {
        if start == Start::Orphan {
            kill(&fx.store(), round.holder).await;
        }
        ids.push(round.job());
        let barrier = Arc::new(Barrier::new(2));
        let hold = Arc::new(Hold::default());
        // Some rounds begin together; in others a command is held between what it sees and what it writes.
        let held = [None, Some(0), Some(1)][i % 3].filter(|side| pair[*side].is_command());
        let sides = [0, 1].map(|side| {
            // Each step is tried on either handle.
            let store = if (i + side) % 2 == 0 {
                fx.store()
            } else {
                fx.other_node()
            };
            let (round, barrier, hold) = (round.clone(), Arc::clone(&barrier), Arc::clone(&hold));
            tokio::spawn(async move {
                match held {
                    None => {
                        barrier.wait().await;
                        round.on_store(pair[side], side, &store, None).await
                    }
                    Some(first) if first == side => {
                        let answer = round.on_store(pair[side], side, &store, Some(&hold)).await;
                        hold.release();
                        answer
                    }
                    Some(_) => {
                        hold.wait().await;
                        let answer = round.on_store(pair[side], side, &store, None).await;
                        hold.end();
                        answer
                    }
                }
            })
        });
        let mut answers = [Became::Kept; 2];
        for (answer, side) in answers.iter_mut().zip(sides) {
            *answer = side.await.expect("no panic");
        }
        if fx.capabilities().row_locks {
            for (side, step) in pair.into_iter().enumerate() {
                if (step, answers[side]) == (Step::Claim, Became::Took(0)) {
                    answers[side] = round.on_store(step, side, &fx.store(), None).await;
                }
            }
        }
        let seen = round.seen_in(&fx.store(), answers).await;
        let expected = [[0, 1], [1, 0]].map(|order| round.serial(pair, order, fx.capabilities().row_locks));
        assert!(
            expected.contains(&seen),
            "{pair:?} from {start:?}, round {i}, held {held:?}, on {}:\n  came out as {seen:#?}\n  one order gives {:#?}\n  the other {:#?}",
            fx.capabilities().name,
            expected[0],
            expected[1]
        );
    }
    // Nothing is left that a later race would take over.
    fx.store()
        .change(ALL, &ids, Some(at(0)), &|_, _| {
            tasks_abstractions::store::Decision::Delete(None)
        })
        .await
        .expect("change");
}

/// Brings jobs to the starting point, many at once.
async fn prepare(fx: &impl StoreFixture, start: Start, rounds: usize, next: &mut u128) -> Vec<Round> {
    let store = fx.store();
    let mut prepared: Vec<Round> = (0..rounds)
        .map(|_| {
            *next += 1;
            Round::new(start, *next)
        })
        .collect();
    let jobs: Vec<PreparedJob> = prepared.iter().map(|it| it.prepared.clone()).collect();
    if start != Start::Absent {
        submit(&store, &jobs).await;
    }
    if start.is_claimed() {
        for round in &mut prepared {
            if start == Start::Orphan {
                join(&store, round.holder).await;
            }
            let mut claimed = store.claim(&round.claim_by(round.holder)).await.expect("claim");
            assert_eq!(claimed.len(), 1, "{claimed:?}");
            round.first = claimed.remove(0);
        }
    }
    let ids: Vec<JobId> = prepared.iter().map(Round::job).collect();
    if start.is_paused() {
        store
            .change(ALL, &ids, Some(at(0)), &commands::pause)
            .await
            .expect("change");
    }
    if start == Start::Lost {
        store.change(ALL, &ids, Some(at(0)), &lose).await.expect("change");
    }
    if start == Start::PausedRunning {
        for (round, found) in prepared
            .iter_mut()
            .zip(store.snapshots(ALL, &ids).await.expect("snapshots"))
        {
            round.first.job = Arc::new(found.job);
        }
    }
    prepared
}

fn lose(it: &JobSnapshot, _: Timestamp) -> tasks_abstractions::store::Decision {
    let job = JobInfo {
        next_run_time: None,
        ..it.job.clone()
    };
    with(job, WaitingChange::Remove, RunChange::default())
}

impl Round {
    fn new(start: Start, number: u128) -> Self {
        // A lane of its own, so that a claim takes this job and no other.
        let job = JobInfo {
            node_name: Some(format!("race-{number}")),
            ..repeating(number)
        };
        let holder = if start == Start::Orphan {
            1_000_000 + number
        } else {
            HOLDER
        };
        let due_at = if start == Start::Ahead { at(50) } else { at(0) };
        let first = ClaimedRun {
            run: RunInfo {
                run_id: run_id(number),
                job_id: job.id,
                instance: instance_id(holder),
                claim_id: claim_id(),
                entry: entry(&job, due_at),
                suspect: false,
                job_version: 1,
                after: After::Settle,
                claimed_at: at(0),
                cancel: None,
                progress: None,
            },
            job: Arc::new(job.clone()),
        };
        let mut round = Self {
            start,
            prepared: due(job, due_at),
            holder,
            first,
        };
        if start == Start::PausedRunning
            && let Some(paused) = round.model().snapshot(job_id(number))
        {
            round.first.job = Arc::new(paused.job);
        }
        round
    }

    fn job(&self) -> JobId {
        self.prepared.job.id
    }

    fn claim_by(&self, number: u128) -> ClaimRequest {
        ClaimRequest {
            instance: instance_id(number),
            claim_id: claim_id(),
            lanes: vec![Lane::of(&self.prepared.job)],
            limit: 10,
            now: Some(at(0)),
            floors: Vec::new(),
        }
    }

    fn take_over_by(number: u128) -> TakeOver {
        TakeOver {
            instance: instance_id(number),
            claim_id: claim_id(),
            limit: 10_000,
            now: Some(at(0)),
        }
    }

    /// The settlement of the first run: as its job stands, it is armed again or stays held.
    fn settlement(&self, step: Step) -> FinishRun {
        let log = (step == Step::Finish).then(|| log(&self.first, RunOutcome::Succeeded));
        if self.first.job.state() == JobState::Paused {
            return finish(&self.first, unchanged(&self.first.job), None, log);
        }
        match step {
            Step::GiveBack => returned(&self.first),
            _ => again(&self.first, entry(&self.first.job, at(0))),
        }
    }

    async fn on_store(
        &self,
        step: Step,
        side: usize,
        store: &Arc<dyn FullStore>,
        hold: Option<&Hold>,
    ) -> Became {
        let number = side as u128 + 1;
        match step {
            Step::Submit => {
                let jobs = [self.prepared.clone()];
                became_of_submit(&until_available!(store.submit(&jobs))[0])
            }
            Step::Claim => {
                let ask = self.claim_by(number);
                Became::Took(until_available!(store.claim(&ask)).len())
            }
            Step::TakeOver => {
                let ask = Self::take_over_by(number);
                let taken = until_available!(store.take_over(&ask));
                Became::Took(taken.iter().filter(|it| it.claimed.job.id == self.job()).count())
            }
            Step::Finish | Step::GiveBack => {
                let runs = [self.settlement(step)];
                became_of_finish(&until_available!(store.finish(&runs))[0])
            }
            _ => {
                let (ids, command) = ([self.job()], step.command());
                let decide = |it: &JobSnapshot, now: Timestamp| {
                    if let Some(hold) = hold {
                        hold.pause();
                    }
                    command(it, now)
                };
                let answers = until_available!(store.change(ALL, &ids, Some(at(0)), &decide));
                became_of_change(&answers[0])
            }
        }
    }

    fn on_model(&self, step: Step, side: usize, model: &mut Model) -> Became {
        let number = side as u128 + 1;
        let new_run = |_| -> RunId { run_id(u128::MAX - number) };
        match step {
            Step::Submit => model.submit(&self.prepared),
            Step::Claim => match model.claim(&self.claim_by(number), at(0), new_run) {
                Ok(taken) => Became::Took(taken.len()),
                Err(fenced) => fenced,
            },
            Step::TakeOver => match model.take_over(&Self::take_over_by(number), at(0), new_run) {
                Ok(taken) => Became::Took(taken.len()),
                Err(fenced) => fenced,
            },
            Step::Finish | Step::GiveBack => model.finish(&self.settlement(step)),
            _ => model.change(self.job(), at(0), &step.command()),
        }
    }

    /// The model at the starting point.
    fn model(&self) -> Model {
        let mut model = Model::default();
        for number in [1, 2, self.holder] {
            model.nodes.insert(instance_id(number), node(number));
        }
        if self.start != Start::Absent {
            model.submit(&self.prepared);
        }
        if self.start.is_claimed() {
            let claimed = model.claim(&self.claim_by(self.holder), at(0), |_| self.first.run.run_id);
            assert_eq!(claimed, Ok(vec![self.job()]));
        }
        if self.start == Start::Orphan {
            model.declare_dead(instance_id(self.holder), at(0));
        }
        if self.start.is_paused() {
            model.change(self.job(), at(0), &commands::pause);
        }
        if self.start == Start::Lost {
            model.change(self.job(), at(0), &lose);
        }
        model
    }

    /// What one side after the other gives.
    fn serial(&self, pair: [Step; 2], order: [usize; 2], claims_pass_over: bool) -> Seen {
        let mut model = self.model();
        let mut answers = [Became::Kept; 2];
        for side in order {
            answers[side] = self.on_model(pair[side], side, &mut model);
        }
        if claims_pass_over {
            // A claim never waits for a row that a command holds; it comes again.
            for (side, step) in pair.into_iter().enumerate() {
                if (step, answers[side]) == (Step::Claim, Became::Took(0)) {
                    answers[side] = self.on_model(step, side, &mut model);
                }
            }
        }
        self.seen(&model, answers)
    }

    fn seen(&self, model: &Model, answers: [Became; 2]) -> Seen {
        let logs = model.logs.iter().map(|it| (it.run_id, it.outcome)).collect();
        self.seen_of(answers, model.snapshot(self.job()), logs)
    }

    async fn seen_in(&self, store: &Arc<dyn FullStore>, answers: [Became; 2]) -> Seen {
        let found = store
            .snapshots(ALL, &[self.job()])
            .await
            .expect("snapshots")
            .pop();
        if let Some(it) = &found {
            assert!(
                it.waiting.is_none() || it.run.is_none(),
                "a queue row and a run row together: {it:?}"
            );
        }
        let logs = logs_of(store, self.job()).await;
        self.seen_of(
            answers,
            found,
            logs.into_iter().map(|it| (it.run_id, it.outcome)).collect(),
        )
    }

    fn seen_of(
        &self,
        answers: [Became; 2],
        found: Option<JobSnapshot>,
        logs: Vec<(RunId, RunOutcome)>,
    ) -> Seen {
        let first = self.first.run.run_id;
        let mut logs: Vec<_> = logs.into_iter().map(|it| (it.0 == first, it.1)).collect();
        logs.sort_unstable();
        let run = |it: RunInfo| {
            (
                it.instance,
                it.run_id == first,
                it.suspect,
                it.after,
                it.cancel,
                it.entry,
            )
        };
        let (job, waiting, held) = found.map_or((None, None, None), |it| (Some(it.job), it.waiting, it.run));
        Seen {
            answers,
            job,
            waiting,
            run: held.map(run),
            logs,
        }
    }
}

#[cfg(test)]
mod tests;
