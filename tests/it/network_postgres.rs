//! PostgreSQL over TLS, and over a network that carries nothing any more.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use tasks_abstractions::StoreError;
use tasks_store_seaorm::{SeaOrmStore, SeaOrmStoreOptions};

use crate::network::{self, a_strangers_certificate, certificates, connect, with};
use crate::postgres_schema::Schema;

const SLEEPS: &str = "SELECT pg_sleep(1.2)";

/// The store's options over TLS.
fn encrypted(schema: &Schema) -> SeaOrmStoreOptions {
    let mut options = schema.options();
    options.url = with(&options.url, "sslmode=require");
    options
}

async fn text(on: &impl ConnectionTrait, sql: &str) -> String {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = on.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Whether a writing session of the store's is encrypted, as the server sees it.
async fn is_encrypted(store: &SeaOrmStore) -> bool {
    let sql =
        "SELECT ssl::text || ' ' || coalesce(version, '') FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let answer = store
        .transaction(|tx| async move { Ok::<_, StoreError>(text(tx.connection(), sql).await) })
        .await
        .unwrap();
    answer.starts_with("true TLSv1.")
}

#[tokio::test]
async fn connections_are_encrypted_where_the_url_says_so() {
    let schema = Schema::new();
    for (parameters, expected) in [
        ("sslmode=require", true),
        ("sslmode=prefer", true),
        ("sslmode=disable", false),
    ] {
        let mut options = schema.options();
        options.url = with(&options.url, parameters);
        let store = connect(options).await.expect("a server with TLS (`ssl = on`)");
        assert_eq!(is_encrypted(&store).await, expected, "{parameters}");
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_cannot_prove_itself_is_refused() {
    let schema = Schema::new();
    let mut options = schema.options();
    let url = options.url.clone();
    let server = Database::connect(&url).await.unwrap();
    let own = text(&server, "SELECT pg_read_file(current_setting('ssl_cert_file'))").await;
    server.close().await.unwrap();
    let (own, stranger) = (certificates(&own), a_strangers_certificate());
    let verified = |url: &str, by: &tempfile::NamedTempFile| {
        let file = by.path().display();
        with(url, &format!("sslmode=verify-full&sslrootcert={file}"))
    };
    options.url = verified(&url, &own);
    let store = connect(options.clone()).await.unwrap();
    assert!(is_encrypted(&store).await);
    store.close().await.unwrap();
    // Another authority, no authority that knows the server, and another name than the certificate has.
    for url in [
        verified(&url, &stranger),
        with(&url, "sslmode=verify-full"),
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
    let schema = Schema::new();
    network::a_lease_is_renewed_again_after_silence(schema.options()).await;
}

#[tokio::test]
async fn a_lease_is_renewed_again_after_silence_over_tls() {
    let schema = Schema::new();
    network::a_lease_is_renewed_again_after_silence(encrypted(&schema)).await;
}

#[tokio::test]
async fn one_call_fails_for_all_connections_that_are_lost_over_tls() {
    let schema = Schema::new();
    network::one_call_fails_for_all_connections_that_are_lost(encrypted(&schema)).await;
}

#[tokio::test]
async fn an_idle_connection_is_asked_first_over_tls() {
    let schema = Schema::new();
    network::an_idle_connection_is_asked_first(encrypted(&schema), SLEEPS).await;
}

#[tokio::test]
async fn closing_does_not_wait_for_a_silent_server_over_tls() {
    let schema = Schema::new();
    network::closing_does_not_wait_for_a_silent_server(encrypted(&schema)).await;
}

#[tokio::test]
async fn a_commit_without_an_answer_fails() {
    let schema = Schema::new();
    network::a_commit_without_an_answer_fails(schema.options(), b"COMMIT\0").await;
}
