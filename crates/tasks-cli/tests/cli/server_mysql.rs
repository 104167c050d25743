//! The program on MariaDB or MySQL.

use crate::server::Server;

crate::server::server_cases!(Server::mysql);
