//! Classes of failures.

use std::io;

use thiserror::Error;

use super::*;

#[derive(Debug, Error)]
#[error("outer")]
struct Outer(#[source] Box<dyn Error + Send + Sync>);

fn wrapped(error: impl Error + Send + Sync + 'static) -> JobError {
    JobError::from(Outer(Box::new(Outer(Box::new(error)))))
}

#[test]
fn classes_are_found_through_the_sources() {
    let finder = JobExceptionTypeFinder::new();
    let business = BusinessError {
        code: None,
        message: "no".to_owned(),
    };
    assert_eq!(finder.find(&wrapped(business)), JobExceptionType::Business);
    assert_eq!(
        finder.find(&wrapped(HttpStatusError { status: 503 })),
        JobExceptionType::Network
    );
    assert_eq!(
        finder.find(&wrapped(HttpStatusError { status: 429 })),
        JobExceptionType::Network
    );
    assert_eq!(
        finder.find(&wrapped(HttpStatusError { status: 404 })),
        JobExceptionType::Application
    );
    assert_eq!(
        finder.find(&wrapped(io::Error::from(io::ErrorKind::ConnectionReset))),
        JobExceptionType::Network
    );
    assert_eq!(
        finder.find(&wrapped(io::Error::other("disk"))),
        JobExceptionType::System
    );
    assert_eq!(finder.find(&JobError::msg("anything")), JobExceptionType::System);
}

#[test]
fn what_the_code_says_wins_and_codes_are_mapped() {
    let finder = JobExceptionTypeFinder::new()
        .map_code("Shop:7", JobExceptionType::Application)
        .classify::<fmt::Error>(|_| Some(JobExceptionType::Network));
    let business = BusinessError {
        code: Some("Shop:7".to_owned()),
        message: "no".to_owned(),
    };
    assert_eq!(finder.find(&wrapped(business)), JobExceptionType::Application);
    assert_eq!(
        finder.find(&JobError::msg("x").code("Shop:7")),
        JobExceptionType::Application
    );
    assert_eq!(
        finder.find(&JobError::msg("x").class(JobExceptionType::Business)),
        JobExceptionType::Business
    );
    assert_eq!(finder.find(&wrapped(fmt::Error)), JobExceptionType::Network);
}

#[test]
fn the_innermost_message_is_the_last_source() {
    let error = wrapped(HttpStatusError { status: 500 });
    assert_eq!(error.innermost(), "the remote service answered with status 500");
    assert_eq!(format!("{error:?}").lines().count(), 3);
}
