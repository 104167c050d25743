//! Where an execution waits, and which goes first there.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{JobInfo, JobPriority};

const SUSPECT: &str = "suspect/";
const NODE: &str = "node:";
const TYPE: &str = "type:";

/// A place where executions wait and that nodes serve. It answers "may this node run it".
///
/// A node claims only from the lanes that it serves, so work for others costs it nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lane(Arc<str>);

impl Lane {
    /// Work for every node.
    #[must_use]
    pub fn any_node() -> Self {
        Self(Arc::from("default"))
    }

    /// Work for the node called `name`.
    #[must_use]
    pub fn node(name: &str) -> Self {
        Self(Arc::from(format!("node:{name}")))
    }

    /// Work of a type that the node which claimed it did not know. For pinned work the lane keeps the pin, so that it is
    /// served only by nodes that have the name *and* know the type.
    #[must_use]
    pub fn unknown_type(node: Option<&str>, type_name: &str) -> Self {
        Self(Arc::from(match node {
            None => format!("type:{type_name}"),
            Some(node) => format!("node:{node}/type:{type_name}"),
        }))
    }

    /// The lane that a job's own settings name.
    #[must_use]
    pub fn of(job: &JobInfo) -> Self {
        job.node_name.as_deref().map_or_else(Self::any_node, Self::node)
    }

    /// Where executions of this lane wait that may have killed the process which ran them. A node runs one of them at a time.
    #[must_use]
    pub fn suspect(&self) -> Self {
        if self.is_suspect() {
            self.clone()
        } else {
            Self(Arc::from(format!("{SUSPECT}{}", self.0)))
        }
    }

    /// The lane without its suspicion.
    #[must_use]
    pub fn base(&self) -> Self {
        self.0
            .strip_prefix(SUSPECT)
            .map_or_else(|| self.clone(), |base| Self(Arc::from(base)))
    }

    /// Whether this is a suspect lane.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        self.0.starts_with(SUSPECT)
    }

    /// The node that work of this lane is pinned to.
    #[must_use]
    pub fn pin(&self) -> Option<&str> {
        let node = self.bare().strip_prefix(NODE)?;
        Some(node.split_once('/').map_or(node, |(node, _)| node))
    }

    /// The type that a node must know for work of this lane, where some node did not.
    #[must_use]
    pub fn needed_type(&self) -> Option<&str> {
        let bare = self.bare();
        let rest = match bare.strip_prefix(NODE) {
            // Names of nodes have no slash.
            Some(node) => node.split_once('/')?.1,
            None => bare,
        };
        rest.strip_prefix(TYPE)
    }

    fn bare(&self) -> &str {
        self.0.strip_prefix(SUSPECT).unwrap_or(&self.0)
    }

    /// Reads a lane as stores keep it.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The lane as stores keep it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Rank of a priority in a lane: 25 − priority, so that a plain ascending index gives the order on every database.
#[must_use]
pub const fn rank_of(priority: JobPriority) -> i16 {
    JobPriority::High.code() - priority.code()
}
