//! Questions as JSON lines, and one answer a line.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde_json::{Map, Value, json};
use tasks_abstractions::{Clock, SystemClock, Timestamp};
use tasks_core::cron::CronSchedule;
use tasks_host::HostExit;

use super::{MAX_COUNT, fires};
use crate::args::NextArgs;
use crate::args::values::of_seconds;
use crate::failure::Failure;
use crate::output::print;

/// One question. What it does not say, or says as `null`, is taken from the command line; what else it says is passed over.
struct Question {
    expression: String,
    zone: Option<String>,
    after: Option<Timestamp>,
    count: Option<u32>,
}

impl Question {
    fn read(line: &[u8]) -> Result<Self, String> {
        const EXPECTED: &str = "expected an object such as {\"expr\": \"0 9 * * *\", \"zone\": \"Europe/London\", \"after\": 1800000000}";
        let fields: Map<String, Value> =
            serde_json::from_slice(line).map_err(|error| format!("{}; {EXPECTED}", without_line(&error)))?;
        let text = |name: &str| match fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(format!("`{name}` is {other}; expected a text")),
        };
        Ok(Self {
            expression: text("expr")?.ok_or_else(|| format!("`expr` is missing; {EXPECTED}"))?,
            zone: text("zone")?,
            after: fields
                .get("after")
                .filter(|it| !it.is_null())
                .map(seconds)
                .transpose()?,
            count: fields
                .get("count")
                .filter(|it| !it.is_null())
                .map(count)
                .transpose()?,
        })
    }
}

/// Seconds since 1970. A fraction is dropped: fires lie on whole seconds, so that the first one after it is the first one after its second.
fn seconds(value: &Value) -> Result<Timestamp, String> {
    if let Some(seconds) = value.as_i64() {
        return Ok(of_seconds(seconds));
    }
    match value.as_f64() {
        // Beyond the integers the cast ends at the last of them, which lies beyond all dates.
        Some(seconds) => Ok(of_seconds(seconds.floor() as i64)),
        None => Err(format!("`after` is {value}; expected seconds since 1970")),
    }
}

fn count(value: &Value) -> Result<u32, String> {
    value
        .as_u64()
        .and_then(|count| u32::try_from(count).ok())
        .filter(|count| (1..=MAX_COUNT).contains(count))
        .ok_or_else(|| format!("`count` is {value}; expected 1 to {MAX_COUNT}"))
}

/// Every question is one line, so that only its column says something.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

/// Answers every line of a file, or of standard input where it is `-`.
///
/// # Errors
/// Where the file cannot be read, or the answers not be written. Never because of a line.
pub(super) fn answer(file: &Path, args: &NextArgs) -> Result<HostExit, Failure> {
    if file == Path::new("-") {
        return answer_each(io::stdin().lock(), "standard input", args);
    }
    let shown = file.display().to_string();
    let opened = File::open(file).map_err(|error| Failure::because(&shown, error))?;
    answer_each(BufReader::new(opened), &shown, args)
}

fn answer_each(mut input: impl BufRead, shown: &str, args: &NextArgs) -> Result<HostExit, Failure> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line);
        if read.map_err(|error| Failure::because(shown, error))? == 0 {
            return Ok(HostExit::Done);
        }
        let answer = match next(&line, args) {
            Ok(next) => json!({ "next": next }),
            Err(fault) => json!({ "error": fault }),
        };
        print(&answer.to_string())?;
    }
}

fn next(line: &[u8], args: &NextArgs) -> Result<Vec<i64>, String> {
    let question = Question::read(line)?;
    let zone = question.zone.as_deref().unwrap_or(&args.zone);
    let schedule =
        CronSchedule::parse(&question.expression, Some(zone)).map_err(|error| error.to_string())?;
    let after = question.after.or(args.after).unwrap_or_else(|| SystemClock.now());
    let fires = fires(&schedule, after, question.count.unwrap_or(args.count));
    Ok(fires.map(|fire| fire.timestamp()).collect())
}
