//! The loops: the only place in the engine that waits for time to pass.
#![expect(
    clippy::disallowed_methods,
    reason = "loops tick here, so that every step is free of timers"
)]

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tasks_abstractions::StoreError;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{debug, warn};

use super::claim::NextDue;
use super::{ClaimStep, Engine};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Pause after a claim that got nothing although something is due.
const IN_VAIN: Duration = Duration::from_millis(20);
/// Claims that are on their way at once while more work is due.
const CLAIMS_AT_ONCE: usize = 2;
/// Longest wait for more free slots while more work is due.
const CLAIM_LINGER: Duration = Duration::from_millis(2);
/// What is heard within this time of what was heard before is passed on together: each time costs every idle node a claim.
const HEARD_GATHERING: Duration = Duration::from_millis(5);
/// How often shutdown looks whether the runs have ended.
const DRAIN_LOOK: Duration = Duration::from_millis(5);

/// Whether `work` ended within `limit`.
pub(super) async fn within(limit: Duration, work: impl Future<Output = ()>) -> bool {
    timeout(limit, work).await.is_ok()
}

/// Pauses between attempts while the store is away: twice as long each time, up to 2 s. Says so once, and once when it is back.
struct Pause {
    what: &'static str,
    next: Duration,
}

impl Pause {
    const fn new(what: &'static str) -> Self {
        Self {
            what,
            next: FIRST_PAUSE,
        }
    }

    fn is_well(&mut self) {
        if self.next > FIRST_PAUSE {
            warn!(step = self.what, "the store is back");
            self.next = FIRST_PAUSE;
        }
    }

    async fn after(&mut self, error: &StoreError) {
        if self.next == FIRST_PAUSE {
            warn!(step = self.what, error = %error, "the store failed; trying again until it is back");
        } else {
            debug!(step = self.what, error = %error, "the store still fails");
        }
        sleep(self.next).await;
        self.next = (self.next * 2).min(LONGEST_PAUSE);
    }
}

impl Engine {
    /// Runs every loop until [`shutdown`](Self::shutdown) has come to its end. Registers the node first.
    pub async fn run(&self) {
        let over = self.ended();
        self.signals().start_with(self.starter());
        tokio::select! {
            () = over => {}
            () = self.heartbeat_loop() => {}
            () = self.rescue_loop() => {}
            () = self.claim_loop() => {}
            () = self.finish_loop() => {}
            () = self.second_finish_loop() => {}
            () = self.watch_loop() => {}
            () = self.command_loop() => {}
            () = self.hearing_loop() => {}
            () = self.progress_loop() => {}
            () = self.stray_loop() => {}
        }
    }

    async fn ended(&self) {
        // The sender is this engine's own, so the channel cannot close meanwhile.
        let _ = self.shared.is_over.subscribe().wait_for(|it| *it).await;
    }

    async fn heartbeat_loop(&self) {
        let mut pause = Pause::new("heartbeat");
        loop {
            if self.is_shutting_down() && !self.is_registered() {
                // Shutdown has ended the membership; renewing would begin a new one.
                std::future::pending::<()>().await;
            }
            match self.heartbeat_step().await {
                Ok(()) => {
                    pause.is_well();
                    // A timeout is the ordinary case: the next renewal is due.
                    let _ = timeout(self.options().heartbeat, self.signals().wait_for_beat()).await;
                }
                Err(error) => pause.after(&error).await,
            }
        }
    }

    async fn rescue_loop(&self) {
        let mut pause = Pause::new("rescue");
        loop {
            let tick = self.options().heartbeat / 2;
            // A timeout is the ordinary case: the next look is due.
            let _ = timeout(tick, self.signals().wait_for_rescue()).await;
            if self.is_shutting_down() {
                // What would be taken over now could not be settled any more.
                std::future::pending::<()>().await;
            }
            match self.rescue_step().await {
                Ok(_) => pause.is_well(),
                Err(error) => pause.after(&error).await,
            }
        }
    }

    async fn claim_loop(&self) {
        let mut pause = Pause::new("claim");
        let mut is_busy = false;
        // While one waits for the store's disk, the next is worked on.
        let mut claims = FuturesUnordered::new();
        loop {
            let may_claim = self.is_claiming() && self.is_registered();
            let begins = if !claims.is_empty() {
                may_claim
                    && is_busy
                    && claims.len() < CLAIMS_AT_ONCE
                    && self.want_slots(self.worthwhile_slots())
            } else if may_claim {
                self.has_room(is_busy).await
            } else {
                self.signals().wait_for_work().await;
                false
            };
            if begins {
                self.want_slots(0);
                claims.push(self.claim_step());
            }
            if claims.is_empty() {
                continue;
            }
            let step = tokio::select! {
                biased;
                Some(step) = claims.next() => step,
                // Asked after the claims before it have begun, and taken their slots.
                () = self.room_for_another(), if may_claim && is_busy && claims.len() < CLAIMS_AT_ONCE => continue,
            };
            match step {
                Ok(step) => {
                    pause.is_well();
                    is_busy = step.may_have_more;
                    if !is_busy && claims.is_empty() {
                        self.wait_for_due(&step, &mut pause).await;
                    }
                }
                Err(error) => {
                    is_busy = false;
                    // Another one that is on its way is not left standing meanwhile, with what it has locked.
                    if claims.is_empty() {
                        pause.after(&error).await;
                    }
                }
            }
        }
    }

