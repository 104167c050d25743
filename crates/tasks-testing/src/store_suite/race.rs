//! Every pair of steps on one job, really at once: the rows that result, and both answers, are those of one order or the other.
//!
//! What the orders give is said by the model. Each pair is tried from every starting point at which the two have to do with each other.
//! In a third of the rounds they begin together; in the others one command is held inside its decision while the other side is let in.

use super::fixture::StoreFixture;
use super::race_round::race_with_all_from;
use super::race_step::Step;

/// Submit against every step.
pub async fn submit_races_like_one_after_the_other(fx: &impl StoreFixture) {
    race_with_all_from(fx, Step::Submit).await;
}

/// Claim against every step but those before it.
pub async fn claim_races_like_one_after_the_other(fx: &impl StoreFixture) {
    race_with_all_from(fx, Step::Claim).await;
}

/// Finish against every step but those before it.
pub async fn finish_races_like_one_after_the_other(fx: &impl StoreFixture) {
    race_with_all_from(fx, Step::Finish).await;
}

/// Take-over against every step but those before it.
pub async fn take_over_races_like_one_after_the_other(fx: &impl StoreFixture) {
    race_with_all_from(fx, Step::TakeOver).await;
}

/// Give-back against every step but those before it.
pub async fn give_back_races_like_one_after_the_other(fx: &impl StoreFixture) {
    race_with_all_from(fx, Step::GiveBack).await;
}

/// Trigger against every step but those before it.
pub async fn trigger_races_like_one_after_the_other(fx: &impl StoreFixture) {
    race_with_all_from(fx, Step::Trigger).await;
}

/// Pause against every step but those before it.
pub async fn pause_races_like_one_after_the_other(fx: &impl StoreFixture) {
    race_with_all_from(fx, Step::Pause).await;
}

/// Resume against every step but those before it.
pub async fn resume_races_like_one_after_the_other(fx: &impl StoreFixture) {
    race_with_all_from(fx, Step::Resume).await;
}

/// Stop against every step but those before it.
pub async fn stop_races_like_one_after_the_other(fx: &impl StoreFixture) {
    race_with_all_from(fx, Step::Stop).await;
}

/// Edit against every step but those before it.
pub async fn edit_races_like_one_after_the_other(fx: &impl StoreFixture) {
    race_with_all_from(fx, Step::Edit).await;
}

/// Schedule edit against every step but those before it.
pub async fn schedule_edit_races_like_one_after_the_other(fx: &impl StoreFixture) {
    race_with_all_from(fx, Step::EditSchedule).await;
}

/// Delete against delete and check.
pub async fn delete_races_like_one_after_the_other(fx: &impl StoreFixture) {
    race_with_all_from(fx, Step::Delete).await;
}

/// Check against itself.
pub async fn check_races_like_one_after_the_other(fx: &impl StoreFixture) {
    race_with_all_from(fx, Step::Check).await;
}
