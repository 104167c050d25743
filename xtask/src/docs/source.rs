//! What the source says about fields and variants: names, types and documentation, for tables in the documents.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;

use crate::workspace::Workspace;

/// A public field of a struct, or a variant of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Empty for variants.
    pub(crate) type_name: String,
    /// The doc comment in one line.
    pub(crate) docs: String,
}

/// The public structs and enumerations of the published crates.
#[derive(Debug, Default)]
pub(crate) struct Sources(BTreeMap<String, Vec<Vec<Member>>>);

impl Sources {
    /// Reads every source file of the published crates.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(crate) fn read(workspace: &Workspace) -> Result<Self> {
        let mut sources = Self::default();
        for package in workspace.published() {
            for entry in WalkDir::new(package.folder.join("src")) {
                let entry = entry.context("cannot list the source files")?;
                if entry.path().extension().is_some_and(|it| it == "rs") {
                    let text = fs::read_to_string(entry.path())
                        .with_context(|| format!("cannot read {}", entry.path().display()))?;
                    sources.add(&text);
                }
            }
        }
        Ok(sources)
    }

    /// The members of the type `name`.
    ///
    /// # Errors
    /// When there is no such type, or more than one.
    pub(crate) fn members(&self, name: &str) -> Result<&[Member]> {
        let found = self
            .0
            .get(name)
            .with_context(|| format!("no crate has a public type `{name}`"))?;
        match found.as_slice() {
            [one] => Ok(one),
            _ => bail!("{} public types are called `{name}`", found.len()),
        }
    }

    /// Adds the types of one file. It must be formatted: a type opens and closes at the left edge, its members stand four to the right.
    fn add(&mut self, text: &str) {
        let mut open: Option<(String, Vec<Member>)> = None;
        let mut docs = Vec::new();
        for line in text.lines() {
            if let Some((name, members)) = &mut open {
                if line == "}" {
                    self.0
                        .entry(std::mem::take(name))
                        .or_default()
                        .push(std::mem::take(members));
                    open = None;
                } else if let Some(doc) = line.strip_prefix("    ///") {
                    docs.push(doc.trim());
                } else if let Some((name, type_name)) = member(line) {
                    members.push(Member {
                        name: name.to_owned(),
                        type_name: type_name.to_owned(),
                        docs: docs.join(" "),
                    });
                    docs.clear();
                } else if !line.trim_start().starts_with("#[") {
                    docs.clear();
                }
            } else if let Some(name) = opening(line) {
                docs.clear();
                open = Some((name.to_owned(), Vec::new()));
            }
        }
    }
}

/// The name of a type that opens here and has members on the lines below.
fn opening(line: &str) -> Option<&str> {
    let rest = line
        .strip_prefix("pub struct ")
        .or_else(|| line.strip_prefix("pub enum "))?;
    rest.strip_suffix(" {")
}

/// A field `name: type`, or a variant.
fn member(line: &str) -> Option<(&str, &str)> {
    let text = line.strip_prefix("    ")?.strip_suffix(',')?;
    match text.strip_prefix("pub ") {
        Some(field) => field.split_once(": "),
        None if text.chars().all(char::is_alphanumeric) => Some((text, "")),
        None => None,
    }
}

#[cfg(test)]
mod tests;
