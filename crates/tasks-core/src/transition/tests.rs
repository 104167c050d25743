//! Tests of the rules of what comes next.

mod arm;
mod arm_catch_up;
mod command_table;
mod definition;
mod definition_overrides;
mod definition_properties;
mod edit;
mod outcome_cases;
mod outcome_rows;
mod outcome_table;
mod properties;
mod repair;
mod report;
mod restore;
mod rows;
