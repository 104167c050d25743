//! A SQLite file: on a small file system of its own where one can be mounted, so that it can be full.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection};

use crate::fault::Kind;

/// Set for a driver that has its own view of the file systems.
const INSIDE: &str = "TASKS_CHAOS_INSIDE";

/// Starts this program again with a view of the file systems of its own, in which it may mount something that is gone with it. Returns where that is
/// so already, or cannot be had.
pub(super) fn enter_own_mounts(seed: u64) -> Result<()> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(());
    }
    let unshare = || {
        let mut command = Command::new("unshare");
        command.arg("--mount");
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        command
    };
    let can = unshare()
        .arg("true")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !can.is_ok_and(|it| it.success()) {
        return Ok(());
    }
    let mut command = unshare();
    command
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1));
    if !std::env::args().any(|it| it.starts_with("--seed")) {
        command.args(["--seed", &seed.to_string()]);
    }
    let error = command.env(INSIDE, "1").exec();
    Err(error).context("cannot start again under `unshare`")
}

/// The file of a run.
#[derive(Debug)]
pub(crate) struct SqliteFile {
    folder: PathBuf,
    url: String,
    is_mounted: bool,
    blocker: Option<DatabaseConnection>,
}

impl SqliteFile {
    pub(crate) fn new(folder: &Path, megabytes: u64) -> Result<Self> {
        let folder = folder.join("database");
        fs::create_dir(&folder)?;
        let is_mounted = std::env::var_os(INSIDE).is_some() && mount(&folder, megabytes)?;
        let url = format!("sqlite://{}", folder.join("chaos.db").display());
        Ok(Self {
            folder,
            url,
            is_mounted,
            blocker: None,
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn kinds(&self) -> Vec<Kind> {
        if self.is_mounted {
            vec![Kind::Lock, Kind::Full]
        } else {
            vec![Kind::Lock]
        }
    }

    pub(crate) fn left_out(&self) -> Option<&'static str> {
        (!self.is_mounted)
            .then_some("full (needs `unshare --mount` and `mount`: run as root or allow user namespaces)")
    }

    pub(crate) async fn begin(&mut self, kind: Kind) -> Result<()> {
        match kind {
            Kind::Lock => {
                let mut options = ConnectOptions::new(self.url.clone());
                options
                    .max_connections(1)
                    .sqlx_logging(false)
                    .map_sqlx_sqlite_opts(|it| it.busy_timeout(Duration::from_secs(30)));
                let blocker = Database::connect(options).await?;
                blocker.execute_unprepared("BEGIN IMMEDIATE").await?;
                self.blocker = Some(blocker);
            }
            Kind::Full => fill(&self.filler())?,
            other => bail!("`{}` is no fault of a SQLite file", other.name()),
        }
        Ok(())
    }

    pub(crate) async fn end(&mut self, kind: Kind) -> Result<()> {
        match kind {
            Kind::Lock => {
                if let Some(blocker) = self.blocker.take() {
                    blocker.execute_unprepared("ROLLBACK").await?;
                    blocker.close().await?;
                }
            }
            _ => fs::remove_file(self.filler())?,
        }
        Ok(())
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }

    pub(crate) fn keep(&self, folder: &Path) -> Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::copy(entry.path(), folder.join(entry.file_name()))?;
            }
        }
        Ok(())
    }

    pub(crate) fn close(&mut self) -> Result<()> {
        if std::mem::take(&mut self.is_mounted) {
            let status = Command::new("umount").arg(&self.folder).status()?;
            ensure!(status.success(), "cannot unmount {}", self.folder.display());
        }
        Ok(())
    }
}

fn mount(folder: &Path, megabytes: u64) -> Result<bool> {
    let status = Command::new("mount")
        .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "chaos"])
        .arg(folder)
        .stderr(Stdio::null())
        .status()
        .context("cannot run `mount`")?;
    Ok(status.success())
}

/// Writes a file until nothing more fits.
fn fill(path: &Path) -> Result<()> {
    let mut file = File::create(path)?;
    let mut piece = vec![0_u8; 1 << 20];
    while !piece.is_empty() {
        match file.write(&piece) {
            Ok(0) => piece.truncate(piece.len() / 2),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => piece.truncate(piece.len() / 2),
            Err(error) => return Err(error).context("cannot fill the disk"),
        }
    }
    Ok(())
}
