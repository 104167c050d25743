//! A program that uses tenants and nothing else of the project.

use std::error::Error;
use std::sync::Arc;

use tasks_multitenancy::{
    CurrentTenant, HintContributor, InMemoryTenantStore, TenantHints, TenantId, TenantInfo, TenantResolver,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let acme = TenantId::from_name("acme");
    let tenants = InMemoryTenantStore::new([TenantInfo::new(acme, "Acme")])?;
    let resolver =
        TenantResolver::new(Arc::new(tenants)).contributor(Arc::new(HintContributor::new("header:x-tenant")));

    let tenant = resolver
        .resolve(&TenantHints::new().with("header:X-Tenant", "acme"))
        .await?;
    let inside = CurrentTenant::change(tenant, CurrentTenant::spawn(async { CurrentTenant::id() })).await?;
    assert_eq!(
        inside,
        TenantId::HOST,
        "the tenant is carried from where `spawn` is called"
    );

    let inside = CurrentTenant::change(tenant, async {
        CurrentTenant::spawn(async { CurrentTenant::id() }).await
    });
    assert_eq!(inside.await?, acme);
    assert_eq!(CurrentTenant::id(), TenantId::HOST);
    Ok(())
}
