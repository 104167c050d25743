//! The races begin where the two steps have to do with each other.

use super::{Start, Step, starts_of};

#[test]
fn every_pair_has_a_starting_point() {
    for (i, step) in Step::ALL.iter().enumerate() {
        for other in &Step::ALL[i..] {
            assert!(!starts_of([*step, *other]).is_empty(), "{step:?} and {other:?}");
        }
    }
}

#[test]
fn pairs_begin_where_they_meet() {
    let meets = |pair: [Step; 2], start| assert!(starts_of(pair).contains(&start), "{pair:?} from {start:?}");
    meets([Step::Submit, Step::Submit], Start::Absent);
    meets([Step::Submit, Step::Claim], Start::Absent);
    meets([Step::Claim, Step::Claim], Start::Due);
    meets([Step::Claim, Step::Pause], Start::Due);
    meets([Step::Claim, Step::Delete], Start::Due);
    meets([Step::Claim, Step::Trigger], Start::Ahead);
    meets([Step::Claim, Step::Finish], Start::Running);
    meets([Step::Claim, Step::Check], Start::Lost);
    meets([Step::Finish, Step::TakeOver], Start::Orphan);
    meets([Step::Finish, Step::GiveBack], Start::Running);
    meets([Step::Finish, Step::Stop], Start::Running);
    meets([Step::Finish, Step::Resume], Start::PausedRunning);
    meets([Step::TakeOver, Step::TakeOver], Start::Orphan);
    meets([Step::TakeOver, Step::Delete], Start::Orphan);
    meets([Step::Trigger, Step::Pause], Start::Ahead);
    meets([Step::Check, Step::Check], Start::Lost);
}

#[test]
fn steps_that_pass_each_other_by_are_not_raced_from_everywhere() {
    assert!(!starts_of([Step::Claim, Step::Pause]).contains(&Start::Absent));
    assert!(!starts_of([Step::TakeOver, Step::Finish]).contains(&Start::Due));
}
