//! Arrays as the server takes them, written straight into the message: the driver goes a long way through each of their elements.
//!
//! The form is that of `array_recv`: dimensions, whether there are NULLs, the type of the elements, length and lower bound, and each element behind its size.

use std::cell::Cell;
use std::marker::PhantomData;

use sea_orm::sqlx::encode::IsNull;
use sea_orm::sqlx::error::BoxDynError;
use sea_orm::sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, Postgres};
use sea_orm::sqlx::{Encode, Type};
use uuid::Uuid;

/// What can stand in an array.
pub(super) trait Element: PgHasArrayType + Type<Postgres> {
    /// Bytes that one usually takes, its size in front of it included.
    const ROOM: usize;

    /// Puts the size and the value.
    fn put(self, to: &mut Vec<u8>) -> Result<(), BoxDynError>;
}

fn put_bytes(bytes: &[u8], to: &mut Vec<u8>) -> Result<(), BoxDynError> {
    to.extend_from_slice(&i32::try_from(bytes.len())?.to_be_bytes());
    to.extend_from_slice(bytes);
    Ok(())
}

impl Element for i16 {
    const ROOM: usize = 6;

    fn put(self, to: &mut Vec<u8>) -> Result<(), BoxDynError> {
        put_bytes(&self.to_be_bytes(), to)
    }
}

impl Element for i64 {
    const ROOM: usize = 12;

    fn put(self, to: &mut Vec<u8>) -> Result<(), BoxDynError> {
        put_bytes(&self.to_be_bytes(), to)
    }
}

impl Element for Uuid {
    const ROOM: usize = 20;

    fn put(self, to: &mut Vec<u8>) -> Result<(), BoxDynError> {
        put_bytes(self.as_bytes(), to)
    }
}

impl Element for &str {
    const ROOM: usize = 24;

    fn put(self, to: &mut Vec<u8>) -> Result<(), BoxDynError> {
        put_bytes(self.as_bytes(), to)
    }
}

/// One that may be missing.
impl<T: Element> Element for Option<T> {
    const ROOM: usize = T::ROOM;

    fn put(self, to: &mut Vec<u8>) -> Result<(), BoxDynError> {
        match self {
            Some(value) => value.put(to),
            None => {
                to.extend_from_slice(&(-1_i32).to_be_bytes());
                Ok(())
            }
        }
    }
}

/// The elements of an array, which are taken once.
pub(super) struct Packed<I, T> {
    elements: Cell<Option<I>>,
    of: PhantomData<T>,
}

impl<I: Iterator<Item = T>, T> Packed<I, T> {
    pub(super) const fn new(elements: I) -> Self {
        Self {
            elements: Cell::new(Some(elements)),
            of: PhantomData,
        }
    }
}

impl<I, T: Element> Type<Postgres> for Packed<I, T> {
    fn type_info() -> PgTypeInfo {
        T::array_type_info()
    }
}

impl<I: Iterator<Item = T>, T: Element> Encode<'_, Postgres> for Packed<I, T> {
    fn encode_by_ref(&self, to: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let elements = self.elements.take().ok_or("these elements were sent before")?;
        let oid = T::type_info()
            .oid()
            .ok_or("a type that every server knows has a number")?;
        to.reserve(24 + elements.size_hint().0 * T::ROOM);
        to.extend_from_slice(&1_i32.to_be_bytes());
        // The server looks for NULLs itself.
        to.extend_from_slice(&0_i32.to_be_bytes());
        to.extend_from_slice(&oid.0.to_be_bytes());
        let length_at = to.len();
        to.extend_from_slice(&0_i32.to_be_bytes());
        to.extend_from_slice(&1_i32.to_be_bytes());
        let mut length = 0_i32;
        for element in elements {
            element.put(to)?;
            length = length.checked_add(1).ok_or("more elements than an array has")?;
        }
        to[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
        Ok(IsNull::No)
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::sqlx::Arguments as _;
    use sea_orm::sqlx::postgres::PgArguments;

    use super::*;

    /// What the driver makes of the same elements.
    fn same<T: Element + Clone + for<'q> Encode<'q, Postgres>>(elements: &[T])
    where
        for<'q> Vec<T>: Encode<'q, Postgres> + Type<Postgres>,
    {
        let (mut ours, mut theirs) = (PgArguments::default(), PgArguments::default());
        ours.add(Packed::new(elements.iter().cloned())).unwrap();
        theirs.add(elements.to_vec()).unwrap();
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
    }

    #[test]
    fn an_array_is_what_the_driver_makes_of_it() {
        same::<i64>(&[]);
        same(&[i64::MIN, -1, 0, i64::MAX]);
        same(&[Some(1_i64), None]);
        same(&[i16::MIN, 3]);
        same(&[Uuid::nil(), Uuid::max()]);
        same(&["", "ä\u{10ffff}", "x"]);
        same(&[None, Some("y")]);
    }
}
