//! Everything that is known when a run is over: ledgers, answers, faults, and the rows of the database.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tasks_abstractions::run::JobLog;
use tasks_abstractions::store::{JobLogQuery, JobQuery, Paging};
use tasks_abstractions::{JobInfo, JobStore as _, RunOutcome};
use tasks_multitenancy::TenantScope;
use tasks_store_seaorm::SeaOrmStore;
use tests::chaos::{EndKind, Line, Moment, Work, read_lines};

use crate::answers::Answer;
use crate::fault::{Fault, Kind};
use crate::node::{Ending, Life, ledger_of};
use crate::place::Backend;
use crate::producer::orders;
use crate::settings::Settings;

/// A run as its code saw it.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) run: String,
    pub(crate) job: String,
    pub(crate) type_name: String,
    pub(crate) node: usize,
    pub(crate) generation: u32,
    pub(crate) start: Moment,
    pub(crate) interruptions: u32,
    pub(crate) due: Option<i64>,
    pub(crate) end: Option<(Moment, EndKind, Option<String>)>,
    /// What the store answered for it, as far as its process lived to note it.
    pub(crate) settled: Option<Moment>,
    /// The latest moment at which its code can have been running for all we know, and the earliest at which it was not.
    pub(crate) over: i64,
}

/// What the store answered for an outcome.
#[derive(Debug, Clone)]
pub(crate) struct Settled {
    pub(crate) run: String,
    pub(crate) job: String,
    pub(crate) node: usize,
    pub(crate) generation: u32,
    pub(crate) at: Moment,
    pub(crate) outcome: String,
    pub(crate) is_applied: bool,
}

/// A renewal that came late.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Late {
    pub(crate) process: (usize, u32),
    pub(crate) since: Moment,
    pub(crate) at: Moment,
    pub(crate) calls: Duration,
    pub(crate) stall: Duration,
}

/// A lock in the hands of a run, in microseconds of monotonic time.
#[derive(Debug, Clone)]
pub(crate) struct Hold {
    pub(crate) key: String,
    pub(crate) run: String,
    pub(crate) process: (usize, u32),
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// What was accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accepted {
    pub(crate) work: Work,
    pub(crate) with_order: bool,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) backend: Backend,
    pub(crate) settings: Settings,
    pub(crate) faults: Vec<Fault>,
    pub(crate) lives: Vec<Life>,
    /// By start.
    pub(crate) runs: Vec<Run>,
    pub(crate) settled: Vec<Settled>,
    pub(crate) holds: Vec<Hold>,
    pub(crate) accepted: HashMap<String, Accepted>,
    pub(crate) rolled_back: HashSet<String>,
    pub(crate) deleted: HashMap<String, Moment>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) orders: HashSet<String>,
    pub(crate) jobs: HashMap<String, JobInfo>,
    pub(crate) logs: Vec<JobLog>,
    /// Indexes into `runs`, by start.
    pub(crate) runs_of_job: HashMap<String, Vec<usize>>,
    /// Indexes into `logs`.
    pub(crate) logs_of_job: HashMap<String, Vec<usize>>,
    /// Index into `logs`.
    pub(crate) log_of_run: HashMap<String, usize>,
    /// What was found while the run went on and at its end.
    pub(crate) found: Vec<String>,
}

/// What the driver knows itself.
pub(crate) struct Known {
    pub(crate) backend: Backend,
    pub(crate) settings: Settings,
    pub(crate) faults: Vec<Fault>,
    pub(crate) lives: Vec<Life>,
    pub(crate) found: Vec<String>,
}

impl Evidence {
    pub(crate) async fn gather(folder: &Path, store: &SeaOrmStore, known: Known) -> Result<Self> {
        let mut it = Self {
            answers: read_lines(&folder.join("answers.jsonl"))?,
            orders: orders(store).await?.into_iter().collect(),
            logs: all_logs(store).await?,
            ..Self::of(known)
        };
        for job in all_jobs(store).await? {
            it.jobs.insert(job.id.to_string(), job);
        }
        it.read_ledgers(folder)?;
        it.index();
        Ok(it)
    }

    /// What the driver knows, and nothing else yet.
    pub(crate) fn of(known: Known) -> Self {
        Self {
            backend: known.backend,
            settings: known.settings,
            faults: known.faults,
            lives: known.lives,
            found: known.found,
            answers: Vec::new(),
            orders: HashSet::new(),
            jobs: HashMap::new(),
            logs: Vec::new(),
            runs: Vec::new(),
            settled: Vec::new(),
            holds: Vec::new(),
            accepted: HashMap::new(),
            rolled_back: HashSet::new(),
            deleted: HashMap::new(),
            runs_of_job: HashMap::new(),
            logs_of_job: HashMap::new(),
            log_of_run: HashMap::new(),
        }
    }

