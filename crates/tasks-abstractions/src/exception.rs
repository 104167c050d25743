//! What class of failure an error is.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::io;

use thiserror::Error as ThisError;

use crate::job::ArgsError;
use crate::{JobError, JobExceptionType, ValidationErrors};

/// A rule of the application said no. Class Business.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("{message}")]
pub struct BusinessError {
    /// Code of the rule, which may be mapped to another class.
    pub code: Option<String>,
    /// For people.
    pub message: String,
}

/// The other side answered with this HTTP status: 408, 429 and 5xx are class Network, else Application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[error("the remote service answered with status {status}")]
pub struct HttpStatusError {
    /// The status.
    pub status: u16,
}

type Classifier = Box<dyn Fn(&(dyn Error + 'static)) -> Option<JobExceptionType> + Send + Sync>;

/// Finds the class of a failure: the class given by the code, else that of its mapped code, else that of the first error along its
/// sources which anything here knows, else System.
#[derive(Default)]
pub struct JobExceptionTypeFinder {
    codes: HashMap<String, JobExceptionType>,
    classifiers: Vec<Classifier>,
}

impl JobExceptionTypeFinder {
    /// A finder that knows the errors of this crate and of the standard library.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Maps an error code to a class.
    #[must_use]
    pub fn map_code(mut self, code: impl Into<String>, class: JobExceptionType) -> Self {
        self.codes.insert(code.into(), class);
        self
    }

    /// Adds knowledge of an error type. Asked before the built-in ones, in the order of addition.
    #[must_use]
    pub fn classify<E: Error + 'static>(
        mut self,
        class: impl Fn(&E) -> Option<JobExceptionType> + Send + Sync + 'static,
    ) -> Self {
        self.classifiers
            .push(Box::new(move |error| error.downcast_ref::<E>().and_then(&class)));
        self
    }

    /// The class of a job's error.
    #[must_use]
    pub fn find(&self, error: &JobError) -> JobExceptionType {
        if let Some(class) = error.given_class() {
            return class;
        }
        if let Some(class) = error.given_code().and_then(|code| self.codes.get(code)) {
            return *class;
        }
        let mut next: Option<&(dyn Error + 'static)> = Some(error.source());
        while let Some(it) = next {
            if let Some(class) = self.class_of(it) {
                return class;
            }
            next = it.source();
        }
        JobExceptionType::System
    }

    fn class_of(&self, error: &(dyn Error + 'static)) -> Option<JobExceptionType> {
        if let Some(class) = self.classifiers.iter().find_map(|it| it(error)) {
            return Some(class);
        }
        if let Some(error) = error.downcast_ref::<BusinessError>() {
            let mapped = error.code.as_ref().and_then(|code| self.codes.get(code));
            return Some(mapped.copied().unwrap_or(JobExceptionType::Business));
        }
        if error.is::<ValidationErrors>() || error.is::<ArgsError>() {
            return Some(JobExceptionType::Business);
        }
        if let Some(error) = error.downcast_ref::<HttpStatusError>() {
            return Some(match error.status {
                408 | 429 | 500.. => JobExceptionType::Network,
                _ => JobExceptionType::Application,
            });
        }
        let io = error.downcast_ref::<io::Error>()?;
        matches!(
            io.kind(),
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::NotConnected
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::TimedOut
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
        )
        .then_some(JobExceptionType::Network)
    }
}

impl fmt::Debug for JobExceptionTypeFinder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobExceptionTypeFinder")
            .field("codes", &self.codes)
            .field("classifiers", &self.classifiers.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
