//! Options of a host: defaults < file < environment < code.

mod duration;
mod layers;
mod machine;
mod read;
mod selectors;
mod tenants;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

use figment::Figment;
use tasks_abstractions::JobDispatcherSelectors;
use tasks_core::{EngineOptions, MaintenanceOptions};
use tasks_multitenancy::TenantInfo;

use self::read::{Reader, read_all};

pub use self::duration::parse_duration;
pub(crate) use self::layers::{Change, Layers};
pub use self::machine::node_name_of_machine;
pub(crate) use self::tenants::listed;

/// Options of a host.
///
/// In a TOML file every option of the engine stands at the top level under the name of its field, limits in the table `[limits]`; the table
/// `[app]` is left to the application, and any other name is a fault. In the environment the name is written in capitals after `TASKS_`, with `__`
/// between table and field: `TASKS_MAX_CONCURRENCY=8`, `TASKS_LIMITS__ARGS_BYTES=4096`. Names there that mean nothing are reported as a warning,
/// since others may put variables of this prefix there (Kubernetes does for a service called `tasks`).
///
/// Durations are text with units (`"500ms"`, `"20s"`, `"1m30s"`; units `ms`, `s`, `m`, `h`, `d`) or a whole number of milliseconds.
///
/// ```toml
/// node_name = "batch-1"
/// max_concurrency = 8
/// heartbeat = "5s"
/// durable_finish = "each"          # or "batched"
/// database = "sqlite://shop.db"    # read by ready-made programs such as `tasks serve`
/// [limits]
/// args_bytes = 65536
/// [cleaning]
/// completed = "15d"                # or "never", or "none"
/// [cleaning.types."billing.send-invoice"]
/// logs = "365d"
/// [tenants.acme]                   # gives the id: `TenantId::from_name("acme")`, unless `id` says another one
/// name = "Acme"                    # defaults to the name of the table
/// active = false                   # defaults to true
/// ```
///
/// Its `Debug` says whether there is a database, and not where: the URL may hold a password.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct HostOptions {
    /// Options of the engine. The node's name defaults to the machine's ([`node_name_of_machine`]).
    pub engine: EngineOptions,
    /// Options of the system jobs, Cleaning and Checking: tables `[cleaning]` and `[checking]`, retention by type under
    /// `[cleaning.types."NAME"]`.
    pub maintenance: MaintenanceOptions,
    /// Settings by type for workers and for jobs that this program enqueues. Set by code alone. Defaults to none.
    pub selectors: JobDispatcherSelectors,
    /// The tenants of the program: a table `[tenants.NAME]` each. The host provides them as `dyn TenantStore`, unless a module provides one. Defaults to
    /// none.
    pub tenants: Vec<TenantInfo>,
    /// Where the store of a ready-made program is. A program that lists its own store module ignores it. Defaults to none.
    pub database: Option<String>,
    /// The schema of the tables, where `database` is on a PostgreSQL server. Defaults to none: the first one of the user's `search_path`.
    pub schema: Option<String>,
}

impl fmt::Debug for HostOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostOptions")
            .field("engine", &self.engine)
            .field("maintenance", &self.maintenance)
            .field("selectors", &self.selectors)
            .field("tenants", &self.tenants)
            .field("has_database", &self.database.is_some())
            .field("schema", &self.schema)
            .finish()
    }
}

impl Default for HostOptions {
    fn default() -> Self {
        Self {
            engine: EngineOptions {
                node_name: node_name_of_machine(),
                ..EngineOptions::default()
            },
            maintenance: MaintenanceOptions::default(),
            selectors: JobDispatcherSelectors::new(),
            tenants: Vec::new(),
            database: None,
            schema: None,
        }
    }
}

/// An option that a file or the environment can set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OptionName {
    /// Its name in a file; the name of a table stands before it, joined by a dot.
    pub key: String,
    /// Its name in the environment.
    pub variable: String,
    /// Its default as a file would say it. `None` where there is none, or where it depends on the machine.
    pub default: Option<String>,
}

impl HostOptions {
    /// Every option that a file or the environment can set, in the order of the documentation.
    #[must_use]
    pub fn names() -> Vec<OptionName> {
        let mut options = Self::default();
        // The default is the machine's name, which is no property of the option.
        options.engine.node_name.clear();
        let mut problems = crate::Problems::default();
        let mut reader = Reader::new(Figment::new(), &mut problems);
        read_all(&mut reader, &mut options);
        reader.known()
    }

    /// Reads the options from `file` and the environment, as [`HostBuilder::build`](crate::HostBuilder::build) does: for programs that must know some of
    /// them before they choose their modules.
    ///
    /// # Errors
    /// [`HostError::CannotStart`](crate::HostError::CannotStart) with everything that is wrong.
    pub fn load(file: Option<PathBuf>) -> Result<Self, crate::HostError> {
        let mut problems = crate::Problems::default();
        let layers = Layers {
            file,
            reads_environment: true,
        };
        let options = layers.read(Vec::new(), &mut problems);
        if problems.is_empty() {
            Ok(options)
        } else {
            Err(crate::HostError::CannotStart(problems))
        }
    }
}
