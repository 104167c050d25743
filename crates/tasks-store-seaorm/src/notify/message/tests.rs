//! What is gathered, and what is heard of it.

use tasks_abstractions::Timestamp;

use super::*;

fn hint(lane: &str, rank: i16, due: i64) -> WakeHint {
    WakeHint {
        lane: Lane::from_name(lane),
        rank,
        due_at: Timestamp::from_timestamp_micros(due).expect("a time"),
    }
}

const ME: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

fn heard(pending: &mut Pending) -> Vec<Notification> {
    let text = pending.take(OTHER).expect("something to say");
    assert!(text.len() < 8_000, "{} bytes", text.len());
    assert_eq!(pending.take(OTHER), None, "it is said once");
    match read(&text, ME) {
        Heard::Others(it) => it,
        Heard::Own => panic!("{text} is not from here"),
    }
}

#[test]
fn what_is_gathered_arrives_with_the_earliest_time_of_each_place() {
    let mut pending = Pending::default();
    pending.add(&Notification::Work(vec![
        hint("default", 10, 5),
        hint("node:a", 10, 3),
    ]));
    pending.add(&Notification::Commands);
    pending.add(&Notification::Work(vec![
        hint("default", 10, 4),
        hint("default", 5, 9),
        hint("default", 10, 6),
    ]));
    assert_eq!(
        heard(&mut pending),
        [
            Notification::Work(vec![
                hint("default", 5, 9),
                hint("default", 10, 4),
                hint("node:a", 10, 3)
            ]),
            Notification::Commands
        ]
    );
}

#[test]
fn many_places_become_anywhere() {
    let mut pending = Pending::default();
    for number in 0..=MOST_PLACES {
        pending.add(&Notification::Work(vec![hint(&format!("node:{number}"), 10, 1)]));
    }
    assert_eq!(heard(&mut pending), [Notification::Work(Vec::new())]);
    // Places whose names are long, though they are few.
    for number in 0..MOST_PLACES {
        pending.add(&Notification::Work(vec![hint(
            &format!("type:{number}{}", "x".repeat(200)),
            10,
            1,
        )]));
    }
    pending.add(&Notification::Commands);
    assert_eq!(
        heard(&mut pending),
        [Notification::Work(Vec::new()), Notification::Commands]
    );
}

#[test]
fn own_notifications_are_known_and_echoes_say_nothing() {
    let mut pending = Pending::default();
    pending.add(&Notification::Commands);
    let text = pending.take(ME).expect("something to say");
    assert_eq!(read(&text, ME), Heard::Own);
    assert_eq!(read(&echo(ME), ME), Heard::Own);
    assert_eq!(read(&echo(OTHER), ME), Heard::Others(Vec::new()));
    assert_eq!(pending.take(ME), None, "nothing to say");
}

#[test]
fn what_cannot_be_read_may_mean_anything() {
    let anything = Heard::Others(vec![Notification::Work(Vec::new()), Notification::Commands]);
    assert_eq!(read("", ME), anything);
    assert_eq!(read("from a newer program", ME), anything);
    let newer = format!(r#"{{"from":"{OTHER}","commands":true,"more":[1]}}"#);
    assert_eq!(read(&newer, ME), Heard::Others(vec![Notification::Commands]));
}
