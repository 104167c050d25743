//! What can go wrong with services.

use super::Place;
use std::error::Error;

/// A service could not be registered, found or built.
///
/// Services appear in messages under the names of their types, as the compiler gives them; the names are for
/// people and not for comparing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// Nothing of this type was registered.
    #[error("{}; register it in the `configure` of a module", lacks(.service, .path, "no module provides", ""))]
    Missing {
        /// The type that was asked for.
        service: &'static str,
        /// What was being built, outermost first; empty when it was asked for directly.
        path: Vec<&'static str>,
    },
    /// The service exists only during a run, and nobody provided it for this one.
    #[error("{}; call `Scope::provide` before", lacks(.service, .path, "nobody provided", " for this run"))]
    NotProvided {
        /// The type that was asked for.
        service: &'static str,
        /// What was being built, outermost first; empty when it was asked for directly.
        path: Vec<&'static str>,
    },
    /// Services need each other in a circle.
    #[error("services need each other: {}", .path.join(" -> "))]
    Cycle {
        /// The types in the circle; the first is also the last.
        path: Vec<&'static str>,
    },
    /// A type was registered a second time.
    #[error(
        "service `{service}` is registered twice, at {first} and at {second}; remove one or use `replace`"
    )]
    Duplicate {
        /// The type.
        service: &'static str,
        /// Where it was registered first.
        first: Place,
        /// Where it was registered again.
        second: Place,
    },
    /// A value was provided for a run under a type that is not declared as such.
    #[error("service `{service}` is not one that a run provides; declare it with `ServiceRegistry::per_run`")]
    NotPerRun {
        /// The type.
        service: &'static str,
    },
    /// A value was provided twice for the same run; services built before would hold the first.
    #[error(
        "service `{service}` was already provided for this run; provide it once, before anything is built"
    )]
    AlreadyProvided {
        /// The type.
        service: &'static str,
    },
    /// A service that lives only during a run was asked for outside of one.
    #[error("service `{service}` lives only during a run; get it from a `Scope`")]
    NeedsScope {
        /// The type.
        service: &'static str,
    },
    /// The code that builds a service failed for a reason of its own.
    #[error("`{service}` could not be built")]
    Failed {
        /// The type that could not be built.
        service: &'static str,
        /// What went wrong underneath.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl ServiceError {
    /// For a [`FromScope`](super::FromScope) written by hand that cannot build `C`.
    #[must_use]
    pub fn failed<C>(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed {
            service: std::any::type_name::<C>(),
            source: source.into(),
        }
    }
}

fn lacks(service: &str, path: &[&str], nobody: &str, when: &str) -> String {
    if path.is_empty() {
        return format!("{nobody} `{service}`{when}");
    }
    let path: Vec<_> = path.iter().map(|it| format!("`{it}`")).collect();
    format!("{} needs `{service}`, which {nobody}{when}", path.join(" -> "))
}

#[cfg(test)]
mod tests;
