//! The tables and how they came to be: one file a change, recorded in `tk_migrations`.
//!
//! All outstanding changes are made in one transaction that holds the write lock from its start (on PostgreSQL an advisory lock of the schema), so two programs that start
//! at once do not disturb each other, and a change that fails half-way leaves nothing behind.

mod m20261122_000001_foundation;
mod m20261127_000002_steering;
mod m20261129_000003_history;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, DynIden};
use sea_orm_migration::prelude::{Alias, IntoIden, MigrationTrait, SchemaManager};
use sea_orm_migration::{MigrationStatus, MigratorTraitSelf};
use tasks_abstractions::StoreError;
use tasks_abstractions::store::StoreErrorKind;

use crate::dialect::TableLock;
use crate::error::{failed, is_done_already};
use crate::statement::{On, column};
use crate::store::{SeaOrmStore, begin, commit};

/// Version of the tables that this program writes and understands.
pub(crate) const PROGRAM: i64 = 3;

#[derive(Debug)]
struct Migrator;

#[async_trait::async_trait]
impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_foundation::Migration),
            Box::new(m20261127_000002_steering::Migration),
            Box::new(m20261129_000003_history::Migration),
        ]
    }

    fn migration_table_name(&self) -> DynIden {
        Alias::new("tk_migrations").into_iden()
    }
}

/// The statements of one change.
struct Texts {
    sqlite: &'static [&'static str],
    postgres: &'static [&'static str],
    mysql: &'static [&'static str],
}

/// Runs the statements of one change.
async fn run(manager: &SchemaManager<'_>, texts: Texts) -> Result<(), DbErr> {
    let statements = match manager.get_database_backend() {
        DbBackend::Postgres => texts.postgres,
        DbBackend::MySql => texts.mysql,
        _ => texts.sqlite,
    };
    for statement in statements {
        match manager.get_connection().execute_unprepared(statement).await {
            // Here each change of a table commits by itself: an earlier try was ended after this one.
            Err(error) if is_done_already(&error) => {}
            other => other.map(drop)?,
        }
    }
    Ok(())
}

/// One change of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationState {
    /// Its name.
    pub name: String,
    /// Whether this database has it.
    pub applied: bool,
}

/// Makes all outstanding changes. Safe while other programs do the same.
///
/// # Errors
/// Where the database cannot be written, or was made by a newer program that this one does not understand.
pub async fn up(store: &SeaOrmStore) -> Result<(), StoreError> {
    up_on(store.handles()).await
}

/// Takes the last `steps` changes back; `None` takes all back. **Their tables are removed with everything in them.** Stop all nodes first.
///
/// # Errors
/// Where the database cannot be written.
pub async fn down(store: &SeaOrmStore, steps: Option<u32>) -> Result<(), StoreError> {
    let handles = store.handles();
    let doing = "take back changes of the tables";
    let tx = begin_changes(handles, doing).await?;
    let done = Migrator.down(&tx, steps).await.map_err(|it| failed(it, doing));
    end_changes(tx, handles, done, doing).await
}

/// The changes this program knows, in order, and whether the database has them. Changes nothing.
///
/// # Errors
/// Where the database cannot be read.
pub async fn status(store: &SeaOrmStore) -> Result<Vec<MigrationState>, StoreError> {
    let migrations = Migrator
        .get_migration_with_status_read_only(&store.handles().open.reader)
        .await
        .map_err(|it| failed(it, "read which changes the tables have"))?;
    let state = |it: &sea_orm_migration::Migration| MigrationState {
        name: it.name().to_owned(),
        applied: it.status() == MigrationStatus::Applied,
    };
    Ok(migrations.iter().map(state).collect())
}

pub(crate) async fn up_on(handles: &crate::store::Shared) -> Result<(), StoreError> {
    let doing = "bring the tables to this program's version";
    let tx = begin_changes(handles, doing).await?;
    let done = match newer(&tx, handles).await {
        // A newer program's tables are left alone; `check` says whether this program may use them.
        Ok(true) => Ok(()),
        Ok(false) => Migrator.up(&tx, None).await.map_err(|it| failed(it, doing)),
        Err(error) => Err(error),
    };
    end_changes(tx, handles, done, doing).await
}

/// Begins a transaction in which the tables are changed by nobody else.
async fn begin_changes(
    handles: &crate::store::Shared,
    doing: &str,
) -> Result<DatabaseTransaction, StoreError> {
    let tx = begin(handles, handles.busy_timeout, doing).await?;
    let on = On::own(&tx, &handles.open).without_limit();
    let sql = on.dialect.sql();
    if let Some(lock) = sql.tables {
        // A change may take long, and so may that of another program.
        on.execute(lock.patience, Vec::new(), doing).await?;
        match lock.free {
            None => {
                on.execute(lock.take, vec![handles.schema.clone().into()], doing)
                    .await?;
            }
            Some(free) => take(on, lock.take, free, doing).await?,
        }
    }
    if let Some(schemas) = sql.schemas {
        // Other programs may use the tables: a change that cannot have them must not hold everybody up.
        let limit = format!("SET LOCAL lock_timeout = {}", handles.busy_timeout.as_millis());
        on.execute(limit, Vec::new(), doing).await?;
        if let Some(schema) = &handles.schema {
            make_schema(on, schemas.state, schema, doing).await?;
        }
    }
    Ok(tx)
}

