//! Arguments of `tasks cron`.

use std::path::PathBuf;

use clap::Subcommand;
use tasks_abstractions::Timestamp;
use tasks_core::cron::TIME_ZONE_DATABASE;

use super::values::instant;
use crate::cron::MAX_COUNT;

#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true, after_help = zone_rules())]
pub(crate) struct CronArgs {
    #[command(subcommand)]
    pub(crate) action: CronAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CronAction {
    /// Prints the next fires, one RFC 3339 instant a line with the offset of the zone.
    ///
    /// Exit code 1 where there is none any more. Fewer than asked for end with a line on standard error and code 0.
    Next(NextArgs),
    /// Says in words when an expression fires.
    Explain(ExplainArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct NextArgs {
    /// 6 or 7 fields (second minute hour day-of-month month day-of-week, and a year if you like) as Quartz reads them, 5 (minute first) as unix does, or a shortcut such as
    /// `@daily`.
    #[arg(
        long,
        value_name = "EXPRESSION",
        allow_hyphen_values = true,
        required_unless_present = "file",
        conflicts_with = "file"
    )]
    pub(crate) expression: Option<String>,
    /// IANA name of the time zone, such as `Europe/London`. With `--file`, for lines without one.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) zone: String,
    /// Fires are strictly after this: RFC 3339, or seconds since 1970. With `--file`, for lines without it. Default: now.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = instant)]
    pub(crate) after: Option<Timestamp>,
    /// Fires to print, at most 100000. With `--file`, for lines without it.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_COUNT)))]
    pub(crate) count: u32,
    /// Reads JSON lines `{"expr": .., "zone": .., "after": seconds since 1970, "count": ..}`, of which only `expr` must be there, from a file (`-` = standard
    /// input) and answers each, in order, with `{"next": [seconds since 1970, ..]}` or `{"error": ..}`. The list is shorter than the count where the
    /// expression never fires again. A bad line is answered like any other and does not change the exit code.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// As for `next`.
    #[arg(long, value_name = "EXPRESSION", allow_hyphen_values = true)]
    pub(crate) expression: String,
    /// IANA name of the time zone.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) zone: String,
}

fn zone_rules() -> String {
    format!("The rules of time zones are those of the IANA database {TIME_ZONE_DATABASE}.")
}
