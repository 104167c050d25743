//! The error of job code.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::JobExceptionType;

/// Why a job failed: any error, with what the engine should make of it.
///
/// It implements `From` for every error type, so `?` works in job code, and therefore is no `std::error::Error` itself.
pub struct JobError {
    source: Box<dyn Error + Send + Sync>,
    retry_after: Option<Duration>,
    is_permanent: bool,
    class: Option<JobExceptionType>,
    code: Option<String>,
}

impl JobError {
    /// A failure of this text.
    #[must_use]
    pub fn msg(text: impl Into<String>) -> Self {
        Self::from_box(text.into().into())
    }

    /// A failure by an error that is boxed already.
    #[must_use]
    pub fn from_box(source: Box<dyn Error + Send + Sync>) -> Self {
        Self {
            source,
            retry_after: None,
            is_permanent: false,
            class: None,
            code: None,
        }
    }

    /// Trying again is useless: the job is given up now, whatever tries are left.
    #[must_use]
    pub fn permanent(mut self) -> Self {
        self.is_permanent = true;
        self
    }

    /// Wait this long before the next try, instead of the job's own policy.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Says what class of failure it is, instead of the finder.
    #[must_use]
    pub fn class(mut self, class: JobExceptionType) -> Self {
        self.class = Some(class);
        self
    }

    /// Gives it a code, which the application may map to a class.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The error itself.
    #[must_use]
    pub fn source(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.source.as_ref()
    }

    /// The wait that the code asked for.
    #[must_use]
    pub fn wanted_wait(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether trying again is useless.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.is_permanent
    }

    /// The class that the code gave it.
    #[must_use]
    pub fn given_class(&self) -> Option<JobExceptionType> {
        self.class
    }

    /// The code that it was given.
    #[must_use]
    pub fn given_code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Message of the innermost cause: what went wrong in the end.
    #[must_use]
    pub fn innermost(&self) -> String {
        let mut it: &(dyn Error + 'static) = self.source.as_ref();
        while let Some(cause) = it.source() {
            it = cause;
        }
        it.to_string()
    }
}

/// Every message of an error and its sources, outermost first, one a line.
#[must_use]
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str("\ncaused by: ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

impl<E: Error + Send + Sync + 'static> From<E> for JobError {
    fn from(error: E) -> Self {
        Self::from_box(Box::new(error))
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.source, f)
    }
}

impl fmt::Debug for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&error_chain(self.source.as_ref()))
    }
}
