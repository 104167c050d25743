//! What is written into one notification, and how several become one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use tasks_abstractions::job::Lane;
use tasks_abstractions::{Notification, WakeHint};
use uuid::Uuid;

use crate::row::{micros, timestamp};

/// The server takes less than 8,000 bytes.
const MOST_BYTES: usize = 7_500;
/// Beyond so many places it is shorter to say: anywhere.
const MOST_PLACES: usize = 64;

/// What was not sent yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// The earliest due time of each lane and rank.
    places: BTreeMap<(String, i16), i64>,
    is_anywhere: bool,
    has_commands: bool,
}

/// A notification as it is read. Newer programs may add fields; what is missing says nothing.
#[derive(Debug, Deserialize)]
struct Message {
    /// The process that sent it.
    from: Uuid,
    #[serde(default)]
    work: Vec<(String, i16, i64)>,
    #[serde(default)]
    anywhere: bool,
    #[serde(default)]
    commands: bool,
}

impl Pending {
    pub(super) fn add(&mut self, notification: &Notification) {
        match notification {
            Notification::Work(hints) if hints.is_empty() => self.is_anywhere = true,
            Notification::Work(hints) if !self.is_anywhere => {
                for it in hints {
                    let due = micros(it.due_at);
                    self.places
                        .entry((it.lane.as_str().to_owned(), it.rank))
                        .and_modify(|earliest| *earliest = due.min(*earliest))
                        .or_insert(due);
                }
            }
            Notification::Commands => self.has_commands = true,
            _ => {}
        }
        if self.places.len() > MOST_PLACES || self.is_anywhere {
            self.is_anywhere = true;
            self.places.clear();
        }
    }

    /// The text that says all of it; `None` where there is nothing to say.
    pub(super) fn take(&mut self, from: Uuid) -> Option<String> {
        let Self {
            places,
            is_anywhere,
            has_commands,
        } = std::mem::take(self);
        if places.is_empty() && !is_anywhere && !has_commands {
            return None;
        }
        let work: Vec<_> = places
            .into_iter()
            .map(|((lane, rank), due)| (lane, rank, due))
            .collect();
        let text = json!({ "from": from, "work": work, "anywhere": is_anywhere, "commands": has_commands })
            .to_string();
        if text.len() <= MOST_BYTES {
            return Some(text);
        }
        Some(json!({ "from": from, "anywhere": true, "commands": has_commands }).to_string())
    }
}

/// The text by which a process finds out whether it hears at all. It tells others nothing.
pub(super) fn echo(from: Uuid) -> String {
    json!({ "from": from }).to_string()
}

/// What a notification says.
#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    /// This process sent it.
    Own,
    /// Another process has said this.
    Others(Vec<Notification>),
}

/// Reads a notification. One that this program does not understand may mean anything.
pub(super) fn read(text: &str, me: Uuid) -> Heard {
    let Ok(message) = serde_json::from_str::<Message>(text) else {
        return Heard::Others(vec![Notification::Work(Vec::new()), Notification::Commands]);
    };
    if message.from == me {
        return Heard::Own;
    }
    let mut said = Vec::new();
    let mut hints = Vec::with_capacity(message.work.len());
    let mut is_anywhere = message.anywhere;
    for (lane, rank, due) in message.work {
        match timestamp(due, "due") {
            Ok(due_at) => hints.push(WakeHint {
                lane: Lane::from_name(&lane),
                rank,
                due_at,
            }),
            Err(_) => is_anywhere = true,
        }
    }
    if is_anywhere {
        said.push(Notification::Work(Vec::new()));
    } else if !hints.is_empty() {
        said.push(Notification::Work(hints));
    }
    if message.commands {
        said.push(Notification::Commands);
    }
    Heard::Others(said)
}

#[cfg(test)]
mod tests;
