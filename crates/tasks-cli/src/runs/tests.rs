//! Tests of how progress is written.

use super::*;

#[test]
fn progress_is_written_as_far_as_it_is_known() {
    let at = Timestamp::default();
    let said = |done, total, message: &str| {
        let message = message.to_owned();
        progress(&RunProgress {
            done,
            total,
            message,
            at,
        })
    };
    assert_eq!(said(30, 120, "reading"), "30 of 120 (25%): reading");
    assert_eq!(said(7, 0, ""), "7");
    assert_eq!(said(130, 120, ""), "130 of 120 (100%)");
    assert_eq!(
        said(u64::MAX, u64::MAX, ""),
        format!("{0} of {0} (100%)", u64::MAX)
    );
}
