//! The node row.

use sea_orm::QueryResult;
use serde::Deserialize;
use tasks_abstractions::StoreError;
use tasks_abstractions::job::{InstanceId, Lane};
use tasks_abstractions::store::NodeInfo;

use super::read::columns;
use super::scalar::{Hex, coded, timestamp, unreadable};

#[derive(Debug, Deserialize)]
struct NodeColumns {
    instance: Hex,
    name: String,
    state: i64,
    started_at: i64,
    heartbeat_at: i64,
    capacity: u32,
    running: u32,
    lanes: String,
    version: String,
}

impl NodeColumns {
    const NAMES: &'static [&'static str] = &[
        "instance",
        "name",
        "state",
        "started_at",
        "heartbeat_at",
        "capacity",
        "running",
        "lanes",
        "version",
    ];

    fn into_node(self) -> Result<NodeInfo, String> {
        let lanes: Vec<String> = serde_json::from_str(&self.lanes).map_err(|it| format!("`lanes`: {it}"))?;
        Ok(NodeInfo {
            instance: InstanceId::new(self.instance.0),
            name: self.name,
            state: coded(self.state, "state")?,
            started_at: timestamp(self.started_at, "started_at")?,
            heartbeat_at: timestamp(self.heartbeat_at, "heartbeat_at")?,
            capacity: self.capacity,
            running: self.running,
            lanes: lanes.iter().map(|it| Lane::from_name(it)).collect(),
            version: self.version,
        })
    }
}

/// The node in the first column.
pub(crate) fn read_node(row: &QueryResult) -> Result<NodeInfo, StoreError> {
    let columns: NodeColumns = columns(row, 0, "a row of tk_nodes", NodeColumns::NAMES)?
        .ok_or_else(|| unreadable("a row of tk_nodes", "it is NULL"))?;
    columns
        .into_node()
        .map_err(|why| unreadable("a row of tk_nodes", &why))
}
