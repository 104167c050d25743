//! What a program's manifest asks for, and how its tree is judged.

use super::{plan, programs, unwanted};
use crate::workspace::Workspace;

#[test]
fn a_manifest_without_a_plan_is_only_built() {
    let plan = plan(r#"{"packages": [{"metadata": null}]}"#).unwrap();
    assert!(!plan.run && plan.absent.is_empty());
}

#[test]
fn a_plan_is_read_and_mistakes_in_it_are_errors() {
    let read =
        plan(r#"{"packages": [{"metadata": {"outside": {"run": true, "absent": ["sqlx*"]}}}]}"#).unwrap();
    assert!(read.run);
    assert_eq!(read.absent, ["sqlx*"]);
    assert!(plan(r#"{"packages": [{"metadata": {"outside": {"runs": true}}}]}"#).is_err());
}

#[test]
fn packages_that_must_be_absent_are_found() {
    let tree = "shop v0.1.0 (/tmp/x)\nsqlx-core v0.9.0\nsea-orm v2.0.4\nsqlx-core v0.9.0 (*)\nsea-orm-migration v2.0.4\n";
    let patterns = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        unwanted(tree, &patterns(&["sqlx*", "sea-orm", "axum"])),
        ["sea-orm", "sqlx-core"]
    );
    assert!(unwanted(tree, &patterns(&["sqlx", "sea"])).is_empty());
}

#[test]
fn every_program_has_its_two_files() {
    for program in programs(&Workspace::load().unwrap()).unwrap() {
        assert!(
            program.join("main.rs").is_file() && program.join("Cargo.toml.in").is_file(),
            "{}",
            program.display()
        );
    }
}
