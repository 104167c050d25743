//! The system jobs: visible cron jobs of source System, once per cluster, that keep the store small and right.
//!
//! [`Cleaning`] removes what is old by the retention of its type and ending. [`Checking`] walks over all jobs and arms those that should be armed and are
//! not. What the original's third one did, taking due work, is the claim loop of every node.

mod checking;
mod cleaning;
mod options;

pub use checking::Checking;
pub use cleaning::{Cleaning, plan};
pub use options::{CheckingOptions, CleaningOptions, Kept, MaintenanceOptions, Retention, TypeRetention};

#[cfg(test)]
mod tests;
