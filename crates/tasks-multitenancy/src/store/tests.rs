//! Tests of the fixed list of tenants.

use super::*;
use uuid::Uuid;

fn id(n: u128) -> TenantId {
    TenantId::new(Uuid::from_u128(n))
}

#[tokio::test]
async fn tenants_are_found_by_id_and_by_name() {
    let off = TenantInfo {
        is_active: false,
        ..TenantInfo::new(id(2), "Globex")
    };
    let store = InMemoryTenantStore::new([off.clone(), TenantInfo::new(id(1), "Acme")]).unwrap();
    assert_eq!(store.find(id(2)).await.unwrap(), Some(off));
    assert_eq!(store.find(id(3)).await.unwrap(), None);
    assert_eq!(store.find(TenantId::HOST).await.unwrap(), None);
    assert_eq!(
        store.find_by_name(" acme").await.unwrap(),
        Some(TenantInfo::new(id(1), "Acme"))
    );
    assert_eq!(store.find_by_name("nobody").await.unwrap(), None);
    let names: Vec<_> = store
        .list()
        .await
        .unwrap()
        .into_iter()
        .map(|it| it.name)
        .collect();
    assert_eq!(names, ["Acme", "Globex"]);
}

#[test]
fn a_double_id_names_both_tenants() {
    let err = InMemoryTenantStore::new([TenantInfo::new(id(1), "acme"), TenantInfo::new(id(1), "globex")]);
    assert_eq!(
        err.unwrap_err().to_string(),
        "tenants `acme` and `globex` have the same id 00000000-0000-0000-0000-000000000001; give each its own"
    );
}

#[test]
fn a_double_name_names_both_tenants() {
    let err = InMemoryTenantStore::new([TenantInfo::new(id(1), "acme"), TenantInfo::new(id(2), "ACME ")]);
    assert_eq!(
        err.unwrap_err().to_string(),
        "tenants 00000000-0000-0000-0000-000000000001 and 00000000-0000-0000-0000-000000000002 have the same name \
         `ACME `; give each its own"
    );
}

#[test]
fn the_host_is_not_a_tenant_and_a_tenant_has_a_name() {
    let host = InMemoryTenantStore::new([TenantInfo::new(TenantId::HOST, "host")]).unwrap_err();
    assert_eq!(
        host.to_string(),
        "tenant `host` has the nil UUID, which is the host; give it an id of its own"
    );
    let blank = InMemoryTenantStore::new([TenantInfo::new(id(1), " ")]).unwrap_err();
    assert_eq!(
        blank.to_string(),
        "tenant 00000000-0000-0000-0000-000000000001 has a blank name; give it one"
    );
}

#[test]
fn an_unavailable_store_keeps_its_cause() {
    let err = TenantStoreError::unavailable("connection refused");
    assert_eq!(err.to_string(), "the tenants could not be read");
    assert_eq!(
        err.source().map(ToString::to_string).as_deref(),
        Some("connection refused")
    );
}