/// Creates the schema where it is missing. Only then: `IF NOT EXISTS` asks for the right to create before it looks.
async fn make_schema<C: ConnectionTrait>(
    on: On<'_, C>,
    state: &'static str,
    schema: &str,
    doing: &str,
) -> Result<(), StoreError> {
    let Some(row) = on.row(state, vec![schema.into()], doing).await? else {
        return Err(StoreError::new(
            StoreErrorKind::Invalid,
            format!("cannot {doing}: the server did not say which schemas it has"),
        ));
    };
    if column(&row, 0, doing)? {
        return Ok(());
    }
    if !column::<bool>(&row, 1, doing)? {
        let user: String = column(&row, 2, doing)?;
        return Err(StoreError::new(
            StoreErrorKind::Invalid,
            format!(
                "cannot {doing}: there is no schema `{schema}`, and the user `{user}` may not create one in this database; \
                 let somebody who may run `CREATE SCHEMA {schema} AUTHORIZATION \"{user}\"`, or name another schema in the option `schema`"
            ),
        ));
    }
    // Another kind of program may have made it just now.
    on.execute(format!("CREATE SCHEMA IF NOT EXISTS {schema}"), Vec::new(), doing)
        .await
        .map(drop)
}

/// Takes the lock of the tables that belongs to the session.
async fn take<C: ConnectionTrait>(
    on: On<'_, C>,
    take: &'static str,
    free: &'static [&'static str],
    doing: &str,
) -> Result<(), StoreError> {
    let row = on.row(take, Vec::new(), doing).await?;
    let taken: Option<i64> = row.map(|it| column(&it, 0, doing)).transpose()?.flatten();
    if taken == Some(1) {
        return Ok(());
    }
    // Frees nothing, and gives the session its own limits back.
    for statement in free {
        on.execute(*statement, Vec::new(), doing).await?;
    }
    Err(StoreError::new(
        StoreErrorKind::Unavailable,
        format!(
            "cannot {doing}: another program has been changing them for a minute; try again when it has ended"
        ),
    ))
}

/// Commits what was done, and frees the lock of the tables however that went: it belongs to the session, which goes back to the pool.
async fn end_changes(
    tx: DatabaseTransaction,
    handles: &crate::store::Shared,
    done: Result<(), StoreError>,
    doing: &str,
) -> Result<(), StoreError> {
    let on = On::own(&tx, &handles.open);
    if let Some(TableLock { free: Some(free), .. }) = on.dialect.sql().tables {
        let mut freed = Ok(());
        for statement in free {
            freed = freed.and(on.execute(*statement, Vec::new(), doing).await.map(drop));
        }
        return done.and(freed).and(commit(tx, &handles.open, doing).await);
    }
    done?;
    commit(tx, &handles.open, doing).await
}

async fn newer(tx: &DatabaseTransaction, handles: &crate::store::Shared) -> Result<bool, StoreError> {
    let on = On::own(tx, &handles.open);
    let tables = on
        .rows(on.dialect.sql().has_tables, Vec::new(), "look for the tables")
        .await?;
    if tables.is_empty() {
        return Ok(false);
    }
    Ok(read_schema(on)
        .await?
        .is_some_and(|(version, _)| version > PROGRAM))
}

async fn read_schema<C: ConnectionTrait>(on: On<'_, C>) -> Result<Option<(i64, i64)>, StoreError> {
    let doing = "read the version of the tables";
    let row = on.row(on.dialect.sql().schema, Vec::new(), doing).await?;
    row.map(|it| Ok((column(&it, 0, doing)?, column(&it, 1, doing)?)))
        .transpose()
}

/// Refuses tables that are too old or too new for this program.
pub(crate) async fn check(handles: &crate::store::Shared) -> Result<(), StoreError> {
    let invalid = |text: String| Err(StoreError::new(StoreErrorKind::Invalid, text));
    match read_schema(On::own(&handles.open.reader, &handles.open)).await {
        Ok(Some((version, oldest))) if version > PROGRAM && oldest > PROGRAM => invalid(format!(
            "the tables have version {version} and need a program that knows at least version {oldest}; this one knows {PROGRAM}: upgrade it"
        )),
        Ok(Some((version, _))) if version < PROGRAM => invalid(format!(
            "the tables have version {version}, this program needs {PROGRAM}; run `tasks migrate`, or set `migrate_on_start`"
        )),
        Ok(Some(_)) => Ok(()),
        Err(it) if it.is_unavailable() => Err(it),
        Ok(None) | Err(_) => invalid(
            "the database has no tables of this program yet; run `tasks migrate`, or set `migrate_on_start`"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests;
