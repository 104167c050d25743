//! Tests of values in tables.

use super::*;

#[test]
fn durations_are_short() {
    for (millis, expected) in [
        (0, "0ms"),
        (999, "999ms"),
        (1_000, "1s"),
        (12_345, "12.3s"),
        (60_000, "1m"),
        (61_000, "1m 1s"),
        (5_400_000, "1h 30m"),
        (3_601_000, "1h"),
        (172_800_000, "2d"),
        (180_000_000, "2d 2h"),
    ] {
        assert_eq!(duration(Duration::from_millis(millis)), expected, "{millis}");
    }
}

#[test]
fn long_texts_are_cut_at_a_character() {
    assert_eq!(short("short"), "short");
    assert_eq!(short("first\nsecond"), "first…");
    assert_eq!(short(&"ü".repeat(70)), format!("{}…", "ü".repeat(60)));
}
