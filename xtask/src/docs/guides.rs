//! The Rust blocks of the guides, compiled as users would: in a crate of their own that depends on the crates by path. Blocks with tests, and those
//! marked `run`, are run as well.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, bail};

use super::Document;
use super::markdown::{Block, Line, split};
use crate::process::{cargo, run};
use crate::report::say;
use crate::workspace::{Dependency, DependencyKind, Workspace};

/// Compiles every Rust block that is not marked `ignore` or `text`, and runs those that can run.
///
/// # Errors
/// When a block does not compile or fails.
pub(crate) fn check(workspace: &Workspace, documents: &[Document]) -> Result<()> {
    let mut modules = String::new();
    let folder = workspace.scratch("guides")?;
    let sources = folder.join("src");
    if sources.exists() {
        fs::remove_dir_all(&sources).with_context(|| format!("cannot empty {}", sources.display()))?;
    }
    fs::create_dir(&sources).with_context(|| format!("cannot create {}", sources.display()))?;
    let mut count = 0_usize;
    for document in documents.iter().filter(|it| !it.path.ends_with("CHANGELOG.md")) {
        let (blocks, lines) = split(&document.text);
        for mut block in blocks {
            if !is_compiled(&document.path, &block)? {
                continue;
            }
            block.code.insert_str(0, &unseen(&lines, block.line));
            let module = module_name(&document.path, block.line);
            let source = format!("// {}:{}\n{}", document.path, block.line, source(&block));
            fs::write(sources.join(format!("{module}.rs")), source)
                .context("cannot write a block of a guide")?;
            writeln!(modules, "mod {module};")?;
            count += 1;
        }
    }
    if count == 0 {
        say("the guides have no Rust blocks");
        return Ok(());
    }
    fs::write(
        sources.join("lib.rs"),
        format!("#![allow(unused, unreachable_code)]\n{modules}"),
    )?;
    fs::write(folder.join("Cargo.toml"), manifest(workspace))?;
    fs::copy(workspace.root.join("Cargo.lock"), folder.join("Cargo.lock"))
        .context("cannot copy Cargo.lock")?;
    say(format_args!(
        "{count} Rust blocks of the guides (in {})",
        folder.display()
    ));
    let mut command = cargo(workspace);
    command
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", &workspace.target)
        .args(["test", "--quiet", "--lib", "--config"]);
    run(command.arg(workspace.profiles()?))
}

/// Whether a block is Rust and meant to compile.
fn is_compiled(path: &str, block: &Block) -> Result<bool> {
    let tags = tags(block);
    if !tags.contains(&"rust") || tags.iter().any(|it| matches!(*it, "ignore" | "text")) {
        return Ok(false);
    }
    if tags.contains(&"compile_fail") {
        bail!(
            "{path}:{}: `compile_fail` is not checked here; mark the block `text`",
            block.line
        );
    }
    Ok(true)
}

fn tags(block: &Block) -> Vec<&str> {
    block.tags.split([',', ' ']).map(str::trim).collect()
}

/// `docs/first steps.md`, line 12: `docs_first_steps_l12`.
fn module_name(path: &str, line: usize) -> String {
    let stem = path.strip_suffix(".md").unwrap_or(path).to_lowercase();
    let name: String = stem
        .chars()
        .map(|it| if it.is_ascii_alphanumeric() { it } else { '_' })
        .collect();
    format!("{name}_l{line}")
}

/// A block as the text of a module. Without a `main` or a test it becomes the body of an async function that may use `?`.
fn source(block: &Block) -> String {
    let shown: Vec<&str> = block.code.lines().map(unhidden).collect();
    let shown = shown.join("\n");
    if ["fn main(", "#[test]", "#[tokio::test"]
        .iter()
        .any(|it| shown.contains(it))
    {
        return shown + "\n";
    }
    let error = "Box<dyn std::error::Error + Send + Sync>";
    let mut text = format!("async fn guide() -> Result<(), {error}> {{\n{shown}\n;Ok(())\n}}\n");
    if tags(block).contains(&"run") {
        text += &format!("#[tokio::test]\nasync fn runs() -> Result<(), {error}> {{ guide().await }}\n");
    }
    text
}

/// What a comment `<!-- rust` … `-->` right before the block in line `at` adds to it: for the compiler, not for readers.
fn unseen(lines: &[Line<'_>], at: usize) -> String {
    let before = lines.iter().rev().filter(|it| it.number < at);
    let mut code = Vec::new();
    let mut is_inside = false;
    for (line, number) in before.zip((0..at).rev()) {
        if line.number != number {
            break;
        }
        match line.text.trim() {
            "<!-- rust" if is_inside => {
                return code.into_iter().rev().map(|it| format!("{it}\n")).collect();
            }
            "-->" if !is_inside => is_inside = true,
            "" if !is_inside => {}
            text if is_inside => code.push(text),
            _ => break,
        }
    }
    String::new()
}

/// A line as the compiler sees it: `# ` hides a line from readers only, as in doctests.
fn unhidden(line: &str) -> &str {
    let trimmed = line.trim_start();
    match trimmed.strip_prefix("# ") {
        Some(hidden) => hidden,
        None if trimmed == "#" => "",
        None => line,
    }
}

/// A manifest with every library of the workspace and everything those depend on.
fn manifest(workspace: &Workspace) -> String {
    let mut text =
        "[package]\nname = \"guides\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[workspace]\n\n[dependencies]\n"
            .to_owned();
    for package in workspace.published().filter(|it| it.has_library) {
        text += &format!("{} = {{ path = '{}' }}\n", package.name, package.folder.display());
    }
    let mut outside: BTreeMap<&str, (&str, bool, Vec<&str>)> = BTreeMap::new();
    let dependencies = workspace
        .packages
        .iter()
        .filter(|it| it.name != "xtask")
        .flat_map(|it| &it.dependencies);
    for dependency in dependencies.filter(|it| is_offered(it)) {
        let entry = outside
            .entry(&dependency.name)
            .or_insert((&dependency.req, false, Vec::new()));
        entry.1 |= dependency.uses_default_features;
        entry.2.extend(dependency.features.iter().map(String::as_str));
    }
    for (name, (req, default, mut features)) in outside {
        features.sort_unstable();
        features.dedup();
        text += &format!(
            "{name} = {{ version = \"{req}\", default-features = {default}, features = {features:?} }}\n"
        );
    }
    text
}

fn is_offered(dependency: &Dependency) -> bool {
    dependency.path.is_none() && dependency.kind != Some(DependencyKind::Build)
}

#[cfg(test)]
mod tests;
