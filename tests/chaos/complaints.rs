//! What nodes say of themselves that must never be said.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// The system's own check had to repair something, or something of the engine's panicked.
const NEVER: [&str; 4] = [
    "nothing was armed; it is armed now",
    "has nothing left to run; it is completed now",
    "panicked at",
    "the job panicked",
];

/// Lines of the logs of all nodes that say so.
pub(crate) fn complaints(folder: &Path, nodes: usize) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for node in 1..=nodes {
        let path = folder.join(format!("node-{node}.log"));
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let lines = text
            .lines()
            .filter(|it| NEVER.iter().any(|said| it.contains(said)));
        found.extend(lines.map(|it| format!("node {node} says: {it}")));
    }
    Ok(found)
}
