//! Statements that take a batch of rows, in the form that the database reads fastest.

use sea_orm::Value;
use serde::Serialize;
use tasks_abstractions::StoreError;

use crate::row::{BYTES_AT_ONCE, json_rows, values_of};

/// A statement for a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Batched {
    /// The rows are its first parameter, one JSON text.
    Json(&'static str),
    /// Each value of each row is a parameter, after the others. `row` is the group of placeholders of one row, which stands between `head` and `tail` as often as
    /// there are rows, or a few times more: then the values of the last ones are NULL, and the statement passes by rows whose first value is NULL.
    ByValue {
        head: &'static str,
        row: &'static str,
        tail: &'static str,
    },
}

/// Most rows of a statement that takes each value: its text grows with them.
const MOST_AT_ONCE: usize = 512;

/// A batch, with the statement for it.
#[derive(Debug)]
pub(crate) struct Batch {
    sql: Batched,
    rows: Rows,
}

#[derive(Debug)]
enum Rows {
    Json(Vec<(String, u64)>),
    Values { values: Vec<Value>, width: usize },
}

/// One execution of a statement for a batch.
pub(crate) struct Part {
    /// The number of its first row, where its answer counts rows from there.
    pub(crate) first: usize,
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Batch {
    /// What is executed one after the other. `others` are the parameters beside the rows.
    pub(crate) fn into_parts(self, others: &[Value]) -> Vec<Part> {
        let sql = self.sql;
        match self.rows {
            Rows::Json(texts) => {
                let mut first = 0;
                let part = |(json, count): (String, u64)| {
                    let part = Part {
                        first,
                        sql: sql.text(1),
                        values: std::iter::once(json.into())
                            .chain(others.iter().cloned())
                            .collect(),
                    };
                    first += usize::try_from(count).unwrap_or(usize::MAX);
                    part
                };
                texts.into_iter().map(part).collect()
            }
            Rows::Values { values, width } => {
                let mut left = values.len() / width.max(1);
                let mut values = values.into_iter();
                let mut parts = Vec::new();
                while left > 0 {
                    let mut places = next_part(left);
                    let own = |places: usize| &values.as_slice()[..places.min(left) * width];
                    // Each of them is copied once more on its way: by the driver, and by the database.
                    while places > 1 && bytes_of(own(places)) > BYTES_AT_ONCE {
                        places /= 2;
                    }
                    let rows = places.min(left);
                    let missing = (places - rows) * width;
                    let mut all = Vec::with_capacity(others.len() + places * width);
                    all.extend_from_slice(others);
                    all.extend(values.by_ref().take(rows * width));
                    all.extend(std::iter::repeat_n(Value::BigInt(None), missing));
                    parts.push(Part {
                        first: 0,
                        sql: sql.text(places),
                        values: all,
                    });
                    left -= rows;
                }
                parts
            }
        }
    }
}

impl Batched {
    /// The statement with its rows, each a tuple of columns.
    pub(crate) fn with<T: Serialize>(self, rows: impl IntoIterator<Item = T>) -> Result<Batch, StoreError> {
        let rows = match self {
            Self::Json(_) => Rows::Json(json_rows(rows)?),
            Self::ByValue { .. } => {
                let mut values = Vec::new();
                let width = values_of(rows, &mut values)?;
                Rows::Values { values, width }
            }
        };
        Ok(Batch { sql: self, rows })
    }

    /// The text for so many rows.
    pub(crate) fn text(self, rows: usize) -> String {
        match self {
            Self::Json(sql) => sql.to_owned(),
            Self::ByValue { head, row, tail } => {
                let mut text = String::with_capacity(head.len() + rows * (row.len() + 1) + tail.len());
                text.push_str(head);
                for at in 0..rows {
                    if at > 0 {
                        text.push(',');
                    }
                    text.push_str(row);
                }
                text.push_str(tail);
                text
            }
        }
    }
}

/// For how many rows there is a place in the next part of `left`: a power of two, so that the database keeps a statement for each. A part is not quite full where
/// that saves another one.
fn next_part(left: usize) -> usize {
    if left >= MOST_AT_ONCE {
        return MOST_AT_ONCE;
    }
    let above = left.next_power_of_two();
    let is_nearly_full = left * 4 >= above * 3;
    if is_nearly_full { above } else { above / 2 }
}

/// How long all texts and bytes among them are.
fn bytes_of(values: &[Value]) -> usize {
    let bytes = values.iter().map(|it| match it {
        Value::String(Some(text)) => text.len(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        _ => 0,
    });
    bytes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stands_as_often_as_there_are_rows() {
        let sql = Batched::ByValue {
            head: "INSERT INTO t VALUES ",
            row: "(?,?)",
            tail: " RETURNING a",
        };
        assert_eq!(sql.text(1), "INSERT INTO t VALUES (?,?) RETURNING a");
        assert_eq!(sql.text(3), "INSERT INTO t VALUES (?,?),(?,?),(?,?) RETURNING a");
        assert_eq!(Batched::Json("SELECT 1").text(7), "SELECT 1");
    }

    #[test]
    fn any_number_goes_in_parts_of_a_few_sizes() {
        for rows in 0..1_500_usize {
            let (mut left, mut parts) = (rows, 0);
            while left > 0 {
                let part = next_part(left);
                assert!(part.is_power_of_two() && part <= MOST_AT_ONCE, "{part} of {left}");
                assert!(part <= left || part - left <= part / 4, "{part} for {left}");
                left -= part.min(left);
                parts += 1;
            }
            assert!(parts <= rows / MOST_AT_ONCE + 5, "{rows} rows in {parts} parts");
        }
    }

    #[test]
    fn what_is_long_goes_in_small_parts() {
        let sql = Batched::ByValue {
            head: "",
            row: "(?,?)",
            tail: "",
        };
        let long = "x".repeat(BYTES_AT_ONCE / 3);
        let rows = (0..10_i64).map(|it| (it, if it < 6 { long.as_str() } else { "" }));
        let parts = sql.with(rows).unwrap().into_parts(&[]);
        let firsts: Vec<_> = parts.iter().map(|it| it.values[0].clone()).collect();
        assert_eq!(firsts, [0_i64, 2, 4].map(Value::from));
        assert!(parts.iter().all(|it| bytes_of(&it.values) <= BYTES_AT_ONCE));
        let longest = "x".repeat(BYTES_AT_ONCE + 1);
        let alone = sql
            .with([(1_i64, longest.as_str()), (2, "")])
            .unwrap()
            .into_parts(&[]);
        assert_eq!(alone.len(), 2, "what is too long for any part goes alone");
    }

    #[test]
    fn each_row_is_in_one_part_and_what_is_missing_is_null() {
        let sql = Batched::ByValue {
            head: "",
            row: "(?,?)",
            tail: "",
        };
        let all = sql.with((0..1_115_i64).map(|it| (it, "x"))).unwrap();
        let parts = all.into_parts(&[7.into()]);
        let places: Vec<_> = parts.iter().map(|it| it.sql.matches("(?,?)").count()).collect();
        assert_eq!(places, [512, 512, 64, 32]);
        let null = Value::BigInt(None);
        let mut rows = Vec::new();
        for (part, places) in parts.iter().zip(places) {
            assert_eq!(part.values.len(), 1 + places * 2);
            assert_eq!(part.values[0], 7.into());
            let own = part.values[1..].chunks(2).filter(|it| it[0] != null);
            rows.extend(own.map(|it| it[0].clone()));
        }
        assert_eq!(rows, (0..1_115_i64).map(Value::from).collect::<Vec<_>>());
    }
}
