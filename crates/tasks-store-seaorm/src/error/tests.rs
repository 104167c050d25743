//! What a failure means.

use sea_orm::DbErr;
use sea_orm::error::ConnAcquireErr;
use tasks_abstractions::store::StoreErrorKind;

use super::{
    Class, class_of, class_of_mysql, class_of_postgres, class_of_sqlite, failed, failed_in_callers,
    refuse_nul,
};

#[test]
fn result_codes_of_sqlite_have_their_class() {
    let cases = [
        (5, Class::Busy),
        (261, Class::Busy),
        (6, Class::Busy),
        (517, Class::CannotUpgrade),
        (13, Class::Full),
        (10, Class::Connection),
        (778, Class::Connection),
        (8, Class::ReadOnly),
        (1032, Class::ReadOnly),
        (14, Class::CannotOpen),
        (11, Class::Damaged),
        (26, Class::Damaged),
        (18, Class::TooLong),
        (2067, Class::Constraint),
        (1555, Class::Constraint),
        (1299, Class::Constraint),
        (20, Class::Constraint),
        (1, Class::Other),
    ];
    for (code, class) in cases {
        assert_eq!(class_of_sqlite(code), class, "{code}");
    }
}

#[test]
fn codes_of_postgresql_have_their_class() {
    let cases = [
        ("40001", Class::Conflict),
        ("40P01", Class::Conflict),
        ("55P03", Class::Busy),
        ("57014", Class::TookTooLong),
        ("57P01", Class::Connection),
        ("08006", Class::Connection),
        ("53300", Class::Connection),
        ("53100", Class::Full),
        ("25006", Class::ReadOnly),
        ("23505", Class::Constraint),
        ("23502", Class::Constraint),
        ("22003", Class::TooLong),
        ("28P01", Class::Refused),
        ("3D000", Class::Refused),
        ("42P01", Class::Other),
        ("", Class::Other),
    ];
    for (code, class) in cases {
        assert_eq!(class_of_postgres(code, None), class, "{code}");
    }
    let name = Some("tk_background_jobs_name_key");
    assert_eq!(class_of_postgres("23505", name), Class::Conflict);
}

#[test]
fn numbers_of_mysql_have_their_class() {
    let cases = [
        (1213, Class::Conflict),
        (1205, Class::Conflict),
        (1020, Class::Conflict),
        (1969, Class::TookTooLong),
        (3024, Class::TookTooLong),
        (1290, Class::ReadOnly),
        (1114, Class::Full),
        (2013, Class::Connection),
        (1040, Class::Connection),
        (1045, Class::Refused),
        (1406, Class::TooLong),
        (1048, Class::Constraint),
        (1062, Class::Constraint),
        (1064, Class::Other),
    ];
    for (number, class) in cases {
        assert_eq!(class_of_mysql(number, ""), class, "{number}");
    }
    let name = "Duplicate entry 'x' for key 'tk_background_jobs_name_key'";
    assert_eq!(class_of_mysql(1062, name), Class::Conflict);
}

#[test]
fn an_exhausted_pool_may_be_tried_again() {
    let error = DbErr::ConnectionAcquire(ConnAcquireErr::Timeout);
    assert_eq!(class_of(&error), Class::PoolTimeout);
    for error in [failed(error.clone(), "do it"), failed_in_callers(error, "do it")] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.to_string().starts_with("cannot do it: "), "{error}");
    }
}

#[test]
fn nul_is_refused_with_the_name_of_the_field() {
    assert!(refuse_nul(&"job 1", [("name", Some("a")), ("result", None)]).is_ok());
    let error = refuse_nul(&"job 1", [("name", Some("a")), ("result", Some("a\0b"))]).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Rejected);
    assert!(error.to_string().contains("`result` of job 1"), "{error}");
}
