//! Each direction and each publishing rule is found when it is broken.

use std::path::{Path, PathBuf};

use super::check;
use crate::workspace::{Dependency, DependencyKind, Package};

fn package(name: &str, dependencies: Vec<Dependency>) -> Package {
    let published = name.starts_with("tasks-");
    Package {
        name: name.to_owned(),
        folder: Path::new(if published { "/w/crates" } else { "/w" }).join(name),
        published,
        has_library: true,
        features: Vec::new(),
        has_default_features: false,
        dependencies,
    }
}

fn inside(name: &str) -> Dependency {
    Dependency {
        path: Some(PathBuf::from("/w/crates").join(name)),
        ..outside(name)
    }
}

fn outside(name: &str) -> Dependency {
    Dependency {
        name: name.to_owned(),
        req: "^1".to_owned(),
        kind: None,
        path: None,
        features: Vec::new(),
        uses_default_features: true,
    }
}

fn dev(dependency: Dependency) -> Dependency {
    Dependency {
        kind: Some(DependencyKind::Dev),
        ..dependency
    }
}

fn by_path_only(dependency: Dependency) -> Dependency {
    Dependency {
        req: "*".to_owned(),
        ..dependency
    }
}

fn findings(packages: &[Package]) -> Vec<String> {
    let mut findings = Vec::new();
    check(Path::new("/w"), packages, &mut findings);
    findings.iter().map(ToString::to_string).collect()
}

fn only(packages: &[Package]) -> String {
    let mut findings = findings(packages);
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

/// The packages most tests need, with one of them changed.
fn with(name: &str, dependency: Dependency) -> Vec<Package> {
    let mut packages = vec![
        package("tasks-multitenancy", vec![]),
        package("tasks-abstractions", vec![inside("tasks-multitenancy")]),
        package(
            "tasks-core",
            vec![inside("tasks-abstractions"), outside("tracing")],
        ),
        package(
            "tasks-store-seaorm",
            vec![
                inside("tasks-abstractions"),
                outside("sea-orm"),
                outside("tracing"),
            ],
        ),
        package("tasks-testing", vec![inside("tasks-core")]),
        package("tests", vec![inside("tasks-store-seaorm"), outside("anyhow")]),
        package("xtask", vec![outside("anyhow")]),
    ];
    let changed = packages.iter_mut().find(|it| it.name == name).unwrap();
    changed.dependencies.push(dependency);
    packages
}

#[test]
fn good_directions_have_no_findings() {
    assert_eq!(
        findings(&with("tests", inside("tasks-core"))),
        Vec::<String>::new()
    );
}

#[test]
fn a_crate_uses_only_what_its_row_allows() {
    assert!(only(&with("tasks-store-seaorm", inside("tasks-core"))).contains("must not use `tasks-core`"));
    assert!(
        only(&with("tasks-multitenancy", inside("tasks-abstractions"))).contains("nothing of the workspace")
    );
    assert!(only(&with("xtask", inside("tasks-core"))).starts_with("xtask/Cargo.toml: must not use"));
}

#[test]
fn outside_crates_that_a_layer_must_not_know() {
    for (name, crate_) in [
        ("tasks-multitenancy", "sqlx"),
        ("tasks-abstractions", "sea-orm"),
        ("tasks-core", "sea-orm-migration"),
        ("tasks-abstractions", "tracing"),
        ("tasks-abstractions", "log"),
        ("tasks-core", "axum"),
        ("tasks-store-seaorm", "reqwest"),
        ("tasks-core", "anyhow"),
    ] {
        assert!(
            only(&with(name, outside(crate_))).contains("must never use"),
            "{name} {crate_}"
        );
    }
    assert!(findings(&with("tasks-core", outside("logos"))).is_empty());
    assert!(findings(&with("tasks-core", dev(outside("anyhow")))).is_empty());
}

#[test]
fn the_test_kit_is_no_dev_dependency_of_what_it_is_built_on() {
    let kit = || by_path_only(dev(inside("tasks-testing")));
    assert!(only(&with("tasks-core", kit())).contains("instantiate suites"));
    assert!(only(&with("tasks-abstractions", kit())).contains("instantiate suites"));
    assert!(findings(&with("tasks-store-seaorm", kit())).is_empty());
}

#[test]
fn dev_dependencies_do_not_block_publishing() {
    assert!(only(&with("tasks-abstractions", dev(inside("tasks-core")))).contains("uses this crate"));
    assert!(only(&with("tasks-core", dev(inside("tests")))).contains("not published"));
    assert!(findings(&with("tasks-core", by_path_only(dev(inside("tests"))))).is_empty());
    assert!(findings(&with("tasks-core", dev(inside("tasks-store-seaorm")))).is_empty());
}

#[test]
fn dependencies_of_published_crates_can_be_published() {
    assert!(
        only(&with("tasks-core", by_path_only(inside("tasks-multitenancy")))).contains("needs a version")
    );
    let mut packages = with("tests", outside("serde"));
    packages[0].published = false;
    assert!(
        findings(&packages)
            .iter()
            .any(|it| it.contains("others say `publish = false`"))
    );
    assert!(
        findings(&packages)
            .iter()
            .any(|it| it.contains("which is not published"))
    );
}

#[test]
fn folder_and_crate_have_one_name() {
    let mut packages = with("tests", outside("serde"));
    packages[0].folder = PathBuf::from("/w/crates/tenancy");
    assert!(only(&packages).contains("folder `tenancy` holds crate `tasks-multitenancy`"));
}

#[test]
fn a_new_crate_needs_a_row() {
    assert!(only(&[package("tasks-new", vec![])]).contains("no row in the table"));
}
