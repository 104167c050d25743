//! The log: to standard error, so that standard output stays usable by programs.

use tracing_subscriber::EnvFilter;

use crate::failure::Failure;
use crate::output::{self, LogWriter};

/// Starts logging: at what `--log` says, else `RUST_LOG`, else `default`.
///
/// # Errors
/// Where the filter cannot be understood.
pub(crate) fn start(asked: Option<&str>, default: &str) -> Result<(), Failure> {
    let from_environment = std::env::var(EnvFilter::DEFAULT_ENV)
        .ok()
        .filter(|it| !it.trim().is_empty());
    let filter = asked.map(ToOwned::to_owned).or(from_environment);
    let filter = filter.as_deref().unwrap_or(default);
    let filter = EnvFilter::builder()
        .parse(filter)
        .map_err(|error| Failure::Usage(format!("the log filter `{filter}` cannot be read: {error}")))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(output::is_terminal())
        .with_writer(|| LogWriter)
        .try_init()
        .map_err(|error| Failure::new(format!("the log cannot be started: {error}")))
}
