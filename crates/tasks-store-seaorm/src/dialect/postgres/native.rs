//! A job out of columns of their own types.

use sea_orm::QueryResult;
use sea_orm::sqlx::postgres::{PgRow, PgValueFormat};
use sea_orm::sqlx::{Row as _, ValueRef as _};
use serde::Deserialize;
use tasks_abstractions::{JobInfo, StoreError};
use uuid::Uuid;

use crate::row::{Hex, JobColumns, unreadable};

/// Columns one after the other. Their types are those of the statement, so they are not compared again for each value of each row.
pub(super) struct Columns<'r> {
    row: &'r PgRow,
    at: usize,
}

/// The driver's row.
pub(super) fn pg_row(row: &QueryResult) -> Result<&PgRow, String> {
    row.try_as_pg_row()
        .ok_or_else(|| "it is no row of PostgreSQL".to_owned())
}

impl<'r> Columns<'r> {
    /// From this column on.
    pub(super) const fn of(row: &'r PgRow, at: usize) -> Self {
        Self { row, at }
    }

    pub(super) fn next<T: Native<'r>>(&mut self) -> Result<T, String> {
        let value = self.row.try_get_raw(self.at).map_err(|it| it.to_string())?;
        self.at += 1;
        if value.is_null() {
            return T::missing();
        }
        if value.format() != PgValueFormat::Binary {
            return Err("the server sent it as text".to_owned());
        }
        T::read(value.as_bytes().map_err(|it| it.to_string())?)
    }

    fn id(&mut self) -> Result<Hex, String> {
        self.next::<Uuid>().map(Hex)
    }

    pub(super) fn small(&mut self) -> Result<i64, String> {
        self.next::<i16>().map(i64::from)
    }

    pub(super) fn count(&mut self) -> Result<u32, String> {
        let value: i64 = self.next()?;
        u32::try_from(value).map_err(|_| format!("{value} is no count"))
    }

    fn millis(&mut self) -> Result<u64, String> {
        let value: Option<i64> = self.next()?;
        let value = value.unwrap_or_default();
        u64::try_from(value).map_err(|_| format!("{value} is no duration"))
    }
}

/// A value as the server sends it in binary form.
pub(super) trait Native<'r>: Sized {
    fn read(bytes: &'r [u8]) -> Result<Self, String>;

    fn missing() -> Result<Self, String> {
        Err("it is missing".to_owned())
    }
}

fn whole<const N: usize>(bytes: &[u8]) -> Result<[u8; N], String> {
    bytes
        .try_into()
        .map_err(|_| format!("it has {} bytes instead of {N}", bytes.len()))
}

impl Native<'_> for i16 {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        whole(bytes).map(Self::from_be_bytes)
    }
}

impl Native<'_> for i32 {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        whole(bytes).map(Self::from_be_bytes)
    }
}

impl Native<'_> for i64 {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        whole(bytes).map(Self::from_be_bytes)
    }
}

impl Native<'_> for Uuid {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        whole(bytes).map(Self::from_bytes)
    }
}

impl<'r> Native<'r> for &'r str {
    fn read(bytes: &'r [u8]) -> Result<Self, String> {
        std::str::from_utf8(bytes).map_err(|it| it.to_string())
    }
}

impl<'r> Native<'r> for String {
    fn read(bytes: &'r [u8]) -> Result<Self, String> {
        <&str>::read(bytes).map(str::to_owned)
    }
}

impl<'r, T: Native<'r>> Native<'r> for Option<T> {
    fn read(bytes: &'r [u8]) -> Result<Self, String> {
        T::read(bytes).map(Some)
    }

    fn missing() -> Result<Self, String> {
        Ok(None)
    }
}

/// Columns of `native_job_columns!`, one after the other.
const NAMES: [&str; 14] = [
    "id",
    "tenant_id",
    "name",
    "job_group",
    "type_name",
    "args",
    "source, state, job_type, priority",
    "creation_time",
    "begin_time",
    "max_try_count",
    "max_interruptions",
    "interval_ms",
    "version",
    "what few jobs have",
];

