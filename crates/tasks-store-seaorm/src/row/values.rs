//! Rows as values that are bound one by one. A row is the same tuple that becomes one JSON array elsewhere.

use std::fmt::Display;

use sea_orm::Value;
use serde::ser::{Error as _, Impossible, SerializeTuple, SerializeTupleStruct};
use serde::{Serialize, Serializer};
use tasks_abstractions::StoreError;

use super::scalar::not_json;

/// Puts the values of rows one after the other, and answers how many a row has.
pub(crate) fn values_of<T: Serialize>(
    rows: impl IntoIterator<Item = T>,
    to: &mut Vec<Value>,
) -> Result<usize, StoreError> {
    let mut width = 0;
    for row in rows {
        let before = to.len();
        row.serialize(Values(to)).map_err(not_json)?;
        width = to.len() - before;
    }
    Ok(width)
}

/// Why a row is none.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NoRow(String);

impl serde::ser::Error for NoRow {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

struct Values<'v>(&'v mut Vec<Value>);

impl Values<'_> {
    fn put(self, value: impl Into<Value>) -> Result<(), NoRow> {
        self.0.push(value.into());
        Ok(())
    }
}

fn no_value<T>(what: &str) -> Result<T, NoRow> {
    Err(NoRow::custom(format!("{what} is no value of a column")))
}

/// Ids are bytes here, whole numbers 64 bits wide, and no column has numbers of another kind.
impl<'v> Serializer for Values<'v> {
    type Ok = ();
    type Error = NoRow;
    type SerializeSeq = Impossible<(), NoRow>;
    type SerializeTuple = Tuple<'v>;
    type SerializeTupleStruct = Tuple<'v>;
    type SerializeTupleVariant = Impossible<(), NoRow>;
    type SerializeMap = Impossible<(), NoRow>;
    type SerializeStruct = Impossible<(), NoRow>;
    type SerializeStructVariant = Impossible<(), NoRow>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), NoRow> {
        self.put(i64::from(value))
    }

    fn serialize_i8(self, value: i8) -> Result<(), NoRow> {
        self.put(i64::from(value))
    }

    fn serialize_i16(self, value: i16) -> Result<(), NoRow> {
        self.put(i64::from(value))
    }

    fn serialize_i32(self, value: i32) -> Result<(), NoRow> {
        self.put(i64::from(value))
    }

    fn serialize_i64(self, value: i64) -> Result<(), NoRow> {
        self.put(value)
    }

    fn serialize_u8(self, value: u8) -> Result<(), NoRow> {
        self.put(i64::from(value))
    }

    fn serialize_u16(self, value: u16) -> Result<(), NoRow> {
        self.put(i64::from(value))
    }

    fn serialize_u32(self, value: u32) -> Result<(), NoRow> {
        self.put(i64::from(value))
    }

    fn serialize_u64(self, value: u64) -> Result<(), NoRow> {
        match i64::try_from(value) {
            Ok(value) => self.put(value),
            Err(_) => no_value(&value.to_string()),
        }
    }

    fn serialize_f32(self, value: f32) -> Result<(), NoRow> {
        no_value(&value.to_string())
    }

    fn serialize_f64(self, value: f64) -> Result<(), NoRow> {
        no_value(&value.to_string())
    }

    fn serialize_char(self, value: char) -> Result<(), NoRow> {
        self.put(value.to_string())
    }

    fn serialize_str(self, value: &str) -> Result<(), NoRow> {
        self.put(value.to_owned())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), NoRow> {
        self.put(value.to_vec())
    }

    /// The same NULL whatever the column.
    fn serialize_none(self) -> Result<(), NoRow> {
        self.put(None::<i64>)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NoRow> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), NoRow> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<(), NoRow> {
        no_value(name)
    }

    fn serialize_unit_variant(self, name: &'static str, _: u32, _: &'static str) -> Result<(), NoRow> {
        no_value(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NoRow> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), NoRow> {
        no_value(name)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, NoRow> {
        no_value("a list")
    }

    fn serialize_tuple(self, _: usize) -> Result<Tuple<'v>, NoRow> {
        Ok(Tuple(self.0))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Tuple<'v>, NoRow> {
        Ok(Tuple(self.0))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, NoRow> {
        no_value(name)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, NoRow> {
        no_value("a map")
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct, NoRow> {
        no_value(name)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, NoRow> {
        no_value(name)
    }
}

/// The values of a row, one after the other.
struct Tuple<'v>(&'v mut Vec<Value>);

impl SerializeTuple for Tuple<'_> {
    type Ok = ();
    type Error = NoRow;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoRow> {
        value.serialize(Values(self.0))
    }

    fn end(self) -> Result<(), NoRow> {
        Ok(())
    }
}

impl SerializeTupleStruct for Tuple<'_> {
    type Ok = ();
    type Error = NoRow;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoRow> {
        value.serialize(Values(self.0))
    }

    fn end(self) -> Result<(), NoRow> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::row::Hex;

    #[derive(Serialize)]
    struct Row<'a>(Hex, &'a str, Option<i64>, u8);

    #[test]
    fn a_row_becomes_its_values() {
        let mut values = Vec::new();
        let rows = [
            Row(Hex(Uuid::max()), "ä\n", None, 3),
            Row(Hex(Uuid::nil()), "", Some(-7), 0),
        ];
        assert_eq!(values_of(rows, &mut values).unwrap(), 4);
        let expected: Vec<Value> = vec![
            vec![255_u8; 16].into(),
            "ä\n".into(),
            None::<i64>.into(),
            3_i64.into(),
            vec![0_u8; 16].into(),
            "".into(),
            (-7_i64).into(),
            0_i64.into(),
        ];
        assert_eq!(values, expected);
        let mut alone = Vec::new();
        assert_eq!(values_of([Hex(Uuid::nil())], &mut alone).unwrap(), 1);
        assert_eq!(alone, vec![Value::from(vec![0_u8; 16])]);
    }

    #[test]
    fn what_is_no_value_is_refused() {
        assert!(values_of([(1, 0.5)], &mut Vec::new()).is_err());
        assert!(values_of([u64::MAX], &mut Vec::new()).is_err());
        assert!(values_of([vec![1]], &mut Vec::new()).is_err());
    }
}
