//! Hearing from the engines of other processes, and telling them what waits for them.

use chrono::TimeDelta;
use tasks_abstractions::job::Lane;
use tasks_abstractions::run::QueueEntry;
use tasks_abstractions::{Notification, WakeHint};

use super::Engine;

impl Engine {
    /// Passes on what others tell; without anybody to hear, waits for ever.
    pub(super) async fn hear_others(&self) {
        match self.signals().notifier() {
            Some(notifier) => notifier.listen(&|it| self.heard(&it)).await,
            None => std::future::pending().await,
        }
    }

    fn heard(&self, notification: &Notification) {
        match notification {
            Notification::Work(hints) if hints.is_empty() || hints.iter().any(|it| self.concerns(it)) => {
                self.signals().came_in(hints);
                self.signals().heard_work();
            }
            Notification::Commands => {
                self.signals().came_in(&[]);
                self.signals().heard_commands();
            }
            _ => {}
        }
    }

    /// Whether this node may run it, and would come too late by itself: what is due after the next look is seen then.
    fn concerns(&self, hint: &WakeHint) -> bool {
        let next_look = TimeDelta::from_std(self.options().poll_interval).unwrap_or(TimeDelta::MAX);
        hint.due_at <= self.now() + next_look && self.serves(&hint.lane)
    }

    fn serves(&self, lane: &Lane) -> bool {
        let lanes = self.lanes();
        [&lanes.main, &lanes.types, &lanes.suspects]
            .into_iter()
            .any(|it| it.contains(lane))
    }

    /// An execution that this node put back: its own claims look there, and if it is not going to take it itself, the others are told.
    pub(super) fn hand_over(&self, next: &QueueEntry) {
        self.signals().floors().lower(next.rank, next.due_at);
        if self.is_claiming() && self.lanes().main.contains(&next.lane) {
            return;
        }
        self.signals().tell(|| Notification::Work(vec![next.into()]));
    }
}
