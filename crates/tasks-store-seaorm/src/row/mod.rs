//! Rows as they travel, in the column order of the dialect: JSON arrays, one a row, or the values of such an array one by one ([`values_of`]).
//!
//! Ids are hexadecimal digits in JSON and bytes as values, instants whole microseconds, durations whole milliseconds.

mod job;
mod log;
mod node;
mod read;
mod run;
mod scalar;
mod values;

#[cfg(feature = "postgres")]
pub(crate) use job::JobColumns;
pub(crate) use job::{JobRow, PlainRow, name_key};
pub(crate) use log::LogRow;
pub(crate) use node::read_node;
pub(crate) use read::{read_due, read_job, read_lines, read_log, read_run, read_snapshot, stored_job};
pub(crate) use run::Place;
#[cfg(feature = "postgres")]
pub(crate) use scalar::coded;
pub(crate) use scalar::{
    BYTES_AT_ONCE, Hex, json_rows, micros, millis, not_json, timestamp, unreadable, uuid_at,
};
pub(crate) use values::values_of;

#[cfg(test)]
mod tests;
