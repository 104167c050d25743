//! The program on PostgreSQL.

use crate::server::Server;

crate::server::server_cases!(Server::postgres);
