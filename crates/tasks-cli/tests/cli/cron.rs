//! `tasks cron`: next fires one by one and by file, and words.

use std::fs;
use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{run, shown, tasks, text};

fn cron(args: &[&str]) -> Output {
    let folder = TempDir::new().expect("a folder");
    run(folder.path(), &[&["cron"], args].concat())
}

fn lines(output: &Output) -> Vec<String> {
    text(&output.stdout).lines().map(ToOwned::to_owned).collect()
}

fn answers(output: &Output) -> Vec<Value> {
    let read = |line: String| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
    lines(output).into_iter().map(read).collect()
}

/// What the program answers to these lines on standard input.
fn asked(questions: &[u8], args: &[&str]) -> Output {
    let folder = TempDir::new().expect("a folder");
    let mut child = tasks(folder.path())
        .args(["cron", "next", "--file", "-"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(questions).expect("read by the program");
    drop(input);
    child.wait_with_output().expect("ends")
}

#[test]
fn fires_are_printed_with_the_offset_of_their_zone() {
    let zone = ["--zone", "Europe/London", "--after", "2026-03-28T12:00:00Z"];
    let output = cron(
        &[
            &["next", "--expression", "0 30 1 * * ?", "--count", "3"],
            &zone[..],
        ]
        .concat(),
    );
    assert!(output.status.success(), "{}", shown(&output));
    assert_eq!(
        lines(&output),
        [
            "2026-03-29T02:00:00+01:00",
            "2026-03-30T01:30:00+01:00",
            "2026-03-31T01:30:00+01:00"
        ]
    );
    // One fire, UTC, from now on is what counts where nothing is said.
    let output = cron(&["next", "--expression", "@yearly"]);
    assert!(output.status.success(), "{}", shown(&output));
    let [line] = lines(&output).try_into().expect("one line");
    assert!(line.ends_with("-01-01T00:00:00+00:00"), "{line}");
}

#[test]
fn the_start_is_an_instant_or_unix_seconds() {
    for after in [
        "1792893600",
        "2026-10-25T02:00:00Z",
        "2026-10-25T03:00:00.5+01:00",
    ] {
        let output = cron(&["next", "--expression", "0 * * * * ?", "--after", after]);
        assert_eq!(lines(&output), ["2026-10-25T02:01:00+00:00"], "{after}");
    }
    let output = cron(&[
        "next",
        "--expression",
        "* * * * * ?",
        "--after",
        "-99999999999999",
    ]);
    assert_eq!(lines(&output), ["1970-01-01T00:00:00+00:00"]);
    // This zone was 44 minutes and 30 seconds behind, which an offset cannot say.
    let zone = ["--zone", "Africa/Monrovia", "--after", "0"];
    let output = cron(&[&["next", "--expression", "0 0 0 2 1 ?"], &zone[..]].concat());
    assert_eq!(lines(&output), ["1970-01-02T00:44:30+00:00"]);
    for (name, value) in [("--after", "tomorrow"), ("--count", "0"), ("--count", "100001")] {
        let output = cron(&["next", "--expression", "@daily", name, value]);
        assert_eq!(output.status.code(), Some(2), "{value}: {}", shown(&output));
        assert!(text(&output.stderr).contains(name), "{}", shown(&output));
    }
}

#[test]
fn an_end_of_the_fires_is_said() {
    let after = ["--after", "2026-01-01T00:00:00Z", "--count", "5"];
    let output = cron(&[&["next", "--expression", "0 0 0 29 2 ? 2028,2032"], &after[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert_eq!(
        lines(&output),
        ["2028-02-29T00:00:00+00:00", "2032-02-29T00:00:00+00:00"]
    );
    assert!(
        text(&output.stderr).contains("only 2 times"),
        "{}",
        shown(&output)
    );

    let output = cron(&[&["next", "--expression", "0 0 30 2 *"], &after[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    assert!(output.stdout.is_empty(), "{}", shown(&output));
    assert!(text(&output.stderr).contains("never fires"), "{}", shown(&output));
}

#[test]
fn a_wrong_expression_is_reported_with_its_field() {
    for action in ["next", "explain"] {
        for (expression, field) in [
            ("0 0 24 * * ?", "hour"),
            ("-1 * * * *", "minute"),
            ("0 0 0 13 * FRI", "day-of-month and day-of-week"),
            ("* * *", "3 fields"),
        ] {
            let output = cron(&[action, "--expression", expression]);
            assert_eq!(output.status.code(), Some(2), "{expression}: {}", shown(&output));
            assert!(text(&output.stderr).contains(field), "{}", shown(&output));
        }
        let output = cron(&[action, "--expression", "@daily", "--zone", "Europe/Atlantis"]);
        assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
        assert!(
            text(&output.stderr).contains("Europe/Atlantis"),
            "{}",
            shown(&output)
        );
    }
    for wrong in [
        &["next"][..],
        &["next", "--expression", "@daily", "--file", "x"],
        &["explain"],
        &[],
    ] {
        assert_eq!(cron(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn each_line_of_a_file_has_its_answer() {
    let questions = [
        json!({ "expr": "@daily", "zone": "Asia/Kathmandu", "after": 0 }),
        json!({ "expr": "0 0 25 * * ?", "zone": "UTC", "after": 0 }),
        json!({ "expr": "0 0 30 2 *", "zone": "UTC", "after": 0 }),
        json!({ "expr": "@daily", "zone": "Mars/Olympus", "after": 0 }),
        json!({ "expr": "* * * * * ?", "zone": null, "after": 1.5, "count": 3, "id": "passed over" }),
        json!({ "expr": "* * * * * ?", "after": -1e300 }),
        json!({ "expr": "* * * * * ?", "after": u64::MAX }),
    ];
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("questions.jsonl");
    let text: Vec<String> = questions.iter().map(ToString::to_string).collect();
    fs::write(&file, text.join("\r\n")).expect("written");
    let output = run(folder.path(), &["cron", "next", "--file", "questions.jsonl"]);
    assert!(output.status.success(), "{}", shown(&output));
    let answers = answers(&output);
    let next = |fires: &[i64]| json!({ "next": fires });
    assert_eq!(answers.len(), questions.len());
    // Nepal was five and a half hours ahead then.
    assert_eq!(answers[0], next(&[66_600]));
    assert!(answers[1]["error"].to_string().contains("hour"), "{}", answers[1]);
    assert_eq!(answers[2], next(&[]));
    assert!(
        answers[3]["error"].to_string().contains("Mars/Olympus"),
        "{}",
        answers[3]
    );
    assert_eq!(answers[4], next(&[2, 3, 4]));
    assert_eq!(answers[5], next(&[0]));
    assert_eq!(answers[6], next(&[]));
}

#[test]
fn a_bad_line_stops_nothing() {
    let mut questions = Vec::new();
    for bad in [
        &b""[..],
        b"0 0 * * *",
        b"\xff\xfe",
        b"[]",
        b"{\"zone\": \"UTC\"}",
        b"{\"expr\": 5}",
        b"{\"expr\": \"@daily\", \"after\": \"soon\"}",
        b"{\"expr\": \"@daily\", \"count\": 0}",
        b"{\"expr\": \"@daily\", \"count\": -1}",
        b"{\"expr\": \"@daily\", \"count\": 100001}",
        b"{\"expr\": \"@daily\", \"zone\": 1}",
    ] {
        questions.extend_from_slice(bad);
        questions.extend_from_slice(b"\n{\"expr\": \"@daily\"}\n");
    }
    let output = asked(&questions, &["--after", "0", "--count", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    let answers = answers(&output);
    assert_eq!(answers.len(), 22);
    for pair in answers.chunks(2) {
        assert!(pair[0]["error"].is_string(), "{}", pair[0]);
        assert_eq!(pair[1], json!({ "next": [86_400, 172_800] }));
    }
}

#[test]
fn a_file_that_cannot_be_read_fails() {
    for file in ["missing.jsonl", "."] {
        let output = cron(&["next", "--file", file]);
        assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
        assert!(text(&output.stderr).contains(file), "{}", shown(&output));
    }
}

#[test]
fn expressions_are_explained() {
    let output = cron(&["explain", "--expression", "0 30 2 ? * 6L"]);
    assert!(output.status.success(), "{}", shown(&output));
    assert_eq!(lines(&output), ["at 02:30, on the last Friday of the month, UTC"]);
    let output = cron(&[
        "explain",
        "--expression",
        "*/5 * * * *",
        "--zone",
        "Europe/London",
    ]);
    let printed = text(&output.stdout);
    assert!(
        printed.starts_with("every 5 minutes, every hour, every day, Europe/London time (by elapsed time"),
        "{printed}"
    );
}
