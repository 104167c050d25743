//! A schema of its own on the PostgreSQL server of the test run, removed at the end.

use sea_orm::{ConnectionTrait, Database};
use tasks_store_seaorm::SeaOrmStoreOptions;
use uuid::Uuid;

/// Where the server is.
const VARIABLE: &str = "TASKS_TEST_POSTGRES_URL";

/// A schema that is there while this is.
pub(crate) struct Schema {
    url: String,
    name: String,
}

impl Schema {
    /// A name that no other test has. A store makes the schema when it connects.
    pub(crate) fn new() -> Self {
        let url = std::env::var(VARIABLE).unwrap_or_default();
        assert!(
            !url.is_empty(),
            "this test needs a PostgreSQL server: run `cargo xtask test`, or `eval \"$(cargo xtask db up)\"` first"
        );
        Self {
            url,
            name: format!("tasks_{}", Uuid::new_v4().simple()),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The store in this schema, with few connections: many tests run at once.
    pub(crate) fn options(&self) -> SeaOrmStoreOptions {
        let mut options = SeaOrmStoreOptions::new(&self.url);
        options.schema = Some(self.name.clone());
        options
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (url, sql) = (
            self.url.clone(),
            format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name),
        );
        // The runtime of the test cannot be waited for from here.
        let removed = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let server = Database::connect(url).await?;
                server.execute_unprepared(&sql).await?;
                server.close().await?;
                anyhow::Ok(())
            })
        })
        .join();
        if !std::thread::panicking() {
            removed.expect("no panic").expect("the schema is removed");
        }
    }
}
