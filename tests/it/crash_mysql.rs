//! The crash tests on MariaDB or MySQL.

use crate::crash_place::Place;

crate::crash::crash_cases!(Place::mysql);