    /// Waits until there are slots for one more claim.
    async fn room_for_another(&self) {
        while !self.want_slots(self.worthwhile_slots()) {
            self.signals().wait_for_work().await;
        }
    }

    /// Waits for free slots; false where it must be looked again whether anything is to be claimed.
    async fn has_room(&self, is_busy: bool) -> bool {
        if is_busy && !self.want_slots(self.worthwhile_slots()) {
            // A timeout is fine: some runs take long, and then a few slots are worth a claim as well.
            let _ = timeout(CLAIM_LINGER, self.signals().wait_for_work()).await;
        }
        if !self.want_slots(1) {
            self.signals().wait_for_work().await;
            return false;
        }
        if self.shared.is_store_away.load(Ordering::Acquire) {
            // Outcomes go first: what cannot be written down should not be started.
            sleep(FIRST_PAUSE).await;
            return self.unsettled() == 0;
        }
        true
    }

    /// Waits for the earliest of: the next due time, a signal, the poll interval.
    async fn wait_for_due(&self, after: &ClaimStep, pause: &mut Pause) {
        let next = match after.next {
            Some(next) => Ok(next),
            None => self.next_due().await,
        };
        let poll = self.options().poll_interval;
        let wait = match next {
            Ok(NextDue::In(wait)) => wait.min(poll),
            Ok(NextDue::Never) => poll,
            Err(error) => {
                pause.after(&error).await;
                return;
            }
        };
        let was_in_vain = after.claimed == 0;
        let wait = match (wait.is_zero(), was_in_vain) {
            // It became due after the claim.
            (true, false) => return,
            // Due and not to be had: another node is faster, or the row cannot be read. Asking without a pause would only load the store.
            (true, true) => IN_VAIN,
            (false, _) => wait,
        };
        self.set_idle(true);
        // A timeout is the ordinary case: something is due, or it is time to look.
        let _ = timeout(wait, self.signals().wait_for_work()).await;
        self.set_idle(false);
    }

    async fn finish_loop(&self) {
        let mut pause = Pause::new("finish");
        loop {
            self.wait_for_ended().await;
            if !self.options().finish_linger.is_zero() {
                // A timeout is fine: what there is goes without the rest.
                let _ = timeout(self.options().finish_linger, self.wait_for_lull()).await;
            }
            match self.finish_step().await {
                Ok(_) => pause.is_well(),
                Err(error) => pause.after(&error).await,
            }
        }
    }

    /// A second batch at a time, while outcomes pile up behind the first: the store then works on one while it waits for its disk with the other.
    async fn second_finish_loop(&self) {
        loop {
            self.wait_for_pile().await;
            if self.shared.is_store_away.load(Ordering::Acquire) {
                // The first one tries until it is back.
                sleep(LONGEST_PAUSE).await;
            } else if let Err(error) = self.finish_step().await {
                debug!(error = %error, "the store failed; the outcomes are kept");
            }
        }
    }

    async fn watch_loop(&self) {
        loop {
            self.self_fence();
            let next = self.watch_step();
            let latest = Instant::now() + self.options().stuck_after.min(self.options().heartbeat);
            let at = next.map_or(latest, |it| it.min(latest));
            tokio::select! {
                () = sleep_until(at) => {}
                () = self.signals().wait_for_watch() => {}
            }
        }
    }

    async fn stray_loop(&self) {
        let mut pause = Pause::new("strays");
        loop {
            sleep(self.options().lease).await;
            if self.is_shutting_down() || !self.is_registered() {
                continue;
            }
            match self.stray_step().await {
                Ok(_) => pause.is_well(),
                Err(error) => pause.after(&error).await,
            }
        }
    }

    async fn progress_loop(&self) {
        let mut pause = Pause::new("progress");
        loop {
            self.signals().wait_for_progress().await;
            match self.progress_step().await {
                Ok(_) => pause.is_well(),
                Err(error) => {
                    pause.after(&error).await;
                    self.signals().progress();
                }
            }
            // What is reported meanwhile is stored together.
            sleep(self.options().progress_interval).await;
        }
    }

    async fn command_loop(&self) {
        let mut pause = Pause::new("commands");
        loop {
            match self.options().command_poll_interval {
                // A timeout is the ordinary case: it is time to look.
                Some(interval) => drop(timeout(interval, self.signals().wait_for_commands()).await),
                None => self.signals().wait_for_commands().await,
            }
            match self.cancel_step().await {
                Ok(()) => pause.is_well(),
                Err(error) => pause.after(&error).await,
            }
        }
    }

    /// Passes on what others tell: at once, but not as often as many nodes may tell it.
    async fn hearing_loop(&self) {
        let signals = self.signals();
        let work = async {
            loop {
                signals.wait_to_hear_of_work().await;
                signals.work();
                sleep(HEARD_GATHERING).await;
            }
        };
        let commands = async {
            loop {
                signals.wait_to_hear_of_commands().await;
                signals.commands();
                // A command may have brought something forward.
                signals.work();
                sleep(HEARD_GATHERING).await;
            }
        };
        tokio::select! {
            () = self.hear_others() => {}
            () = work => {}
            () = commands => {}
        }
    }

    /// Waits until no code runs here and no claim is on the way.
    pub(super) async fn drained(&self) {
        while self.executing() > 0 || !self.board().claims.is_empty() {
            sleep(DRAIN_LOOK).await;
        }
    }

    /// Waits until the store has every outcome.
    pub(super) async fn all_settled(&self) {
        while self.unsettled() > 0 {
            sleep(DRAIN_LOOK).await;
        }
    }
}
