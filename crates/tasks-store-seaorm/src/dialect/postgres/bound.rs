//! The values of a statement on a seat, as the driver sends them: without a value of sea-orm for each element of each array.

use sea_orm::sqlx::postgres::{PgArguments, PgRow, Postgres};
use sea_orm::sqlx::{Arguments as _, Encode, Type};
use tasks_abstractions::StoreError;
use tasks_abstractions::store::StoreErrorKind;
use uuid::Uuid;

use super::arrays::Arrays;
use super::packed::{Element, Packed};
use crate::connect::Seat;
use crate::statement::On;

/// Values one after the other, and the first fault of one.
#[derive(Default)]
pub(super) struct Bound {
    arguments: PgArguments,
    fault: Option<String>,
}

impl Bound {
    pub(super) fn with<'v>(mut self, value: impl Encode<'v, Postgres> + Type<Postgres> + 'v) -> Self {
        if let Err(error) = self.arguments.add(value) {
            self.fault.get_or_insert_with(|| error.to_string());
        }
        self
    }

    /// Texts that may be missing.
    pub(super) fn optional_texts<'t>(self, values: impl Iterator<Item = Option<&'t str>>) -> Self {
        self.array(values)
    }

    /// Numbers that may be missing.
    pub(super) fn optional_bigints(self, values: impl Iterator<Item = Option<i64>>) -> Self {
        self.array(values)
    }

    fn array<T: Element>(self, values: impl Iterator<Item = T>) -> Self {
        self.with(Packed::new(values))
    }

    /// Runs a statement with them and answers how many rows it changed.
    pub(super) async fn execute(
        self,
        on: On<'_, Seat>,
        sql: impl Into<String>,
        doing: &str,
    ) -> Result<u64, StoreError> {
        let arguments = self.checked(doing)?;
        on.answer(doing, on.connection.execute(sql.into(), arguments))
            .await
    }

    /// Rows that a statement with them answers.
    pub(super) async fn rows(
        self,
        on: On<'_, Seat>,
        sql: impl Into<String>,
        doing: &str,
    ) -> Result<Vec<PgRow>, StoreError> {
        let arguments = self.checked(doing)?;
        on.answer(doing, on.connection.rows(sql.into(), arguments)).await
    }

    fn checked(self, doing: &str) -> Result<PgArguments, StoreError> {
        match self.fault {
            None => Ok(self.arguments),
            Some(why) => Err(StoreError::new(
                StoreErrorKind::Invalid,
                format!("cannot {doing}: a value cannot be sent: {why}"),
            )),
        }
    }
}

impl Arrays for Bound {
    fn uuids(self, values: impl Iterator<Item = Uuid>) -> Self {
        self.array(values)
    }

    fn smallints(self, values: impl Iterator<Item = i16>) -> Self {
        self.array(values)
    }

    fn bigints(self, values: impl Iterator<Item = i64>) -> Self {
        self.array(values)
    }

    fn texts<'t>(self, values: impl Iterator<Item = &'t str>) -> Self {
        self.array(values)
    }
}
