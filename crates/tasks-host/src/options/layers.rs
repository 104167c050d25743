//! Where options come from, and in which order they count.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use tracing::warn;

use super::HostOptions;
use super::read::{Reader, read_all};
use super::{selectors, tenants};
use crate::Problems;

/// A change of the options by code.
pub(crate) type Change = Box<dyn FnOnce(&mut HostOptions) + Send>;

const PREFIX: &str = "TASKS_";
/// Variables of this prefix that are read elsewhere.
const NOT_OPTIONS: [&str; 4] = ["TASKS_LOG", "TASKS_APP_", "TASKS_TEST_", "TASKS_CRASH_"];
/// The table of a file that belongs to the application.
const APPLICATION: &str = "app";

/// The sources below code.
#[derive(Debug)]
pub(crate) struct Layers {
    pub(crate) file: Option<PathBuf>,
    pub(crate) reads_environment: bool,
}

impl Layers {
    /// Reads and checks everything; what is wrong is added to `problems`, and the options are then not to be used.
    pub(crate) fn read(self, changes: Vec<Change>, problems: &mut Problems) -> HostOptions {
        let mut options = HostOptions::default();
        let mut figment = Figment::new();
        let mut in_file = Vec::new();
        if let Some(path) = self.file {
            match std::fs::read_to_string(&path) {
                Err(error) => problems.add(format!("configuration file {}: {error}", path.display())),
                Ok(text) => {
                    let provider = Toml::string(&text);
                    match provider.data() {
                        Ok(data) => {
                            in_file = data.values().flat_map(|it| keys(it, "")).collect();
                            figment = figment.merge(Named {
                                name: path.display().to_string(),
                                data,
                            });
                        }
                        Err(error) => problems.add(format!("configuration file {}: {error}", path.display())),
                    }
                }
            }
        }
        let mut in_environment = Vec::new();
        if self.reads_environment {
            let mut data = environment();
            in_environment = keys(&data, "");
            // A variable of others that happens to be called so must not take the place of the tenants in the file.
            data.remove(tenants::TABLE);
            figment = figment.merge(Named {
                name: "environment".to_owned(),
                data: Map::from([(Profile::Default, data)]),
            });
        }
        let mut reader = Reader::new(figment, problems);
        read_all(&mut reader, &mut options);
        let known: BTreeSet<String> = reader.known().into_iter().map(|it| it.key).collect();
        for key in in_file.iter().filter(|it| !known.contains(it.as_str())) {
            if key.split('.').next() != Some(APPLICATION) {
                problems.add(format!(
                    "configuration file: `{key}` is no option; correct or remove it"
                ));
            }
        }
        for key in in_environment.iter().filter(|it| !known.contains(it.as_str())) {
            warn!(variable = %variable(key), "this variable is no option of the engine and is ignored");
        }
        for change in changes {
            change(&mut options);
        }
        let maintenance = options.maintenance.faults(&options.engine.limits);
        for fault in selectors::faults(&options).into_iter().chain(maintenance) {
            problems.add(format!("option {fault}"));
        }
        for fault in tenants::listed(&options.tenants).1 {
            problems.add(format!("option `{}`: {fault}", tenants::TABLE));
        }
        if let Err(faults) = options.engine.validate() {
            for fault in faults.faults() {
                problems.add(format!("option {fault}"));
            }
        }
        options
    }
}

/// The variable that sets the option `key`.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"))
}

/// Every value's path, tables joined by dots.
fn keys(table: &Dict, under: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (key, value) in table {
        let path = if under.is_empty() {
            key.clone()
        } else {
            format!("{under}.{key}")
        };
        match value {
            Value::Dict(_, inner) => all.extend(keys(inner, &path)),
            _ => all.push(path),
        }
    }
    all
}

/// The variables `TASKS_…` as texts: what a text means is decided by the option, so a node may be called `007`.
fn environment() -> Dict {
    let mut all = Dict::new();
    for (name, value) in std::env::vars_os() {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
            continue;
        };
        let is_other = NOT_OPTIONS.iter().any(|it| name.starts_with(it));
        let Some(key) = name.strip_prefix(PREFIX).filter(|it| !it.is_empty() && !is_other) else {
            continue;
        };
        let key = key.to_lowercase();
        match key.split_once("__") {
            None => {
                all.insert(key, Value::from(value));
            }
            Some((table, field)) => {
                let entry = all
                    .entry(table.to_owned())
                    .or_insert_with(|| Value::from(Dict::new()));
                if let Value::Dict(_, inner) = entry {
                    inner.insert(field.to_owned(), Value::from(value));
                }
            }
        }
    }
    all
}

/// Values with the name of the place they come from.
struct Named {
    name: String,
    data: Map<Profile, Dict>,
}

impl Provider for Named {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(self.data.clone())
    }
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
