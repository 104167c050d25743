//! The table that the bench prints.

use std::io::Write;

use anyhow::Result;
use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets};

use crate::measure::Figures;
use crate::{Args, Backend};

pub(crate) fn print_line(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

/// An empty table with these columns.
pub(crate) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header);
    table
}

/// Prints a table under the conditions of its figures.
pub(crate) fn print_table(mut table: Table, conditions: &str) -> Result<()> {
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let build = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    print_line(&format!("{conditions}, {build} build, {cores} cores"))?;
    print_line(&table.to_string())
}

pub(crate) fn print(rows: &[(Backend, Figures)], args: &Args) -> Result<()> {
    let mut table = table([
        "backend",
        "enqueue one /s",
        "enqueue 1,000 /s",
        "drain /s",
        "wait p50 ms",
        "wait p99 ms",
        "peak MiB",
    ]);
    for (backend, it) in rows {
        let name = backend
            .to_possible_value()
            .map(|it| it.get_name().to_owned())
            .unwrap_or_default();
        table.add_row([
            name,
            format!("{:.0}", it.enqueue_one),
            format!("{:.0}", it.enqueue_batch),
            format!("{:.0}", it.drain),
            format!("{:.2}", it.wait_p50.as_secs_f64() * 1e3),
            format!("{:.2}", it.wait_p99.as_secs_f64() * 1e3),
            format!("{:.0}", it.peak_kib as f64 / 1024.0),
        ]);
    }
    print_table(
        table,
        &format!(
            "{} no-op jobs, {} at once, best of {} passes, files on {}",
            args.jobs,
            args.concurrency,
            args.passes,
            std::env::temp_dir().display()
        ),
    )
}
