//! `tasks serve`: a node until a signal.

use tasks_host::{Host, HostExit};

use crate::args::ServeArgs;
use crate::database::StoreModule;
use crate::demo;
use crate::failure::Failure;

pub(crate) async fn run(args: ServeArgs) -> Result<HostExit, Failure> {
    let config = args.database.config.clone();
    let mut host = Host::builder()
        .module(StoreModule::new(args.database))
        .module(demo::DemoModule::quiet())
        .registry(demo::served_types()?)
        .version(env!("CARGO_PKG_VERSION"));
    if let Some(file) = config {
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
