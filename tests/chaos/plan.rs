//! In which order faults come: drawn from the seed, every kind once before any comes again.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use crate::fault::Kind;
use crate::settings::Settings;

/// Draws faults and all that is random about them.
#[derive(Debug)]
pub(crate) struct Plan {
    kinds: Vec<Kind>,
    bag: Vec<Kind>,
    rng: StdRng,
}

impl Plan {
    pub(crate) fn new(seed: u64, kinds: Vec<Kind>) -> Self {
        Self {
            kinds,
            bag: Vec::new(),
            rng: StdRng::seed_from_u64(seed),
        }
    }

    /// The next kind; `None` where there are no faults.
    pub(crate) fn next(&mut self) -> Option<Kind> {
        if self.bag.is_empty() {
            self.bag.clone_from(&self.kinds);
            self.bag.shuffle(&mut self.rng);
        }
        self.bag.pop()
    }

    /// Whether faults of this kind come.
    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Puts a kind back that could not be carried out now; it comes again after the others.
    pub(crate) fn later(&mut self, kind: Kind) {
        self.bag.insert(0, kind);
    }

    /// One of these.
    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        (!all.is_empty()).then(|| &all[self.rng.random_range(0..all.len())])
    }

    pub(crate) fn between(&mut self, (least, most): (Duration, Duration)) -> Duration {
        let millis = |it: Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.rng.random_range(millis(least)..=millis(most)))
    }

    /// How long a fault of this kind lasts.
    pub(crate) fn length(&mut self, kind: Kind, settings: &Settings) -> Duration {
        let (heartbeat, lease) = (settings.heartbeat, settings.lease);
        let seconds = Duration::from_secs;
        self.between(match kind {
            Kind::Kill | Kind::Term | Kind::Sessions | Kind::Restart | Kind::Crash | Kind::Drop => {
                (Duration::ZERO, seconds(1))
            }
            Kind::Stop => (settings.rescue_bound(), settings.rescue_bound() + heartbeat * 2),
            Kind::Clock | Kind::Deploy => (lease, lease * 2),
            Kind::Cut => (heartbeat, heartbeat * 3),
            // Around the time for which the store itself waits (5 s), and around a lease.
            Kind::Lock => (seconds(1), lease.max(seconds(5)) + heartbeat * 2),
            Kind::Full => (seconds(1), lease),
            // Nobody's doing.
            Kind::Starved | Kind::Slow => (Duration::ZERO, Duration::ZERO),
            Kind::Stall | Kind::Delay => (heartbeat, lease + heartbeat * 2),
        })
    }

    /// Milliseconds by which a clock goes wrong.
    pub(crate) fn clock(&mut self, settings: &Settings) -> i64 {
        let most = i64::try_from((settings.lease * 2).as_millis()).unwrap_or(i64::MAX);
        let ahead = self.rng.random_range(500..=most);
        if self.rng.random_bool(0.5) { ahead } else { -ahead }
    }
}

#[cfg(test)]
mod tests;
