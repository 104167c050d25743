//! The program as a process.

mod cron;
mod database;
mod demo;
mod jobs_command;
mod jobs_edit;
mod jobs_list;
mod look;
mod migrate;
mod program;
mod serve;
mod server;
mod server_mysql;
mod server_postgres;
mod tenants;
mod terminal;
mod transfer;
mod usage;
