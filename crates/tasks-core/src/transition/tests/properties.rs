//! What holds for every job, run, outcome and command.

use std::time::Duration;

use proptest::prelude::*;
use tasks_abstractions::job::rank_of;
use tasks_abstractions::run::{After, CancelReason, JobSnapshot, RunInfo, RunKind};
use tasks_abstractions::store::Decision;
use tasks_abstractions::{
    JobCommand, JobInfo, JobPriority, JobState, JobStatus, JobType, MisfirePolicy, RetryPolicy, RunOutcome,
    Timestamp, truncate_to_micros,
};

use super::rows::{applied, context, job, now, report, run, sec, snapshot};
use crate::transition::{
    RunReport, SettleContext, capture, decide, next_execution, replace_definition, settle,
};

fn one_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    (0..all.len()).prop_map(move |it| all[it])
}

const AFTER: &[After] = &[After::Settle, After::RunAgain, After::Arm, After::ArmUnlessDone];
const STATUS: &[JobStatus] = &[
    JobStatus::Running,
    JobStatus::Running,
    JobStatus::Running,
    JobStatus::Paused,
    JobStatus::Stopped,
    JobStatus::Completed,
    JobStatus::None,
];
const MISFIRE: &[MisfirePolicy] = &[
    MisfirePolicy::FireOnce,
    MisfirePolicy::Skip,
    MisfirePolicy::FireAll { max: 3 },
];
const CRONS: &[&str] = &[
    "* * * * * ?",
    "0 0/7 * * * ?",
    "0 0 9 * * MON-FRI",
    "0 0 0 29 2 ?",
];

fn policies() -> impl Strategy<Value = RetryPolicy> {
    (
        0_u64..100_000_000,
        1.0..5.0_f64,
        0_u64..200_000_000,
        0.0..=1.0_f64,
    )
        .prop_map(|(base, factor, more, jitter)| RetryPolicy {
            base: Duration::from_millis(base),
            factor,
            cap: Duration::from_millis(base + more),
            jitter,
        })
}

prop_compose! {
    pub(super) fn jobs()(
        job_type in one_of(JobType::ALL),
        status in one_of(STATUS),
        is_enabled in prop::bool::weighted(0.85),
        counters in (0_u32..6, 0_u32..6, 0_u32..5, 0_u32..4),
        limits in (0_u32..6, 0_u32..6, 1_u32..4),
        times in (-90_i64..90, prop::option::of(-100_i64..7_200)),
        policy in prop::option::of(policies()),
        priority in one_of(JobPriority::ALL),
        misfire_policy in one_of(MISFIRE),
        cron in one_of(CRONS),
    ) -> JobInfo {
        let mut job = job(job_type);
        (job.status, job.is_enabled) = (status, is_enabled);
        (job.trigger_count, job.try_count, job.interruptions, job.suspect_interruptions) = counters;
        (job.max_count, job.max_try_count, job.max_interruptions) = limits;
        (job.begin_time, job.end_time) = (sec(times.0), times.1.map(sec));
        (job.retry_policy, job.priority, job.misfire_policy) = (policy, priority, misfire_policy);
        job.cron = job.cron.map(|_| cron.to_owned());
        job
    }
}

prop_compose! {
    /// A run that the job can have: one that is not active and was never active has only runs by hand.
    pub(super) fn runs()(
        job in jobs(),
        kind in one_of(RunKind::ALL),
        after in one_of(AFTER),
        is_suspect in any::<bool>(),
        late in 0_i64..100_000,
        is_cancelled in prop::bool::weighted(0.2),
    ) -> (JobInfo, RunInfo) {
        let is_by_hand = matches!(job.state(), JobState::Completed | JobState::None);
        let mut run = run(if is_by_hand { RunKind::Manual } else { kind }, after);
        run.entry.due_at = sec(-late);
        if is_suspect {
            run.entry.lane = run.entry.lane.suspect();
            run.suspect = true;
        }
        run.cancel = is_cancelled.then_some(CancelReason::Requested);
        (job, run)
    }
}

prop_compose! {
    fn reports()(
        outcome in one_of(RunOutcome::ALL),
        wait in prop::option::of(any::<u64>().prop_map(Duration::from_nanos)),
        is_permanent in any::<bool>(),
    ) -> RunReport {
        RunReport { wait, is_permanent, ..report(outcome) }
    }
}

