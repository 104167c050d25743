//! The name of this machine.

/// The machine's host name: from `/etc/hostname`, else the variable `HOSTNAME`, else `node`. Characters that a node name must not have become `-`.
///
/// Two programs on one machine share it: give each a `node_name` of its own where jobs are to be pinned to one of them.
#[must_use]
pub fn node_name_of_machine() -> String {
    let from_file = std::fs::read_to_string("/etc/hostname").ok();
    let candidates = [from_file, std::env::var("HOSTNAME").ok()];
    candidates
        .into_iter()
        .flatten()
        .map(|it| it.trim().replace('/', "-").chars().take(128).collect::<String>())
        .find(|it| !it.is_empty())
        .unwrap_or_else(|| "node".to_owned())
}
