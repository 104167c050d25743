//! The engine of tasks: managers, scheduler, transitions, events and the in-memory store.

pub mod memory;
