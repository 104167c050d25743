//! What is seen at one moment.

use serde_json::{Value, json};
use tasks_abstractions::run::{JobLog, JobSnapshot};
use tasks_abstractions::store::{JobCounts, JobLogQuery, NodeInfo, NodeState, Paging};
use tasks_abstractions::{JobStatus, Timestamp};

use crate::failure::Failure;
use crate::manage::Manage;
use crate::table::{duration, instant, short, table};
use crate::{nodes, runs, stats};

/// Most runs in flight that are read.
const RUNS: usize = 100;
/// Finished runs that are shown.
const FINISHED: u64 = 8;

/// Counts, living nodes, runs in flight, and the last finished ones.
#[derive(Debug)]
pub(super) struct View {
    at: Timestamp,
    counts: JobCounts,
    nodes: Vec<NodeInfo>,
    runs: Vec<JobSnapshot>,
    finished: Vec<JobLog>,
}

/// Columns and lines of a terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) columns: u16,
    pub(super) lines: u16,
}

impl View {
    /// # Errors
    /// Where the store failed.
    pub(super) async fn read(manage: &Manage) -> Result<Self, Failure> {
        let query = JobLogQuery {
            paging: Paging {
                skip: 0,
                take: FINISHED,
            },
            ..JobLogQuery::default()
        };
        let mut nodes = manage.jobs.nodes().await?;
        nodes.retain(|it| it.state == NodeState::Alive);
        Ok(Self {
            at: manage.now(),
            counts: manage.jobs.counts(manage.scope).await?,
            nodes,
            runs: manage.jobs.runs(manage.scope, RUNS).await?,
            finished: manage.jobs.logs(manage.scope, &query).await?.items,
        })
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let runs: Vec<_> = self
            .runs
            .iter()
            .map(|it| json!({ "job": it.job, "run": it.run }))
            .collect();
        json!({
            "at": self.at, "jobs": stats::by_name(&self.counts), "nodes": self.nodes, "runs": runs,
            "finished": self.finished,
        })
    }

    /// One line.
    pub(super) fn line(&self) -> String {
        let mut words = vec![instant(Some(self.at))];
        for status in JobStatus::ALL {
            words.push(format!("{status} {}", self.counts.of(*status)));
        }
        words.push(format!("given up {}", self.counts.abandoned));
        words.push(format!("nodes {}", self.nodes.len()));
        words.join("  ")
    }

    /// The whole, cut to a terminal where there is one: the runs in flight give way to the rest.
    pub(super) fn text(&self, size: Option<Size>) -> String {
        let wide = |table: comfy_table::Table| fitted(table, size).to_string();
        let nodes = wide(nodes::rows(&self.nodes, self.at));
        let finished = wide(finished(&self.finished));
        let used = 6 + nodes.lines().count() + finished.lines().count();
        let all = &self.runs;
        // Four lines of a table are its borders and header.
        let room = size.map_or(all.len(), |it| {
            usize::from(it.lines).saturating_sub(used + 4).max(1)
        });
        let seen = all.get(..room.min(all.len())).unwrap_or(all);
        let runs = wide(runs::rows(seen, &self.nodes, self.at));
        let more = match all.len() - seen.len() {
            0 => String::new(),
            more => format!(" ({more} more)"),
        };
        format!(
            "{}\n\nliving nodes\n{nodes}\nruns in flight{more}\n{runs}\nlast runs\n{finished}",
            self.line()
        )
    }
}

fn finished(runs: &[JobLog]) -> comfy_table::Table {
    let mut log = table(["started", "type", "outcome", "attempt", "took", "node", "message"]);
    for run in runs {
        log.add_row([
            instant(Some(run.started_at)),
            run.type_name.clone(),
            run.outcome.to_string(),
            run.attempt.to_string(),
            duration(run.duration),
            run.node_name.clone(),
            short(run.message.as_deref().unwrap_or_default()),
        ]);
    }
    log
}

fn fitted(mut table: comfy_table::Table, size: Option<Size>) -> comfy_table::Table {
    if let Some(size) = size {
        table
            .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
            .set_width(size.columns);
    }
    table
}
