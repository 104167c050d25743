//! Where something waits: in which lanes, in which ranks there, and since when.

use sea_orm::{ConnectionTrait, Value};
use tasks_abstractions::StoreError;
use tasks_abstractions::job::Lane;

use crate::claim::lane_names;
use crate::statement::{On, column};

/// The earliest execution of a rank of a lane.
struct Head {
    lane: i64,
    rank: i64,
    due_at: i64,
    /// The last rank in use in this lane that is not known by a head of its own.
    last: i64,
    /// The present instant, of a database that has a clock.
    clock: Option<i64>,
}

/// When the earliest of all is due, and the present instant where the database told it.
pub(crate) struct Earliest {
    pub(crate) due_at: i64,
    pub(crate) clock: Option<i64>,
}

/// Lanes and their ranks, of which some databases tell one after the other.
pub(crate) struct Heads {
    ahead: Vec<Head>,
    /// Behind these there are others, which were not asked for yet.
    passed: Vec<Head>,
    doing: &'static str,
}

impl Heads {
    pub(crate) async fn of<C: ConnectionTrait>(
        on: On<'_, C>,
        lanes: &[Lane],
        doing: &'static str,
    ) -> Result<Self, StoreError> {
        let sql = on.dialect.sql().heads;
        let ahead = Self::read(on, sql.to_owned(), vec![lane_names(lanes)?.into()], doing).await?;
        Ok(Self {
            ahead,
            passed: Vec::new(),
            doing,
        })
    }

    async fn read<C: ConnectionTrait>(
        on: On<'_, C>,
        sql: String,
        values: Vec<Value>,
        doing: &str,
    ) -> Result<Vec<Head>, StoreError> {
        let rows = on.rows(sql, values, doing).await?;
        rows.iter()
            .map(|row| {
                Ok(Head {
                    lane: column(row, 0, doing)?,
                    rank: column(row, 1, doing)?,
                    due_at: column(row, 2, doing)?,
                    last: column(row, 3, doing)?,
                    clock: column(row, 4, doing)?,
                })
            })
            .collect()
    }

    /// The smallest rank that was not answered yet, with lanes where something of it is due. A rank with very many lanes is answered more than once.
    pub(crate) async fn next_due<C: ConnectionTrait>(
        &mut self,
        on: On<'_, C>,
        now: i64,
    ) -> Result<Option<(i64, Vec<i64>)>, StoreError> {
        loop {
            self.look_behind(on).await?;
            let Some(rank) = self.ahead.iter().map(|it| it.rank).min() else {
                return Ok(None);
            };
            let most = on.dialect.lanes_at_once();
            let mut due = Vec::new();
            for head in std::mem::take(&mut self.ahead) {
                if head.rank != rank || due.len() == most {
                    self.ahead.push(head);
                    continue;
                }
                if head.due_at <= now {
                    due.push(head.lane);
                }
                if head.rank < head.last {
                    self.passed.push(head);
                }
            }
            if !due.is_empty() {
                return Ok(Some((rank, due)));
            }
        }
    }

    /// The earliest of all.
    pub(crate) async fn earliest<C: ConnectionTrait>(
        mut self,
        on: On<'_, C>,
    ) -> Result<Option<Earliest>, StoreError> {
        let mut earliest: Option<Earliest> = None;
        while !self.ahead.is_empty() {
            for head in std::mem::take(&mut self.ahead) {
                let due_at = earliest.map_or(head.due_at, |it| it.due_at.min(head.due_at));
                earliest = Some(Earliest {
                    due_at,
                    // The one that was told last.
                    clock: head.clock,
                });
                if head.rank < head.last {
                    self.passed.push(head);
                }
            }
            self.look_behind(on).await?;
        }
        Ok(earliest)
    }

    /// The next rank of each lane whose former one was passed.
    async fn look_behind<C: ConnectionTrait>(&mut self, on: On<'_, C>) -> Result<(), StoreError> {
        for part in std::mem::take(&mut self.passed).chunks(on.dialect.lanes_at_once()) {
            let Some(sql) = on.dialect.next_heads(part.len()) else {
                continue;
            };
            let values = part
                .iter()
                .flat_map(|it| [it.last.into(), it.lane.into(), it.rank.into()])
                .collect();
            self.ahead.extend(Self::read(on, sql, values, self.doing).await?);
        }
        Ok(())
    }
}
