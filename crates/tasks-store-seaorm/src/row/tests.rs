//! Batches, and rows that cannot be read.

use serde::Deserialize;
use tasks_abstractions::store::StoreErrorKind;

use super::json_rows;
use super::read::parse;

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only whether they can be read matters")]
struct Columns {
    id: String,
    text: String,
    number: u32,
}

const NAMES: &[&str] = &["id", "text", "number"];

#[test]
fn a_batch_ends_after_a_thousand_rows() {
    let batches = json_rows(0..2_500).unwrap();
    let sizes: Vec<_> = batches.iter().map(|it| it.1).collect();
    assert_eq!(sizes, [1_000, 1_000, 500]);
    let all: Vec<i32> = batches
        .iter()
        .flat_map(|it| serde_json::from_str::<Vec<i32>>(&it.0).unwrap())
        .collect();
    assert_eq!(all, (0..2_500).collect::<Vec<_>>());
}

#[test]
fn a_batch_ends_when_it_is_large() {
    let long = "x".repeat(5 * 1024 * 1024);
    let sizes: Vec<_> = json_rows([&long; 5]).unwrap().iter().map(|it| it.1).collect();
    assert_eq!(sizes, [2, 2, 1]);
    assert!(json_rows(Vec::<i32>::new()).unwrap().is_empty());
}

#[test]
fn an_unreadable_row_names_row_and_column() {
    let cases = [
        (r#"["7f","a,\"[b",-1]"#, "number"),
        (r#"["7f",5,1]"#, "text"),
        (r#"["7f",null,1]"#, "text"),
    ];
    for (text, column) in cases {
        let error = parse::<Columns>(text, "a row of t", NAMES).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Invalid);
        let message = error.to_string();
        assert!(
            message.contains(&format!("`{column}`")) && message.contains("(id = \"7f\")"),
            "{message}"
        );
    }
}

#[test]
fn a_row_that_fits_is_read() {
    let it = parse::<Columns>(r#"["7f","a",3]"#, "a row of t", NAMES).unwrap();
    assert_eq!((it.text.as_str(), it.number), ("a", 3));
}
