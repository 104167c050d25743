//! Running the dialect's statements.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};
use tasks_abstractions::StoreError;
use tasks_abstractions::store::StoreErrorKind;

use crate::connect::Handles;
use crate::dialect::{Batch, Dialect, Part};
use crate::error;

/// Where statements run: a pool, a transaction of the store's own, or one of the caller's.
#[derive(Debug)]
pub(crate) struct On<'c, C> {
    pub(crate) connection: &'c C,
    pub(crate) dialect: Dialect,
    limit: Option<Duration>,
    failed: fn(DbErr, &str) -> StoreError,
}

impl<C> Clone for On<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for On<'_, C> {}

impl<'c, C: ConnectionTrait> On<'c, C> {
    /// The store's own pool or transaction.
    pub(crate) fn own(connection: &'c C, handles: &Handles) -> Self {
        Self {
            connection,
            dialect: handles.dialect,
            limit: handles.answer_limit,
            failed: error::failed,
        }
    }

    /// For what may take long.
    pub(crate) fn without_limit(self) -> Self {
        Self { limit: None, ..self }
    }

    /// A transaction of the caller's.
    pub(crate) fn callers(connection: &'c C) -> Result<Self, StoreError> {
        Ok(Self {
            connection,
            dialect: Dialect::of(connection.get_database_backend())?,
            limit: None,
            failed: error::failed_in_callers,
        })
    }

    /// Rows that a statement answers. `doing` completes "cannot …".
    pub(crate) async fn rows(
        self,
        sql: impl Into<String>,
        values: Vec<Value>,
        doing: &str,
    ) -> Result<Vec<QueryResult>, StoreError> {
        let (sql, values) = self.dialect.sent(sql.into(), values);
        let statement = Statement::from_sql_and_values(self.dialect.backend(), sql, values);
        answered(self.limit, doing, self.connection.query_all_raw(statement))
            .await?
            .map_err(|it| (self.failed)(it, doing))
    }

    /// The first row that a statement answers.
    pub(crate) async fn row(
        self,
        sql: impl Into<String>,
        values: Vec<Value>,
        doing: &str,
    ) -> Result<Option<QueryResult>, StoreError> {
        let (sql, values) = self.dialect.sent(sql.into(), values);
        let statement = Statement::from_sql_and_values(self.dialect.backend(), sql, values);
        answered(self.limit, doing, self.connection.query_one_raw(statement))
            .await?
            .map_err(|it| (self.failed)(it, doing))
    }

    /// Runs a statement and answers how many rows it changed.
    pub(crate) async fn execute(
        self,
        sql: impl Into<String>,
        values: Vec<Value>,
        doing: &str,
    ) -> Result<u64, StoreError> {
        let (sql, values) = self.dialect.sent(sql.into(), values);
        let statement = Statement::from_sql_and_values(self.dialect.backend(), sql, values);
        answered(self.limit, doing, self.connection.execute_raw(statement))
            .await?
            .map(|it| it.rows_affected())
            .map_err(|it| (self.failed)(it, doing))
    }

    /// Waits for what this connection was asked for in the driver's own way.
    #[cfg(feature = "postgres")]
    pub(crate) async fn answer<T>(
        self,
        doing: &str,
        asked: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, StoreError> {
        answered(self.limit, doing, asked)
            .await?
            .map_err(|it| (self.failed)(it, doing))
    }

    /// Writes a batch and answers how many rows that changed. `others` are the statement's parameters beside the rows.
    pub(crate) async fn write(self, batch: Batch, others: &[Value], doing: &str) -> Result<u64, StoreError> {
        let mut changed = 0;
        for Part { sql, values, .. } in batch.into_parts(others) {
            changed += self.execute(sql, values, doing).await?;
        }
        Ok(changed)
    }

    /// Rows that a statement answers for a batch, each with the number from which its part of the batch counts.
    pub(crate) async fn answers(
        self,
        batch: Batch,
        doing: &str,
    ) -> Result<Vec<(usize, QueryResult)>, StoreError> {
        let mut answers = Vec::new();
        for Part { first, sql, values } in batch.into_parts(&[]) {
            let rows = self.rows(sql, values, doing).await?;
            answers.extend(rows.into_iter().map(|it| (first, it)));
        }
        Ok(answers)
    }

    /// Runs a statement for each batch and answers how many rows they changed.
    pub(crate) async fn execute_batches(
        self,
        sql: &'static str,
        batches: Vec<(String, u64)>,
        doing: &str,
    ) -> Result<u64, StoreError> {
        let mut changed = 0;
        for (json, _) in batches {
            changed += self.execute(sql, vec![json.into()], doing).await?;
        }
        Ok(changed)
    }
}

/// Waits for an answer, at most for `limit`. A connection that gave none is closed when it is given back.
pub(crate) async fn answered<T>(
    limit: Option<Duration>,
    doing: &str,
    answer: impl Future<Output = T>,
) -> Result<T, StoreError> {
    let Some(limit) = limit else {
        return Ok(answer.await);
    };
    tokio::time::timeout(limit, answer).await.map_err(|_| {
        StoreError::new(
            StoreErrorKind::Unavailable,
            format!(
                "cannot {doing}: the server gave no answer for {limit:?}; check the server and the network between, then try again"
            ),
        )
    })
}

/// A column of an answer.
pub(crate) fn column<T: sea_orm::TryGetable>(
    row: &QueryResult,
    at: usize,
    doing: &str,
) -> Result<T, StoreError> {
    row.try_get_by_index(at).map_err(|it| error::failed(it, doing))
}
