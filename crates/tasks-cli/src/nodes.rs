//! `tasks nodes`: members of the cluster.

use serde_json::json;
use tasks_abstractions::Timestamp;
use tasks_abstractions::store::{NodeInfo, NodeState};
use tasks_host::HostExit;

use crate::args::{NodesArgs, Output};
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;
use crate::runs::age;
use crate::table::{duration, instant, table};

pub(crate) async fn run(args: NodesArgs) -> Result<HostExit, Failure> {
    let manage = Manage::open(&args.database, None, args.output.output).await?;
    let mut nodes = manage.jobs.nodes().await?;
    nodes.retain(|it| args.all || it.state == NodeState::Alive);
    match manage.output {
        Output::Json => output::json(&json!({ "items": nodes }))?,
        Output::Table => output::print(&format!("{}\n{} nodes", rows(&nodes, manage.now()), nodes.len()))?,
    }
    Ok(HostExit::Done)
}

/// Nodes with how long ago they renewed their lease.
pub(crate) fn rows(nodes: &[NodeInfo], now: Timestamp) -> comfy_table::Table {
    let mut table = table([
        "node",
        "instance",
        "state",
        "runs",
        "started",
        "last sign",
        "version",
    ]);
    for node in nodes {
        table.add_row([
            node.name.clone(),
            node.instance.to_string(),
            node.state.to_string(),
            format!("{} of {}", node.running, node.capacity),
            instant(Some(node.started_at)),
            format!("{} ago", duration(age(node.heartbeat_at, now))),
            node.version.clone(),
        ]);
    }
    table
}
