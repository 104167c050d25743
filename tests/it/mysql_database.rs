//! A database of its own on the MariaDB or MySQL server of the test run, removed at the end.

use sea_orm::{ConnectionTrait, Database};
use tasks_store_seaorm::SeaOrmStoreOptions;
use uuid::Uuid;

/// Where the server is.
const VARIABLE: &str = "TASKS_TEST_MYSQL_URL";

/// A database that is there while this is.
pub(crate) struct OwnDatabase {
    url: String,
    name: String,
}

impl OwnDatabase {
    /// An empty database.
    pub(crate) async fn new() -> Self {
        let url = std::env::var(VARIABLE).unwrap_or_default();
        assert!(
            !url.is_empty(),
            "this test needs a MariaDB or MySQL server: run `cargo xtask test`, or `eval \"$(cargo xtask db up)\"` first"
        );
        let name = format!("tasks_{}", Uuid::new_v4().simple());
        let server = Database::connect(&url).await.expect("the server is there");
        let create = format!("CREATE DATABASE {name}");
        server.execute_unprepared(&create).await.expect("CREATE DATABASE");
        server.close().await.expect("close");
        Self { url, name }
    }

    /// The store in this database.
    pub(crate) fn options(&self) -> SeaOrmStoreOptions {
        let (server, database) = self.url.rsplit_once('/').expect("the URL names a database");
        let parameters = database.split_once('?').map_or("", |it| it.1);
        SeaOrmStoreOptions::new(format!("{server}/{}?{parameters}", self.name))
    }
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        let (url, sql) = (self.url.clone(), format!("DROP DATABASE IF EXISTS {}", self.name));
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
            removed.expect("no panic").expect("the database is removed");
        }
    }
}
