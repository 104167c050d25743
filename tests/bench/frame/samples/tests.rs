//! Medians, percentiles and how numbers are written.

use super::*;

fn samples(values: &[f64]) -> Samples {
    values.iter().copied().collect()
}

#[test]
fn the_median_is_the_middle_one_or_the_mean_of_two() {
    assert_eq!(samples(&[3.0, 1.0, 9.0]).median().unwrap(), 3.0);
    assert_eq!(samples(&[4.0, 1.0, 2.0, 9.0]).median().unwrap(), 3.0);
    assert!(samples(&[]).median().is_err());
}

#[test]
fn figures_are_shown_with_their_range() {
    assert_eq!(
        samples(&[38_300.4, 1_200.0, 41_000_000.0]).shown(0).unwrap(),
        "38,300 (1,200–41,000,000)"
    );
    assert_eq!(samples(&[0.617]).shown(2).unwrap(), "0.62");
    assert_eq!(number(-1234.5, 1), "-1,234.5");
    assert_eq!(number(999.0, 0), "999");
}

#[test]
fn percentiles_come_from_the_sorted_waits() {
    let mut waits: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
    assert_eq!(percentile(&mut waits, 50).unwrap(), 101.0);
    assert_eq!(percentile(&mut waits, 99).unwrap(), 199.0);
    assert_eq!(percentile(&mut waits, 100).unwrap(), 200.0);
    assert!(percentile(&mut [], 50).is_err());
}
