//! The shell blocks of the documents, run as a reader would run them.
//!
//! Each document gets a temporary folder of its own, in which its blocks run one after the other, with the program `tasks` of this workspace on
//! the path. A block must end well, and print what the block `text,output` behind it says.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Document;
use super::expected::difference;
use super::markdown::{Block, split};
use crate::process::{cargo, limited, run as run_process, without_options};
use crate::report::say;
use crate::tidy::Finding;
use crate::workspace::Workspace;

/// Names of shells that would slip past the check.
const OTHER_SHELLS: [&str; 6] = ["bash", "shell", "console", "zsh", "shell-session", "shellsession"];

/// A block to run, and what it should print.
#[derive(Debug, PartialEq, Eq)]
struct Script {
    line: usize,
    code: String,
    output: Option<String>,
}

/// Runs every shell block that is not marked `no-run`.
///
/// # Errors
/// When a block is marked wrongly, fails, does not end, or prints something else.
pub(crate) fn check(workspace: &Workspace, documents: &[Document]) -> Result<()> {
    let mut findings = Vec::new();
    let mut all = Vec::new();
    for document in documents {
        let (scripts, wrong) = scripts(document);
        findings.extend(wrong);
        if !scripts.is_empty() {
            all.push((document, scripts));
        }
    }
    if findings.is_empty() && !all.is_empty() {
        run_process(cargo(workspace).args(["build", "--quiet", "--package", "tasks-cli", "--bin", "tasks"]))?;
        for (document, scripts) in all {
            say(format_args!(
                "{} shell blocks of {}",
                scripts.len(),
                document.path
            ));
            findings.extend(run_all(&workspace.target.join("debug"), document, &scripts)?);
        }
    }
    for finding in &findings {
        say(finding);
    }
    if !findings.is_empty() {
        bail!("{} shell blocks are wrong", findings.len());
    }
    Ok(())
}

/// The blocks of a document that run, and what is wrong with the marks of others.
fn scripts(document: &Document) -> (Vec<Script>, Vec<Finding>) {
    let (blocks, lines) = split(&document.text);
    let (mut scripts, mut findings): (Vec<Script>, Vec<Finding>) = (Vec::new(), Vec::new());
    // Where the last block ended, if it runs.
    let mut ran_until: Option<usize> = None;
    for block in blocks {
        let follows = ran_until.take().is_some_and(|end| {
            let between = |number: usize| number > end && number < block.line;
            !lines
                .iter()
                .any(|it| between(it.number) && !it.text.trim().is_empty())
        });
        match kind(&block) {
            Ok(Kind::Run) => {
                ran_until = Some(block.line + block.code.lines().count() + 1);
                scripts.push(Script {
                    line: block.line,
                    code: block.code,
                    output: None,
                });
            }
            Ok(Kind::Output) => match scripts.last_mut().filter(|_| follows) {
                Some(script) => script.output = Some(block.code),
                None => findings.push(Finding::at(
                    &document.path,
                    block.line,
                    "an `output` block belongs right behind a shell block that runs",
                )),
            },
            Ok(Kind::Other) => {}
            Err(message) => findings.push(Finding::at(&document.path, block.line, message)),
        }
    }
    (scripts, findings)
}

/// What is done with a block.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Run,
    Output,
    Other,
}

fn kind(block: &Block) -> Result<Kind, String> {
    let tags: Vec<&str> = block
        .tags
        .split([',', ' '])
        .map(str::trim)
        .filter(|it| !it.is_empty())
        .collect();
    match tags.as_slice() {
        ["sh"] => Ok(Kind::Run),
        ["sh", "no-run"] => Ok(Kind::Other),
        ["sh", ..] => Err(format!(
            "`{}` is unknown; write `sh`, or `sh,no-run` for what cannot run here",
            block.tags
        )),
        ["text", "output"] => Ok(Kind::Output),
        [first, ..] if OTHER_SHELLS.contains(first) => Err(format!(
            "`{first}` is not run; write `sh`, or `sh,no-run` for what cannot run here"
        )),
        _ => Ok(Kind::Other),
    }
}

/// Runs the blocks of one document in their order, up to the first that fails.
fn run_all(programs: &Path, document: &Document, scripts: &[Script]) -> Result<Vec<Finding>> {
    let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
    let path = search_path(programs)?;
    let mut findings = Vec::new();
    for script in scripts {
        let mut shell = Command::new("sh");
        shell
            .args(["-eu", "-c", &script.code])
            .current_dir(folder.path())
            .env("PATH", &path);
        without_options(&mut shell);
        let place = format!("{}:{}", document.path, script.line);
        let ended = limited(&mut shell).with_context(|| format!("shell block {place}"))?;
        if !ended.status.success() {
            // What comes after it in the document would only fail because of it.
            findings.push(Finding::at(
                &document.path,
                script.line,
                format!("{}; it printed:\n{}{}", ended.status, ended.stdout, ended.stderr),
            ));
            break;
        }
        if let Some(output) = &script.output
            && let Some(difference) = difference(output, &ended.stdout)
        {
            findings.push(Finding::at(
                &document.path,
                script.line,
                format!("prints something else:{difference}\n{}", ended.stderr),
            ));
        }
    }
    Ok(findings)
}

/// The present search path behind the folder of the built programs.
fn search_path(programs: &Path) -> Result<OsString> {
    let present = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(programs.to_path_buf()).chain(env::split_paths(&present));
    env::join_paths(folders).context("the search path cannot be written")
}

#[cfg(test)]
mod tests;
