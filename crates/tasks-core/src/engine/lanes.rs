//! The lanes that this node serves: its own, and those of the types that it knows.

use std::sync::{Arc, PoisonError};

use tasks_abstractions::job::Lane;

use super::Engine;
use crate::registry::JobRegistry;

/// What a node serves, as of one state of its registry.
#[derive(Debug)]
pub(super) struct Lanes {
    pub(super) main: Vec<Lane>,
    pub(super) types: Vec<Lane>,
    pub(super) suspects: Vec<Lane>,
    /// [`JobRegistry::changes`] when these were put together.
    changes: u64,
}

impl Lanes {
    pub(super) fn of(node: &str, registry: &JobRegistry) -> Self {
        // Read first: a type that comes meanwhile makes this out of date at once.
        let changes = registry.changes();
        let main = vec![Lane::any_node(), Lane::node(node)];
        let types: Vec<Lane> = registry
            .names()
            .iter()
            .flat_map(|name| {
                [
                    Lane::unknown_type(None, name),
                    Lane::unknown_type(Some(node), name),
                ]
            })
            .collect();
        let suspects = main.iter().chain(&types).map(Lane::suspect).collect();
        Self {
            main,
            types,
            suspects,
            changes,
        }
    }
}

impl Lanes {
    /// What others are told of; nothing where this node runs nothing. Suspects are served wherever their lane is.
    pub(super) fn all(&self, is_running_jobs: bool) -> Vec<Lane> {
        if is_running_jobs {
            [&self.main[..], &self.types].concat()
        } else {
            Vec::new()
        }
    }
}

impl Engine {
    /// The lanes of now.
    pub(super) fn lanes(&self) -> Arc<Lanes> {
        let (lanes, parts) = (&self.shared.lanes, self.parts());
        let present = Arc::clone(&lanes.read().unwrap_or_else(PoisonError::into_inner));
        if present.changes == parts.registry.changes() {
            return present;
        }
        let fresh = Arc::new(Lanes::of(&parts.options.node_name, &parts.registry));
        *lanes.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        fresh
    }
}
