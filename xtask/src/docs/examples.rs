//! The example programs of the crates: each is built and run, and must print what the comment at its end says.
//!
//! The comment begins with the line `// Output:`; each line after it is one line of output, with `…` for what differs from run to run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::expected::difference;
use crate::process::{cargo, limited, run as run_process, without_options};
use crate::report::say;
use crate::tidy::Finding;
use crate::workspace::{Workspace, shown};

/// One example.
#[derive(Debug)]
struct Example {
    package: String,
    name: String,
    file: PathBuf,
}

/// Builds and runs every example.
///
/// # Errors
/// When one does not build, fails, does not end, says nothing of its output, or prints something else.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let examples = examples(workspace)?;
    build(workspace, &examples)?;
    let mut findings = Vec::new();
    for example in &examples {
        let path = shown(&workspace.root, &example.file);
        let text = fs::read_to_string(&example.file).with_context(|| format!("cannot read {path}"))?;
        let Some((line, output)) = trailer(&text) else {
            findings.push(Finding::file(&path, "has no comment `// Output:` at its end"));
            continue;
        };
        let printed = run(workspace, example)?;
        if let Some(difference) = difference(&output, &printed) {
            findings.push(Finding::at(
                &path,
                line,
                format!("prints something else:{difference}"),
            ));
        }
    }
    for finding in &findings {
        say(finding);
    }
    if !findings.is_empty() {
        bail!("{} examples do not do what they say", findings.len());
    }
    say(format_args!("{} examples", examples.len()));
    Ok(())
}

/// What the example `name` prints.
///
/// # Errors
/// When there is none, or it fails.
pub(crate) fn printed(workspace: &Workspace, name: &str) -> Result<String> {
    let all = examples(workspace)?;
    let example = all
        .iter()
        .find(|it| it.name == name)
        .with_context(|| format!("there is no example `{name}`"))?;
    build(workspace, std::slice::from_ref(example))?;
    run(workspace, example)
}

/// The examples of the published crates, in the order of their names.
fn examples(workspace: &Workspace) -> Result<Vec<Example>> {
    let mut examples = Vec::new();
    for package in workspace.published() {
        let folder = package.folder.join("examples");
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let file = entry?.path();
            if file.extension().is_some_and(|it| it == "rs") {
                examples.push(Example {
                    package: package.name.clone(),
                    name: stem(&file)?,
                    file,
                });
            }
        }
    }
    examples.sort_by(|a, b| (&a.package, &a.name).cmp(&(&b.package, &b.name)));
    Ok(examples)
}

fn stem(file: &Path) -> Result<String> {
    let stem = file.file_stem().and_then(|it| it.to_str());
    stem.map(str::to_owned)
        .with_context(|| format!("{} has no readable name", file.display()))
}

/// Builds examples, those of one package at once.
fn build(workspace: &Workspace, examples: &[Example]) -> Result<()> {
    for of_package in examples.chunk_by(|a, b| a.package == b.package) {
        let mut command = cargo(workspace);
        command.args(["build", "--quiet", "--package", &of_package[0].package]);
        for example in of_package {
            command.args(["--example", &example.name]);
        }
        run_process(&mut command)?;
    }
    Ok(())
}

/// Runs an example in an empty folder and gives what it printed.
fn run(workspace: &Workspace, example: &Example) -> Result<String> {
    let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
    let file = format!("{}{}", example.name, std::env::consts::EXE_SUFFIX);
    let program = workspace.target.join("debug/examples").join(file);
    let mut command = Command::new(&program);
    without_options(&mut command);
    let ended =
        limited(command.current_dir(folder.path())).with_context(|| format!("example `{}`", example.name))?;
    if !ended.status.success() {
        bail!(
            "example `{}` failed with {}; it printed:\n{}{}",
            example.name,
            ended.status,
            ended.stdout,
            ended.stderr
        );
    }
    Ok(ended.stdout)
}

/// The line of `// Output:` and the output that stands behind it.
fn trailer(text: &str) -> Option<(usize, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().rposition(|it| *it == "// Output:")?;
    let mut output = String::new();
    for line in &lines[at + 1..] {
        let line = line.strip_prefix("//")?;
        output.push_str(line.strip_prefix(' ').unwrap_or(line));
        output.push('\n');
    }
    (!output.trim().is_empty()).then_some((at + 1, output))
}

#[cfg(test)]
mod tests;
