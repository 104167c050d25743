//! The process of an instance, as its row on a server tells it: how a restarted program proves that its predecessor on this machine is gone.
//!
//! A number of a process means something on one machine, since its last boot, in one namespace. Only where all three are those of this process does it
//! count that no process with that number and start time is there. Whatever is in doubt proves nothing.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Where the processes are told. Only Linux has it.
const PROCESSES: &str = "/proc";

/// Machine, boot, namespace, number and start time of this process, with a space between each; empty where the system does not tell.
pub(crate) fn own() -> String {
    place()
        .and_then(|place| {
            let number = std::process::id();
            let start = start_of(&number.to_string()).ok()??;
            Some(format!("{place} {number} {start}"))
        })
        .unwrap_or_default()
}

/// Whether the process that wrote this is gone.
pub(crate) fn is_gone(written: &str) -> bool {
    let Some(place) = place() else { return false };
    let fields: Option<(&str, &str)> = written
        .strip_prefix(place.as_str())
        .and_then(|it| it.trim_start().split_once(' '));
    let Some((number, start)) = fields else {
        return false;
    };
    if number.parse::<u32>().is_err() || start.parse::<u64>().is_err() {
        return false;
    }
    // Where processes of other users are hidden, the first one is, too: then a missing one proves nothing.
    if !Path::new(PROCESSES).join("1/stat").exists() {
        return false;
    }
    match start_of(number) {
        Ok(Some(now)) => now != start,
        Ok(None) => false,
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

/// Machine, boot and namespace of this process.
fn place() -> Option<String> {
    let processes = Path::new(PROCESSES);
    // Containers often have none; then the boot, which no two machines share, tells them apart.
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let machine = Some(machine.trim()).filter(|it| !it.is_empty()).unwrap_or("-");
    let boot = fs::read_to_string(processes.join("sys/kernel/random/boot_id")).ok()?;
    let namespace = fs::read_link(processes.join("self/ns/pid")).ok()?;
    let fields = [machine, boot.trim(), namespace.to_str()?];
    fields
        .iter()
        .all(|it| !it.is_empty() && !it.contains(' '))
        .then(|| fields.join(" "))
}

/// The start time of a process, in ticks since the boot: the 22nd field. The second is the program's name in parentheses, which may have any
/// character in it.
fn start_of(number: &str) -> std::io::Result<Option<String>> {
    let text = fs::read_to_string(Path::new(PROCESSES).join(number).join("stat"))?;
    let start = text
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().nth(19));
    Ok(start.map(str::to_owned))
}

#[cfg(test)]
mod tests;
