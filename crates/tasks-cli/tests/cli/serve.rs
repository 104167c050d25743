//! `tasks serve`: signals.

use tempfile::TempDir;

use crate::demo::{SHOWS_PROGRESS, demo_of_a_huge_file};
use crate::program::{Running, tasks};

#[cfg(unix)]
#[test]
fn one_signal_drains_and_a_second_one_forces() {
    let folder = TempDir::new().expect("a folder");
    let demo = demo_of_a_huge_file(folder.path());
    demo.signal("KILL");
    drop(demo.end());
    let serve = |grace: &str| {
        let mut node = tasks(folder.path());
        node.args(["serve", "--node-name", "n", "--log", SHOWS_PROGRESS])
            .env("TASKS_SHUTDOWN_GRACE", grace);
        let mut node = Running::start(&mut node);
        node.wait_for("engine: progress job=");
        node
    };
    let mut node = serve("1s");
    node.signal("TERM");
    node.wait_for("draining");
    let (code, rest) = node.end();
    assert_eq!(code, Some(0), "{rest}");

    let mut node = serve("1h");
    node.signal("INT");
    node.wait_for("draining");
    node.signal("TERM");
    node.wait_for("second signal");
    let (code, rest) = node.end();
    assert_eq!(code, Some(4), "{rest}");
}
