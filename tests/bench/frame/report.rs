//! What a bench found: a table for people, and the same as JSON under `target/bench`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Map, Value, json};

use super::backend::Backend;
use super::conditions::Conditions;
use super::samples::{Samples, number};

/// One field of a table.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Text(String),
    /// A figure of several passes, with this many digits after the point.
    Figure(Samples, usize),
    /// One number, with this many digits after the point.
    Number(f64, usize),
    /// Nothing was measured here.
    Nothing,
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Jobs a second.
    pub(crate) const fn rate(samples: Samples) -> Self {
        Self::Figure(samples, 0)
    }

    /// Milliseconds.
    pub(crate) const fn millis(samples: Samples) -> Self {
        Self::Figure(samples, 2)
    }

    /// The median of one over that of the other.
    pub(crate) fn ratio(of: &Samples, to: &Samples) -> Result<Self> {
        Ok(Self::Number(of.median()? / to.median()?, 2))
    }

    fn shown(&self) -> Result<String> {
        Ok(match self {
            Self::Text(text) => text.clone(),
            Self::Figure(samples, digits) => samples.shown(*digits)?,
            Self::Number(value, digits) => number(*value, *digits),
            Self::Nothing => "–".to_owned(),
        })
    }

    fn json(&self) -> Result<Value> {
        Ok(match self {
            Self::Text(text) => json!(text),
            Self::Figure(samples, _) => json!({
                "median": samples.median()?,
                "min": samples.least(),
                "max": samples.most(),
                "passes": samples.all(),
            }),
            Self::Number(value, _) => json!(value),
            Self::Nothing => Value::Null,
        })
    }
}

/// The table of one bench.
#[derive(Debug)]
pub(crate) struct Report {
    /// Name of the bench, and of its file.
    mode: &'static str,
    /// What was done, in a sentence.
    what: String,
    columns: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Report {
    pub(crate) fn new<const N: usize>(
        mode: &'static str,
        what: impl Into<String>,
        columns: [&'static str; N],
    ) -> Self {
        Self {
            mode,
            what: what.into(),
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Prints the table and writes the file.
    pub(crate) fn finish(self, backends: &[Backend]) -> Result<()> {
        let conditions = Conditions::of(backends)?;
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN);
        table.set_header(&self.columns);
        for row in &self.rows {
            table.add_row(row.iter().map(Cell::shown).collect::<Result<Vec<_>>>()?);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        print_line(&format!("\n{}: {}", self.mode, self.what))?;
        print_line(&conditions.line())?;
        print_line(&table.to_string())?;
        let rows = self.rows.iter().map(|row| {
            let fields = self.columns.iter().zip(row);
            fields
                .map(|(name, cell)| Ok(((*name).to_owned(), cell.json()?)))
                .collect::<Result<Map<_, _>>>()
        });
        let json = json!({
            "bench": self.mode,
            "what": self.what,
            "conditions": conditions,
            "rows": rows.collect::<Result<Vec<_>>>()?,
        });
        let file = folder()?.join(format!("{}.json", self.mode));
        std::fs::write(&file, serde_json::to_string_pretty(&json)? + "\n")
            .with_context(|| format!("cannot write {}", file.display()))
    }
}

/// `target/bench`: beside the folder in which cargo put this program.
fn folder() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program
        .parent()
        .and_then(|it| it.parent())
        .context("this program stands in no target folder")?;
    let folder = target.join("bench");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

pub(crate) fn print_line(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}
