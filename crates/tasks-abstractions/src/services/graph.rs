//! The check of everything that needs services, before anything runs.

use super::registry::{Entry, Kind};
use super::{FromScope, Need, ServiceRegistry};
use std::any::TypeId;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// Something that will be built from services: a job, a worker.
#[derive(Clone, Debug)]
pub struct Consumer {
    /// What it is, for messages: `job`, `worker`.
    pub kind: &'static str,
    /// The name it is registered under.
    pub name: Cow<'static, str>,
    /// Where it is registered, as `file:line`.
    pub at: Cow<'static, str>,
    /// The services it cannot be built without.
    pub needs: Vec<Need>,
}

impl Consumer {
    /// A `C` that is registered under `name` at the place `at`.
    #[must_use]
    pub fn of<C: FromScope>(
        kind: &'static str,
        name: impl Into<Cow<'static, str>>,
        at: impl Into<Cow<'static, str>>,
    ) -> Self {
        let mut needs = Vec::new();
        C::needs(&mut needs);
        Self {
            kind,
            name: name.into(),
            at: at.into(),
            needs,
        }
    }
}

impl fmt::Display for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}` ({})", self.kind, self.name, self.at)
    }
}

/// A scoped service on the way from a consumer to a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Name of its type.
    pub service: &'static str,
    /// Where it is registered, as `file:line`.
    pub at: String,
}

/// A fault among the services of a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphFault {
    /// A service that something needs is not registered.
    #[error("{consumer}{} needs `{service}`, which no module provides", steps(.path))]
    Missing {
        /// What needs it in the end, with the place of its registration.
        consumer: String,
        /// The services between the consumer and the missing one; empty if it needs it itself.
        path: Vec<Step>,
        /// The service that is missing.
        service: &'static str,
    },
    /// Services need each other in a circle.
    #[error("services need each other: {}", circle(.path))]
    Cycle {
        /// The services in the circle, each once.
        path: Vec<Step>,
    },
}

fn steps(path: &[Step]) -> String {
    path.iter()
        .map(|it| format!(" -> `{}` ({})", it.service, it.at))
        .collect()
}

fn circle(path: &[Step]) -> String {
    let mut all: Vec<_> = path
        .iter()
        .map(|it| format!("`{}` ({})", it.service, it.at))
        .collect();
    all.extend(path.first().map(|it| format!("`{}`", it.service)));
    all.join(" -> ")
}

/// Checks that everything the consumers need can be built, and every scoped service too, needed or not.
///
/// # Errors
///
/// All faults at once, those of consumers first and in their order. What a scoped service lacks is reported once,
/// on the way from the first consumer that reaches it. When each reported circle has been opened, none is left.
pub fn check_graph(registry: &ServiceRegistry, consumers: &[Consumer]) -> Result<(), Vec<GraphFault>> {
    let mut walk = Walk {
        registry,
        seen: HashSet::new(),
        faults: Vec::new(),
    };
    for consumer in consumers {
        walk.visit(
            &From {
                consumer: consumer.to_string(),
                hidden: 0,
            },
            &consumer.needs,
            &mut Vec::new(),
        );
    }
    for (need, entry) in registry.sorted() {
        if let Kind::Scoped { needs, .. } = &entry.kind
            && walk.seen.insert(need.id)
        {
            let consumer = format!("service `{}` ({})", entry.name, entry.place);
            let mut open = vec![(need.id, step(entry))];
            walk.visit(&From { consumer, hidden: 1 }, &collected(*needs), &mut open);
        }
    }
    if walk.faults.is_empty() {
        Ok(())
    } else {
        Err(walk.faults)
    }
}

/// Where a walk began.
struct From {
    consumer: String,
    /// Leading open steps that are the consumer itself and so not part of the path shown.
    hidden: usize,
}

struct Walk<'a> {
    registry: &'a ServiceRegistry,
    /// Scoped services that were entered once; their faults are known.
    seen: HashSet<TypeId>,
    faults: Vec<GraphFault>,
}

impl Walk<'_> {
    /// Depth first; `open` holds the scoped services that are entered and not left.
    fn visit(&mut self, from: &From, needs: &[Need], open: &mut Vec<(TypeId, Step)>) {
        let mut done = HashSet::new();
        for need in needs.iter().filter(|it| done.insert(it.id)) {
            match self.registry.entry(*need) {
                None => self.faults.push(GraphFault::Missing {
                    consumer: from.consumer.clone(),
                    path: open.iter().skip(from.hidden).map(|(_, it)| it.clone()).collect(),
                    service: need.name,
                }),
                Some(entry) => self.enter(from, *need, entry, open),
            }
        }
    }

    fn enter(&mut self, from: &From, need: Need, entry: &Entry, open: &mut Vec<(TypeId, Step)>) {
        let Kind::Scoped { needs, .. } = &entry.kind else {
            return;
        };
        if let Some(start) = open.iter().position(|(id, _)| *id == need.id) {
            let path = open.iter().skip(start).map(|(_, it)| it.clone()).collect();
            self.faults.push(GraphFault::Cycle { path });
        } else if self.seen.insert(need.id) {
            open.push((need.id, step(entry)));
            self.visit(from, &collected(*needs), open);
            open.pop();
        }
    }
}

fn step(entry: &Entry) -> Step {
    Step {
        service: entry.name,
        at: entry.place.to_string(),
    }
}

fn collected(needs: fn(&mut Vec<Need>)) -> Vec<Need> {
    let mut out = Vec::new();
    needs(&mut out);
    out
}

#[cfg(test)]
mod tests;
