//! The tenants that a host provides: from its options, unless a module knows better.

use std::sync::Arc;

use tasks_abstractions::JobRegistration;
use tasks_abstractions::prelude::*;
use tasks_core::JobRegistry;
use tasks_host::{Host, HostBuilder, HostError, MemoryStoreModule};
use tasks_multitenancy::{InMemoryTenantStore, TenantId, TenantInfo, TenantStore};

inject! { struct NeedsTenants { _tenants: Arc<dyn TenantStore> } }

#[async_trait]
impl BackgroundJob for NeedsTenants {
    const NAME: &'static str = "host.needs-tenants";
    type Args = ();
    async fn execute(&self, (): (), _: &JobRunnableContext) -> JobResult {
        Ok(Outcome::Done)
    }
}

/// Provides one tenant.
struct Customers;

#[async_trait]
impl Module for Customers {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        let customers = [TenantInfo::new(TenantId::from_name("globex"), "Globex")];
        let customers = InMemoryTenantStore::new(customers).map_err(|it| ModuleError::new(it.to_string()))?;
        registry.singleton::<dyn TenantStore>(Arc::new(customers))?;
        Ok(())
    }
}

fn host() -> HostBuilder {
    let mut registry = JobRegistry::new();
    let job = JobRegistration::of::<NeedsTenants>("host_tenants.rs:1");
    registry.add_job(&job).expect("free");
    Host::builder()
        .ignore_environment()
        .module(MemoryStoreModule)
        .registry(registry)
}

async fn names(host: &Host) -> Vec<String> {
    let tenants = host.services().get::<dyn TenantStore>().expect("provided");
    let tenants = tenants.list().await.expect("a list").into_iter();
    tenants.map(|it| it.name).collect()
}

fn acme() -> TenantInfo {
    TenantInfo::new(TenantId::from_name("acme"), "Acme")
}

#[tokio::test]
async fn tenants_come_from_the_options() {
    let none = host().build().await.expect("it can start");
    assert!(names(&none).await.is_empty());
    let one = host().options(|it| it.tenants.push(acme())).build().await;
    assert_eq!(names(&one.expect("it can start")).await, ["Acme"]);
}

#[tokio::test]
async fn the_tenants_of_a_module_count() {
    let host = host().module(Customers).options(|it| it.tenants.push(acme()));
    let host = host.build().await.expect("it can start");
    assert_eq!(names(&host).await, ["Globex"]);
}

#[tokio::test]
async fn tenants_that_code_adds_are_checked() {
    let host = host().options(|it| it.tenants.extend([acme(), acme()]));
    let Err(HostError::CannotStart(problems)) = host.build().await else {
        panic!("it started");
    };
    let [problem] = problems.lines() else {
        panic!("{problems}");
    };
    assert!(
        problem.starts_with("option `tenants`: ") && problem.contains("same id"),
        "{problem}"
    );
}
