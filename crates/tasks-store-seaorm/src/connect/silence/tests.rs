//! Which idle connections are used as they are.

use std::time::Duration;

use super::{TRUSTED_FOR, Trust, trust};

#[test]
fn what_was_used_just_now_is_used_again() {
    assert_eq!(trust(Duration::ZERO, None), Trust::Use);
    assert_eq!(trust(TRUSTED_FOR, None), Trust::Use);
}

#[test]
fn what_lay_idle_is_asked() {
    assert_eq!(trust(TRUSTED_FOR + Duration::from_millis(1), None), Trust::Ask);
}

#[test]
fn what_was_idle_when_another_was_lost_is_replaced() {
    let second = Duration::from_secs(1);
    assert_eq!(trust(3 * second, Some(2 * second)), Trust::Replace);
    assert_eq!(trust(second / 2, Some(second / 2)), Trust::Replace);
    // It was opened or used since.
    assert_eq!(trust(second / 2, Some(second)), Trust::Use);
    assert_eq!(trust(2 * second, Some(3 * second)), Trust::Ask);
}
