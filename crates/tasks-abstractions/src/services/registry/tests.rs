//! Tests of registering services.

use super::*;
use crate::inject;

trait Mailer: Send + Sync {
    fn from(&self) -> &str;
}

struct Smtp(&'static str);

impl Mailer for Smtp {
    fn from(&self) -> &str {
        self.0
    }
}

inject! { struct Counter; }

fn mailer(from: &'static str) -> Arc<dyn Mailer> {
    Arc::new(Smtp(from))
}

#[test]
fn a_singleton_is_the_same_value_everywhere() {
    let mut registry = ServiceRegistry::new();
    registry
        .singleton(mailer("a"))
        .unwrap()
        .singleton(Arc::new(7_u32))
        .unwrap();
    assert_eq!(registry.get::<dyn Mailer>().unwrap().from(), "a");
    let services = registry.finish();
    let (one, two) = (
        services.get::<dyn Mailer>().unwrap(),
        services.scope().get::<dyn Mailer>().unwrap(),
    );
    assert!(Arc::ptr_eq(&one, &two));
    assert_eq!(*services.clone().get::<u32>().unwrap(), 7);
    assert!(services.contains::<dyn Mailer>() && !services.contains::<Smtp>());
}

#[test]
fn a_second_registration_names_the_service_and_both_places() {
    let mut registry = ServiceRegistry::new();
    registry.singleton(mailer("a")).unwrap();
    let first = line!() - 1;
    let err = registry.singleton(mailer("b")).map(drop).unwrap_err();
    let second = line!() - 1;
    assert_eq!(
        err.to_string(),
        format!(
            "service `dyn {here}::Mailer` is registered twice, at {file}:{first} and at {file}:{second}; remove one or \
             use `replace`",
            here = module_path!(),
            file = file!()
        )
    );
    assert_eq!(
        registry.get::<dyn Mailer>().unwrap().from(),
        "a",
        "the first registration stays"
    );
}

#[test]
fn lifetimes_do_not_mix_under_one_type() {
    let mut registry = ServiceRegistry::new();
    registry.per_run::<Counter>().unwrap();
    assert!(matches!(
        registry.scoped::<Counter, Counter>(|it| it),
        Err(ServiceError::Duplicate { .. })
    ));
    assert!(matches!(
        registry.singleton(Arc::new(Counter)),
        Err(ServiceError::Duplicate { .. })
    ));
    assert!(matches!(
        registry.per_run::<Counter>(),
        Err(ServiceError::Duplicate { .. })
    ));
}

#[test]
fn replacing_is_explicit_and_needs_something_to_replace() {
    let mut registry = ServiceRegistry::new();
    let err = registry.replace(mailer("b")).map(drop).unwrap_err();
    assert!(matches!(err, ServiceError::Missing { .. }));
    registry.singleton(mailer("a")).unwrap();
    registry.replace(mailer("b")).unwrap();
    assert_eq!(registry.get::<dyn Mailer>().unwrap().from(), "b");
}

#[test]
fn what_lives_during_a_run_is_not_found_outside_of_one() {
    let mut registry = ServiceRegistry::new();
    registry
        .scoped::<Counter, Counter>(|it| it)
        .unwrap()
        .per_run::<u32>()
        .unwrap();
    let services = registry.finish();
    let err = services.get::<Counter>().unwrap_err();
    assert_eq!(
        err.to_string(),
        format!(
            "service `{}::Counter` lives only during a run; get it from a `Scope`",
            module_path!()
        )
    );
    assert!(matches!(
        services.get::<u32>(),
        Err(ServiceError::NeedsScope { .. })
    ));
    assert!(matches!(services.get::<u64>(), Err(ServiceError::Missing { .. })));
}

#[test]
fn debug_lists_the_types() {
    let mut registry = ServiceRegistry::new();
    registry
        .singleton(Arc::new(7_u32))
        .unwrap()
        .per_run::<str>()
        .unwrap();
    assert_eq!(format!("{registry:?}"), "ServiceRegistry {\"str\", \"u32\"}");
    assert_eq!(format!("{:?}", registry.finish()), "Services {\"str\", \"u32\"}");
}