    fn read_ledgers(&mut self, folder: &Path) -> Result<()> {
        let mut late = Vec::new();
        for life in &self.lives {
            let (node, generation) = (life.node, life.generation);
            let path = ledger_of(folder, node, generation);
            let mut own: HashMap<String, Run> = HashMap::new();
            let mut holds: Vec<(String, String, Moment, Option<Moment>)> = Vec::new();
            let mut last = life.born;
            for line in read_lines::<Line>(&path)? {
                match line {
                    Line::Held { run, key, at } => {
                        last = at;
                        holds.push((run, key, at, None));
                    }
                    Line::Freed { run, at } => {
                        last = at;
                        if let Some(it) = holds.iter_mut().rev().find(|it| it.0 == run) {
                            it.3 = Some(at);
                        }
                    }
                    Line::Child { job, work } => {
                        let it = Accepted {
                            work,
                            with_order: false,
                        };
                        self.accepted.insert(job, it);
                    }
                    Line::Late {
                        since,
                        at,
                        calls,
                        stall,
                    } => late.push(Late {
                        process: (node, generation),
                        since,
                        at,
                        calls,
                        stall,
                    }),
                    Line::Start {
                        run,
                        job,
                        type_name,
                        at,
                        interruptions,
                        ..
                    } => {
                        last = at;
                        let it = Run {
                            run: run.clone(),
                            job,
                            type_name,
                            node,
                            generation,
                            start: at,
                            interruptions,
                            due: None,
                            end: None,
                            settled: None,
                            over: i64::MAX,
                        };
                        own.insert(run, it);
                    }
                    Line::End { run, at, how, reason } => {
                        last = at;
                        let it = own
                            .get_mut(&run)
                            .with_context(|| format!("run {run} ended and never started"))?;
                        it.end = Some((at, how, reason));
                        it.over = at.mono;
                    }
                    Line::Due { run, at } => {
                        if let Some(it) = own.get_mut(&run) {
                            it.due = Some(at);
                        }
                    }
                    Line::Settled {
                        run,
                        job,
                        at,
                        outcome,
                        applied,
                    } => {
                        last = at;
                        if let Some(it) = own.get_mut(&run) {
                            it.settled = Some(at);
                        }
                        self.settled.push(Settled {
                            run,
                            job,
                            node,
                            generation,
                            at,
                            outcome,
                            is_applied: applied,
                        });
                    }
                }
            }
            // A process that was killed was gone right after; one that killed itself was gone after its last line.
            let kill = self
                .faults
                .iter()
                .find(|it| it.kind == Kind::Kill && it.node == Some((node, generation)));
            let gone = match (life.died, kill) {
                (None, _) => i64::MAX,
                (Some(_), Some(kill)) => kill.begin.mono.max(last.mono),
                (Some((_, Ending::Signal(_))), None) => last.mono,
                (Some((at, Ending::Code(_))), None) => at.mono,
            };
            for it in own.values_mut().filter(|it| it.end.is_none()) {
                it.over = gone;
            }
            for (run, key, from, freed) in holds {
                // Until the code was over, where it never came to give the lock back.
                let over = own.get(&run).map_or(gone, |it| it.over);
                self.holds.push(Hold {
                    key,
                    run,
                    process: (node, generation),
                    from: from.mono,
                    to: freed.map_or(over, |it| it.mono),
                });
            }
            self.runs.extend(own.into_values());
        }
        for it in &late {
            self.came_late(it);
        }
        Ok(())
    }

    /// A renewal that came late without a fault that is a reason for it: the machine's doing where it can be seen, else the engine's.
    pub(crate) fn came_late(&mut self, it: &Late) {
        let Late {
            process, since, at, ..
        } = *it;
        let meets = |fault: &&Fault| fault.is_of(process.0, process.1) && fault.meets(since.mono, at.mono);
        let mut known = self.faults.iter().filter(meets).peekable();
        let is_touched = known.peek().is_some();
        if known.any(|fault| fault.kind.explains_overlap()) {
            return;
        }
        let heartbeat = self.settings.heartbeat;
        if it.calls < heartbeat && it.stall < heartbeat {
            if is_touched {
                return;
            }
            self.found.push(format!(
                "process {process:?} renewed its lease after {} ms, though nothing stood still: answers took {:?}, its threads waited {:?}",
                (at.mono - since.mono) / 1_000,
                it.calls,
                it.stall
            ));
            return;
        }
        let gap = at.mono - since.mono;
        let is_nearly_over =
            gap >= i64::try_from((self.settings.lease * 3 / 4).as_micros()).unwrap_or(i64::MAX);
        let kind = if is_nearly_over { Kind::Starved } else { Kind::Slow };
        self.faults.push(Fault {
            kind,
            node: Some(process),
            begin: since,
            end: Some(at),
        });
    }

