//! The conformance suite of the scheduler: what jobs, workers, commands and nodes do over time, as cases.
//!
//! A case is a plain `async fn` over a [`SchedulerFixture`]: nodes with real loops over a store, under paused time, so a day takes no
//! time. [`scheduler_suite!`](crate::scheduler_suite!) lists every case, one test each:
//!
//! ```text
//! tasks_testing::scheduler_suite!(memory, MemoryScheduler::new());
//! ```
//!
//! The store is one in memory, or one in a database: [`DatabaseScheduler`] stops paused time while that works.
//!
//! Cases wait for events with a limit, never for luck. Each may make at most [`MOST_CALLS`] calls of its store; where hours pass,
//! [`patient_node`](SchedulerFixture::patient_node) makes few.
#![expect(
    clippy::unwrap_used,
    reason = "cases are tests, although they are compiled into the kit"
)]

mod faulty_queue;
mod fixture;
mod planned_worker;
mod suite_store;

pub mod bulk;
pub mod checks;
pub mod cluster;
pub mod command_states;
pub mod commands;
pub mod cron;
pub mod dynamic;
pub mod import;
pub mod limits;
pub mod listeners;
pub mod management;
pub mod misfires;
pub mod nodes;
pub mod once;
pub mod outage;
pub mod progress;
pub mod repeating;
pub mod replies;
pub mod requeue;
pub mod retries;
pub mod schedule;
pub mod selectors;
pub mod shutdown;
pub mod suspects;
pub mod worker_failures;
pub mod workers;

use tasks_abstractions::run::JobLog;
use tasks_abstractions::store::{JobLogQuery, Paging};
use tasks_abstractions::{JobId, JobManagement};
use tasks_multitenancy::TenantScope;

pub use faulty_queue::{Call, FaultyQueue, Held};
pub use fixture::{DatabaseScheduler, LIMIT, MemoryScheduler, SchedulerFixture};
pub use suite_store::{SuiteStore, while_time_stands};

use crate::TestHost;

/// Most calls of the store in one case, so that the suite is quick over databases, too.
pub const MOST_CALLS: usize = 5_000;

/// The log rows of a job, newest first.
async fn logs_of(host: &TestHost, job: JobId) -> Vec<JobLog> {
    logs(host, Some(job)).await
}

/// The log rows of all jobs or one, newest first, as many as one page may have.
async fn logs(host: &TestHost, job_id: Option<JobId>) -> Vec<JobLog> {
    let query = JobLogQuery {
        job_id,
        paging: Paging {
            skip: 0,
            take: Paging::MAX_TAKE,
        },
        ..JobLogQuery::default()
    };
    let page = host.management().logs(TenantScope::All, &query).await;
    page.expect("the store lists logs").items
}

