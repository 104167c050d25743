//! Waiting for a while, where the while is what is measured.

use std::time::Duration;

/// Waits so long.
#[expect(
    clippy::disallowed_methods,
    reason = "an idle node is measured over a time, and there is no event to wait for"
)]
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
