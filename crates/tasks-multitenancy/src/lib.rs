//! Tenants of an application, and the tenant a piece of code runs for.
//!
//! A [`TenantId`] names a customer of the application; [`TenantId::HOST`] is the operator itself, which is not a
//! customer. [`CurrentTenant`] tells on whose behalf the running future works, [`TenantScope`] says whose rows a
//! query may see, a [`TenantStore`] knows the tenants, and a [`TenantResolver`] finds the tenant of a request.
//!
//! ```
//! use tasks_multitenancy::{
//!     CurrentTenant, HintContributor, InMemoryTenantStore, TenantHints, TenantId, TenantInfo, TenantResolver,
//! };
//! use std::sync::Arc;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let acme = TenantId::from_name("acme");
//! let store = InMemoryTenantStore::new([TenantInfo::new(acme, "acme")])?;
//! let resolver = TenantResolver::new(Arc::new(store)).contributor(Arc::new(HintContributor::new("header:x-tenant")));
//!
//! let tenant = resolver.resolve(&TenantHints::new().with("header:X-Tenant", "Acme")).await?;
//! assert_eq!(CurrentTenant::id(), TenantId::HOST);
//! CurrentTenant::change(tenant, async {
//!     assert_eq!(CurrentTenant::id(), acme);
//!     // A bare `tokio::spawn` would start without the tenant.
//!     let seen = CurrentTenant::spawn(async { CurrentTenant::id() }).await;
//!     assert_eq!(seen.ok(), Some(acme));
//! })
//! .await;
//! # Ok(())
//! # }
//! ```

mod current;
mod resolve;
mod scope;
mod store;
mod tenant_id;

pub use current::CurrentTenant;
pub use resolve::{
    HintContributor, TenantAnswer, TenantHints, TenantResolveContributor, TenantResolveError, TenantResolver,
};
pub use scope::TenantScope;
pub use store::{InMemoryTenantStore, TenantInfo, TenantListError, TenantStore, TenantStoreError};
pub use tenant_id::{ParseTenantIdError, TenantId};
