//! A batch as one array a column: the server reads them by far faster than JSON, and the plan stays the same however many rows come.
//!
//! The binding of arrays panics on NULL in them, so a value that may be missing has a form of its own.

use sea_orm::Value;
use sea_orm::sea_query::ArrayType;
use uuid::Uuid;

fn array(of: ArrayType, values: impl Iterator<Item = Value>) -> Value {
    Value::Array(of, Some(Box::new(values.collect())))
}

pub(super) fn uuids(values: impl Iterator<Item = Uuid>) -> Value {
    array(ArrayType::Uuid, values.map(|it| Value::Uuid(Some(it))))
}

pub(super) fn smallints(values: impl Iterator<Item = i16>) -> Value {
    array(ArrayType::SmallInt, values.map(|it| Value::SmallInt(Some(it))))
}

pub(super) fn bigints(values: impl Iterator<Item = i64>) -> Value {
    array(ArrayType::BigInt, values.map(|it| Value::BigInt(Some(it))))
}

pub(super) fn texts<'t>(values: impl Iterator<Item = &'t str>) -> Value {
    owned_texts(values.map(str::to_owned))
}

pub(super) fn owned_texts(values: impl Iterator<Item = String>) -> Value {
    array(ArrayType::String, values.map(|it| Value::String(Some(it))))
}
