//! Which crate may use which: the table of the architecture as code.

use std::path::Path;

use super::Finding;
use crate::workspace::{Dependency, DependencyKind, Package, shown};

/// What one crate may use inside the workspace, and what it must never pull in from outside.
struct Direction {
    name: &'static str,
    may_use: &'static [&'static str],
    never: &'static [&'static [&'static str]],
}

const SQL: &[&str] = &[
    "sea-orm",
    "sea-query",
    "sqlx",
    "rusqlite",
    "diesel",
    "tokio-postgres",
    "libsqlite3-sys",
];
const HTTP: &[&str] = &[
    "axum",
    "hyper",
    "http",
    "reqwest",
    "tower",
    "actix-web",
    "warp",
    "tonic",
    "utoipa",
];
const LOGGING: &[&str] = &["tracing", "log"];
const SIGNALS: &[&str] = &["signal-hook", "ctrlc", "nix"];
const UNTYPED_ERRORS: &[&str] = &["anyhow", "eyre"];

const MULTITENANCY: &str = "tasks-multitenancy";
const ABSTRACTIONS: &str = "tasks-abstractions";
const CORE: &str = "tasks-core";
const STORE: &str = "tasks-store-seaorm";
const JOBS: &str = "tasks-jobs";
const ACTIVITIES: &str = "tasks-activities";
const CONTRACTS: &str = "tasks-contracts";
const HTTP_API: &str = "tasks-http";
const CLIENT: &str = "tasks-client";
const HOST: &str = "tasks-host";
const CLI: &str = "tasks-cli";
const TESTING: &str = "tasks-testing";

const LIBRARIES: &[&str] = &[
    MULTITENANCY,
    ABSTRACTIONS,
    CORE,
    STORE,
    JOBS,
    ACTIVITIES,
    CONTRACTS,
    HTTP_API,
    CLIENT,
];

const DIRECTIONS: &[Direction] = &[
    Direction {
        name: MULTITENANCY,
        may_use: &[],
        never: &[SQL, HTTP, SIGNALS, UNTYPED_ERRORS],
    },
    Direction {
        name: ABSTRACTIONS,
        may_use: &[MULTITENANCY],
        never: &[SQL, HTTP, SIGNALS, LOGGING, UNTYPED_ERRORS],
    },
    Direction {
        name: CORE,
        may_use: &[ABSTRACTIONS, MULTITENANCY],
        never: &[SQL, HTTP, SIGNALS, UNTYPED_ERRORS],
    },
    Direction {
        name: STORE,
        may_use: &[ABSTRACTIONS, MULTITENANCY],
        never: &[HTTP, SIGNALS, UNTYPED_ERRORS],
    },
    Direction {
        name: JOBS,
        may_use: &[ABSTRACTIONS, MULTITENANCY],
        never: &[SQL, SIGNALS, UNTYPED_ERRORS],
    },
    Direction {
        name: ACTIVITIES,
        may_use: &[ABSTRACTIONS, MULTITENANCY, JOBS],
        never: &[SQL, SIGNALS, UNTYPED_ERRORS],
    },
    Direction {
        name: CONTRACTS,
        may_use: &[ABSTRACTIONS],
        never: &[SQL, SIGNALS, UNTYPED_ERRORS],
    },
    Direction {
        name: HTTP_API,
        may_use: &[ABSTRACTIONS, MULTITENANCY, CONTRACTS],
        never: &[SQL, SIGNALS, UNTYPED_ERRORS],
    },
    Direction {
        name: CLIENT,
        may_use: &[ABSTRACTIONS, CONTRACTS],
        never: &[SQL, SIGNALS, UNTYPED_ERRORS],
    },
    Direction {
        name: HOST,
        may_use: LIBRARIES,
        never: &[UNTYPED_ERRORS],
    },
    Direction {
        name: CLI,
        may_use: &[
            MULTITENANCY,
            ABSTRACTIONS,
            CORE,
            STORE,
            JOBS,
            ACTIVITIES,
            CONTRACTS,
            HTTP_API,
            CLIENT,
            HOST,
        ],
        never: &[UNTYPED_ERRORS],
    },
    Direction {
        name: TESTING,
        may_use: &[ABSTRACTIONS, MULTITENANCY, CORE],
        never: &[SQL, HTTP, UNTYPED_ERRORS],
    },
    Direction {
        name: "tests",
        may_use: &[
            MULTITENANCY,
            ABSTRACTIONS,
            CORE,
            STORE,
            JOBS,
            ACTIVITIES,
            CONTRACTS,
            HTTP_API,
            CLIENT,
            HOST,
            CLI,
            TESTING,
        ],
        never: &[],
    },
    Direction {
        name: "xtask",
        may_use: &[],
        never: &[],
    },
];

