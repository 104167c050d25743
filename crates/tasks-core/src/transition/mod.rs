//! What comes next: pure functions over a job and its executions, without store, clock or chance of their own.
//!
//! [`settle`] turns a finished run into what the store writes, [`decide`] and [`replace_definition`] turn a command or an edit into a change, [`redefine`]
//! and [`retire`] do so for what a program says of its workers, [`requeue`] and [`rearm`] for jobs that begin anew,
//! [`restored_execution`] for jobs from elsewhere,
//! [`first_execution`] and [`next_execution`] find the executions of a schedule. Every rule about states is here and nowhere else.

mod arm;
mod command;
mod definition;
mod edit;
mod repair;
mod report;
mod restore;
mod settle;

pub use arm::{ScheduleError, check_schedule, first_execution, next_execution};
pub use command::{decide, go_on};
pub use definition::{changed_by_people, forget_overrides, mark_of, redefine, retire};
pub use edit::{is_schedule_changed, replace_definition};
pub use repair::{rearm, requeue};
pub use report::{RunReport, capture};
pub use restore::restored_execution;
pub use settle::{SettleContext, settle};

#[cfg(test)]
mod tests;