    /// When the end of a run's process was seen, in microseconds of monotonic time.
    pub(crate) fn end_was_seen(&self, run: &Run) -> Option<i64> {
        let is_its = |life: &&Life| (life.node, life.generation) == (run.node, run.generation);
        let life = self.lives.iter().find(is_its)?;
        life.died.map(|(at, _)| at.mono)
    }

    /// Sorts what was gathered and makes it easy to find.
    pub(crate) fn index(&mut self) {
        self.runs.sort_by_key(|it| it.start.mono);
        self.settled.sort_by_key(|it| it.at.mono);
        for (at, run) in self.runs.iter().enumerate() {
            self.runs_of_job.entry(run.job.clone()).or_default().push(at);
        }
        for (at, log) in self.logs.iter().enumerate() {
            self.logs_of_job
                .entry(log.job_id.to_string())
                .or_default()
                .push(at);
            self.log_of_run.insert(log.run_id.to_string(), at);
        }
        for answer in &self.answers {
            match answer {
                Answer::Accepted {
                    job,
                    work,
                    with_order,
                } => {
                    let it = Accepted {
                        work: *work,
                        with_order: *with_order,
                    };
                    self.accepted.insert(job.clone(), it);
                }
                Answer::RolledBack { job } => {
                    self.rolled_back.insert(job.clone());
                }
                Answer::Deleted { job, at } => {
                    self.deleted.entry(job.clone()).or_insert(*at);
                }
                Answer::Paused { .. } | Answer::Held { .. } | Answer::Edited { .. } => {}
            }
        }
    }

    /// Runs of a job, by start.
    pub(crate) fn runs_of(&self, job: &str) -> impl Iterator<Item = &Run> {
        self.runs_of_job
            .get(job)
            .into_iter()
            .flatten()
            .map(|at| &self.runs[*at])
    }

    /// Log rows of a job.
    pub(crate) fn logs_of(&self, job: &str) -> impl Iterator<Item = &JobLog> {
        self.logs_of_job
            .get(job)
            .into_iter()
            .flatten()
            .map(|at| &self.logs[*at])
    }

    /// The log row of a run.
    pub(crate) fn log(&self, run: &str) -> Option<&JobLog> {
        self.log_of_run.get(run).map(|at| &self.logs[*at])
    }

    /// How many log rows of a job have this outcome.
    pub(crate) fn count(&self, job: &str, outcome: RunOutcome) -> usize {
        self.logs_of(job).filter(|it| it.outcome == outcome).count()
    }

    /// The life of a run's process.
    pub(crate) fn life(&self, node: usize, generation: u32) -> Option<&Life> {
        self.lives
            .iter()
            .find(|it| (it.node, it.generation) == (node, generation))
    }

    /// Runs that were in flight on this process, or on any, at a moment.
    pub(crate) fn in_flight(&self, of: Option<(usize, u32)>, at: i64) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |it| {
            it.start.mono <= at && it.over >= at && of.is_none_or(|of| of == (it.node, it.generation))
        })
    }
}

async fn all_jobs(store: &SeaOrmStore) -> Result<Vec<JobInfo>> {
    let mut jobs = Vec::new();
    loop {
        let query = JobQuery {
            paging: Paging {
                skip: jobs.len() as u64,
                take: Paging::MAX_TAKE,
            },
            ..JobQuery::default()
        };
        let page = store.list(TenantScope::All, &query).await?;
        let is_last = page.items.is_empty();
        jobs.extend(page.items);
        if is_last || jobs.len() as u64 >= page.total {
            return Ok(jobs);
        }
    }
}

async fn all_logs(store: &SeaOrmStore) -> Result<Vec<JobLog>> {
    let mut logs = Vec::new();
    loop {
        let query = JobLogQuery {
            paging: Paging {
                skip: logs.len() as u64,
                take: Paging::MAX_TAKE,
            },
            ..JobLogQuery::default()
        };
        let page = store.list_logs(TenantScope::All, &query).await?;
        let is_last = page.items.is_empty();
        logs.extend(page.items);
        if is_last || logs.len() as u64 >= page.total {
            return Ok(logs);
        }
    }
}
