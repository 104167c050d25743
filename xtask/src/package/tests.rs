//! Only packages of this workspace, in registries of single calls, are forgotten.

use std::fs;

use super::forget_former;
use crate::workspace::Workspace;

#[test]
fn only_own_packages_in_nameless_registries_are_forgotten() {
    let workspace = Workspace::load().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let gone = ["-1a2b/tasks-core-0.1.0", "-3c4d/tasks-cli-1.0.0-rc.1"];
    let stays = [
        "-1a2b/serde-1.0.0",
        "-1a2b/tasks-core-extras-0.1.0",
        "index.crates.io-1a2b/tasks-core-0.1.0",
    ];
    for it in gone.iter().chain(&stays) {
        fs::create_dir_all(folder.path().join(it)).unwrap();
    }
    forget_former(&workspace, folder.path()).unwrap();
    for it in gone {
        assert!(!folder.path().join(it).exists(), "{it}");
    }
    for it in stays {
        assert!(folder.path().join(it).exists(), "{it}");
    }
    forget_former(&workspace, &folder.path().join("missing")).unwrap();
}
