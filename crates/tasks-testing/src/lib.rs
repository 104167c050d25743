//! Test kit of tasks: store and scheduler suites, manual clock, recorder, test host.

mod clock;
mod paused_clock;
mod recorder;
pub mod samples;
pub mod scheduler_suite;
pub mod store_suite;
mod test_host;

pub use clock::ManualClock;
pub use paused_clock::PausedClock;
pub use recorder::{NotInTime, Record, Recorded, Recorder};
pub use test_host::{ClosureJob, TestHost, TestHostBuilder, TestHostError};
