//! Statements that are put together.

use super::{claim_rows, is_one_of, numbered};

#[test]
fn values_are_numbered_in_order() {
    assert_eq!(numbered("a = ? AND b = ? LIMIT ?"), "a = $1 AND b = $2 LIMIT $3");
    assert_eq!(numbered("SELECT 1"), "SELECT 1");
    assert!(numbered(&is_one_of("j.id")).contains("j.id = ANY(ARRAY("));
}

#[test]
fn each_lane_has_a_branch_that_passes_over_locked_rows() {
    let sql = claim_rows(3);
    assert_eq!(sql.matches("SKIP LOCKED").count(), 3);
    assert!(
        sql.contains("lane_id = $4") && sql.contains("lane_id = $6"),
        "{sql}"
    );
}
