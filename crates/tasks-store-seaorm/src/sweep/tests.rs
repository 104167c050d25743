//! When a sweep begins.

use std::time::{Duration, Instant};

use super::{REST, REST_IN_VAIN, Sweep};

#[test]
fn a_sweep_begins_after_so_many_rows_one_at_a_time_and_rests_as_long_as_it_is_dear() {
    let (sweep, start) = (Sweep::default(), Instant::now());
    let after = |millis| start + Duration::from_millis(millis);
    assert!(!sweep.begins(999, 1_000, start));
    assert!(sweep.begins(1, 1_000, start));
    assert!(!sweep.begins(5_000, 1_000, start), "one is under way");
    sweep.ended(start, after(10), false);
    let rest = 10 + u64::from(REST) * 10;
    assert!(!sweep.begins(0, 1_000, after(rest - 1)), "it rests");
    assert!(sweep.begins(0, 1_000, after(rest)), "what came meanwhile counts");
    sweep.ended(after(rest), after(rest), false);
    assert!(!sweep.begins(999, 1_000, after(rest)), "it began anew");
    assert!(sweep.begins(1, 1_000, after(rest)));

    sweep.ended(after(rest), after(rest + 1), true);
    let later = rest + 1 + u64::from(REST_IN_VAIN);
    assert!(!sweep.begins(1_000, 1_000, after(later - 1)), "it was in vain");
    assert!(sweep.begins(0, 1_000, after(later)));
}
