//! Tables in the documents that are made from the code, so that they cannot say anything else than it.
//!
//! A table stands between `<!-- generated: NAME -->` and `<!-- end -->`. `cargo xtask docs` compares it with the code, `cargo xtask docs --write`
//! writes it anew.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, bail};

use super::source::{Member, Sources};
use super::{Document, examples};
use crate::report::say;
use crate::tidy::Finding;
use crate::workspace::Workspace;

/// What is done about a table that does not say what the code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It is an error.
    Check,
    /// It is written anew.
    Write,
}

/// Compares or writes every table of the documents.
///
/// # Errors
/// When a table is unknown, out of date, or cannot be made.
pub(crate) fn run(workspace: &Workspace, documents: &[Document], mode: Mode) -> Result<()> {
    let marked = documents
        .iter()
        .filter(|it| it.text.lines().any(|line| line.starts_with(OPEN)));
    let mut stale = 0_usize;
    for document in marked {
        let made = Made {
            sources: Sources::read(workspace)?,
            options: examples::printed(workspace, OPTIONS)?,
        };
        let text =
            renewed(&document.text, &|name| made.table(name)).with_context(|| document.path.clone())?;
        if text == document.text {
            continue;
        }
        if mode == Mode::Write {
            fs::write(workspace.root.join(&document.path), text)
                .with_context(|| format!("cannot write {}", document.path))?;
            say(format_args!("{}: tables written", document.path));
        } else {
            stale += 1;
            let message = "a table does not say what the code says; run `cargo xtask docs --write`";
            say(Finding::at(
                &document.path,
                first_difference(&document.text, &text),
                message,
            ));
        }
    }
    if stale > 0 {
        bail!("{stale} documents have tables that are out of date");
    }
    Ok(())
}

const OPEN: &str = "<!-- generated: ";
const CLOSE: &str = "<!-- end -->";
/// Fields whose own fields are options at the top.
const PARTS: [&str; 2] = ["engine", "maintenance"];
/// The example whose output lists the options, `KEY = DEFAULT # VARIABLE`.
const OPTIONS: &str = "options";

/// The text with every table made anew. Marks stand alone on their lines.
fn renewed(text: &str, table: &dyn Fn(&str) -> Result<String>) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        out.push_str(line);
        let Some(name) = line
            .strip_prefix(OPEN)
            .and_then(|it| it.trim_end().strip_suffix(" -->"))
        else {
            continue;
        };
        let close = lines
            .find(|it| it.trim_end() == CLOSE)
            .with_context(|| format!("the table `{name}` has no `{CLOSE}`"))?;
        out.push_str(&table(name)?);
        out.push_str(close);
    }
    Ok(out)
}

fn first_difference(old: &str, new: &str) -> usize {
    let same = old.lines().zip(new.lines()).take_while(|(a, b)| a == b);
    same.count() + 1
}

/// What tables are made from.
struct Made {
    sources: Sources,
    options: String,
}

impl Made {
    fn table(&self, name: &str) -> Result<String> {
        match name {
            "options" => self.options(),
            "exit codes" => self.exit_codes(),
            "store options" => self.store_options(),
            other => bail!("no table is called `{other}`"),
        }
    }

    fn options(&self) -> Result<String> {
        let mut text = "| option | variable | default | meaning |\n|---|---|---|---|\n".to_owned();
        for line in self.options.lines() {
            let option = option(line).with_context(|| format!("`{line}` does not describe an option"))?;
            let docs = self.docs_of(option.key)?;
            let default = option.default.map_or_else(String::new, |it| format!("`{it}`"));
            writeln!(
                text,
                "| `{}` | `{}` | {default} | {} |",
                option.key,
                option.variable,
                without_default(&docs)
            )?;
        }
        Ok(text)
    }

    /// What the field says that the option sets: the path of the option, from `HostOptions` on, where those of its parts stand at the top.
    fn docs_of(&self, key: &str) -> Result<String> {
        let mut of = "HostOptions".to_owned();
        let mut docs = None;
        for part in key.split('.') {
            let member = self.field(&of, part)?;
            of = bare(&member.type_name).to_owned();
            docs = Some(member.docs.clone());
        }
        docs.filter(|it| !it.is_empty())
            .with_context(|| format!("the field of option `{key}` is not documented"))
    }

    fn field(&self, of: &str, name: &str) -> Result<&Member> {
        let members = self.sources.members(of)?;
        if let Some(member) = members.iter().find(|it| it.name == name) {
            return Ok(member);
        }
        let parts = members.iter().filter(|it| PARTS.contains(&it.name.as_str()));
        for part in parts {
            if let Ok(member) = self.field(bare(&part.type_name), name) {
                return Ok(member);
            }
        }
        bail!("`{of}` has no field `{name}`")
    }

    fn exit_codes(&self) -> Result<String> {
        let mut text = "| code | name | when |\n|---|---|---|\n".to_owned();
        for member in self.sources.members("HostExit")? {
            let (code, when) = member
                .docs
                .split_once(": ")
                .with_context(|| format!("the comment of `{}` does not begin with its code", member.name))?;
            writeln!(text, "| {code} | `{}` | {} |", member.name, plain(when))?;
        }
        Ok(text)
    }

    fn store_options(&self) -> Result<String> {
        let mut text = "| field | meaning |\n|---|---|\n".to_owned();
        for member in self.sources.members("SeaOrmStoreOptions")? {
            writeln!(text, "| `{}` | {} |", member.name, plain(&member.docs))?;
        }
        Ok(text)
    }
}

/// One line of what the example prints.
#[derive(Debug, PartialEq, Eq)]
struct Described<'a> {
    key: &'a str,
    default: Option<&'a str>,
    variable: &'a str,
}

fn option(line: &str) -> Option<Described<'_>> {
    let (setting, variable) = line.rsplit_once(" # ")?;
    // An option without a default is commented out.
    let (setting, has_default) = match setting.strip_prefix("# ") {
        Some(it) => (it, false),
        None => (setting, true),
    };
    let (key, default) = setting.split_once(" =")?;
    Some(Described {
        key,
        default: has_default.then(|| default.trim()),
        variable,
    })
}

/// The type of what an `Option` holds.
fn bare(type_name: &str) -> &str {
    type_name
        .strip_prefix("Option<")
        .and_then(|it| it.strip_suffix('>'))
        .unwrap_or(type_name)
}

/// A comment without the sentence on the default, which has a column of its own.
fn without_default(docs: &str) -> String {
    let text = match docs.split_once("Defaults to ") {
        None => docs.to_owned(),
        Some((before, after)) => {
            let after = after.split_once(". ").map_or("", |(_, it)| it);
            format!("{before}{after}")
        }
    };
    plain(text.trim())
}

/// A comment as a cell of a table: links to items become their names.
fn plain(docs: &str) -> String {
    let mut out = String::new();
    let mut rest = docs;
    while let Some((before, after)) = rest.split_once("[`") {
        let (name, after) = after.split_once("`]").unwrap_or((after, ""));
        write!(out, "{before}`{name}`").ok();
        rest = match after.strip_prefix('(') {
            Some(target) => target.split_once(')').map_or("", |(_, it)| it),
            None => after,
        };
    }
    (out + rest).replace('|', "\\|")
}

#[cfg(test)]
mod tests;
