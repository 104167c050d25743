//! Durable store of tasks on SQLite through sea-orm.
