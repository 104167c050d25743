//! Tests of modules and of the check of their list.

use super::*;
use std::any::type_name;

struct StoreModule;

#[async_trait]
impl Module for StoreModule {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        registry.singleton(Arc::new(7_u32))?;
        Ok(())
    }
}

struct ShopModule;

#[async_trait]
impl Module for ShopModule {
    fn needs(&self) -> Vec<&'static str> {
        vec![type_name::<StoreModule>()]
    }

    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        let number = registry.get::<u32>()?;
        registry.singleton::<str>(number.to_string().into())?;
        Ok(())
    }
}

const HERE: &str = module_path!();

fn told(modules: &[Arc<dyn Module>]) -> Vec<String> {
    check_modules(modules)
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[tokio::test]
async fn a_module_builds_on_the_services_of_another() {
    let modules: [Arc<dyn Module>; 2] = [Arc::new(StoreModule), Arc::new(ShopModule)];
    assert_eq!(check_modules(&modules), Ok(()));
    let mut registry = ServiceRegistry::new();
    for it in &modules {
        it.configure(&mut registry).await.unwrap();
    }
    let services = registry.finish();
    assert_eq!(&*services.get::<str>().unwrap(), "7");
    for it in modules.iter().rev() {
        it.start(&services).await.unwrap();
        it.stop(&services).await.unwrap();
    }
}

#[tokio::test]
async fn errors_of_services_pass_through_a_module() {
    let err = ShopModule
        .configure(&mut ServiceRegistry::new())
        .await
        .unwrap_err();
    assert_eq!(
        err.to_string(),
        "no module provides `u32`; register it in the `configure` of a module"
    );
}

#[test]
fn a_module_that_was_not_added_is_told_with_what_to_do() {
    assert_eq!(
        told(&[Arc::new(ShopModule)]),
        [format!(
            "module `{HERE}::ShopModule` needs module `{HERE}::StoreModule`, which was not added; add \
             `.module({HERE}::StoreModule)` before it"
        )]
    );
}

#[test]
fn order_and_doubles_are_told_at_once() {
    assert_eq!(
        told(&[Arc::new(ShopModule), Arc::new(StoreModule), Arc::new(ShopModule)]),
        [
            format!(
                "module `{HERE}::ShopModule` needs module `{HERE}::StoreModule`, which was added after it; add \
                 `.module({HERE}::StoreModule)` before it"
            ),
            format!("module `{HERE}::ShopModule` was added twice; remove one"),
        ]
    );
}

#[test]
fn an_error_of_the_module_itself_keeps_its_cause() {
    let err = ModuleError::because("cannot open `shop.db`", "permission denied");
    assert_eq!(err.to_string(), "cannot open `shop.db`");
    assert_eq!(
        err.source().map(ToString::to_string).as_deref(),
        Some("permission denied")
    );
    assert!(ModuleError::new("set `store.url`").source().is_none());
}
