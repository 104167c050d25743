//! The clock of the database, as far as it differs from this machine's.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tasks_abstractions::{Clock, SystemClock};

use crate::frame::backend::Backend;
use crate::frame::place::Place;

/// How often the clock is read; the quickest answer counts.
const READS: usize = 100;

/// What has to be added to the time of this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offset {
    micros: i64,
    /// Half of the time that the answer took.
    uncertainty: Duration,
}

impl Offset {
    /// That of the database; nothing where the store takes the time from this machine.
    pub(crate) async fn of(place: &Place) -> Result<Self> {
        let none = Self {
            micros: 0,
            uncertainty: Duration::ZERO,
        };
        if place.backend == Backend::Memory {
            return Ok(none);
        }
        let client = place.client().await?;
        let sql = match client.get_database_backend() {
            DbBackend::Postgres => "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
            DbBackend::MySql => "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
            _ => return Ok(none),
        };
        let mut best: Option<Self> = None;
        for _ in 0..READS {
            let (asked, before) = (Instant::now(), SystemClock.now().timestamp_micros());
            let row = client
                .query_one_raw(Statement::from_string(client.get_database_backend(), sql))
                .await?
                .context("the server has no clock")?;
            let uncertainty = asked.elapsed() / 2;
            if best.is_none_or(|it| uncertainty < it.uncertainty) {
                let middle = before + i64::try_from(uncertainty.as_micros())?;
                best = Some(Self {
                    micros: row.try_get_by_index::<i64>(0)? - middle,
                    uncertainty,
                });
            }
        }
        client.close().await?;
        best.context("the clock was not read")
    }

    /// An instant of this machine by the clock of the database, in microseconds.
    pub(crate) const fn applied(&self, micros: i64) -> i64 {
        micros + self.micros
    }

    pub(crate) const fn uncertainty(&self) -> Duration {
        self.uncertainty
    }
}
