//! The conformance suite of stores: what the contracts of `JobStore`, `JobQueue` and `JobLockProvider` promise, as cases.
//!
//! A case is a plain `async fn` over a [`StoreFixture`], a fresh database with two handles on it. A backend writes a fixture and lists every
//! case with [`store_suite!`](crate::store_suite!), one test each:
//!
//! ```text
//! tasks_testing::store_suite!(memory, MemoryFixture::new());
//! ```
//!
//! Where backends differ, a case reads [`Capabilities`] and asserts either side. Nothing sleeps: all times are arguments.

pub mod born;
pub mod change;
pub mod claim;
pub mod cleanup;
mod commands;
pub mod contention;
mod dice;
pub mod filters;
pub mod finish;
mod fixture;
pub mod isolation;
pub mod lists;
pub mod locks;
pub mod logs;
mod model;
pub mod model_check;
pub mod nodes;
mod outcome;
pub mod race;
mod race_hold;
mod race_round;
mod race_step;
pub mod rejected;
mod steps;
pub mod submit;
pub mod take_over;
pub mod tenancy;
pub mod values;
pub mod volume;
pub mod walks;

pub use fixture::{Capabilities, FullStore, StoreFixture};

/// Passes the list of all cases, by subject, to the macro `$callback`, after the arguments in parentheses.
#[doc(hidden)]
#[macro_export]
macro_rules! __for_store_cases {
    ($callback:path, ($($args:tt)*)) => {
        $callback! {
            ($($args)*)
            // cases:begin
            submit: {
                submit_stores_job_and_first_execution_together,
                submitting_an_id_again_changes_nothing,
                an_empty_submit_does_nothing,
                a_taken_name_is_answered_per_job,
                store_inserts_or_replaces_by_version,
                remove_takes_every_row_of_a_job,
                a_job_submitted_with_an_execution_is_active,
                jobs_survive_a_reopening_store_where_the_backend_says_so,
            }
            born: {
                a_job_is_born_claimed_for_a_node_that_may_run_it,
                a_job_that_cannot_be_born_claimed_waits,
                a_job_that_exists_is_not_born_again,
            }
            claim: {
                claim_takes_due_executions_in_order,
                a_claim_answers_the_run_as_it_is_kept,
                claim_serves_only_the_given_lanes,
                a_claim_finds_what_lies_from_its_floors_on,
                a_suspect_is_claimed_as_one,
                a_waiting_job_is_claimed_in_any_state,
                claim_is_refused_to_a_fenced_node,
                next_due_counts_to_the_earliest,
                waiting_lanes_hold_what_waits,
                the_clock_of_the_store_tells_microseconds,
            }
            finish: {
                finish_writes_everything_together,
                finish_writes_every_field_of_the_update,
                finish_of_an_unknown_run_is_gone,
                a_batch_keeps_apart_what_is_whose,
                finish_removes_what_is_not_kept,
                finish_after_a_command_is_stale,
                follow_ups_are_stored_once,
                a_returned_run_waits_as_before,
                every_outcome_is_recorded_as_itself,
                a_run_twice_in_a_batch_is_settled_once,
            }
            change: {
                change_counts_the_version_up,
                change_sees_rows_as_they_are_written,
                change_never_leaves_two_rows,
                cancel_requests_reach_the_holder,
                delete_fences_the_run,
                a_change_to_a_taken_name_changes_nothing,
                change_decides_in_its_scope_only,
                a_settled_run_takes_its_after_with_it,
                a_repeated_id_sees_its_first_change,
            }
            nodes: {
                a_node_lives_from_register_to_unregister,
                renewal_of_a_dead_node_is_fenced,
                a_renewal_may_change_the_lanes,
                a_node_that_renewed_is_not_declared_dead,
                a_cleared_suspect_is_none_any_more,
                a_claim_whose_reply_was_lost_is_found_again,
                gone_programs_are_proved_where_the_backend_says_so,
                take_over_is_refused_to_a_fenced_node,
            }
            take_over: {
                take_over_takes_runs_of_dead_nodes_once,
                a_taken_over_run_keeps_what_was_asked_of_it,
                a_stale_finish_after_take_over_is_gone,
                a_dead_node_may_finish_until_its_runs_are_taken,
                take_over_keeps_its_limit,
                a_dead_node_is_kept_while_a_run_names_it,
            }
            locks: {
                a_lock_has_one_owner_and_ends_with_its_run,
                whatever_ends_a_run_frees_its_locks,
                a_lock_without_a_run_counts_for_nothing,
                tenants_never_lock_each_other_out,
                a_contended_lock_goes_to_one,
            }
            lists: {
                find_derives_the_status,
                counts_agree_with_the_list,
                list_filters_sorts_then_pages,
                running_list_holds_runs_in_flight,
                waiting_list_holds_due_executions_in_claim_order,
                period_tasks_are_listed_by_id,
            }
            filters: {
                list_filters_by_every_field,
            }
            cleanup: {
                cleanup_removes_old_rows_only,
                cleanup_keeps_to_ends_and_types,
            }
            logs: {
                a_run_is_logged_once,
                logs_filter_by_every_field,
                logs_are_sorted_then_paged,
            }
            walks: {
                ids_are_walked_by_filter,
                unarmed_jobs_are_found_in_steps,
                a_cursor_keeps_its_last_value,
                run_statistics_agree_with_the_logs,
                progress_is_kept_with_its_run,
            }
            tenancy: {
                a_tenant_sees_only_its_own,
            }
            isolation: {
                random_operations_stay_in_their_tenant,
            }
            rejected: {
                a_bad_row_writes_nothing_of_its_batch,
                a_rejected_submit_writes_nothing,
                bad_texts_are_rejected_by_every_method,
            }
            values: {
                every_field_of_a_job_comes_back,
                a_rare_field_alone_comes_back,
                a_claim_reads_every_field_of_a_job,
                times_come_back_to_the_microsecond,
                a_far_due_time_is_kept_to_the_microsecond,
                texts_of_any_language_come_back,
                long_texts_and_arguments_are_kept_whole,
            }
            volume: {
                submit_takes_ten_thousand_at_once,
                three_thousand_are_claimed_and_settled_at_once,
                two_thousand_are_taken_over_and_changed_at_once,
                a_node_may_serve_a_hundred_lanes,
            }
            contention: {
                claim_gives_an_execution_to_one_node_only,
                concurrent_take_overs_share_the_runs,
                jobs_stored_one_by_one_by_many_are_answered_each,
                concurrent_submits_store_a_job_once,
                a_contended_name_goes_to_one,
                concurrent_changes_of_a_job_all_count,
            }
            race: {
                submit_races_like_one_after_the_other,
                claim_races_like_one_after_the_other,
                finish_races_like_one_after_the_other,
                take_over_races_like_one_after_the_other,
                give_back_races_like_one_after_the_other,
                trigger_races_like_one_after_the_other,
                pause_races_like_one_after_the_other,
                resume_races_like_one_after_the_other,
                stop_races_like_one_after_the_other,
                edit_races_like_one_after_the_other,
                schedule_edit_races_like_one_after_the_other,
                delete_races_like_one_after_the_other,
                check_races_like_one_after_the_other,
            }
            model_check: {
                random_sequences_agree_with_the_model,
            }
            // cases:end
        }
    };
}

/// Makes a module `$module` with one test for every case of the store suite, each on a fixture of its own, and the list `CASES` of their names.
///
/// `$fixture` is an expression for a future of a [`StoreFixture`]; what it names is looked up where the macro is
/// used. The calling crate needs `tokio` with its macros and its multi-threaded runtime.
#[macro_export]
macro_rules! store_suite {
    ($module:ident, $fixture:expr) => {
        mod $module {
            #[allow(unused_imports, reason = "the fixture may be named by its path")]
            use super::*;

            $crate::__for_store_cases! { $crate::__store_tests, ($fixture) }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests {
    (($fixture:expr) $($subject:ident: { $($case:ident,)+ })+) => {
        /// Every case that this backend runs.
        pub(crate) const CASES: &[&str] = &[$($(stringify!($case)),+),+];

        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let fixture = $fixture.await;
                $crate::store_suite::$subject::$case(&fixture).await;
            }
        )+)+
    };
}

macro_rules! names {
    (() $($subject:ident: { $($case:ident,)+ })+) => {
        /// The names of all cases. Every backend runs all of them.
        pub const CASES: &[&str] = &[$($(stringify!($case)),+),+];
    };
}
__for_store_cases! { names, () }
