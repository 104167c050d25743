//! What the engine runs on.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Where the PostgreSQL server is.
pub(crate) const POSTGRES: &str = "TASKS_TEST_POSTGRES_URL";

/// Where the MariaDB server is.
pub(crate) const MYSQL: &str = "TASKS_TEST_MYSQL_URL";

/// What the engine runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Backend {
    /// In memory.
    Memory,
    /// A SQLite file that is synced with every commit: the default durability.
    SqliteFull,
    /// A SQLite file that is synced at checkpoints only.
    SqliteNormal,
    /// The PostgreSQL server at `TASKS_TEST_POSTGRES_URL`, in the schema `tasks_bench`, which is removed first. Left out without the variable.
    Postgres,
    /// The MariaDB server at `TASKS_TEST_MYSQL_URL`, in the database `tasks_bench`, which is removed first. Left out without the variable.
    Mysql,
}

impl Backend {
    /// As the option `--backend` names it.
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map(|it| it.get_name().to_owned())
            .unwrap_or_default()
    }

    /// The variable that says where its server is, if it needs one.
    pub(crate) const fn server(self) -> Option<&'static str> {
        match self {
            Self::Postgres => Some(POSTGRES),
            Self::Mysql => Some(MYSQL),
            Self::Memory | Self::SqliteFull | Self::SqliteNormal => None,
        }
    }

    /// Whether this machine has it.
    pub(crate) fn is_there(self) -> bool {
        self.server().is_none_or(|it| std::env::var_os(it).is_some())
    }
}