/// Suites run in the package `tests`, so that these crates can be tested without their test kit.
const WITHOUT_TEST_KIT: &[&str] = &[MULTITENANCY, ABSTRACTIONS, CORE];

/// Checks folders, directions and publishing of every package.
pub(crate) fn check(root: &Path, packages: &[Package], findings: &mut Vec<Finding>) {
    for package in packages {
        let path = shown(root, &package.folder.join("Cargo.toml"));
        let mut report = |message: String| findings.push(Finding::file(&path, message));
        if package.folder_name() != package.name {
            report(format!(
                "folder `{}` holds crate `{}`; give both one name",
                package.folder_name(),
                package.name
            ));
        }
        if package.published != (package.folder.parent() == Some(&root.join("crates"))) {
            report("crates under `crates/` are published, others say `publish = false`".to_owned());
        }
        let Some(direction) = DIRECTIONS.iter().find(|it| it.name == package.name) else {
            report(format!(
                "crate `{}` has no row in the table of directions (xtask/src/tidy/crates.rs)",
                package.name
            ));
            continue;
        };
        for dependency in &package.dependencies {
            if let Some(message) = wrong(direction, package, dependency, packages) {
                report(message);
            }
        }
    }
}

/// Why a package must not have a dependency.
fn wrong(
    direction: &Direction,
    package: &Package,
    dependency: &Dependency,
    packages: &[Package],
) -> Option<String> {
    let (name, kit) = (&dependency.name, dependency.name == TESTING);
    let dev = dependency.kind == Some(DependencyKind::Dev);
    if dev && kit && WITHOUT_TEST_KIT.contains(&direction.name) {
        return Some(format!(
            "`{name}` must not be a dev-dependency; instantiate suites in the package `tests`"
        ));
    }
    let Some(inside) = packages
        .iter()
        .find(|it| it.name == *name && dependency.path.is_some())
    else {
        let pulled = !dev
            && direction
                .never
                .iter()
                .copied()
                .flatten()
                .any(|it| is_family(name, it));
        return pulled
            .then(|| format!("must never use `{name}`; code that needs it belongs in another crate"));
    };
    if !dev && !direction.may_use.contains(&name.as_str()) {
        return Some(format!(
            "must not use `{name}`; it may use: {}",
            list(direction.may_use)
        ));
    }
    if !package.published {
        return None;
    }
    let versioned = dependency.req != "*";
    match dev {
        false if !inside.published => Some(format!(
            "a published crate cannot use `{name}`, which is not published"
        )),
        false if !versioned => Some(format!(
            "`{name}` needs a version beside its path to be published"
        )),
        true if versioned && !inside.published => Some(format!(
            "dev-dependency `{name}` is not published; give it a path and no version"
        )),
        true if versioned && reaches(inside, &package.name, packages) => Some(format!(
            "dev-dependency `{name}` uses this crate; give it a path and no version, or neither can be published first"
        )),
        _ => None,
    }
}

/// Whether a package is `family` itself or one of its parts, as `sqlx-core` is of `sqlx`.
fn is_family(name: &str, family: &str) -> bool {
    name.strip_prefix(family)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Whether `from` uses the package named `wanted`, directly or through others, outside of tests.
fn reaches(from: &Package, wanted: &str, packages: &[Package]) -> bool {
    from.dependencies
        .iter()
        .filter(|it| it.kind != Some(DependencyKind::Dev) && it.path.is_some())
        .any(|it| {
            it.name == wanted
                || packages
                    .iter()
                    .any(|next| next.name == it.name && reaches(next, wanted, packages))
        })
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        "nothing of the workspace".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests;
