//! Paths of any bytes in arguments that are JSON.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A path as it is kept in a job's arguments. Paths that are not UTF-8 (on Unix they may be any bytes) are kept exactly beside a readable form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredPath {
    path: String,
    /// The exact bytes in hexadecimal, where `path` is not exact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
}

impl StoredPath {
    /// `None` for a path that this system cannot give back exactly.
    pub(super) fn new(path: &Path) -> Option<Self> {
        if let Some(text) = path.to_str() {
            return Some(Self {
                path: text.to_owned(),
                bytes: None,
            });
        }
        Some(Self {
            path: path.to_string_lossy().into_owned(),
            bytes: Some(to_hex(&exact(path)?)),
        })
    }

    /// The path again; `None` where the stored form is broken.
    pub(super) fn to_path(&self) -> Option<PathBuf> {
        match &self.bytes {
            None => Some(PathBuf::from(&self.path)),
            Some(hex) => from_exact(from_hex(hex)?),
        }
    }

    /// What tells this path from every other one.
    pub(super) fn key(&self) -> &str {
        self.bytes.as_deref().unwrap_or(&self.path)
    }
}

/// Lower-case hexadecimal.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let pairs = digits.chunks_exact(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(unix)]
pub(super) fn exact(path: &Path) -> Option<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt as _;
    Some(path.as_os_str().as_bytes().to_owned())
}

#[cfg(unix)]
fn from_exact(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

#[cfg(not(unix))]
pub(super) fn exact(path: &Path) -> Option<Vec<u8>> {
    path.to_str().map(|it| it.as_bytes().to_owned())
}

#[cfg(not(unix))]
fn from_exact(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

#[cfg(test)]
mod tests;
