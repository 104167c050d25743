//! Tests of the services of one run.

use super::*;
use crate::inject;
use crate::services::ServiceRegistry;
use std::sync::Barrier;

struct RunId(u32);

trait Orders: Send + Sync {
    fn run(&self) -> u32;
}

inject! { struct SqlOrders { run: Arc<RunId> } }

impl Orders for SqlOrders {
    fn run(&self) -> u32 {
        self.run.0
    }
}

inject! { struct Remind { orders: Arc<dyn Orders> } }

const HERE: &str = module_path!();

fn services() -> Services {
    let mut registry = ServiceRegistry::new();
    registry
        .per_run::<RunId>()
        .unwrap()
        .scoped::<dyn Orders, SqlOrders>(|it| it)
        .unwrap();
    registry.finish()
}

#[test]
fn a_scoped_service_is_one_per_run() {
    let services = services();
    let (one, two) = (services.scope(), services.scope());
    one.provide(Arc::new(RunId(1))).unwrap();
    two.provide(Arc::new(RunId(2))).unwrap();
    let first = one.get::<dyn Orders>().unwrap();
    assert!(Arc::ptr_eq(&first, &one.get::<dyn Orders>().unwrap()));
    assert!(Arc::ptr_eq(&first, &one.build::<Remind>().unwrap().orders));
    assert!(!Arc::ptr_eq(&first, &two.get::<dyn Orders>().unwrap()));
    assert_eq!((first.run(), two.get::<dyn Orders>().unwrap().run()), (1, 2));
}

#[test]
fn services_end_with_their_run() {
    let scope = services().scope();
    scope.provide(Arc::new(RunId(1))).unwrap();
    let weak = Arc::downgrade(&scope.get::<dyn Orders>().unwrap());
    assert!(weak.upgrade().is_some());
    drop(scope);
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_value_that_was_not_provided_is_told_with_the_path() {
    let err = services().scope().build::<Remind>().unwrap_err();
    assert_eq!(
        err.to_string(),
        format!(
            "`{HERE}::Remind` -> `dyn {HERE}::Orders` needs `{HERE}::RunId`, which nobody provided for this run; call \
             `Scope::provide` before"
        )
    );
}

#[test]
fn a_missing_service_is_told_with_the_path() {
    let empty = Services::default().scope();
    let err = empty.build::<Remind>().unwrap_err();
    assert_eq!(
        err.to_string(),
        format!(
            "`{HERE}::Remind` needs `dyn {HERE}::Orders`, which no module provides; register it in the `configure` of \
             a module"
        )
    );
    let err = empty.get::<u32>().unwrap_err();
    assert!(matches!(err, ServiceError::Missing { service: "u32", path } if path.is_empty()));
}

#[test]
fn only_declared_values_are_provided_and_only_once() {
    let scope = services().scope();
    let err = scope.provide(Arc::new(7_u32)).unwrap_err();
    assert_eq!(
        err.to_string(),
        "service `u32` is not one that a run provides; declare it with `ServiceRegistry::per_run`"
    );
    scope.provide(Arc::new(RunId(1))).unwrap();
    let err = scope.provide(Arc::new(RunId(2))).unwrap_err();
    assert_eq!(
        err.to_string(),
        format!(
            "service `{HERE}::RunId` was already provided for this run; provide it once, before anything is built"
        )
    );
    assert_eq!(scope.get::<RunId>().unwrap().0, 1);
}

inject! { struct A { _b: Arc<B> } }
inject! { struct B { _a: Arc<A> } }
inject! { struct NeedsA { _a: Arc<A> } }

#[test]
fn a_cycle_is_an_error_and_not_an_overflow() {
    let mut registry = ServiceRegistry::new();
    registry
        .scoped::<A, A>(|it| it)
        .unwrap()
        .scoped::<B, B>(|it| it)
        .unwrap();
    let err = registry.finish().scope().build::<NeedsA>().unwrap_err();
    assert_eq!(
        err.to_string(),
        format!("services need each other: {HERE}::A -> {HERE}::B -> {HERE}::A")
    );
}

/// Both tasks are inside the constructor at once before either may finish.
struct Slow;

static BOTH_BUILDING: Barrier = Barrier::new(2);

impl FromScope for Slow {
    fn from_scope(_: &Resolver<'_>) -> Result<Self, ServiceError> {
        BOTH_BUILDING.wait();
        Ok(Self)
    }

    fn needs(_: &mut Vec<Need>) {}
}

#[test]
fn two_tasks_that_build_at_once_get_the_same_and_no_cycle() {
    let mut registry = ServiceRegistry::new();
    registry.scoped::<Slow, Slow>(|it| it).unwrap();
    let scope = registry.finish().scope();
    let (one, two) = std::thread::scope(|threads| {
        let (one, two) = (
            threads.spawn(|| scope.get::<Slow>()),
            threads.spawn(|| scope.get::<Slow>()),
        );
        (one.join().unwrap().unwrap(), two.join().unwrap().unwrap())
    });
    assert!(Arc::ptr_eq(&one, &two));
}

struct Panics;

impl FromScope for Panics {
    fn from_scope(_: &Resolver<'_>) -> Result<Self, ServiceError> {
        panic!("in a constructor")
    }

    fn needs(_: &mut Vec<Need>) {}
}

#[test]
fn a_panic_and_a_poisoned_lock_leave_the_scope_usable() {
    let mut registry = ServiceRegistry::new();
    registry
        .scoped::<Panics, Panics>(|it| it)
        .unwrap()
        .per_run::<RunId>()
        .unwrap();
    let scope = registry.finish().scope();
    let again = || std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scope.get::<Panics>())).is_err();
    assert!(again() && again(), "a panic is no cycle the second time");
    let poisoned = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _held = scope.built.lock();
        panic!("under the lock")
    }));
    assert!(poisoned.is_err() && scope.built.is_poisoned());
    scope.provide(Arc::new(RunId(1))).unwrap();
    assert_eq!(scope.get::<RunId>().unwrap().0, 1);
}

#[test]
fn a_constructor_may_fail_for_its_own_reason() {
    #[derive(Debug)]
    struct Config;
    impl FromScope for Config {
        fn from_scope(_: &Resolver<'_>) -> Result<Self, ServiceError> {
            Err(ServiceError::failed::<Self>("no file"))
        }

        fn needs(_: &mut Vec<Need>) {}
    }
    let err = Services::default().scope().build::<Config>().unwrap_err();
    assert!(err.to_string().ends_with("Config` could not be built"), "{err}");
}

#[test]
fn one_service_may_be_offered_under_a_second_type() {
    trait Reader: Send + Sync {}
    impl Reader for SqlOrders {}
    let mut registry = ServiceRegistry::new();
    registry
        .per_run::<RunId>()
        .unwrap()
        .scoped::<SqlOrders, SqlOrders>(|it| it)
        .unwrap();
    registry
        .scoped::<dyn Reader, Arc<SqlOrders>>(|it| Arc::<SqlOrders>::clone(&it))
        .unwrap();
    let scope = registry.finish().scope();
    scope.provide(Arc::new(RunId(1))).unwrap();
    let (reader, orders) = (
        scope.get::<dyn Reader>().unwrap(),
        scope.get::<SqlOrders>().unwrap(),
    );
    assert!(std::ptr::addr_eq(Arc::as_ptr(&reader), Arc::as_ptr(&orders)));
}
