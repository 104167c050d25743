//! Tests of the figures.

use std::time::Duration;

use super::percentile;

#[test]
fn percentiles_are_values_that_occurred() {
    let waits: Vec<u32> = (0..=100).collect();
    assert_eq!(percentile(&waits, 0.5), Duration::from_micros(50));
    assert_eq!(percentile(&waits, 0.99), Duration::from_micros(99));
    assert_eq!(percentile(&[7], 0.99), Duration::from_micros(7));
    assert_eq!(percentile(&[], 0.5), Duration::ZERO);
}
