//! Known clock changes, written out.

use super::{at, fires, schedule};

const LONDON: &str = "Europe/London";
const LORD_HOWE: &str = "Australia/Lord_Howe";

#[test]
fn a_skipped_time_of_day_fires_once_right_after_the_change() {
    // 29 March 2026: 00:59:59 GMT is followed by 02:00:00 BST.
    assert_eq!(
        fires("0 30 1 * * ?", LONDON, "2026-03-28T00:00:00Z", 3),
        [
            "2026-03-28T01:30:00Z",
            "2026-03-29T02:00:00+01:00",
            "2026-03-30T01:30:00+01:00"
        ]
    );
    // New York skips 02:00 to 03:00 on 8 March 2026.
    assert_eq!(
        fires("30 2 * * *", "America/New_York", "2026-03-08T00:00:00Z", 2),
        ["2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"]
    );
}

#[test]
fn skipped_times_and_a_regular_one_are_one_fire() {
    assert_eq!(
        fires("0 0/15 1-2 * * ?", LONDON, "2026-03-28T23:00:00Z", 3),
        [
            "2026-03-29T02:00:00+01:00",
            "2026-03-29T02:15:00+01:00",
            "2026-03-29T02:30:00+01:00"
        ]
    );
    assert_eq!(
        fires("* * 1 * * ?", LONDON, "2026-03-28T23:00:00Z", 2),
        ["2026-03-29T02:00:00+01:00", "2026-03-30T01:00:00+01:00"]
    );
}

#[test]
fn a_repeated_time_of_day_fires_the_first_time() {
    // 25 October 2026: 01:59:59 BST is followed by 01:00:00 GMT.
    assert_eq!(
        fires("0 30 1 * * ?", LONDON, "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T01:30:00+01:00", "2026-10-26T01:30:00Z"]
    );
    assert_eq!(
        fires("0 0/30 0-2 * * ?", LONDON, "2026-10-24T23:15:00Z", 5),
        [
            "2026-10-25T00:30:00+01:00",
            "2026-10-25T01:00:00+01:00",
            "2026-10-25T01:30:00+01:00",
            "2026-10-25T02:00:00Z",
            "2026-10-25T02:30:00Z"
        ]
    );
    // Asked in the second pass, the repeated times lie behind.
    assert_eq!(
        schedule("* * 1 * * ?", LONDON).next_after(at("2026-10-25T01:00:00Z")),
        Some(at("2026-10-26T01:00:00Z"))
    );
    assert_eq!(
        schedule("0 30 1 * * ?", LONDON).next_after(at("2026-10-25T01:10:00Z")),
        Some(at("2026-10-26T01:30:00Z"))
    );
}

#[test]
fn an_interval_fires_at_every_matching_instant() {
    assert_eq!(
        fires("0 30 * * * ?", LONDON, "2026-10-24T23:00:00Z", 4),
        [
            "2026-10-25T00:30:00+01:00",
            "2026-10-25T01:30:00+01:00",
            "2026-10-25T01:30:00Z",
            "2026-10-25T02:30:00Z"
        ]
    );
    assert_eq!(
        fires("30 * * * *", LONDON, "2026-03-29T00:00:00Z", 2),
        ["2026-03-29T00:30:00Z", "2026-03-29T02:30:00+01:00"]
    );
    assert_eq!(
        fires("0 0 */2 * * ?", LONDON, "2026-03-28T23:30:00Z", 3),
        [
            "2026-03-29T00:00:00Z",
            "2026-03-29T02:00:00+01:00",
            "2026-03-29T04:00:00+01:00"
        ]
    );
    // The only hour of the interval near the change is skipped.
    assert_eq!(
        fires("0 0 1/3 * * ?", LONDON, "2026-03-28T22:30:00Z", 2),
        ["2026-03-29T04:00:00+01:00", "2026-03-29T07:00:00+01:00"]
    );
    assert_eq!(
        fires("0 0 1/12 * * ?", LONDON, "2026-10-24T23:30:00Z", 3),
        [
            "2026-10-25T01:00:00+01:00",
            "2026-10-25T01:00:00Z",
            "2026-10-25T13:00:00Z"
        ]
    );
}

#[test]
fn lists_and_ranges_of_hours_are_times_of_the_day() {
    for hours in ["0-23", "0-23/1", "0/1,5"] {
        assert_eq!(
            fires(&format!("0 30 {hours} * * ?"), LONDON, "2026-10-25T00:00:00Z", 2),
            ["2026-10-25T01:30:00+01:00", "2026-10-25T02:30:00Z"],
            "{hours}"
        );
    }
}

#[test]
fn lord_howe_moves_by_half_an_hour() {
    // 5 April 2026: 01:59:59+11:00 is followed by 01:30:00+10:30.
    assert_eq!(
        fires("0 45 1 * * ?", LORD_HOWE, "2026-04-04T00:00:00Z", 2),
        ["2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"]
    );
    assert_eq!(
        fires("0 0/15 * * * ?", LORD_HOWE, "2026-04-04T14:25:00Z", 5),
        [
            "2026-04-05T01:30:00+11:00",
            "2026-04-05T01:45:00+11:00",
            "2026-04-05T01:30:00+10:30",
            "2026-04-05T01:45:00+10:30",
            "2026-04-05T02:00:00+10:30"
        ]
    );
    // 4 October 2026: 01:59:59+10:30 is followed by 02:30:00+11:00.
    assert_eq!(
        fires("0 0,15,45 2 * * ?", LORD_HOWE, "2026-10-03T12:00:00Z", 2),
        ["2026-10-04T02:30:00+11:00", "2026-10-04T02:45:00+11:00"]
    );
}

