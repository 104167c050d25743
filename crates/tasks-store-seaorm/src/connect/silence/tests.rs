//! Which idle connections are used as they are, and what takes the place of the others.

use std::time::Duration;

use super::{LIFETIME, TRUSTED_FOR, Trust, trust};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_was_used_just_now_is_used_again() {
    assert_eq!(trust(SECOND, Duration::ZERO, None), Trust::Use);
    assert_eq!(trust(5 * SECOND, TRUSTED_FOR, None), Trust::Use);
}

#[test]
fn what_lay_idle_is_asked() {
    let idle = TRUSTED_FOR + Duration::from_millis(1);
    assert_eq!(trust(5 * SECOND, idle, None), Trust::Ask);
}

#[test]
fn what_was_idle_when_another_was_lost_is_replaced() {
    let age = 10 * SECOND;
    assert_eq!(trust(age, 3 * SECOND, Some(2 * SECOND)), Trust::Replace);
    assert_eq!(trust(age, SECOND / 2, Some(SECOND / 2)), Trust::Replace);
    assert_eq!(trust(2 * LIFETIME, LIFETIME, Some(SECOND)), Trust::Replace);
    // It was opened or used since.
    assert_eq!(trust(age, SECOND / 2, Some(SECOND)), Trust::Use);
    assert_eq!(trust(age, 2 * SECOND, Some(3 * SECOND)), Trust::Ask);
}

#[test]
fn what_is_old_is_renewed_once_a_lifetime() {
    for lifetimes in [1, 2, 7] {
        let ends = lifetimes * LIFETIME;
        assert_eq!(trust(ends, SECOND / 2, None), Trust::Renew);
        assert_eq!(trust(ends + SECOND, 5 * SECOND, None), Trust::Renew);
        // It was renewed then.
        assert_eq!(trust(ends + SECOND, SECOND / 2, None), Trust::Use);
        assert_eq!(trust(ends + 5 * SECOND, 4 * SECOND, None), Trust::Ask);
    }
}

/// A file stands for a server here: it can be asked, and opened anew.
#[cfg(feature = "sqlite")]
mod places {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
    use sea_orm::sqlx::{ConnectOptions as _, Error, Executor as _};
    use tokio::sync::watch;

    use super::super::{Open, Watch};
    use super::{Duration, LIFETIME, SECOND};

    struct Place {
        connection: SqliteConnection,
        open: Open<SqliteConnection>,
        opened: Arc<AtomicUsize>,
        watch: Watch,
        closing: watch::Sender<bool>,
    }

    impl Place {
        /// A connection with a mark, and a server that refuses the next ones.
        async fn new(refused: usize) -> Self {
            let options = SqliteConnectOptions::new().in_memory(true);
            let mut connection = options.connect().await.unwrap();
            connection
                .execute("CREATE TEMP TABLE mark (id INTEGER)")
                .await
                .unwrap();
            let opened = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&opened);
            let open: Open<SqliteConnection> = Arc::new(move || {
                let (options, number) = (options.clone(), count.fetch_add(1, Ordering::SeqCst));
                Box::pin(async move {
                    if number < refused {
                        return Err(Error::PoolTimedOut);
                    }
                    options.connect().await
                })
            });
            let (closing, closed) = watch::channel(false);
            Self {
                connection,
                open,
                opened,
                watch: Watch::new(30 * SECOND, 30 * SECOND, closed),
                closing,
            }
        }

        async fn before_use(&mut self, age: Duration, idle_for: Duration) -> Result<bool, Error> {
            self.watch
                .before_use(&mut self.connection, age, idle_for, &self.open)
                .await
        }

        async fn is_the_first(&mut self) -> bool {
            self.connection.execute("SELECT id FROM mark").await.is_ok()
        }

        fn opened(&self) -> usize {
            self.opened.load(Ordering::SeqCst)
        }
    }

    #[tokio::test]
    async fn a_connection_that_answers_stays() {
        let mut place = Place::new(0).await;
        assert!(place.before_use(9 * SECOND, 5 * SECOND).await.unwrap());
        let (watch, open) = (place.watch.clone(), Arc::clone(&place.open));
        assert!(watch.after_use(&mut place.connection, &open).await.unwrap());
        assert!(place.is_the_first().await);
        assert_eq!(place.opened(), 0);
    }

    #[tokio::test]
    async fn an_old_connection_is_renewed() {
        let mut place = Place::new(0).await;
        assert!(place.before_use(LIFETIME, SECOND).await.unwrap());
        assert!(!place.is_the_first().await);
        assert_eq!(place.opened(), 1);
    }

    #[tokio::test]
    async fn an_old_connection_stays_where_the_server_gives_no_other() {
        let mut place = Place::new(1).await;
        assert!(place.before_use(LIFETIME, SECOND).await.unwrap());
        assert!(place.is_the_first().await);
        assert_eq!(place.opened(), 1);
    }

    #[tokio::test]
    async fn a_lost_connection_is_replaced_as_soon_as_the_server_is_back() {
        let mut place = Place::new(3).await;
        *place.watch.lost.lock().unwrap() = Some(std::time::Instant::now());
        assert!(place.before_use(9 * SECOND, 9 * SECOND).await.unwrap());
        assert!(!place.is_the_first().await);
        assert_eq!(place.opened(), 4);
    }

    #[tokio::test]
    async fn no_connection_is_opened_for_a_store_that_is_closed() {
        for is_dropped in [false, true] {
            let mut place = Place::new(usize::MAX).await;
            *place.watch.lost.lock().unwrap() = Some(std::time::Instant::now());
            if is_dropped {
                place.closing = watch::channel(false).0;
            } else {
                place.closing.send_replace(true);
            }
            let error = place.before_use(9 * SECOND, 9 * SECOND).await.unwrap_err();
            assert!(matches!(error, Error::PoolClosed), "{error}");
            assert_eq!(place.opened(), 1);
        }
    }
}
