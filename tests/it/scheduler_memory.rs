//! The scheduler suite on the engine over the store in memory, under paused time.

use tasks_testing::scheduler_suite::MemoryScheduler;

tasks_testing::scheduler_suite!(memory, MemoryScheduler::new());

/// What is run.
pub(crate) use memory::CASES;
