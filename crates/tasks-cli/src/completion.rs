//! `tasks completion`: scripts with which shells complete the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;
use tasks_host::HostExit;

use crate::args::Args;
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(shell: Shell) -> Result<HostExit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "tasks", &mut script);
    let script = String::from_utf8_lossy(&script);
    output::print(script.trim_end())?;
    Ok(HostExit::Done)
}
