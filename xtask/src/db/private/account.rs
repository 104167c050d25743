//! The user that a server runs as: never root.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::db::Server;
use crate::process::capture;

/// A user without privileges; the own one where that is not root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    /// User and group to change to.
    other: Option<(u32, u32)>,
    name: String,
}

impl Account {
    /// The account for a server: one's own, or, as root, the first that exists of the server's own and `nobody`.
    pub(super) fn of(server: Server) -> Result<Self> {
        let own = id(&["-u"])?;
        if own != 0 {
            return Ok(Self {
                other: None,
                name: capture(Command::new("id").arg("-un"))?.trim().to_owned(),
            });
        }
        for name in [server.key(), "nobody"] {
            if let (Ok(user), Ok(group)) = (id(&["-u", name]), id(&["-g", name]))
                && user != 0
            {
                return Ok(Self {
                    other: Some((user, group)),
                    name: name.to_owned(),
                });
            }
        }
        bail!("{server} does not run as root, and there is no user `nobody`; run the tests as another user")
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Makes a command run as this user, in `folder`. Nothing of the caller's settings for database clients reaches it.
    pub(super) fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        if let Some((user, group)) = self.other {
            command.uid(user).gid(group);
        }
        command
    }

    /// Makes a folder that only this user may enter.
    pub(super) fn folder(&self, path: &Path) -> Result<()> {
        let doing = || format!("cannot make the folder {}", path.display());
        fs::create_dir(path).with_context(doing)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).with_context(doing)?;
        self.give(path).with_context(doing)
    }

    /// Makes a file that only this user may read.
    pub(super) fn file(&self, path: &Path, text: &str) -> Result<()> {
        let doing = || format!("cannot write {}", path.display());
        fs::write(path, "").with_context(doing)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).with_context(doing)?;
        fs::write(path, text).with_context(doing)?;
        self.give(path).with_context(doing)
    }

    /// Makes a file that everybody may read and only this user write.
    pub(super) fn public_file(&self, path: &Path, text: &str) -> Result<()> {
        self.file(path, text)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o644))
            .with_context(|| format!("cannot open {} to everybody", path.display()))
    }

    fn give(&self, path: &Path) -> std::io::Result<()> {
        match self.other {
            Some((user, group)) => chown(path, Some(user), Some(group)),
            None => Ok(()),
        }
    }
}

fn id(arguments: &[&str]) -> Result<u32> {
    let text = capture(Command::new("id").args(arguments))?;
    text.trim()
        .parse()
        .with_context(|| format!("`id` answered `{}`", text.trim()))
}
