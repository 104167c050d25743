//! The crash tests on PostgreSQL.

use crate::crash_place::Place;

crate::crash::crash_cases!(Place::postgres);
