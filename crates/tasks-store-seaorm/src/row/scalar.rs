//! Single values, and the batches they are put into.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::QueryResult;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tasks_abstractions::store::StoreErrorKind;
use tasks_abstractions::{StoreError, Timestamp};
use uuid::Uuid;

/// Most rows of one statement.
const ROWS_AT_ONCE: usize = 1_000;
/// Size from which a statement takes no further row: well under every database's limit for one parameter.
pub(crate) const BYTES_AT_ONCE: usize = 8 * 1024 * 1024;

/// An id: in JSON 32 hexadecimal digits, which every database turns into 16 bytes, and these as a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hex(pub(crate) Uuid);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            to.serialize_str(self.0.simple().encode_lower(&mut Uuid::encode_buffer()))
        } else {
            to.serialize_bytes(self.0.as_bytes())
        }
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = Hex;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("32 hexadecimal digits")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Hex, E> {
                Uuid::try_parse(text).map(Hex).map_err(E::custom)
            }
        }
        from.deserialize_str(Digits)
            .map_err(|it| D::Error::custom(format!("an id: {it}")))
    }
}

/// Batches of rows as JSON arrays, each small enough for one statement, with the number of its rows.
pub(crate) fn json_rows<T: Serialize>(
    rows: impl IntoIterator<Item = T>,
) -> Result<Vec<(String, u64)>, StoreError> {
    let mut batches = Vec::new();
    let mut text = Vec::new();
    let mut count = 0_usize;
    for row in rows {
        text.push(if count == 0 { b'[' } else { b',' });
        serde_json::to_writer(&mut text, &row).map_err(not_json)?;
        count += 1;
        if count == ROWS_AT_ONCE || text.len() >= BYTES_AT_ONCE {
            close(&mut batches, &mut text, &mut count)?;
        }
    }
    if count > 0 {
        close(&mut batches, &mut text, &mut count)?;
    }
    Ok(batches)
}

fn close(batches: &mut Vec<(String, u64)>, text: &mut Vec<u8>, count: &mut usize) -> Result<(), StoreError> {
    text.push(b']');
    let whole = String::from_utf8(std::mem::take(text)).map_err(not_json)?;
    batches.push((whole, std::mem::take(count) as u64));
    Ok(())
}

pub(crate) fn not_json(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, "a row could not be written as JSON").caused_by(cause)
}

/// An instant as it is stored.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.timestamp_micros()
}

/// A stored instant.
pub(crate) fn timestamp(micros: i64, column: &str) -> Result<Timestamp, String> {
    DateTime::<Utc>::from_timestamp_micros(micros)
        .ok_or_else(|| format!("`{column}` is {micros}, which is no instant in microseconds"))
}

/// A duration as it is stored.
pub(crate) fn millis(it: Duration) -> u64 {
    u64::try_from(it.as_millis()).unwrap_or(u64::MAX)
}

/// A stored enumeration.
pub(crate) fn coded<T: TryFrom<i64, Error: fmt::Display>>(code: i64, column: &str) -> Result<T, String> {
    T::try_from(code).map_err(|it| format!("`{column}`: {it}"))
}

/// The id in a column of UUIDs or 16 bytes.
pub(crate) fn uuid_at(row: &QueryResult, column: usize, what: &str) -> Result<Uuid, StoreError> {
    row.try_get_by_index(column)
        .map_err(|it| unreadable(what, &it.to_string()))
}

/// Stored data that this program cannot read.
pub(crate) fn unreadable(what: &str, why: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Invalid,
        format!(
            "{what} cannot be read: {why}; if a newer version of the program wrote it, upgrade this one, else correct the row"
        ),
    )
}