fn at_chance(chance: f64) -> SettleContext<'static> {
    SettleContext {
        chance,
        ..context(now())
    }
}

fn is_success_or_failure(outcome: RunOutcome) -> bool {
    outcome == RunOutcome::Succeeded || outcome.is_failure()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_active_job_has_a_next_execution_and_no_other_has_one_but_by_hand(
        (job, run) in runs(), report in reports(), chance in 0.0..=1.0_f64,
    ) {
        let it = settle(&job, &run, &report, &at_chance(chance));
        let next = it.next.as_ref().map(|it| it.kind);
        match it.update.state {
            JobState::Active => prop_assert_eq!(next.is_some(), job.is_enabled),
            _ if job.is_enabled => prop_assert!(matches!(next, None | Some(RunKind::Manual))),
            _ => prop_assert_eq!(next, None),
        }
        prop_assert_eq!(it.update.next_run_time, it.next.map(|it| it.due_at));
    }

    #[test]
    fn a_held_job_stays_held_but_for_a_success(
        (mut job, run) in runs(), report in reports(), status in one_of(&STATUS[3..]),
    ) {
        job.status = status;
        let state = settle(&job, &run, &report, &context(now())).update.state;
        let is_done = state == JobState::Completed
            && job.job_type == JobType::Once
            && report.outcome == RunOutcome::Succeeded;
        prop_assert!(state == job.state() || is_done);
    }

    #[test]
    fn a_success_is_never_unmade((mut job, mut run) in runs()) {
        job.job_type = JobType::Once;
        run.entry.kind = RunKind::Schedule;
        let update = settle(&job, &run, &report(RunOutcome::Succeeded), &context(now())).update;
        prop_assert_eq!(update.try_count, 0);
        let is_wanted_again = match job.state() {
            JobState::Active if job.is_enabled => matches!(run.after, After::RunAgain | After::Arm),
            _ => run.after == After::Arm,
        };
        prop_assert!(is_wanted_again || update.state == JobState::Completed);
    }

    #[test]
    fn only_a_success_completes_an_active_once_job_within_its_time(
        (mut job, run) in runs(), report in reports(),
    ) {
        (job.job_type, job.status, job.end_time) = (JobType::Once, JobStatus::Running, None);
        let state = settle(&job, &run, &report, &context(now())).update.state;
        prop_assert!(state != JobState::Completed || report.outcome == RunOutcome::Succeeded);
    }

    #[test]
    fn counters_grow_by_what_happened((job, run) in runs(), report in reports()) {
        let update = settle(&job, &run, &report, &context(now())).update;
        let outcome = report.outcome;
        let is_by_hand = run.entry.kind == RunKind::Manual
            && !(job.state() == JobState::Active && job.is_enabled);
        prop_assert_eq!(update.trigger_count, job.trigger_count + u32::from(is_success_or_failure(outcome)));
        prop_assert_eq!(update.try_count, match outcome {
            _ if is_by_hand => job.try_count,
            RunOutcome::Succeeded => 0,
            RunOutcome::Failed | RunOutcome::Panicked | RunOutcome::TimedOut => job.try_count + 1,
            _ => job.try_count,
        });
        let interruptions = (update.interruptions, update.suspect_interruptions);
        prop_assert_eq!(interruptions, match outcome {
            RunOutcome::Interrupted => {
                (job.interruptions + 1, job.suspect_interruptions + u32::from(run.suspect))
            }
            RunOutcome::Returned | RunOutcome::Expired | RunOutcome::Skipped => {
                (job.interruptions, job.suspect_interruptions)
            }
            _ => (0, 0),
        });
    }

    #[test]
    fn only_failures_and_suspects_are_given_up((job, run) in runs(), report in reports()) {
        let it = settle(&job, &run, &report, &context(now()));
        if it.update.is_abandoned {
            prop_assert!(report.outcome.is_failure()
                || (report.outcome == RunOutcome::Interrupted && run.suspect));
            prop_assert_eq!(it.update.state, JobState::Stopped);
            prop_assert_eq!(it.next, None);
        }
    }

    #[test]
    fn a_given_back_run_changes_nothing_but_what_waits((mut job, run) in runs()) {
        (job.max_count, job.end_time) = (0, None);
        let it = settle(&job, &run, &report(RunOutcome::Returned), &context(now()));
        prop_assert!(it.log.is_none());
        prop_assert_eq!(it.update.state, job.state());
        prop_assert_eq!(it.update.trigger_count, job.trigger_count);
        prop_assert_eq!(it.update.try_count, job.try_count);
        prop_assert_eq!(it.update.result, None);
        prop_assert_eq!(it.update.last_run_time, None);
    }

    #[test]
    fn a_retry_never_outranks_its_job((mut job, run) in runs(), report in reports()) {
        job.status = JobStatus::Running;
        let next = settle(&job, &run, &report, &context(now())).next;
        if let Some(next) = next.filter(|it| it.kind == RunKind::Retry && report.outcome.is_failure()) {
            prop_assert!(next.rank >= rank_of(job.priority));
        }
    }

    #[test]
    fn waits_stay_within_the_cap_and_its_jitter(
        policy in policies(), tries in any::<u32>(), chance in 0.0..=1.0_f64,
    ) {
        let most = policy.cap.as_secs_f64() * (1.0 + policy.jitter) + 1e-6;
        prop_assert!(policy.wait(tries, chance).as_secs_f64() <= most);
        let job = JobInfo { retry_policy: Some(policy), try_count: tries.min(1_000), max_try_count: 0, ..job(JobType::Once) };
        let run = run(RunKind::Schedule, After::Settle);
        let next = settle(&job, &run, &report(RunOutcome::Failed), &at_chance(chance)).next.unwrap();
        prop_assert!(next.due_at >= now());
        prop_assert!((next.due_at - now()).to_std().unwrap().as_secs_f64() <= most);
    }

    #[test]
    fn due_times_are_whole_microseconds_up_to_the_year_9999(
        (job, run) in runs(), report in reports(), chance in 0.0..=1.0_f64,
    ) {
        if let Some(next) = settle(&job, &run, &report, &at_chance(chance)).next {
            prop_assert_eq!(next.due_at, truncate_to_micros(next.due_at));
            prop_assert!(next.due_at <= super::rows::at("9999-12-31T23:59:59Z"));
        }
    }

    #[test]
    fn a_trigger_during_a_run_is_never_lost((mut job, mut run) in runs(), report in reports()) {
        (job.is_enabled, run.after, job.end_time) = (true, After::RunAgain, None);
        let it = settle(&job, &run, &report, &context(now()));
        let is_due = it.next.is_some_and(|it| it.due_at <= now() && it.kind != RunKind::Schedule);
        prop_assert!(is_due || it.update.is_abandoned);
    }

    #[test]
    fn a_settlement_of_a_stale_run_obeys_the_commands(
        (mut job, run) in runs(), commands in prop::collection::vec(one_of(&JobCommand::ALL), 1..5), report in reports(),
    ) {
        job.is_abandoned = false;
        let mut it = snapshot(job, None, Some(run));
        for command in commands {
            if let Decision::Change(change) = decide(command, &it, now()) {
                it = applied(&it, &change);
            }
        }
        let run = it.run.unwrap();
        let settled = settle(&it.job, &run, &report, &context(now()));
        let is_done = report.outcome == RunOutcome::Succeeded && it.job.job_type == JobType::Once;
        match it.job.state() {
            JobState::Active => {}
            held => prop_assert!(settled.update.state == held || (is_done && settled.update.state == JobState::Completed)),
        }
        prop_assert!(it.job.is_enabled || settled.next.is_none());
    }

    #[test]
    fn the_next_fire_is_in_the_future_and_within_the_limits(
        (mut job, run) in runs(), past in 0_i64..40_000_000,
    ) {
        job.job_type = JobType::Period;
        job.cron.get_or_insert_with(|| "0 0/7 * * * ?".to_owned());
        let now = sec(past);
        if let Ok(next) = next_execution(&job, &run, now) {
            let is_catching_up = matches!(job.misfire_policy, MisfirePolicy::FireAll { .. });
            prop_assert!(next.due_at > now || (is_catching_up && next.due_at > run.entry.due_at));
            prop_assert!(next.due_at >= job.begin_time);
            prop_assert!(job.end_time.is_none_or(|end| next.due_at <= end));
        }
    }

    #[test]
    fn captured_texts_are_whole_characters_within_the_limit(text in any::<String>(), limit in 0_usize..40) {
        let captured = capture(&text, limit);
        prop_assert!(captured.chars().count() <= limit);
        prop_assert!(!captured.contains('\0'));
        let is_cut = text.chars().count() > limit;
        prop_assert_eq!(captured.chars().count(), text.chars().count().min(limit));
        let is_same = captured == text.replace('\0', "␀");
        prop_assert!(is_cut || is_same);
        if is_cut && limit > 7 {
            prop_assert!(captured.ends_with("… [cut]"));
        }
        prop_assert_eq!(capture(&captured, limit), captured);
    }
}

