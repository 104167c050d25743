//! The commands on jobs: some by id, or all that a filter lets pass.

use serde_json::{Value, json};
use tasks_abstractions::store::JobQuery;
use tasks_abstractions::{BulkAnswer, BulkMode, CommandAnswer, JobCommand, JobId};
use tasks_host::HostExit;

use crate::args::{FilterArgs, Output, SelectArgs};
use crate::confirm;
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;
use crate::table::table;

pub(super) async fn run(
    manage: &Manage,
    command: JobCommand,
    args: &SelectArgs,
) -> Result<HostExit, Failure> {
    let query = args.filter.query();
    if args.all_matching {
        if query == JobQuery::default() {
            return Err(Failure::Usage(
                "--all-matching needs a filter; `--filter \"\"` lets every job pass".to_owned(),
            ));
        }
        return all_matching(manage, command, args, &query).await;
    }
    if args.filter != FilterArgs::default() {
        return Err(Failure::Usage("filters need --all-matching".to_owned()));
    }
    if args.must_confirm(command) {
        confirm::ask(&format!("{command} {} jobs", args.ids.len()))?;
    }
    let mode = mode(args.dry_run);
    let answers = manage
        .jobs
        .command_many(manage.scope, &args.ids, command, mode)
        .await?;
    print_each(manage, command, mode, &args.ids, &answers)
}

async fn all_matching(
    manage: &Manage,
    command: JobCommand,
    args: &SelectArgs,
    query: &JobQuery,
) -> Result<HostExit, Failure> {
    if args.must_confirm(command) {
        confirm::can_ask(&format!("{command} --all-matching"))?;
        let found = manage
            .jobs
            .command_where(manage.scope, query, command, BulkMode::DryRun)
            .await?;
        if found.changed > 0 {
            confirm::ask(&format!(
                "{command} {} of {} matching jobs",
                found.changed, found.matched
            ))?;
        }
    }
    let mode = mode(args.dry_run);
    let answer = manage
        .jobs
        .command_where(manage.scope, query, command, mode)
        .await?;
    print_bulk(manage, command.as_str(), mode, &answer)
}

pub(super) const fn mode(is_dry_run: bool) -> BulkMode {
    if is_dry_run {
        BulkMode::DryRun
    } else {
        BulkMode::Apply
    }
}

/// One line each, and failure where one was refused or is not there.
pub(super) fn print_each(
    manage: &Manage,
    command: JobCommand,
    mode: BulkMode,
    ids: &[JobId],
    answers: &[CommandAnswer],
) -> Result<HostExit, Failure> {
    let mut all_well = true;
    let mut rows = table(["job", "answer", "reason"]);
    let mut values: Vec<Value> = Vec::new();
    for (id, answer) in ids.iter().zip(answers) {
        let (word, reason) = match answer {
            CommandAnswer::Changed if mode == BulkMode::DryRun => ("would change", None),
            CommandAnswer::Changed => ("changed", None),
            CommandAnswer::Unchanged => ("unchanged", None),
            CommandAnswer::Refused(reason) => ("refused", Some(reason.as_str())),
            CommandAnswer::NotFound => ("not found", None),
        };
        all_well &= matches!(answer, CommandAnswer::Changed | CommandAnswer::Unchanged);
        rows.add_row([
            id.to_string(),
            word.to_owned(),
            reason.unwrap_or_default().to_owned(),
        ]);
        values.push(json!({ "id": id, "answer": word, "reason": reason }));
    }
    match manage.output {
        Output::Json => output::json(&json!({
            "command": command.as_str(), "dry_run": mode == BulkMode::DryRun, "answers": values,
        }))?,
        Output::Table => output::print(&rows.to_string())?,
    }
    Ok(exit(all_well))
}

/// How many, the first reasons, and failure where one was refused.
pub(super) fn print_bulk(
    manage: &Manage,
    command: &str,
    mode: BulkMode,
    answer: &BulkAnswer,
) -> Result<HostExit, Failure> {
    let is_dry_run = mode == BulkMode::DryRun;
    match manage.output {
        Output::Json => {
            let reasons: Vec<_> = answer
                .reasons
                .iter()
                .map(|(id, reason)| json!({ "id": id, "reason": reason }))
                .collect();
            output::json(&json!({
                "command": command, "dry_run": is_dry_run, "matched": answer.matched, "changed": answer.changed,
                "unchanged": answer.unchanged, "refused": answer.refused, "reasons": reasons,
            }))?;
        }
        Output::Table => {
            for (id, reason) in &answer.reasons {
                output::print(&format!("{id} refused: {reason}"))?;
            }
            let would = if is_dry_run { "would be " } else { "" };
            output::print(&format!(
                "{} matching jobs: {} {would}changed, {} {would}unchanged, {} {would}refused",
                answer.matched, answer.changed, answer.unchanged, answer.refused
            ))?;
        }
    }
    Ok(exit(answer.refused == 0))
}

const fn exit(all_well: bool) -> HostExit {
    if all_well {
        HostExit::Done
    } else {
        HostExit::Failed
    }
}
