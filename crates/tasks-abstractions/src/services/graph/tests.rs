//! Tests of the check of the whole graph.

use super::*;
use crate::inject;
use std::sync::Arc;

trait Mailer: Send + Sync {}
trait Orders: Send + Sync {}
struct Tenant;

inject! { struct SqlOrders { _tenant: Arc<Tenant> } }
impl Orders for SqlOrders {}
inject! { struct Remind { _orders: Arc<dyn Orders>, _mailer: Arc<dyn Mailer>, _again: Arc<dyn Mailer> } }
inject! { struct Purge { _orders: Arc<dyn Orders> } }

const HERE: &str = module_path!();

fn at(line: u32) -> String {
    format!("{}:{line}", file!())
}

fn remind() -> Consumer {
    Consumer::of::<Remind>("job", "remind", "app at app/src/main.rs:25")
}

fn told(registry: &ServiceRegistry, consumers: &[Consumer]) -> Vec<String> {
    check_graph(registry, consumers)
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_whole_graph_passes() {
    let mut registry = ServiceRegistry::new();
    registry
        .scoped::<dyn Orders, SqlOrders>(|it| it)
        .unwrap()
        .per_run::<Tenant>()
        .unwrap();
    registry.per_run::<dyn Mailer>().unwrap();
    assert_eq!(check_graph(&registry, &[remind()]), Ok(()));
    assert_eq!(check_graph(&ServiceRegistry::new(), &[]), Ok(()));
}

#[test]
fn all_missing_services_are_told_at_once_at_any_depth() {
    let mut registry = ServiceRegistry::new();
    registry.scoped::<dyn Orders, SqlOrders>(|it| it).unwrap();
    let orders = at(line!() - 1);
    let purge = Consumer::of::<Purge>("worker", "purge", "app at app/src/main.rs:40");
    assert_eq!(
        told(&registry, &[remind(), purge]),
        [
            format!(
                "job `remind` (app at app/src/main.rs:25) -> `dyn {HERE}::Orders` ({orders}) needs `{HERE}::Tenant`, \
                 which no module provides"
            ),
            format!(
                "job `remind` (app at app/src/main.rs:25) needs `dyn {HERE}::Mailer`, which no module provides"
            ),
        ],
        "once a missing service of a scoped one, once a need that is listed twice"
    );
}

#[test]
fn every_consumer_that_lacks_a_service_is_told() {
    let purge = Consumer::of::<Purge>("worker", "purge", "b.rs:2");
    let other = Consumer::of::<Purge>("worker", "other", "c.rs:3");
    assert_eq!(
        told(&ServiceRegistry::new(), &[purge, other]),
        [
            format!("worker `purge` (b.rs:2) needs `dyn {HERE}::Orders`, which no module provides"),
            format!("worker `other` (c.rs:3) needs `dyn {HERE}::Orders`, which no module provides"),
        ]
    );
}

#[test]
fn a_scoped_service_nobody_needs_is_checked_too() {
    let mut registry = ServiceRegistry::new();
    registry.scoped::<dyn Orders, SqlOrders>(|it| it).unwrap();
    let orders = at(line!() - 1);
    assert_eq!(
        told(&registry, &[]),
        [format!(
            "service `dyn {HERE}::Orders` ({orders}) needs `{HERE}::Tenant`, which no module provides"
        )]
    );
}

inject! { struct A { _b: Arc<B> } }
inject! { struct B { _a: Arc<A>, _c: Arc<C>, _mailer: Arc<dyn Mailer> } }
inject! { struct C { _c: Arc<C> } }
inject! { struct NeedsA { _a: Arc<A> } }

#[test]
fn cycles_are_told_with_everything_else() {
    let mut registry = ServiceRegistry::new();
    registry.scoped::<A, A>(|it| it).unwrap();
    registry.scoped::<B, B>(|it| it).unwrap();
    registry.scoped::<C, C>(|it| it).unwrap();
    let [a, b, c] = [at(line!() - 3), at(line!() - 2), at(line!() - 1)];
    let cycles = [
        format!("services need each other: `{HERE}::A` ({a}) -> `{HERE}::B` ({b}) -> `{HERE}::A`"),
        format!("services need each other: `{HERE}::C` ({c}) -> `{HERE}::C`"),
    ];
    let missing = format!("`{HERE}::B` ({b}) needs `dyn {HERE}::Mailer`, which no module provides");
    let job = Consumer::of::<NeedsA>("job", "j", "m.rs:1");
    assert_eq!(
        told(&registry, &[job]),
        [
            cycles[0].clone(),
            cycles[1].clone(),
            format!("job `j` (m.rs:1) -> `{HERE}::A` ({a}) -> {missing}")
        ]
    );
    assert_eq!(
        told(&registry, &[]),
        [
            cycles[0].clone(),
            cycles[1].clone(),
            format!("service `{HERE}::A` ({a}) -> {missing}")
        ],
        "the same without any consumer"
    );
}
