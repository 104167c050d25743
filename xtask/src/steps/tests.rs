//! Which steps run, and in which order.

use clap::{Parser, ValueEnum};

use super::{Options, Step, seconds};

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn options(line: &[&str]) -> Options {
    Line::try_parse_from(std::iter::once(&"test").chain(line))
        .unwrap()
        .options
}

fn wanted(line: &[&str]) -> Vec<Step> {
    let options = options(line);
    Step::value_variants()
        .iter()
        .copied()
        .filter(|it| options.wants(*it))
        .collect()
}

#[test]
fn everything_runs_and_the_tests_come_last() {
    let all = wanted(&[]);
    assert_eq!(all, Step::value_variants());
    assert_eq!(all.last(), Some(&Step::Tests));
    assert_eq!(options(&[]).left_out(), None);
    assert_eq!(wanted(&["--only", "chaos"]), [Step::Chaos]);
}

#[test]
fn from_leaves_out_what_comes_before() {
    assert_eq!(
        wanted(&["--from", "deny"]),
        [Step::Deny, Step::Chaos, Step::Bench, Step::Tests]
    );
    let left_out = options(&["--from", "doctests"]).left_out();
    assert_eq!(left_out.as_deref(), Some("fmt, tidy, clippy, docs (left out)"));
}

#[test]
fn only_leaves_out_all_others() {
    assert_eq!(
        wanted(&["--only", "tidy", "--only", "fmt"]),
        [Step::Fmt, Step::Tidy]
    );
    assert!(Line::try_parse_from(["test", "--only", "fmt", "--from", "tidy"]).is_err());
    assert!(Line::try_parse_from(["test", "--only", "nothing"]).is_err());
}

#[test]
fn times_are_in_seconds() {
    assert_eq!(seconds(std::time::Duration::from_millis(61_250)), "61.2 s");
}
