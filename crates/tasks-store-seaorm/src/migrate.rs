//! Bringing the tables to this program's version, and back.
//!
//! [`SeaOrmStoreOptions::migrate_on_start`](crate::SeaOrmStoreOptions::migrate_on_start) does [`up`] when a store connects; programs that must not change
//! tables by themselves connect with [`SeaOrmStore::connect_unchecked`](crate::SeaOrmStore::connect_unchecked) and call it when told.

pub use crate::migration::{MigrationState, down, status, up};
