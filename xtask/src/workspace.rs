//! What cargo says about the workspace: its packages, their features and their dependencies.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process::capture;

/// The workspace as `cargo metadata --no-deps` describes it.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One package of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Folder of the manifest.
    pub(crate) folder: PathBuf,
    pub(crate) published: bool,
    pub(crate) has_library: bool,
    /// Sorted, without `default`.
    pub(crate) features: Vec<String>,
    pub(crate) has_default_features: bool,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a package's dependency tables.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// The version requirement; `*` when only a path is given.
    pub(crate) req: String,
    /// `None` for normal dependencies.
    pub(crate) kind: Option<DependencyKind>,
    /// Set for dependencies by path.
    pub(crate) path: Option<PathBuf>,
    pub(crate) features: Vec<String>,
    pub(crate) uses_default_features: bool,
}

/// The kinds of dependencies that are not normal ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DependencyKind {
    Dev,
    Build,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<RawPackage>,
}

#[derive(Deserialize)]
struct RawPackage {
    name: String,
    manifest_path: PathBuf,
    /// `None`: anywhere; an empty list: nowhere.
    publish: Option<Vec<String>>,
    features: BTreeMap<String, Vec<String>>,
    dependencies: Vec<Dependency>,
    targets: Vec<RawTarget>,
}

#[derive(Deserialize)]
struct RawTarget {
    kind: Vec<String>,
}

impl Workspace {
    /// Asks cargo for the workspace that xtask belongs to.
    ///
    /// # Errors
    /// When cargo cannot be started or the manifests are wrong.
    pub(crate) fn load() -> Result<Self> {
        // Two checkouts may share a target folder, and so this program: where it is run counts, not where it was built.
        let here =
            std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .current_dir(here);
        Self::parse(&capture(&mut command)?)
    }

    fn parse(json: &str) -> Result<Self> {
        let metadata: Metadata =
            serde_json::from_str(json).context("cannot read the output of `cargo metadata`")?;
        Ok(Self {
            root: metadata.workspace_root,
            target: metadata.target_directory,
            packages: metadata.packages.into_iter().map(Package::from_raw).collect(),
        })
    }

    /// A cargo configuration file with the profiles of the workspace.
    ///
    /// Programs outside the workspace are built with it into the same target folder: dependencies that were built with
    /// the same settings are not built again.
    ///
    /// # Errors
    /// When the root manifest cannot be read or the file cannot be written.
    pub(crate) fn profiles(&self) -> Result<PathBuf> {
        let manifest = self.root.join("Cargo.toml");
        let text =
            fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
        let folder = self.scratch("profiles")?;
        let file = folder.join("config.toml");
        fs::write(&file, profile_tables(&text))
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    /// A folder below the target folder for what xtask generates; made when it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf> {
        let folder = self.target.join("xtask").join(name);
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(folder)
    }

    /// The packages that are published, in the order of their names.
    pub(crate) fn published(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|it| it.published)
    }
}

impl Package {
    fn from_raw(mut raw: RawPackage) -> Self {
        raw.manifest_path.pop();
        Self {
            name: raw.name,
            folder: raw.manifest_path,
            published: raw.publish.is_none_or(|registries| !registries.is_empty()),
            has_library: raw
                .targets
                .iter()
                .any(|target| target.kind.iter().any(|kind| kind == "lib")),
            has_default_features: raw.features.contains_key("default"),
            features: raw
                .features
                .into_keys()
                .filter(|name| name != "default")
                .collect(),
            dependencies: raw.dependencies,
        }
    }

    /// The name of the package's folder.
    pub(crate) fn folder_name(&self) -> &str {
        self.folder
            .file_name()
            .and_then(|it| it.to_str())
            .unwrap_or_default()
    }
}

/// The `[profile..]` tables of a manifest.
fn profile_tables(manifest: &str) -> String {
    let mut inside = false;
    let mut tables = String::new();
    for line in manifest.lines() {
        if line.trim_start().starts_with('[') {
            inside = line.trim_start().starts_with("[profile.");
        }
        if inside {
            tables.push_str(line);
            tables.push('\n');
        }
    }
    tables
}

/// A path below the root as text with `/`, as messages show it.
pub(crate) fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

#[cfg(test)]
mod tests;
