//! Options that all benches have.

use std::fmt;

use anyhow::{Result, ensure};
use clap::Args;

use super::backend::Backend;

/// Options of every bench.
#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// Only this backend; all that are there without it.
    #[arg(long, global = true)]
    pub(crate) backend: Option<Backend>,
    /// Jobs of a pass; each bench has a default of its own.
    #[arg(long, global = true)]
    jobs: Option<usize>,
    /// Jobs that run at once.
    #[arg(long, global = true, default_value_t = 1_000)]
    pub(crate) concurrency: usize,
    /// Passes; medians, least and most are shown.
    #[arg(long, global = true, default_value_t = 3)]
    pub(crate) passes: usize,
}

impl Settings {
    /// Refuses counts that measure nothing.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(
            self.jobs != Some(0) && self.concurrency > 0 && self.passes > 0,
            "counts must be at least 1"
        );
        Ok(())
    }

    /// Jobs of a pass.
    pub(crate) fn jobs_or(&self, default: usize) -> usize {
        self.jobs.unwrap_or(default)
    }

    /// Jobs of a pass where they were given.
    pub(crate) const fn given_jobs(&self) -> Option<usize> {
        self.jobs
    }

    /// The backends among these that are wanted and there.
    ///
    /// # Errors
    /// [`LeftOut`] where one is wanted that is not.
    pub(crate) fn backends(&self, among: &[Backend]) -> Result<Vec<Backend>> {
        match self.backend {
            None => Ok(among.iter().copied().filter(|it| it.is_there()).collect()),
            Some(only) => one(only, among),
        }
    }

    /// As [`backends`](Self::backends), with one as the default.
    ///
    /// # Errors
    /// As [`backends`](Self::backends).
    pub(crate) fn backend_or(&self, default: Backend, among: &[Backend]) -> Result<Vec<Backend>> {
        one(self.backend.unwrap_or(default), among)
    }
}

fn one(only: Backend, among: &[Backend]) -> Result<Vec<Backend>> {
    if !among.contains(&only) {
        let names: Vec<String> = among.iter().map(|it| it.name()).collect();
        return Err(LeftOut(format!(
            "this bench is not for {}; choose one of {}",
            only.name(),
            names.join(", ")
        ))
        .into());
    }
    match only.server() {
        Some(variable) if !only.is_there() => Err(LeftOut(format!(
            "there is no server for {}; name one in {variable}",
            only.name()
        ))
        .into()),
        _ => Ok(vec![only]),
    }
}

/// Why a bench was not made on a backend that it was asked for.
#[derive(Debug)]
pub(crate) struct LeftOut(String);

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LeftOut {}
