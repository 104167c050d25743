//! Debian packages, installed without starting or configuring any service.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{capture, run, works};
use crate::report::say;

/// Asked by Debian's packages whether they may start a service.
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// Read by Debian's PostgreSQL packages before they make a database cluster of the system.
const NO_CLUSTER: &str = "/etc/postgresql-common/createcluster.d/tasks-tests.conf";

/// Whether system packages can be installed here: Debian, as root.
pub(crate) fn allowed() -> bool {
    capture(Command::new("id").arg("-u")).is_ok_and(|it| it.trim() == "0")
        && works(Command::new("apt-get").arg("--version"))
}

/// Installs packages. No service of theirs is started, and PostgreSQL makes no cluster of the system's.
///
/// # Errors
/// When this is not Debian, the user is not root, or a package cannot be installed.
pub(crate) fn packages(names: &[&str]) -> Result<()> {
    if !allowed() {
        bail!("packages can be installed only on Debian, as root");
    }
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    let _policy = Temporary::new(Path::new(POLICY), "#!/bin/sh\nexit 101\n", true)?;
    let _cluster = names
        .contains(&super::Server::Postgres.package())
        .then(|| Temporary::new(Path::new(NO_CLUSTER), "create_main_cluster = false\n", false))
        .transpose()?;
    run(apt().arg("update"))?;
    run(apt()
        .args(["install", "--yes", "--no-install-recommends"])
        .args(names))
}

/// A file that is there while packages are installed. One that is there already is left alone.
struct Temporary(Option<PathBuf>);

impl Temporary {
    fn new(path: &Path, text: &str, executable: bool) -> Result<Self> {
        if path.exists() {
            return Ok(Self(None));
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let written = Self(Some(path.to_owned()));
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        if executable {
            run(Command::new("chmod").arg("755").arg(path))?;
        }
        Ok(written)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = fs::remove_file(path)
        {
            say(format_args!("{} could not be removed: {error}", path.display()));
        }
    }
}