/// The job in its stored state, whose `native_job_columns!` begin at the column `first`.
pub(super) fn native_job(row: &PgRow, first: usize) -> Result<JobInfo, StoreError> {
    let mut from = Columns::of(row, first);
    let read = job_columns(&mut from).map_err(|why| {
        let name = NAMES.get(from.at.saturating_sub(first + 1));
        format!("`{}`: {why}", name.unwrap_or(&"?"))
    });
    let failed = |why: &str| {
        let id = row.try_get::<Uuid, _>(first).map(|it| it.to_string());
        unreadable(&format!("job {}", id.unwrap_or_default()), why)
    };
    read.and_then(JobColumns::into_job).map_err(|why| failed(&why))
}

/// What few jobs have, in the order of the columns.
#[derive(Deserialize)]
struct Rare(
    i64,
    u32,
    u32,
    u32,
    u32,
    u32,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    i64,
    u32,
    Option<i64>,
    Option<i64>,
    i64,
    Option<String>,
    Option<u64>,
    Option<u64>,
    Option<String>,
    i64,
    Option<String>,
    Option<Hex>,
    Option<String>,
    Option<String>,
);

/// The fields are read in the order of the columns.
fn job_columns(from: &mut Columns<'_>) -> Result<JobColumns, String> {
    let (id, tenant_id) = (from.id()?, from.id()?);
    let (name, job_group, type_name, args) = (from.next()?, from.next()?, from.next()?, from.next()?);
    let codes: i64 = from.next()?;
    // 16 bits each, which may be any number: what is no code is found where it is looked up.
    let [source, state, job_type, priority] = [48, 32, 16, 0].map(|bits| i64::from((codes >> bits) as i16));
    let common = JobColumns {
        id,
        tenant_id,
        name,
        job_group,
        type_name,
        args,
        source,
        state,
        job_type,
        priority,
        creation_time: from.next()?,
        begin_time: from.next()?,
        max_try_count: from.count()?,
        max_interruptions: from.count()?,
        interval_ms: from.millis()?,
        version: from.next()?,
        is_enabled: 1,
        trigger_count: 0,
        try_count: 0,
        max_count: 0,
        interruptions: 0,
        suspect_interruptions: 0,
        description: None,
        result: None,
        cron: None,
        time_zone: None,
        misfire_policy: 0,
        misfire_max: 0,
        end_time: None,
        last_run_time: None,
        is_abandoned: 0,
        retry_policy: None,
        timeout_ms: None,
        lock_timeout_ms: None,
        node_name: None,
        failover: 0,
        selector: None,
        definition_hash: None,
        definition_version: None,
        overrides: None,
    };
    match from.next::<Option<&str>>()? {
        None => Ok(common),
        Some(rare) => with_rare(common, rare),
    }
}

fn with_rare(common: JobColumns, rare: &str) -> Result<JobColumns, String> {
    let rare: Rare = serde_json::from_str(rare).map_err(|it| it.to_string())?;
    Ok(JobColumns {
        is_enabled: rare.0,
        trigger_count: rare.1,
        try_count: rare.2,
        max_count: rare.3,
        interruptions: rare.4,
        suspect_interruptions: rare.5,
        description: rare.6,
        result: rare.7,
        cron: rare.8,
        time_zone: rare.9,
        misfire_policy: rare.10,
        misfire_max: rare.11,
        end_time: rare.12,
        last_run_time: rare.13,
        is_abandoned: rare.14,
        retry_policy: rare.15,
        timeout_ms: rare.16,
        lock_timeout_ms: rare.17,
        node_name: rare.18,
        failover: rare.19,
        selector: rare.20,
        definition_hash: rare.21,
        definition_version: rare.22,
        overrides: rare.23,
        ..common
    })
}
