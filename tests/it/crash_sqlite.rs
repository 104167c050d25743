//! The crash tests on SQLite files.

use crate::crash_place::Place;

crate::crash::crash_cases!(Place::sqlite);
