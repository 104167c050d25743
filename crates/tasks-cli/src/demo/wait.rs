//! Waiting until everything is settled: what the store says counts, as other processes may work on the same database.

use std::future::pending;
use std::time::{Duration, Instant};

use tasks_abstractions::JobManagement;
use tasks_abstractions::store::{JobQuery, Paging};
use tasks_host::Host;
use tasks_multitenancy::TenantScope;
use tokio::time::timeout;

use super::board::Board;
use super::enqueue::OPEN;
use crate::failure::Failure;

/// How often the bar moves.
const TICK: Duration = Duration::from_millis(100);
/// Looking at the store takes at most this share of the time.
const SHARE: u32 = 10;

/// Waits until no job of a demo is open, and no notice of one that was given up.
///
/// # Errors
/// Where the store failed.
pub(super) async fn until_done(host: &Host, board: &Board) -> Result<(), Failure> {
    let management = host.management();
    loop {
        let looked = Instant::now();
        if is_settled(management.as_ref()).await? {
            return Ok(());
        }
        let pause = (looked.elapsed() * SHARE).clamp(TICK * 2, Duration::from_secs(10));
        let until = Instant::now() + pause;
        while Instant::now() < until {
            // Nothing to wait for but the time.
            let _ = timeout(TICK, pending::<()>()).await;
            board.tick();
            if host.engine().executing() == 0 && host.engine().unsettled() == 0 {
                break;
            }
        }
    }
}

async fn is_settled(management: &dyn JobManagement) -> Result<bool, Failure> {
    for type_name in ["demo.", "tasks.notify-administrator"] {
        for status in OPEN {
            let query = JobQuery {
                type_name: Some(type_name.to_owned()),
                status: Some(status),
                paging: Paging { skip: 0, take: 1 },
                ..JobQuery::default()
            };
            if management.list(TenantScope::All, &query).await?.total > 0 {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
