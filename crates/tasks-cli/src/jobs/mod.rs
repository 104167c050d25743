//! `tasks jobs`: what is stored, and how people steer it.

mod command;
mod edit;
mod enqueue;
mod list;
mod logs;
mod retry;
mod show;

use tasks_abstractions::JobCommand;
use tasks_host::HostExit;

use crate::args::{JobsAction, JobsArgs, Output};
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;

pub(crate) async fn run(args: JobsArgs) -> Result<HostExit, Failure> {
    let manage = Manage::of(&args.manage).await?;
    let outcome = act(&manage, args.action).await;
    manage.flush().await;
    outcome
}

async fn act(manage: &Manage, action: JobsAction) -> Result<HostExit, Failure> {
    let owner = manage.owner();
    match action {
        JobsAction::List(it) => list::run(manage, &it).await,
        JobsAction::Show { id, runs } => show::run(manage, id, runs).await,
        JobsAction::Logs(it) => logs::run(manage, it).await,
        JobsAction::Enqueue(it) => enqueue::run(manage, owner, it).await,
        JobsAction::Create(it) => edit::create(manage, owner, it).await,
        JobsAction::Update(it) => edit::update(manage, it).await,
        JobsAction::Pause(it) => command::run(manage, JobCommand::Pause, &it).await,
        JobsAction::Resume(it) => command::run(manage, JobCommand::Resume, &it).await,
        JobsAction::Trigger(it) => command::run(manage, JobCommand::Trigger, &it).await,
        JobsAction::Start(it) => command::run(manage, JobCommand::Start, &it).await,
        JobsAction::Stop(it) => command::run(manage, JobCommand::Stop, &it).await,
        JobsAction::Cancel(it) => command::run(manage, JobCommand::Cancel, &it).await,
        JobsAction::Enable(it) => command::run(manage, JobCommand::Enable, &it).await,
        JobsAction::Disable(it) => command::run(manage, JobCommand::Disable, &it).await,
        JobsAction::Retry(it) => retry::run(manage, it).await,
        JobsAction::Copy(it) => retry::copy(manage, it).await,
        JobsAction::Reset { id } => retry::reset(manage, id).await,
        JobsAction::Delete(it) => command::run(manage, JobCommand::Delete, &it).await,
    }
}

/// Prints a job after it was made or changed: its id for people, all of it for programs.
fn print_job(manage: &Manage, done: &str, job: &tasks_abstractions::JobInfo) -> Result<HostExit, Failure> {
    match manage.output {
        Output::Json => output::json(&serde_json::json!(job))?,
        Output::Table => output::print(&format!("{} {done}", job.id))?,
    }
    Ok(HostExit::Done)
}