/// One step in the life of a job.
#[derive(Debug, Clone)]
enum Step {
    Command(JobCommand),
    Edit(usize),
    Pass(i64),
    Claim,
    Finish(RunReport),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let commands = JobCommand::ALL.len() - 1;
    let step = prop_oneof![
        // Every command but delete, which is the last.
        (0..commands).prop_map(|it| Step::Command(JobCommand::ALL[it])),
        (0..EDITS.len()).prop_map(Step::Edit),
        (0_i64..4_000).prop_map(Step::Pass),
        Just(Step::Claim),
        reports().prop_map(Step::Finish),
        reports().prop_map(Step::Finish),
    ];
    prop::collection::vec(step, 1..40)
}

const EDITS: &[fn(&mut JobInfo, Timestamp)] = &[
    |it, _| it.is_enabled = !it.is_enabled,
    |it, now| it.begin_time = now + Duration::from_secs(600),
    |it, _| it.max_count = (it.max_count + 3) % 7,
    |it, _| it.node_name = Some("b".to_owned()),
    |it, _| it.priority = JobPriority::Low,
];

/// The job one step later, at `now`.
fn stepped(it: JobSnapshot, step: &Step, now: Timestamp) -> JobSnapshot {
    let decision = match step {
        Step::Command(command) => decide(*command, &it, now),
        Step::Edit(number) => {
            let mut new = it.job.clone();
            EDITS[*number](&mut new, now);
            replace_definition(&it, &new, now)
        }
        Step::Pass(_) => Decision::Keep,
        Step::Claim => {
            let is_due = it.waiting.as_ref().is_some_and(|it| it.due_at <= now);
            let Some(entry) = it.waiting.clone().filter(|_| is_due) else {
                return it;
            };
            let claimed = RunInfo {
                suspect: entry.is_suspect(),
                claimed_at: now,
                entry,
                ..run(RunKind::Schedule, After::Settle)
            };
            return snapshot(it.job, None, Some(claimed));
        }
        Step::Finish(report) => {
            let Some(run) = &it.run else { return it };
            let settled = settle(&it.job, run, report, &context(now));
            let update = settled.update;
            let job = JobInfo {
                status: update.state.into(),
                trigger_count: update.trigger_count,
                try_count: update.try_count,
                interruptions: update.interruptions,
                suspect_interruptions: update.suspect_interruptions,
                is_abandoned: update.is_abandoned,
                ..it.job.clone()
            };
            return snapshot(job, settled.next, None);
        }
    };
    match decision {
        Decision::Change(change) => applied(&it, &change),
        _ => it,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_job_lives_without_being_lost_or_doubled(mut job in jobs(), steps in steps()) {
        (job.status, job.is_enabled, job.is_abandoned) = (JobStatus::None, true, false);
        let (mut it, mut now) = (snapshot(job, None, None), now());
        for step in &steps {
            if let Step::Pass(seconds) = step {
                now += chrono::TimeDelta::seconds(*seconds);
            }
            let before = it.clone();
            it = stepped(it, step, now);
            let held = it.waiting.is_some() || it.run.is_some();
            prop_assert!(it.waiting.is_none() || it.run.is_none(), "{step:?}");
            if it.job.state() == JobState::Active && it.job.is_enabled {
                prop_assert!(held, "lost by {step:?}: {before:?}");
            } else if let Some(waiting) = &it.waiting {
                prop_assert!(it.job.is_enabled, "armed although disabled by {step:?}");
                prop_assert_eq!(waiting.kind, RunKind::Manual, "armed although held by {:?}", step);
            }
            prop_assert!(it.job.trigger_count >= before.job.trigger_count);
            let is_over = before.job.state() == JobState::Completed && it.job.state() != JobState::Completed;
            prop_assert!(!is_over || matches!(step, Step::Command(JobCommand::Start)), "{step:?}");
            prop_assert!(!it.job.is_abandoned || it.job.state() == JobState::Stopped, "{step:?}");
        }
    }
}
