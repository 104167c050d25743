//! The table at the end.

use comfy_table::{Table, presets};
use tasks_abstractions::store::{JobLogQuery, Paging};
use tasks_abstractions::{JobManagement, JobStatus, RunOutcome};
use tasks_multitenancy::TenantScope;

use super::board::Board;
use crate::failure::Failure;

/// States and figures. States and interruptions are those of the database; the other figures are of this process.
///
/// # Errors
/// Where the store failed.
pub(super) async fn text(management: &dyn JobManagement, board: &Board) -> Result<String, Failure> {
    let counts = management.counts(TenantScope::All).await?;
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_BORDERS_ONLY)
        .set_header(["state or figure", "count"]);
    let mut row = |what: &str, value: String| {
        table.add_row([what.to_owned(), value]);
    };
    for status in JobStatus::ALL {
        let jobs = counts.of(*status);
        if jobs > 0 {
            row(&status.to_string(), jobs.to_string());
        }
    }
    row("given up", counts.abandoned.to_string());
    row(
        "interruptions",
        runs(management, RunOutcome::Interrupted).await?.to_string(),
    );
    row(
        "failed runs",
        runs(management, RunOutcome::Failed).await?.to_string(),
    );
    row("retries (this run)", board.retries().to_string());
    row("files (this run)", board.finished().to_string());
    row("files a second", format!("{:.0}", board.throughput()));
    row("wait p50", format!("{:.1?}", board.wait(0.5)));
    row("wait p99", format!("{:.1?}", board.wait(0.99)));
    Ok(table.to_string())
}

async fn runs(management: &dyn JobManagement, outcome: RunOutcome) -> Result<u64, Failure> {
    let query = JobLogQuery {
        outcome: Some(outcome),
        paging: Paging { skip: 0, take: 1 },
        ..JobLogQuery::default()
    };
    Ok(management.logs(TenantScope::All, &query).await?.total)
}
