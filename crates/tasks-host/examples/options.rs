//! Every option with its default and its variable: a configuration file to begin with.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use tasks_host::HostOptions;

fn main() {
    for option in HostOptions::names() {
        match option.default {
            Some(default) => println!("{} = {default} # {}", option.key, option.variable),
            // Not set, or taken from the machine.
            None => println!("# {} = # {}", option.key, option.variable),
        }
    }
}

// Output:
// # database = # TASKS_DATABASE
// # schema = # TASKS_SCHEMA
// # node_name = # TASKS_NODE_NAME
// is_execution_enabled = true # TASKS_IS_EXECUTION_ENABLED
// max_concurrency = 100 # TASKS_MAX_CONCURRENCY
// …
// limits.args_bytes = 1048576 # TASKS_LIMITS__ARGS_BYTES
// …
