//! Reads each option by itself, so that one wrong value hides no other.

use std::time::Duration;

use figment::Figment;
use figment::value::{Dict, Value};
use tasks_core::{DurableFinish, MaintenanceOptions, Retention};

use super::duration::{duration_text, parse_duration};
use super::layers::variable;
use super::{HostOptions, OptionName, tenants};
use crate::Problems;

/// Reads values and notes which names mean something.
pub(super) struct Reader<'a> {
    figment: Figment,
    problems: &'a mut Problems,
    known: Vec<OptionName>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(figment: Figment, problems: &'a mut Problems) -> Self {
        Self {
            figment,
            problems,
            known: Vec::new(),
        }
    }

    /// The options that were asked for, in that order, with what each was before.
    pub(super) fn known(self) -> Vec<OptionName> {
        self.known
    }

    /// Sets `to` from the value of `key` where there is one. `present` is what it is before, as a file would say it.
    fn read<T>(
        &mut self,
        key: &str,
        present: Option<String>,
        to: &mut T,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) {
        self.know(key, present);
        if let Ok(value) = self.figment.find_value(key) {
            self.take(key, &value, to, parse);
        }
    }

    fn know(&mut self, key: &str, present: Option<String>) {
        self.known.push(OptionName {
            key: key.to_owned(),
            variable: variable(key),
            default: present,
        });
    }

    /// Sets `to` from the value of `key`.
    fn take<T>(
        &mut self,
        key: &str,
        value: &Value,
        to: &mut T,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) {
        match parse(value) {
            Ok(it) => *to = it,
            Err(problem) => {
                let place = self
                    .figment
                    .get_metadata(value.tag())
                    .map(|it| it.name.to_string());
                let place = match place {
                    Some(name) if name == "environment" => format!("environment variable {}", variable(key)),
                    Some(file) => format!("configuration file {file}: `{key}`"),
                    None => format!("`{key}`"),
                };
                self.problems.add(format!("{place}: {problem}"));
            }
        }
    }

    /// Sets `to` from the value of an entry whose name only the user knows.
    pub(super) fn entry<T>(
        &mut self,
        path: &str,
        value: &Value,
        to: &mut T,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) {
        self.know(path, None);
        self.take(path, value, to, parse);
    }

    fn text(&mut self, key: &str, to: &mut String) {
        self.read(key, quoted(to), to, text_of);
    }

    fn optional_text(&mut self, key: &str, to: &mut Option<String>) {
        let present = to.as_deref().and_then(quoted);
        self.read(key, present, to, |it| text_of(it).map(Some));
    }

    fn flag(&mut self, key: &str, to: &mut bool) {
        self.read(key, Some(to.to_string()), to, flag_of);
    }

    fn number(&mut self, key: &str, to: &mut usize) {
        self.read(key, Some(to.to_string()), to, |it| {
            let found = match it {
                Value::Num(_, number) => number
                    .to_i128()
                    .or_else(|| i128::try_from(number.to_u128()?).ok()),
                Value::String(_, text) => text.trim().parse().ok(),
                _ => None,
            };
            let found = found.and_then(|it| usize::try_from(it).ok());
            found.ok_or_else(|| format!("{} is no whole number from 0", shown(it)))
        });
    }

    fn duration(&mut self, key: &str, to: &mut Duration) {
        let present = quoted(&duration_text(*to));
        self.read(key, present, to, duration_of);
    }

    fn optional_duration(&mut self, key: &str, to: &mut Option<Duration>) {
        let present = to.and_then(|it| quoted(&duration_text(it)));
        self.read(key, present, to, |it| duration_of(it).map(Some));
    }

    fn retention(&mut self, key: &str, to: &mut Retention) {
        let present = match to {
            Retention::Forever => quoted("never"),
            Retention::For(time) => quoted(&duration_text(*time)),
            Retention::None => quoted("none"),
        };
        self.read(key, present, to, retention_of);
    }

    /// The tables in the table `key`, by name. Names may contain dots.
    pub(super) fn tables(&self, key: &str) -> Vec<(String, Dict)> {
        let Ok(Value::Dict(_, all)) = self.figment.find_value(key) else {
            return Vec::new();
        };
        all.into_iter()
            .filter_map(|(name, it)| Some((name, it.into_dict()?)))
            .collect()
    }
}

pub(super) fn flag_of(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(_, flag) => Ok(*flag),
        Value::String(_, text) if ["true", "1", "yes", "on"].contains(&text.as_str()) => Ok(true),
        Value::String(_, text) if ["false", "0", "no", "off"].contains(&text.as_str()) => Ok(false),
        other => Err(format!("{} is neither true nor false", shown(other))),
    }
}

fn duration_of(value: &Value) -> Result<Duration, String> {
    match value {
        Value::String(_, text) => parse_duration(text),
        Value::Num(_, number) => number
            .to_i128()
            .or_else(|| i128::try_from(number.to_u128()?).ok())
            .and_then(|it| u64::try_from(it).ok())
            .map(Duration::from_millis)
            .ok_or_else(|| {
                format!(
                    "{} is no duration; expected whole milliseconds or text such as 20s",
                    shown(value)
                )
            }),
        other => Err(format!(
            "{} is no duration; expected text such as 20s",
            shown(other)
        )),
    }
}

