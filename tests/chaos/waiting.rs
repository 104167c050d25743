//! The one place where the driver lets time pass: its business is what happens meanwhile.
#![expect(
    clippy::disallowed_methods,
    reason = "a chaos run happens in real time, with programs that know nothing of it"
)]

use std::time::Duration;

/// How often the driver looks at its nodes.
const LOOK: Duration = Duration::from_millis(20);

/// Lets some time pass.
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Lets a moment pass until the next look.
pub(crate) async fn look() {
    pause(LOOK).await;
}
