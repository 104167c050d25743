//! Integration tests of the workspace, and what the programs of the chaos kit share.

pub mod chaos;
