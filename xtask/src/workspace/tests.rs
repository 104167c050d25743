//! Reading cargo's description of the workspace.

use super::{DependencyKind, Workspace, profile_tables};

const METADATA: &str = r#"{"workspace_root": "/w", "target_directory": "/w/target", "packages": [
    {"name": "a", "manifest_path": "/w/crates/a/Cargo.toml", "publish": null, "features": {"default": ["x"], "x": []},
     "dependencies": [
        {"name": "serde", "req": "^1.0", "kind": null, "features": ["derive"], "uses_default_features": true},
        {"name": "b", "req": "*", "kind": "dev", "path": "/w/b", "features": [], "uses_default_features": false}],
     "targets": [{"kind": ["lib"]}]},
    {"name": "b", "manifest_path": "/w/b/Cargo.toml", "publish": [], "features": {}, "dependencies": [],
     "targets": [{"kind": ["bin"]}]}]}"#;

#[test]
fn packages_features_and_dependencies_are_read() {
    let workspace = Workspace::parse(METADATA).unwrap();
    let [a, b] = workspace.packages.as_slice() else {
        panic!("two packages expected")
    };
    assert!(a.published && a.has_library && a.has_default_features);
    assert_eq!(a.features, ["x"]);
    assert_eq!(a.folder_name(), "a");
    assert_eq!(a.dependencies[0].kind, None);
    assert_eq!(a.dependencies[1].kind, Some(DependencyKind::Dev));
    assert!(!b.published && !b.has_library && !b.has_default_features);
    assert_eq!(workspace.published().count(), 1);
}

#[test]
fn the_real_workspace_can_be_read() {
    let workspace = Workspace::load().unwrap();
    assert!(
        workspace
            .packages
            .iter()
            .any(|it| it.name == "xtask" && !it.published)
    );
    assert!(
        workspace
            .published()
            .any(|it| it.name == "tasks-core" && it.has_library)
    );
}

#[test]
fn only_the_profiles_of_a_manifest_are_taken() {
    let manifest = "[workspace]\nmembers = []\n[profile.dev]\ndebug = 1\n\n[profile.dev.package.\"*\"]\ndebug = 0\n[lib]\nx = 1\n";
    assert_eq!(
        profile_tables(manifest),
        "[profile.dev]\ndebug = 1\n\n[profile.dev.package.\"*\"]\ndebug = 0\n"
    );
}
