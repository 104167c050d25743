//! The one task that sends, without a server.

use super::*;

fn shared() -> Arc<Shared> {
    PgNotifier::new(PgConnectOptions::new_without_pgpass(), Uuid::from_u128(1)).shared
}

/// Between its last look and its end another task may have begun to send.
#[test]
fn a_sender_that_is_done_does_not_end_the_next_one() {
    let shared = shared();
    let mut former = Sending::new(Arc::clone(&shared));
    assert_eq!(former.next(), None);
    shared.outbox().is_sending = true;
    drop(former);
    assert!(shared.outbox().is_sending, "the next one is at it");
}

/// A task that went with its runtime, before or while it sent.
#[test]
fn a_sender_that_is_cut_off_leaves_the_way_to_another() {
    let shared = shared();
    for has_begun in [false, true] {
        shared.outbox().pending.add(&Notification::Commands);
        shared.outbox().is_sending = true;
        let mut sending = Sending::new(Arc::clone(&shared));
        if has_begun {
            assert!(sending.next().is_some());
        }
        drop(sending);
        assert!(!shared.outbox().is_sending);
    }
}
