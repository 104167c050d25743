//! Schedules in words.

use super::schedule;

#[test]
fn schedules_are_explained() {
    for (expression, words) in [
        ("* * * * * ?", "every second, every day, UTC"),
        ("0 * * * * ?", "every minute, every day, UTC"),
        ("@hourly", "at minute 0, every hour, every day, UTC"),
        ("0 0/10 * * * ?", "every 10 minutes, every hour, every day, UTC"),
        ("*/15 * * * * ?", "every 15 seconds, every minute, every day, UTC"),
        (
            "30 5/20 */2 * * ?",
            "at second 30, at minutes 5, 25 and 45, every 2 hours, every day, UTC",
        ),
        // Forty minutes after :40 comes :00.
        ("*/40 * * * *", "at minutes 0 and 40, every hour, every day, UTC"),
        (
            "5/7 */9 * * *",
            "every 7 minutes from minute 5 to minute 54 of each hour, in hours 0, 9 and 18, every day, UTC",
        ),
        (
            "0 0/1 1/3 * * ?",
            "every minute, every 3 hours from hour 1 to hour 22 of each day, every day, UTC",
        ),
        (
            "10/1 55/10 20/5 * * ?",
            "every second from second 10 to second 59 of each minute, at minute 55, in hour 20, every day, UTC",
        ),
        ("0 30 2 * * ?", "at 02:30, every day, UTC"),
        (
            "5 0 9,17 ? * MON-FRI",
            "at 09:00:05 and 17:00:05, on Monday to Friday, UTC",
        ),
        (
            "0 0/15 22-2 ? * 6L",
            "every 15 minutes, in hours 22 to 2, on the last Friday of the month, UTC",
        ),
        (
            "0 0 0 LW * ?",
            "at 00:00, on the last working day (Monday to Friday) of the month, UTC",
        ),
        (
            "0 0 0 L-3 * ?",
            "at 00:00, on the day 3 days before the last day of the month, UTC",
        ),
        (
            "0 0 0 1,15W 1,7 ? 2030-2035",
            "at 00:00, on day 1 of the month and the working day (Monday to Friday) nearest to day 15 of the month, \
             in January and July, in 2030 to 2035, UTC",
        ),
        ("0 0 0 ? * 6#3", "at 00:00, on the 3rd Friday of the month, UTC"),
        ("0 0 13 * 5", "at 00:00, on day 13 of the month or on Friday, UTC"),
        (
            "0 12 */2 * *",
            "at 12:00, on every 2nd day from day 1 of the month on, UTC",
        ),
        ("0 12 * * 7", "at 12:00, on Sunday, UTC"),
    ] {
        assert_eq!(schedule(expression, "UTC").explain(), words, "{expression}");
    }
}

#[test]
fn clock_changes_are_explained_outside_utc() {
    let words = schedule("0 30 2 * * ?", "Europe/London").explain();
    assert!(
        words.starts_with("at 02:30, every day, Europe/London time (a local time that a clock change skips"),
        "{words}"
    );
    let words = schedule("0 30 * * * ?", "Europe/London").explain();
    assert!(
        words.starts_with("at minute 30, every hour, every day, Europe/London time (by elapsed time"),
        "{words}"
    );
}
