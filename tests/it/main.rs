//! Integration tests of the workspace, one binary. Each module line says what belongs there.

mod claim_mysql; // what the claim on MariaDB or MySQL reads, sorts and locks
mod claim_postgres; // the claim on PostgreSQL: edits under it, what it cannot read, its order
mod crash; // what must hold when real processes are killed, at named points and at random
mod crash_mysql; // crash tests on MariaDB or MySQL
mod crash_place; // database, ledger and programs of a crash test
mod crash_postgres; // crash tests on PostgreSQL
mod crash_sqlite; // crash tests on SQLite files
mod differences; // faults of the original that no suite shows: lost, hidden or resurrected work
mod differences_values; // the same: settings, times, errors, arguments
mod engine_sqlite; // the engine on SQLite files, step by step: outages, retries, commands, transactions
mod engine_steps_fencing; // steps by hand: replies after a node was taken for dead
mod engine_steps_watch; // steps by hand: what the watch step reports
mod host; // what a host refuses to start, order of start and stop, drain
mod host_clock; // a machine whose clock is wrong
mod host_tenants; // the tenants that a host provides
mod log_lines; // what a thread says in its log
mod maintenance; // the system jobs Cleaning and Checking
mod mysql_database; // a database of its own for a test
mod network; // what must hold on every server when the network is encrypted or falls silent
mod network_mysql; // the same on MariaDB or MySQL
mod network_postgres; // the same on PostgreSQL
mod notify_postgres; // what processes tell each other through a PostgreSQL server
mod plans_postgres; // that plans on PostgreSQL do not depend on how many rows a table is said to have
mod postgres_schema; // a schema of its own for a test
mod proxy; // a network that can swallow everything
mod rights_postgres; // which rights a start needs, and the lock of the tables
mod scheduler_memory; // the scheduler suite under paused time, on the store in memory
mod scheduler_mysql; // the scheduler suite under paused time, on MariaDB or MySQL
mod scheduler_postgres; // the scheduler suite under paused time, on PostgreSQL
mod scheduler_sqlite; // the scheduler suite under paused time, on SQLite files
mod seats_postgres; // connections kept for claims, outcomes and new jobs on PostgreSQL
mod server_mysql; // what only a MariaDB or MySQL server can show
mod server_postgres; // what only a PostgreSQL server can show
mod steering_sqlite; // workers and management on SQLite files, across programs and restarts
mod store_backends; // every backend runs every case
mod store_memory; // the store suite on the store in memory
mod store_mysql; // the store suite on MariaDB or MySQL
mod store_postgres; // the store suite on PostgreSQL
mod store_sqlite; // the store suite on SQLite files
