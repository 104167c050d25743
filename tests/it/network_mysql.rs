//! MariaDB and MySQL over TLS, and over a network that carries nothing any more.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use tasks_abstractions::StoreError;
use tasks_store_seaorm::{SeaOrmStore, SeaOrmStoreOptions};

use crate::mysql_database::OwnDatabase;
use crate::network::{self, a_strangers_certificate, certificates, connect, with};

const SLEEPS: &str = "DO SLEEP(1.2)";

/// The store's options over TLS.
fn encrypted(database: &OwnDatabase) -> SeaOrmStoreOptions {
    let mut options = database.options();
    options.url = with(&options.url, "ssl-mode=REQUIRED");
    options
}

async fn text(on: &impl ConnectionTrait, sql: &str, column: usize) -> String {
    let statement = Statement::from_string(DbBackend::MySql, sql);
    let row = on.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(column).unwrap()
}

/// Whether a writing session of the store's is encrypted, as the server sees it.
async fn is_encrypted(store: &SeaOrmStore) -> bool {
    let sql = "SHOW SESSION STATUS LIKE 'Ssl_cipher'";
    let cipher = store
        .transaction(|tx| async move { Ok::<_, StoreError>(text(tx.connection(), sql, 1).await) })
        .await
        .unwrap();
    !cipher.is_empty()
}

#[tokio::test]
async fn connections_are_encrypted_where_the_url_says_so() {
    let database = OwnDatabase::new().await;
    for (parameters, expected) in [
        ("ssl-mode=REQUIRED", true),
        ("ssl-mode=PREFERRED", true),
        ("ssl-mode=DISABLED", false),
    ] {
        let mut options = database.options();
        options.url = with(&options.url, parameters);
        let store = connect(options)
            .await
            .expect("a server with TLS (`ssl-cert`, `ssl-key`)");
        assert_eq!(is_encrypted(&store).await, expected, "{parameters}");
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_cannot_prove_itself_is_refused() {
    let database = OwnDatabase::new().await;
    let mut options = database.options();
    let url = options.url.clone();
    let server = Database::connect(&url).await.unwrap();
    let own = text(&server, "SELECT LOAD_FILE(@@ssl_cert)", 0).await;
    server.close().await.unwrap();
    let (own, stranger) = (certificates(&own), a_strangers_certificate());
    let verified = |url: &str, by: &tempfile::NamedTempFile| {
        let file = by.path().display();
        with(url, &format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={file}"))
    };
    options.url = verified(&url, &own);
    let store = connect(options.clone()).await.unwrap();
    assert!(is_encrypted(&store).await);
    store.close().await.unwrap();
    // Another authority, no authority that knows the server, and another name than the certificate has.
    for url in [
        verified(&url, &stranger),
        with(&url, "ssl-mode=VERIFY_IDENTITY"),
        verified(&url.replacen("127.0.0.1", "localhost", 1), &own),
    ] {
        options.url = url;
        let error = connect(options.clone()).await.unwrap_err();
        assert!(error.is_unavailable(), "{error}");
        let cause = format!("{:?}", std::error::Error::source(&error));
        assert!(cause.contains("ertificate"), "{cause}");
    }
}

#[tokio::test]
async fn a_lease_is_renewed_again_after_silence() {
    let database = OwnDatabase::new().await;
    network::a_lease_is_renewed_again_after_silence(database.options()).await;
}

#[tokio::test]
async fn a_lease_is_renewed_again_after_silence_over_tls() {
    let database = OwnDatabase::new().await;
    network::a_lease_is_renewed_again_after_silence(encrypted(&database)).await;
}

#[tokio::test]
async fn one_call_fails_for_all_connections_that_are_lost_over_tls() {
    let database = OwnDatabase::new().await;
    network::one_call_fails_for_all_connections_that_are_lost(encrypted(&database)).await;
}

#[tokio::test]
async fn an_idle_connection_is_asked_first_over_tls() {
    let database = OwnDatabase::new().await;
    network::an_idle_connection_is_asked_first(encrypted(&database), SLEEPS).await;
}

#[tokio::test]
async fn closing_does_not_wait_for_a_silent_server_over_tls() {
    let database = OwnDatabase::new().await;
    network::closing_does_not_wait_for_a_silent_server(encrypted(&database)).await;
}

#[tokio::test]
async fn a_commit_without_an_answer_fails() {
    let database = OwnDatabase::new().await;
    network::a_commit_without_an_answer_fails(database.options(), b"\x03COMMIT").await;
}
