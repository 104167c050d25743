//! `tasks serve`: a node until a signal.

use tasks_host::{Host, HostExit, HostOptions};
use tracing::info;

use crate::args::ServeArgs;
use crate::database::Database;
use crate::demo;
use crate::failure::Failure;

pub(crate) async fn run(args: ServeArgs) -> Result<HostExit, Failure> {
    let options = HostOptions::load(args.config.clone())?;
    let database = Database::of(&args.database, options.database.as_deref());
    info!(database = %database.shown(), "serving; SIGINT or SIGTERM drains, a second one ends at once");
    let mut host = database
        .add_to(Host::builder())?
        .module(demo::DemoModule::quiet())
        .registry(demo::served_types()?)
        .version(env!("CARGO_PKG_VERSION"));
    if let Some(file) = args.config {
        host = host.config_file(file);
    }
    host = host.options(move |it| {
        if let Some(name) = args.node_name {
            it.engine.node_name = name;
        }
        if let Some(concurrency) = args.concurrency {
            it.engine.max_concurrency = concurrency;
        }
    });
    host.build().await?.run().await?;
    Ok(HostExit::Done)
}
