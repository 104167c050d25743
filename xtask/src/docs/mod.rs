//! Documentation that cannot rot: API documentation without warnings, guides that compile and whose commands run, examples that print what they
//! say, tables made from the code, links that lead somewhere.

mod examples;
mod expected;
mod guides;
mod links;
mod markdown;
mod shell;
mod source;
mod tables;

use std::fs;

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;

use crate::process::{cargo, run as run_process};
use crate::report::say;
use crate::workspace::{Workspace, shown};

pub(crate) use tables::Mode;

/// The documents in the root; those that a young project does not have yet may be missing, but links to them may not.
const ROOT_DOCUMENTS: [&str; 4] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

/// A Markdown document.
#[derive(Debug)]
pub(crate) struct Document {
    /// Path below the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Checks links and tables, builds the API documentation, compiles the guides, runs their commands and the examples. Where tables are to be
/// written, does only that.
///
/// # Errors
/// When one of them fails.
pub(crate) fn run(workspace: &Workspace, mode: Mode) -> Result<()> {
    let documents = documents(workspace)?;
    if mode == Mode::Write {
        return tables::run(workspace, &documents, mode);
    }
    let broken = links::check(&workspace.root, &documents);
    for finding in &broken {
        say(finding);
    }
    if !broken.is_empty() {
        bail!("{} broken links", broken.len());
    }
    run_process(cargo(workspace).env("RUSTDOCFLAGS", "-D warnings").args([
        "doc",
        "--no-deps",
        "--workspace",
    ]))?;
    guides::check(workspace, &documents)?;
    tables::run(workspace, &documents, mode)?;
    examples::check(workspace)?;
    shell::check(workspace, &documents)
}

/// The documents of the root and everything in `docs`.
fn documents(workspace: &Workspace) -> Result<Vec<Document>> {
    let mut paths: Vec<_> = ROOT_DOCUMENTS
        .iter()
        .map(|it| workspace.root.join(it))
        .filter(|it| it.is_file())
        .collect();
    let guides = workspace.root.join("docs");
    if guides.is_dir() {
        for entry in WalkDir::new(&guides).sort_by_file_name() {
            let entry = entry.context("cannot list the documents")?;
            if entry.path().extension().is_some_and(|it| it == "md") {
                paths.push(entry.into_path());
            }
        }
    }
    let read = |path: std::path::PathBuf| {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Document {
            path: shown(&workspace.root, &path),
            text,
        })
    };
    paths.into_iter().map(read).collect()
}
