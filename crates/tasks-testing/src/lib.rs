//! Test kit of tasks: store and scheduler suites, manual clock, recorder, test host.

mod clock;
pub mod samples;
pub mod store_suite;

pub use clock::ManualClock;
