//! The program as a process.

mod cron;
mod demo;
mod migrate;
mod program;
mod serve;
mod usage;
