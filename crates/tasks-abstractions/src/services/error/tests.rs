//! Tests of the messages that no other test of services reads.

use super::*;

#[test]
fn a_missing_service_is_told_with_what_needs_it() {
    let err = ServiceError::Missing {
        service: "dyn app::Mailer",
        path: vec!["app::Job", "dyn app::Orders"],
    };
    assert_eq!(
        err.to_string(),
        "`app::Job` -> `dyn app::Orders` needs `dyn app::Mailer`, which no module provides; register it in the \
         `configure` of a module"
    );
    let err = ServiceError::Missing {
        service: "dyn app::Mailer",
        path: vec![],
    };
    assert_eq!(
        err.to_string(),
        "no module provides `dyn app::Mailer`; register it in the `configure` of a module"
    );
}

#[test]
fn a_value_not_provided_is_told_without_a_path_when_asked_for_directly() {
    let err = ServiceError::NotProvided {
        service: "app::RunId",
        path: vec![],
    };
    assert_eq!(
        err.to_string(),
        "nobody provided `app::RunId` for this run; call `Scope::provide` before"
    );
}

#[test]
fn a_failed_build_keeps_its_cause() {
    let err = ServiceError::failed::<String>("no file");
    assert_eq!(err.to_string(), "`alloc::string::String` could not be built");
    assert_eq!(err.source().map(ToString::to_string).as_deref(), Some("no file"));
}
