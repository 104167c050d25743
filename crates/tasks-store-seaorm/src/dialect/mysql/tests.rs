//! Statements that are put together, and the order of their values.

use sea_orm::Value;

use super::{claim_rows, in_order};

#[test]
fn values_come_in_the_order_of_their_places() {
    let values = || vec![Value::from(10_i64), Value::from(20_i64)];
    let (sql, ordered) = in_order("a = ?2 AND b IN (?1, ?2)", values());
    assert_eq!(sql, "a = ? AND b IN (?, ?)");
    assert_eq!(ordered, [20_i64, 10, 20].map(Value::from));
    assert_eq!(
        in_order("a = ? AND b = ?", values()),
        ("a = ? AND b = ?".to_owned(), values())
    );
    assert_eq!(
        in_order("SELECT 1", Vec::new()),
        ("SELECT 1".to_owned(), Vec::new())
    );
}

#[test]
fn each_lane_has_a_branch_that_passes_over_locked_rows() {
    assert_eq!(claim_rows(1).matches("SKIP LOCKED").count(), 1);
    let sql = claim_rows(3);
    assert_eq!(sql.matches("SKIP LOCKED").count(), 3);
    assert!(
        sql.contains("lane_id = ?4") && sql.contains("lane_id = ?6"),
        "{sql}"
    );
}