/// A text as TOML writes it; nothing for an empty one.
fn quoted(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| format!("{text:?}"))
}

pub(super) fn text_of(value: &Value) -> Result<String, String> {
    match value {
        Value::String(_, text) => Ok(text.clone()),
        Value::Char(_, it) => Ok(it.to_string()),
        other => Err(format!("{} is no text; put it in quotes", shown(other))),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("`{text}`"),
        other => format!("a value of type {}", other.to_actual()),
    }
}

/// Every option that a file or the environment can set.
pub(super) fn read_all(reader: &mut Reader<'_>, options: &mut HostOptions) {
    reader.optional_text("database", &mut options.database);
    reader.optional_text("schema", &mut options.schema);
    let it = &mut options.engine;
    reader.text("node_name", &mut it.node_name);
    reader.flag("is_execution_enabled", &mut it.is_execution_enabled);
    reader.number("max_concurrency", &mut it.max_concurrency);
    reader.number("claim_batch", &mut it.claim_batch);
    reader.number("finish_batch", &mut it.finish_batch);
    reader.number("max_unsettled", &mut it.max_unsettled);
    let finish = match it.durable_finish {
        DurableFinish::Batched => "batched",
        DurableFinish::Each => "each",
    };
    reader.read(
        "durable_finish",
        quoted(finish),
        &mut it.durable_finish,
        |it| match text_of(it)?.as_str() {
            "batched" => Ok(DurableFinish::Batched),
            "each" => Ok(DurableFinish::Each),
            other => Err(format!("`{other}` is unknown; expected batched or each")),
        },
    );
    reader.duration("poll_interval", &mut it.poll_interval);
    reader.optional_duration("command_poll_interval", &mut it.command_poll_interval);
    reader.duration("heartbeat", &mut it.heartbeat);
    reader.duration("lease", &mut it.lease);
    reader.duration("finish_linger", &mut it.finish_linger);
    reader.duration("misfire_threshold", &mut it.misfire_threshold);
    reader.duration("progress_interval", &mut it.progress_interval);
    reader.duration("suspect_window", &mut it.suspect_window);
    reader.duration("stuck_after", &mut it.stuck_after);
    reader.duration("shutdown_grace", &mut it.shutdown_grace);
    reader.duration("cancel_grace", &mut it.cancel_grace);
    let limits = &mut it.limits;
    reader.number("limits.cron", &mut limits.cron);
    reader.number("limits.name", &mut limits.name);
    reader.number("limits.group", &mut limits.group);
    reader.number("limits.node_name", &mut limits.node_name);
    reader.number("limits.type_name", &mut limits.type_name);
    reader.number("limits.description", &mut limits.description);
    reader.number("limits.result", &mut limits.result);
    reader.number("limits.log_message", &mut limits.log_message);
    reader.number("limits.log_error", &mut limits.log_error);
    reader.number("limits.args_bytes", &mut limits.args_bytes);
    reader.duration("limits.min_interval", &mut limits.min_interval);
    reader.duration("limits.max_duration", &mut limits.max_duration);
    read_maintenance(reader, &mut options.maintenance);
    tenants::read(reader, &mut options.tenants);
}

/// Options of the system jobs.
fn read_maintenance(reader: &mut Reader<'_>, it: &mut MaintenanceOptions) {
    let cleaning = &mut it.cleaning;
    reader.flag("cleaning.enabled", &mut cleaning.enabled);
    reader.text("cleaning.cron", &mut cleaning.cron);
    reader.number("cleaning.batch", &mut cleaning.batch);
    reader.retention("cleaning.completed", &mut cleaning.completed);
    reader.retention("cleaning.stopped", &mut cleaning.stopped);
    reader.retention("cleaning.abandoned", &mut cleaning.abandoned);
    reader.retention("cleaning.logs", &mut cleaning.logs);
    reader.retention("cleaning.failed_logs", &mut cleaning.failed_logs);
    reader.retention("cleaning.nodes", &mut cleaning.nodes);
    for (name, table) in reader.tables("cleaning.types") {
        let of_type = cleaning.types.entry(name.clone()).or_default();
        for (key, value) in table {
            let path = format!("cleaning.types.{name}.{key}");
            let field = match key.as_str() {
                "completed" => &mut of_type.completed,
                "stopped" => &mut of_type.stopped,
                "abandoned" => &mut of_type.abandoned,
                "logs" => &mut of_type.logs,
                "failed_logs" => &mut of_type.failed_logs,
                // Reported with all other names that mean nothing.
                _ => continue,
            };
            reader.entry(&path, &value, field, |it| retention_of(it).map(Some));
        }
    }
    let checking = &mut it.checking;
    reader.flag("checking.enabled", &mut checking.enabled);
    reader.text("checking.cron", &mut checking.cron);
    reader.number("checking.batch", &mut checking.batch);
}

fn retention_of(value: &Value) -> Result<Retention, String> {
    match value {
        Value::String(_, text) if text == "never" => Ok(Retention::Forever),
        Value::String(_, text) if text == "none" => Ok(Retention::None),
        other => duration_of(other)
            .map(Retention::For)
            .map_err(|problem| format!("{problem}, or never, or none")),
    }
}
