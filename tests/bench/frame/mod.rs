//! What every bench stands on: databases, nodes, jobs that count themselves, processes of their own, medians, reports.

pub(crate) mod backend;
pub(crate) mod conditions;
pub(crate) mod ledger;
pub(crate) mod node;
pub(crate) mod pass;
pub(crate) mod pause;
pub(crate) mod place;
pub(crate) mod processors;
pub(crate) mod report;
pub(crate) mod samples;
pub(crate) mod settings;
