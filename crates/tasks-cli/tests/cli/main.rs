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
mod terminal;
mod transfer;
mod usage;
