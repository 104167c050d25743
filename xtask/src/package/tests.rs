//! Only packages of this workspace, from registries of single calls, are forgotten.

use std::fs;

use super::forget_former;
use crate::workspace::Workspace;

#[test]
fn only_own_packages_from_nameless_registries_are_forgotten() {
    let mut workspace = Workspace::load().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (sources, target) = (folder.path().join("src"), folder.path().join("target"));
    workspace.target.clone_from(&target);
    forget_former(&workspace, &sources).unwrap();

    let gone = ["-1a2b/tasks-core-0.1.0", "-3c4d/tasks-cli-1.0.0-rc.1"];
    let stays = [
        "-1a2b/serde-1.0.0",
        "-1a2b/tasks-core-extras-0.1.0",
        "index.crates.io-1a2b/tasks-core-0.1.0",
    ];
    for it in gone.iter().chain(&stays) {
        fs::create_dir_all(sources.join(it)).unwrap();
    }
    let debug = target.join("debug");
    fs::create_dir_all(debug.join("deps")).unwrap();
    let built = |library: &str, package: &str, hash: &str, source: &str| {
        let list = debug.join("deps").join(format!("{library}-{hash}.d"));
        fs::write(list, format!("{library}.rmeta: {source}\n")).unwrap();
        let fresh = debug.join(".fingerprint").join(format!("{package}-{hash}"));
        fs::create_dir_all(&fresh).unwrap();
        fresh
    };
    let packed = sources
        .join("-1a2b/tasks-core-0.1.0/src/lib.rs")
        .display()
        .to_string();
    let stale = built("tasks_core", "tasks-core", "0a", &packed);
    let own = built("tasks_core", "tasks-core", "0b", "crates/tasks-core/src/lib.rs");
    let other = built("serde", "serde", "0c", &packed);

    forget_former(&workspace, &sources).unwrap();
    for it in gone {
        assert!(!sources.join(it).exists(), "{it}");
    }
    for it in stays {
        assert!(sources.join(it).exists(), "{it}");
    }
    assert!(!stale.exists());
    assert!(own.exists() && other.exists());
}
