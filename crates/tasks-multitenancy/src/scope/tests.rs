//! Tests of what a scope lets through.

use super::*;

#[test]
fn one_allows_only_itself_and_the_host_is_not_everybody() {
    let (a, b) = (TenantId::from_name("a"), TenantId::from_name("b"));
    assert!(TenantScope::One(a).allows(a));
    assert!(!TenantScope::One(a).allows(b));
    assert!(!TenantScope::One(a).allows(TenantId::HOST));
    assert!(TenantScope::One(TenantId::HOST).allows(TenantId::HOST));
    assert!(!TenantScope::One(TenantId::HOST).allows(a));
    assert_eq!(TenantScope::One(a).only(), Some(a));
}

#[test]
fn all_allows_everybody() {
    assert!(TenantScope::All.allows(TenantId::HOST));
    assert!(TenantScope::All.allows(TenantId::from_name("a")));
    assert_eq!(TenantScope::All.only(), None);
}
