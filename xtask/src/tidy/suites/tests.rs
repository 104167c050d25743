//! Cases missing in the list of their suite are found, however they are written.

use super::{SUITES, cases, suite};
use crate::tidy::tree::{File, Tree};

const MOD: &str = "//! Suite. É\n// cases:begin\n    claim: { fair, late },\n    // lost,\n    race::twice,\n// cases:end\n";

fn findings(files: &[(&str, &str)]) -> Vec<String> {
    let files = files
        .iter()
        .map(|(path, text)| File::new(format!("{}/{path}", SUITES[0]), *text))
        .collect();
    let mut findings = Vec::new();
    suite(&Tree { files }, SUITES[0], &mut findings);
    findings.iter().map(ToString::to_string).collect()
}

#[test]
fn listed_cases_have_no_findings() {
    let claim = "//! X.\npub async fn fair(fx: &impl StoreFixture) {}\npub async fn late<F: StoreFixture>(f: &F) {}\n";
    assert_eq!(
        findings(&[("mod.rs", MOD), ("claim.rs", claim)]),
        Vec::<String>::new()
    );
    assert_eq!(
        findings(&[("list.rs", MOD), ("claim.rs", claim), ("mod.rs", "//! X.\n")]),
        Vec::<String>::new()
    );
}

#[test]
fn a_case_missing_in_the_list() {
    let lost = "//! X.\n\npub async fn lost(\n    fx: &dyn StoreFixture,\n    more: u8,\n) {}\n";
    let findings = findings(&[("mod.rs", MOD), ("deep/claim.rs", lost)]);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].contains("store_suite/deep/claim.rs:3: case `lost`"),
        "{findings:?}"
    );
}

#[test]
fn only_public_functions_on_a_fixture_are_cases() {
    let code = "pub(crate) async fn a(fx: &F: Fixture) {}\npub async fn b(store: &Store, fx: &impl StoreFixture) {}\n\
                async fn c(fx: &impl StoreFixture) {}\npub async fn d(fx: &(impl StoreFixture, u8), n: u8) {}\n";
    assert_eq!(cases(code), [(4, "d")]);
}

#[test]
fn a_suite_needs_exactly_one_list() {
    assert!(findings(&[("mod.rs", "//! X.\n")])[0].contains("0 lists of cases"));
    assert!(findings(&[("mod.rs", MOD), ("list.rs", MOD)])[0].contains("2 lists of cases"));
}

#[test]
fn a_missing_suite() {
    assert!(findings(&[])[0].ends_with("the suite is missing"));
}