/// Passes the list of all cases, by subject, to the macro `$callback`, after the arguments in parentheses.
#[doc(hidden)]
#[macro_export]
macro_rules! __for_scheduler_cases {
    ($callback:path, ($($args:tt)*)) => {
        $callback! {
            ($($args)*)
            // cases:begin
            once: {
                a_once_job_runs_once,
                a_success_that_is_not_kept_leaves_nothing,
                a_delayed_job_runs_when_it_is_due,
                higher_priorities_go_first,
                arguments_and_results_come_through,
                long_results_are_cut,
                the_tenant_is_ambient_in_a_run,
                progress_is_visible_during_the_run,
                a_backlog_is_drained,
                a_lock_keeps_others_out_until_the_run_ends,
            }
            repeating: {
                an_interval_counts_from_the_end_of_the_run,
                a_worker_runs_first_after_one_period,
                a_worker_may_run_on_start,
                restarts_do_not_starve_a_long_period,
                a_changed_interval_rearms_once,
                max_count_ends_a_repeating_job,
                a_repeating_job_is_kept_without_its_log,
                a_job_past_its_end_time_expires,
                a_failing_worker_goes_on,
            }
            cron: {
                a_cron_job_runs_at_its_fires,
                missed_fires_follow_the_policy,
                a_failed_cron_job_waits_for_its_next_fire,
            }
            misfires: {
                missed_fires_of_a_cron_job_follow_its_policy_after_any_time,
                an_interval_has_no_fires_to_miss,
                a_short_delay_is_no_missed_fire,
                a_worker_comes_back_after_a_year_away,
            }
            workers: {
                a_worker_is_registered_in_six_steps,
                the_log_of_a_worker_names_it,
                every_node_has_a_row_of_its_own,
                a_worker_does_not_run_in_two_ways,
                run_on_start_counts_once_for_a_cron_worker,
                a_rolling_deployment_does_not_flip_definitions,
                an_edit_survives_redefinition_until_it_is_taken_back,
                hooks_are_called_as_workers_come_and_go,
                a_registered_worker_may_be_taken_away_and_come_back,
                a_worker_belongs_to_the_tenant_that_added_it,
            }
            worker_failures: {
                a_hook_that_fails_leaves_no_half_worker,
                a_worker_that_was_not_stored_may_be_added_again,
                names_of_others_are_refused_whatever_the_worker_is,
                a_worker_whose_years_have_passed_does_not_stop_the_program,
            }
            dynamic: {
                a_dynamic_worker_comes_changes_goes_and_comes_back,
                what_waited_for_a_handler_runs_when_it_is_added,
                a_dynamic_worker_replaces_one_of_its_name,
                a_dynamic_worker_cannot_take_a_registered_name,
                a_bad_schedule_is_refused_and_changes_nothing,
            }
            selectors: {
                a_selector_is_for_types_namespaces_predicates_or_all,
                settings_of_selectors_are_not_merged,
                every_setting_of_a_selector_reaches_the_stored_job,
                a_selector_makes_a_worker_cron,
                a_selector_makes_a_cron_worker_one_by_interval,
                jobs_made_by_hand_are_left_alone,
                a_selector_that_is_gone_takes_its_settings_with_it,
                a_prepared_job_has_its_settings,
            }
            progress: {
                progress_is_stored_once_a_second_at_most,
                progress_is_shown_soon_and_kept_as_it_was_said,
                progress_outlasts_an_outage,
                progress_is_hidden_from_other_tenants,
            }
            management: {
                a_job_is_made_or_refused_as_a_whole,
                an_edit_of_an_old_copy_is_a_conflict,
                a_copy_begins_anew,
                management_does_not_reach_other_tenants,
            }
            requeue: {
                a_given_up_job_runs_anew_with_other_arguments,
                a_running_or_disabled_job_is_not_queued_anew,
                a_waiting_retry_is_queued_anew,
            }
            checks: {
                a_check_repairs_broken_jobs_and_no_others,
            }
            command_states: {
                every_command_on_every_state_does_what_the_table_says,
            }
            bulk: {
                many_ids_are_answered_one_by_one,
                a_filter_reaches_all_although_the_command_changes_what_it_looks_at,
                a_dry_run_foretells_what_happens,
                refusals_are_told_up_to_a_hundred,
                a_command_by_filter_ends_although_jobs_keep_coming,
                given_up_jobs_of_a_type_are_started_again,
            }
            retries: {
                retries_grow_until_the_job_is_abandoned,
                a_failed_notification_is_tried_again,
                retries_are_demoted,
                a_snooze_counts_nothing,
                a_wanted_retry_waits_as_long_as_it_says,
                a_job_may_cancel_itself,
                a_permanent_error_abandons_at_once,
                bad_arguments_abandon_at_once,
                default_retries_begin_at_five_minutes,
            }
            commands: {
                pause_cancels_the_run_uncounted,
                a_late_success_wins_over_pause,
                resume_during_a_run_arms_unless_it_ends_done,
                start_begins_anew,
                trigger_runs_now_in_every_state,
                a_failed_manual_run_is_told_and_not_retried,
                cancel_ends_one_run,
                disable_disarms_and_enable_arms,
                delete_during_a_run_drops_its_outcome,
                an_edit_during_a_run_arms_the_new_schedule,
                an_edit_of_the_node_during_a_run_moves_the_job,
            }
            schedule: {
                queue_answers_whether_it_armed,
                queue_many_replaces,
                commands_answer_whether_something_changed,
                start_and_stop_switch_claiming,
                shutdown_is_for_good,
                a_node_without_execution_only_manages,
            }
            import: {
                an_imported_job_goes_on_where_it_was,
                importing_again_changes_nothing,
            }
            limits: {
                a_timeout_is_recorded_when_the_code_returns,
                a_lock_timeout_gives_up_exclusivity,
                after_a_lock_timeout_another_node_runs_the_job,
                a_panic_is_a_failure,
                a_panic_of_a_constructor_is_a_failure,
                a_missing_service_is_a_failure,
                blocking_code_runs_on_the_blocking_pool,
                a_synchronous_worker_survives_its_panics,
                options_are_checked_all_at_once,
                a_huge_error_is_cut,
            }
            listeners: {
                a_listener_that_panics_changes_nothing,
                a_listener_that_panics_at_once_changes_nothing,
                listeners_are_told_in_order,
                flags_leave_out_what_they_name,
                a_panic_of_follow_ups_costs_only_them,
            }
            nodes: {
                pinned_work_runs_on_its_node,
                a_blank_node_name_means_any_node,
                an_unknown_type_waits_for_a_node_that_knows_it,
                an_unknown_type_is_left_alone_also_after_a_command,
                a_backlog_does_not_starve_other_lanes,
                a_claim_step_looks_once_at_what_is_due_next,
                pinned_work_of_a_vanished_node_may_fail_over,
                work_of_a_type_that_all_know_goes_back_to_its_lane,
            }
            cluster: {
                two_nodes_share_the_work,
                a_dead_node_is_rescued_after_its_lease,
                an_outage_of_the_store_rescues_nobody,
                a_fenced_node_begins_anew,
                a_node_fences_itself_when_its_lease_ends,
                nodes_that_slept_together_do_not_bury_each_other,
                commands_of_another_node_can_be_heard_between_heartbeats,
            }
            suspects: {
                kills_over_a_batch_abandon_nobody,
                a_poison_job_is_found_and_abandoned,
                a_suspect_proves_harmless_by_running,
                a_backlog_does_not_starve_suspects,
                interruptions_are_forgotten,
                a_resumed_job_is_told_of_its_interruptions,
            }
            shutdown: {
                shutdown_drains,
                shutdown_gives_back_what_does_not_end,
                shutdown_leaves_deaf_code_behind,
                a_hurried_shutdown_does_not_wait_for_the_grace,
                shutdown_ends_while_the_store_is_away,
                shutdown_of_a_fenced_node_still_writes_outcomes,
                shutdown_gives_back_a_claim_in_flight,
                start_stop_stress,
            }
            outage: {
                outcomes_are_kept_while_the_store_is_away,
                claiming_goes_on_after_the_limit_of_kept_outcomes,
                a_node_may_start_before_its_store,
                a_bad_row_is_found_and_reduced,
                an_outcome_that_is_always_refused_runs_once,
                durable_finish_writes_each_outcome_alone,
            }
            replies: {
                a_lost_claim_is_given_back,
                a_claim_that_is_answered_late_is_not_given_back,
                a_claim_that_is_answered_late_holds_up_no_other,
                a_lost_finish_is_applied_once,
                a_lost_finish_of_what_is_not_kept_is_told_as_applied,
                a_lost_submit_may_be_repeated,
                a_job_that_is_stored_in_an_idle_node_needs_no_claim,
                a_job_born_claimed_that_is_answered_late_is_not_given_back,
                a_slot_that_was_kept_in_vain_is_free_again,
                a_lost_answer_to_a_job_born_claimed_loses_nothing,
                lost_renewals_end_nothing,
                a_lost_take_over_is_an_interruption,
            }
            // cases:end
        }
    };
}

