//! Private servers: found programs, a folder, a port, a password, and a supervisor that owns them.

mod account;
mod background;
mod programs;
mod supervised;
mod supervisor;

pub(super) use background::{down, status, up};
pub(super) use supervised::{Supervised, start};
pub(super) use supervisor::supervise;
