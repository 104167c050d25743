//! Tests of the rules of what comes next.



mod command_table;
mod outcome_cases;
mod outcome_table;





mod rows;