/// Makes a module `$module` with one test for every case of the scheduler suite, each on a fixture of its own under paused time, and the list
/// `CASES` of their names.
///
/// `$fixture` is an expression for a [`SchedulerFixture`]; what it names is looked up where the macro is used. The runtime of a test has one
/// thread. The calling crate needs `tokio` with its macros and `test-util`.
#[macro_export]
macro_rules! scheduler_suite {
    ($module:ident, $fixture:expr) => {
        mod $module {
            #[allow(unused_imports, reason = "the fixture may be named by its path")]
            use super::*;

            $crate::__for_scheduler_cases! { $crate::__scheduler_tests, ($fixture) }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __scheduler_tests {
    (($fixture:expr) $($subject:ident: { $($case:ident,)+ })+) => {
        /// Names of the cases.
        pub(crate) const CASES: &[&str] = &[$($(stringify!($case),)+)+];

        $($(
            #[tokio::test(start_paused = true)]
            async fn $case() {
                let fixture = $fixture;
                $crate::scheduler_suite::$subject::$case(&fixture).await;
                let calls = $crate::scheduler_suite::SchedulerFixture::store(&fixture).calls();
                assert!(
                    calls <= $crate::scheduler_suite::MOST_CALLS,
                    "{calls} calls of the store: see `SchedulerFixture::patient_node`"
                );
            }
        )+)+

        #[test]
        fn every_case_has_a_name_of_its_own() {
            let mut names = CASES.to_vec();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), CASES.len());
        }
    };
}
