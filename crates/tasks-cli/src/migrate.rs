//! `tasks migrate`: the tables of a database.

use tasks_host::HostExit;

use crate::args::MigrateArgs;
use crate::failure::Failure;

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
pub(crate) async fn run(_: MigrateArgs) -> Result<HostExit, Failure> {
    Err(crate::database::no_database())
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub(crate) async fn run(args: MigrateArgs) -> Result<HostExit, Failure> {
    use std::sync::Arc;

    use tasks_abstractions::SystemClock;
    use tasks_store_seaorm::SeaOrmStore;

    use crate::args::MigrateAction;
    use crate::confirm;
    use crate::database::Database;

    let database = Database::configured(&args.database)?;
    if !matches!(args.action, MigrateAction::Up) {
        database.must_exist()?;
    }
    if matches!(args.action, MigrateAction::Down { yes: false, .. }) {
        confirm::ask(&format!(
            "remove tables of {} with everything in them",
            database.shown()
        ))?;
    }
    let failed = |error| Failure::because("the database cannot be migrated", error);
    let store = SeaOrmStore::connect_unchecked(database.options()?, Arc::new(SystemClock))
        .await
        .map_err(failed)?;
    let outcome = act(args.action, args.output.output, &store).await;
    store.close().await.map_err(failed)?;
    outcome.map(|()| HostExit::Done)
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
async fn act(
    action: crate::args::MigrateAction,
    form: crate::args::Output,
    store: &tasks_store_seaorm::SeaOrmStore,
) -> Result<(), Failure> {
    use serde_json::json;
    use tasks_store_seaorm::migrate;

    use crate::args::{MigrateAction, Output};
    use crate::output;

    let failed = |error| Failure::because("the database cannot be migrated", error);
    match action {
        MigrateAction::Up => migrate::up(store).await.map_err(failed)?,
        MigrateAction::Down { all: true, .. } => migrate::down(store, None).await.map_err(failed)?,
        MigrateAction::Down { steps, .. } => migrate::down(store, Some(steps)).await.map_err(failed)?,
        MigrateAction::Status => {}
    }
    let changes = migrate::status(store).await.map_err(failed)?;
    if form == Output::Json {
        let changes: Vec<_> = changes
            .iter()
            .map(|it| json!({ "name": it.name, "applied": it.applied }))
            .collect();
        return output::json(&json!(changes));
    }
    for it in changes {
        let state = if it.applied { "applied" } else { "outstanding" };
        output::print(&format!("{state:<12} {}", it.name))?;
    }
    Ok(())
}
