//! Tests of finding the tenant of a request.

use super::*;
use crate::{InMemoryTenantStore, TenantInfo};

fn acme() -> TenantId {
    TenantId::from_name("acme")
}

fn off() -> TenantInfo {
    TenantInfo {
        is_active: false,
        ..TenantInfo::new(TenantId::from_name("off"), "off")
    }
}

/// Claim before header, as a server would order them.
fn resolver() -> TenantResolver {
    let store = InMemoryTenantStore::new([TenantInfo::new(acme(), "Acme"), off()]).unwrap();
    TenantResolver::new(Arc::new(store))
        .contributor(Arc::new(HintContributor::new("claim:tenantid")))
        .contributor(Arc::new(HintContributor::new("header:x-tenant")))
}

struct Failing;

#[async_trait]
impl TenantResolveContributor for Failing {
    fn name(&self) -> &str {
        "failing"
    }

    async fn resolve(&self, _: &TenantHints) -> Result<Option<TenantAnswer>, Box<dyn Error + Send + Sync>> {
        Err("no route to host".into())
    }
}

struct Down;

#[async_trait]
impl TenantStore for Down {
    async fn find(&self, _: TenantId) -> Result<Option<TenantInfo>, TenantStoreError> {
        Err(TenantStoreError::unavailable("down"))
    }

    async fn find_by_name(&self, _: &str) -> Result<Option<TenantInfo>, TenantStoreError> {
        Err(TenantStoreError::unavailable("down"))
    }

    async fn list(&self) -> Result<Vec<TenantInfo>, TenantStoreError> {
        Err(TenantStoreError::unavailable("down"))
    }
}

#[tokio::test]
async fn nothing_found_is_the_host() {
    assert_eq!(
        resolver().resolve(&TenantHints::new()).await.unwrap(),
        TenantId::HOST
    );
    let blank = TenantHints::new()
        .with("header:x-tenant", "  ")
        .with("header:other", "acme");
    assert_eq!(resolver().resolve(&blank).await.unwrap(), TenantId::HOST);
}

#[tokio::test]
async fn a_tenant_is_found_by_id_or_name() {
    for value in [acme().to_string(), "acme".to_owned(), " ACME ".to_owned()] {
        let hints = TenantHints::new().with("Header:X-Tenant", value);
        assert_eq!(resolver().resolve(&hints).await.unwrap(), acme());
    }
}

#[tokio::test]
async fn the_first_answer_counts_even_if_it_is_the_host() {
    let hints = TenantHints::new()
        .with("claim:tenantid", TenantId::HOST.to_string())
        .with("header:x-tenant", "acme");
    assert_eq!(resolver().resolve(&hints).await.unwrap(), TenantId::HOST);
    let hints = TenantHints::new()
        .with("claim:tenantid", "acme")
        .with("header:x-tenant", "nobody");
    assert_eq!(resolver().resolve(&hints).await.unwrap(), acme());
}

#[tokio::test]
async fn an_unknown_tenant_is_an_error_and_not_the_host() {
    let hints = TenantHints::new()
        .with("claim:tenantid", "nobody")
        .with("header:x-tenant", "acme");
    let err = resolver().resolve(&hints).await.unwrap_err();
    assert_eq!(
        err.to_string(),
        "there is no tenant `nobody` (given by `claim:tenantid`)"
    );
    assert!(
        matches!(err, TenantResolveError::Unknown { tenant: TenantAnswer::Name(name), .. } if name == "nobody")
    );
}

#[tokio::test]
async fn an_inactive_tenant_is_an_error() {
    let hints = TenantHints::new().with("header:x-tenant", "off");
    let err = resolver().resolve(&hints).await.unwrap_err();
    assert_eq!(err.to_string(), "tenant `off` is not active");
    assert!(matches!(err, TenantResolveError::Inactive { id, .. } if id == off().id));
}

#[tokio::test]
async fn failures_stop_the_resolution() {
    let with_failing = TenantResolver::new(Arc::new(Down)).contributor(Arc::new(Failing));
    let err = with_failing.resolve(&TenantHints::new()).await.unwrap_err();
    assert_eq!(err.to_string(), "`failing` could not tell the tenant");
    assert_eq!(
        err.source().map(ToString::to_string).as_deref(),
        Some("no route to host")
    );

    let down = TenantResolver::new(Arc::new(Down)).contributor(Arc::new(HintContributor::new("k")));
    let err = down
        .resolve(&TenantHints::new().with("k", "acme"))
        .await
        .unwrap_err();
    assert_eq!(err.to_string(), "the tenants could not be read");
    assert_eq!(
        format!("{down:?}"),
        "TenantResolver { contributors: [\"k\"], .. }"
    );
}
