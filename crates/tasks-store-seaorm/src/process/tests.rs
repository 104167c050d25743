//! What is proved about processes, on the system that tells it.

use std::process::{Command, Stdio};

use super::{is_gone, own, place, start_of};

#[test]
fn what_says_nothing_proves_nothing() {
    let place = place().unwrap_or_default();
    for text in [
        "",
        " ",
        "other-machine boot pid:[1] 4000000 1",
        &format!("{place} "),
        &format!("{place} 4000000"),
        &format!("{place} x 1"),
    ] {
        assert!(!is_gone(text), "{text}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_is_gone_when_it_has_ended() {
    assert!(!own().is_empty() && !is_gone(&own()), "this one lives");
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let number = child.id().to_string();
    let start = start_of(&number).unwrap().unwrap();
    let written = format!("{} {number} {start}", place().unwrap());
    assert!(!is_gone(&written), "it waits for its input");
    assert!(
        is_gone(&format!("{} {number} 1", place().unwrap())),
        "the number belongs to another process now"
    );
    drop(child.stdin.take());
    child.wait().unwrap();
    assert!(is_gone(&written));
    assert!(!is_gone(&format!("x{written}")), "of another machine");
}
