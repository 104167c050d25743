//! The files of the workspace, read once for all rules.

use std::path::Path;

use anyhow::{Context, Result};
use walkdir::WalkDir;

use super::masked::masked;
use crate::workspace::shown;

/// Folders that hold no sources of the project.
const SKIPPED: [&str; 2] = ["target", ".git"];

/// Files with these endings are read, and those without any ending (`.ci/run`).
const ENDINGS: [&str; 7] = ["rs", "md", "toml", "in", "sh", "yml", "yaml"];

/// All text files of the workspace, sorted by path.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

/// One text file.
#[derive(Debug)]
pub(crate) struct File {
    /// Path below the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// For Rust: the text with comments and the insides of strings blanked, line for line; else empty.
    pub(crate) code: String,
}

impl Tree {
    /// Reads the files below `root`.
    ///
    /// # Errors
    /// When a folder or a file cannot be read.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        let entries = WalkDir::new(root)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|it| !SKIPPED.iter().any(|skipped| it.file_name() == *skipped));
        for entry in entries {
            let entry = entry.context("cannot list the files of the workspace")?;
            let ending = entry
                .path()
                .extension()
                .map(|it| it.to_string_lossy().into_owned());
            if !entry.file_type().is_file() || ending.is_some_and(|it| !ENDINGS.contains(&it.as_str())) {
                continue;
            }
            let bytes = std::fs::read(entry.path())
                .with_context(|| format!("cannot read {}", entry.path().display()))?;
            // Data files of a demonstration run may lie in the root; only text can break a rule.
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(File::new(shown(root, entry.path()), text));
            }
        }
        Ok(Self { files })
    }

    /// The Rust files.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|it| it.has_ending("rs"))
    }

    /// The file with this path.
    pub(crate) fn find(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|it| it.path == path)
    }
}

impl File {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let code = if path.ends_with(".rs") {
            masked(&text)
        } else {
            String::new()
        };
        Self { path, text, code }
    }

    pub(crate) fn has_ending(&self, ending: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, it)| it == ending)
    }
}