#[test]
fn sao_paulo_had_changes_at_midnight() {
    // 4 November 2018: 00:00 to 01:00 does not exist.
    assert_eq!(
        fires("@daily", "America/Sao_Paulo", "2018-11-03T12:00:00Z", 2),
        ["2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"]
    );
    assert_eq!(
        fires("0 0 */6 * * ?", "America/Sao_Paulo", "2018-11-03T22:00:00Z", 1),
        ["2018-11-04T06:00:00-02:00"]
    );
    // 18 February 2018 begins twice: 23:00 to 24:00 of the 17th is repeated.
    assert_eq!(
        fires("0 30 23 * * ?", "America/Sao_Paulo", "2018-02-17T12:00:00Z", 2),
        ["2018-02-17T23:30:00-02:00", "2018-02-18T23:30:00-03:00"]
    );
    assert_eq!(
        fires("0 0 0 * * ?", "America/Sao_Paulo", "2018-02-18T01:30:00Z", 2),
        ["2018-02-18T00:00:00-03:00", "2018-02-19T00:00:00-03:00"]
    );
    // The repeated hour lies on a day that was left a minute ago.
    assert_eq!(
        fires("0 30 * 17 2 ?", "America/Sao_Paulo", "2018-02-18T01:00:00Z", 3),
        [
            "2018-02-17T23:30:00-02:00",
            "2018-02-17T23:30:00-03:00",
            "2019-02-17T00:30:00-03:00"
        ]
    );
}

#[test]
fn a_repeated_midnight_brings_an_earlier_date_back() {
    // St. John's went from 00:01 back to 23:01 of the day before on 7 November 2010.
    assert_eq!(
        fires(
            "0 30 * 6 11 ? 2010",
            "America/St_Johns",
            "2010-11-07T02:15:00Z",
            3
        ),
        ["2010-11-06T23:30:00-03:30"]
    );
    assert_eq!(
        fires("0 0 0 * * ?", "America/St_Johns", "2010-11-06T12:00:00Z", 2),
        ["2010-11-07T00:00:00-02:30", "2010-11-08T00:00:00-03:30"]
    );
}

#[test]
fn apia_left_out_a_day() {
    // 29 December 2011 was followed by the 31st.
    assert_eq!(
        fires("0 0 12 * * ?", "Pacific/Apia", "2011-12-29T12:00:00Z", 3),
        [
            "2011-12-29T12:00:00-10:00",
            "2011-12-31T00:00:00+14:00",
            "2011-12-31T12:00:00+14:00"
        ]
    );
    assert_eq!(
        fires("0 0 12 30 12 ? 2011", "Pacific/Apia", "2011-01-01T00:00:00Z", 2),
        ["2011-12-31T00:00:00+14:00"]
    );
    assert_eq!(
        fires("0 0 * 30 12 ? 2011", "Pacific/Apia", "2011-01-01T00:00:00Z", 1),
        Vec::<String>::new()
    );
    assert_eq!(
        fires("0 0 */12 * * ?", "Pacific/Apia", "2011-12-29T22:00:00Z", 2),
        ["2011-12-31T00:00:00+14:00", "2011-12-31T12:00:00+14:00"]
    );
}

#[test]
fn casablanca_changes_around_ramadan() {
    // 15 February 2026: 03:00+01:00 becomes 02:00+00:00; 22 March 2026: 02:00+00:00 becomes 03:00+01:00.
    assert_eq!(
        fires("0 30 2 * * ?", "Africa/Casablanca", "2026-02-14T12:00:00Z", 2),
        ["2026-02-15T02:30:00+01:00", "2026-02-16T02:30:00Z"]
    );
    assert_eq!(
        fires("0 30 2 * * ?", "Africa/Casablanca", "2026-03-21T12:00:00Z", 2),
        ["2026-03-22T03:00:00+01:00", "2026-03-23T02:30:00+01:00"]
    );
}

#[test]
fn zones_without_changes_keep_their_offset() {
    assert_eq!(
        fires("0 0 9 ? * MON", "Asia/Kathmandu", "2026-11-22T00:00:00Z", 2),
        ["2026-11-23T09:00:00+05:45", "2026-11-30T09:00:00+05:45"]
    );
    assert_eq!(
        fires("0 0 9 L * ?", "Asia/Shanghai", "2026-02-01T00:00:00Z", 1),
        ["2026-02-28T09:00:00+08:00"]
    );
}

#[test]
fn a_fire_years_away_is_found_in_local_time() {
    assert_eq!(
        fires("0 0 12 29 2 ?", LONDON, "2096-03-01T00:00:00Z", 1),
        ["2104-02-29T12:00:00Z"]
    );
    assert_eq!(
        fires("0 0 * 29 2 ?", LONDON, "2026-11-22T00:00:00Z", 1),
        ["2028-02-29T00:00:00Z"]
    );
    assert_eq!(
        fires("0 0 * 1 7 ? 2060", LONDON, "2026-11-22T00:00:00Z", 1),
        ["2060-07-01T00:00:00+01:00"]
    );
}
