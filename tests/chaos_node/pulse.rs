//! Whether this process, or the way to its database, stood still without a fault: on a busy machine either may, for longer than the lease.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use tests::chaos::{Line, Moment};

use crate::ledger::Ledger;

/// How often the thread that does nothing else wants to run.
const BEAT: Duration = Duration::from_millis(100);

/// Notes renewals of the lease that came so late that this node cannot judge others, or that others may have given it up.
pub(crate) struct Pulse {
    ledger: Arc<Ledger>,
    /// A gap that is worth a line.
    late: Duration,
    since: Arc<Mutex<Since>>,
    /// Dropping it ends the thread.
    _alive: Sender<()>,
}

/// What happened since the last good renewal was sent.
#[derive(Debug, Default)]
struct Since {
    renewed: Option<Moment>,
    /// Waited for answers of renewals.
    calls: Duration,
    /// The longest time for which the thread could not run.
    stall: Duration,
}

impl Pulse {
    pub(crate) fn start(ledger: Arc<Ledger>, lease: Duration) -> Result<Self> {
        let since = Arc::new(Mutex::new(Since::default()));
        let (alive, ended) = channel();
        let seen = Arc::clone(&since);
        std::thread::Builder::new()
            .name("pulse".to_owned())
            .spawn(move || {
                loop {
                    let before = Instant::now();
                    if ended.recv_timeout(BEAT) != Err(RecvTimeoutError::Timeout) {
                        return;
                    }
                    let stall = before.elapsed().saturating_sub(BEAT);
                    let mut since = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    since.stall = since.stall.max(stall);
                }
            })?;
        Ok(Self {
            ledger,
            // From here on the engine itself does not trust what it sees of others.
            late: lease / 2,
            since,
            _alive: alive,
        })
    }

    /// A renewal that was sent at `sent` has its answer now.
    pub(crate) fn renewed(&self, sent: Moment, is_good: bool) {
        let now = Moment::now();
        let took = Duration::from_micros(u64::try_from(now.mono - sent.mono).unwrap_or(0));
        let former = {
            let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
            since.calls += took;
            if !is_good {
                return;
            }
            let next = Since {
                renewed: Some(sent),
                ..Since::default()
            };
            std::mem::replace(&mut *since, next)
        };
        let Some(renewed) = former.renewed else { return };
        let gap = Duration::from_micros(u64::try_from(now.mono - renewed.mono).unwrap_or(0));
        if gap >= self.late {
            self.ledger.note(Line::Late {
                since: renewed,
                at: now,
                calls: former.calls,
                stall: former.stall,
            });
        }
    }
}
