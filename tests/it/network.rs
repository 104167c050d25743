//! What must hold on every server where the network in between is encrypted, or carries nothing any more; files of certificates.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use tasks_abstractions::store::{RenewRequest, Renewal, SubmitAnswer};
use tasks_abstractions::{JobQueue, StoreError};
use tasks_store_seaorm::{SeaOrmStore, SeaOrmStoreOptions};
use tasks_testing::ManualClock;
use tasks_testing::samples::{at, due, instance_id, node, once};
use tempfile::NamedTempFile;
use tokio::sync::Barrier;

use crate::proxy::Proxy;

/// Ends a test in which something waits for ever. Nothing here takes nearly as long.
const FOR_EVER: Duration = Duration::from_secs(90);

/// `url` with other parameters.
pub(crate) fn with(url: &str, parameters: &str) -> String {
    let bare = url.split('?').next().unwrap_or(url);
    format!("{bare}?{parameters}")
}

/// A file of certificates.
pub(crate) fn certificates(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("written");
    file
}

/// The certificate of somebody whom no server knows.
pub(crate) fn a_strangers_certificate() -> NamedTempFile {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    certificates(&own.cert.pem())
}

pub(crate) async fn connect(options: SeaOrmStoreOptions) -> Result<SeaOrmStore, StoreError> {
    SeaOrmStore::connect(options, Arc::new(ManualClock::new())).await
}

/// A store behind a network that can be broken, with short limits, of which an instance is a member.
async fn behind(options: SeaOrmStoreOptions) -> (SeaOrmStore, Proxy) {
    let (mut options, proxy) = Proxy::before(options).await;
    options.statement_timeout = Duration::from_millis(500);
    options.acquire_timeout = Duration::from_secs(2);
    let store = connect(options).await.expect("the server is there");
    store.register_node(&node(1)).await.expect("a member");
    assert!(renew(&store).await.is_ok());
    (store, proxy)
}

async fn renew(store: &SeaOrmStore) -> Result<(), StoreError> {
    let request = RenewRequest {
        instance: instance_id(1),
        running: 0,
        lanes: None,
        cleared_suspects: Vec::new(),
        now: Some(at(1)),
    };
    let renewal = store.renew(&request).await?;
    assert!(matches!(renewal, Renewal::Alive { .. }), "{renewal:?}");
    Ok(())
}

async fn submit(store: &SeaOrmStore, number: u128) -> Result<SubmitAnswer, StoreError> {
    Ok(store.submit(&[due(once(number), at(0))]).await?.remove(0))
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(FOR_EVER, what)
        .await
        .expect("something waits for ever")
}

/// A network that carries nothing for a while: renewals fail meanwhile, and succeed when it carries again.
pub(crate) async fn a_lease_is_renewed_again_after_silence(options: SeaOrmStoreOptions) {
    let (store, proxy) = behind(options).await;
    proxy.swallow(true);
    for _ in 0..2 {
        let error = in_time(renew(&store)).await.expect_err("no answer");
        assert!(error.is_unavailable(), "{error}");
    }
    proxy.swallow(false);
    in_time(async {
        while let Err(error) = renew(&store).await {
            assert!(error.is_unavailable(), "{error}");
        }
    })
    .await;
}

/// All connections are lost at once: one call fails at most, whichever connections the next ones are given.
pub(crate) async fn one_call_fails_for_all_connections_that_are_lost(mut options: SeaOrmStoreOptions) {
    const WRITERS: u32 = 4;
    options.writers = WRITERS;
    let (store, proxy) = behind(options).await;
    let all = Barrier::new(WRITERS as usize);
    let open = (0..WRITERS).map(|_| {
        store.transaction(|_| async {
            all.wait().await;
            Ok::<_, StoreError>(())
        })
    });
    for opened in futures::future::join_all(open).await {
        opened.expect("a transaction");
    }
    // New jobs may have connections of their own.
    let stored = (0..WRITERS).map(|it| submit(&store, 100 + u128::from(it)));
    for stored in futures::future::join_all(stored).await {
        stored.expect("stored");
    }
    proxy.lose();
    let mut failed = Vec::new();
    for number in 1..=3 * u128::from(WRITERS) {
        if let Err(error) = in_time(submit(&store, number)).await {
            assert!(error.is_unavailable(), "{error}");
            failed.push(error.to_string());
        }
    }
    assert!(failed.len() <= 1, "{failed:?}");
}

/// A connection that lay idle is asked before it is used: nobody notices that it was lost. `sleeps` lets the server wait for longer than an idle connection is trusted.
pub(crate) async fn an_idle_connection_is_asked_first(options: SeaOrmStoreOptions, sleeps: &str) {
    let direct: DatabaseConnection = Database::connect(&options.url)
        .await
        .expect("the server is there");
    let (store, proxy) = behind(options).await;
    direct
        .execute_unprepared(sleeps)
        .await
        .expect("the server sleeps");
    proxy.lose();
    in_time(renew(&store))
        .await
        .expect("renewed over another connection");
    in_time(submit(&store, 1)).await.expect("the same");
    direct.close().await.expect("closed");
}

pub(crate) async fn closing_does_not_wait_for_a_silent_server(options: SeaOrmStoreOptions) {
    let (store, proxy) = behind(options).await;
    submit(&store, 1).await.expect("stored");
    proxy.lose();
    in_time(store.close()).await.expect("closed");
    let error = submit(&store, 2).await.expect_err("closed");
    assert!(error.is_unavailable(), "{error}");
}

/// Nobody knows whether it took effect: the caller is told, and asks again with the same id. `message` is how the driver sends it.
pub(crate) async fn a_commit_without_an_answer_fails(options: SeaOrmStoreOptions, message: &'static [u8]) {
    let (store, proxy) = behind(options).await;
    proxy.lose_at(message);
    let error = loop {
        let error = in_time(submit_two(&store)).await.expect_err("no answer");
        // On a busy machine the server may have given the transaction up before its end was sent.
        if proxy.has_lost() {
            break error;
        }
        assert!(error.is_unavailable(), "{error}");
    };
    assert!(
        error.is_unavailable() && error.to_string().contains("no answer"),
        "{error}"
    );
    let answers = in_time(submit_two(&store)).await.expect("stored");
    assert_eq!(
        answers,
        [SubmitAnswer::Inserted; 2],
        "the server never heard of them"
    );
}

/// Two jobs: one alone may be stored without a transaction of several statements.
async fn submit_two(store: &SeaOrmStore) -> Result<Vec<SubmitAnswer>, StoreError> {
    store.submit(&[due(once(1), at(0)), due(once(2), at(0))]).await
}
