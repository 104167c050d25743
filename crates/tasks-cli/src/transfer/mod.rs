//! `tasks export` and `tasks import`: jobs as JSON lines.

mod export;
mod import;

pub(crate) use export::run as export;
pub(crate) use import::run as import;
