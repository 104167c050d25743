//! Tests of the forms `inject!` takes.

use crate::services::{FromScope, Need, ServiceRegistry, Services};
use std::sync::Arc;

pub(crate) trait Store<T>: Send + Sync {
    fn get(&self) -> T;
}

/// Not `Debug` on purpose.
struct Seven;

impl Store<Vec<u8>> for Seven {
    fn get(&self) -> Vec<u8> {
        vec![7]
    }
}

inject! { struct Unit; }
inject! { struct Empty {} }
inject! { struct OneLine { n: Arc<u32> } }
inject! {
    /// With everything a struct may have.
    #[derive(Clone)]
    pub(crate) struct Full {
        /// Nested generics end in `>>>`.
        pub(crate) store: Arc<dyn Store<Vec<u8>>>,
        #[expect(dead_code, reason = "shows that attributes of fields are kept")]
        spare: Arc<u32>,
        /// A part, by value.
        part: Inner,
    }
}
inject! {
    #[derive(Clone)]
    struct Inner { text: Arc<str> }
}

fn services() -> Services {
    let mut registry = ServiceRegistry::new();
    registry.singleton::<dyn Store<Vec<u8>>>(Arc::new(Seven)).unwrap();
    registry
        .singleton(Arc::new(5_u32))
        .unwrap()
        .singleton::<str>("five".into())
        .unwrap();
    registry.finish()
}

fn needs<C: FromScope>() -> Vec<Need> {
    let mut out = Vec::new();
    C::needs(&mut out);
    out
}

#[test]
fn structs_without_fields_need_nothing() {
    let scope = Services::default().scope();
    let Unit = scope.build::<Unit>().unwrap();
    let Empty {} = scope.build::<Empty>().unwrap();
    assert!(needs::<Unit>().is_empty() && needs::<Empty>().is_empty());
}

#[test]
fn fields_are_filled_from_the_scope() {
    let scope = services().scope();
    assert_eq!(*scope.build::<OneLine>().unwrap().n, 5);
    let full = scope.build::<Full>().unwrap().clone();
    assert_eq!((full.store.get(), &*full.part.text), (vec![7], "five"));
}

#[test]
fn needs_list_every_service_also_of_parts() {
    assert_eq!(
        needs::<Full>(),
        [
            Need::of::<dyn Store<Vec<u8>>>(),
            Need::of::<u32>(),
            Need::of::<str>()
        ]
    );
}

#[test]
fn debug_shows_the_name_only() {
    let scope = services().scope();
    assert_eq!(format!("{:?}", scope.build::<Unit>().unwrap()), "Unit");
    assert_eq!(format!("{:?}", scope.build::<Empty>().unwrap()), "Empty");
    assert_eq!(format!("{:?}", scope.build::<Full>().unwrap()), "Full { .. }");
}

/// Names that a careless expansion would pick up instead of the standard ones.
mod hygiene {
    #![expect(dead_code, reason = "they only have to be in scope")]

    struct Vec;
    struct Result;
    struct String;
    enum Shadow {
        Ok,
        Err,
    }
    #[expect(unused_imports, reason = "unused is what the test is about")]
    use Shadow::*;

    crate::inject! { struct Shadowed { it: std::sync::Arc<u32>, out: std::sync::Arc<str>, f: std::sync::Arc<str> } }
    crate::inject! { struct ShadowedUnit; }
}
