//! What a host finds registered in its program. A program of its own, because registrations are one list for a whole program.

use tasks_abstractions::prelude::*;
use tasks_host::{Host, MemoryStoreModule};

inject! { struct Twice; }

#[async_trait]
impl BackgroundJob for Twice {
    const NAME: &'static str = "host.twice";
    type Args = ();
    async fn execute(&self, (): (), _: &JobRunnableContext) -> JobResult {
        Ok(Outcome::Done)
    }
}
register_job!(Twice);
register_job!(Twice);

#[tokio::test]
async fn a_name_that_is_registered_twice_names_both_places() {
    let (registry, duplicates) = tasks_host::registered();
    assert_eq!(registry.names(), ["host.twice"]);
    let [duplicate] = duplicates.as_slice() else {
        panic!("one name is registered twice on purpose: {duplicates:?}");
    };
    assert_eq!(duplicate.name, "host.twice");
    assert!(duplicate.first.contains("registered.rs:") && duplicate.second.contains("registered.rs:"));
    assert_ne!(duplicate.first, duplicate.second);
    let outcome = Host::builder()
        .ignore_environment()
        .module(MemoryStoreModule)
        .build()
        .await;
    let error = outcome.expect_err("the name is not unique").to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 2, "{error}");
    assert!(lines[1].contains("`host.twice` is registered twice"), "{error}");
}
