//! Arguments of a job: a JSON object, with typed and string access.

use std::fmt;
use std::sync::OnceLock;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use thiserror::Error;

use super::fields::Fields;
use super::json_text::count_fields;

/// Key under which arguments are kept that are no JSON object, such as a string or a list.
const WHOLE: &str = "$";

/// Why arguments could not be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArgsError {
    /// The value cannot be written as JSON.
    #[error("the arguments cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
    /// The stored arguments do not fit the type that the job expects.
    #[error("the arguments do not fit `{expected}`; correct them and start the job again")]
    Decode {
        /// The type that the job expects.
        expected: &'static str,
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
    /// No argument of this name.
    #[error("the argument `{key}` is missing")]
    Missing {
        /// The name asked for.
        key: String,
    },
}

/// The arguments of a job. They are data of the job alone: no key of them shadows a field of the job.
///
/// What a store has read stays text until somebody asks for a single argument: a job reads its own type straight from it.
#[derive(Clone)]
pub struct JobArgs(Form);

/// What was kept whole.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole<T> {
    #[serde(rename = "$")]
    value: T,
}

#[derive(Clone)]
enum Form {
    Read(Map<String, Value>),
    /// A JSON object with fields, and what it says once that was asked for.
    Text(Box<str>, OnceLock<Box<Map<String, Value>>>),
}

/// What a text says that is an object: `from_json` takes no other.
fn read(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

impl JobArgs {
    /// No arguments.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Arguments from any serialisable value: an object's fields become the arguments, `()` and `None` become none, anything
    /// else is kept whole.
    ///
    /// # Errors
    /// [`ArgsError::Encode`] where the value has no JSON form, such as a map with keys that are no strings.
    pub fn from_typed<T: Serialize + ?Sized>(value: &T) -> Result<Self, ArgsError> {
        Ok(match serde_json::to_value(value).map_err(ArgsError::Encode)? {
            Value::Object(map) => Self(Form::Read(map)),
            Value::Null => Self::default(),
            other => Self(Form::Read(Map::from_iter([(WHOLE.to_owned(), other)]))),
        })
    }

    /// The arguments as the type they were made from.
    ///
    /// # Errors
    /// [`ArgsError::Decode`] where they do not fit.
    pub fn to_typed<T: DeserializeOwned>(&self) -> Result<T, ArgsError> {
        let fail = |source| ArgsError::Decode {
            expected: std::any::type_name::<T>(),
            source,
        };
        if let Some(value) = self.straight_from_text() {
            return Ok(value);
        }
        let map = self.map();
        if map.is_empty() {
            // `()` and `None` are written as no arguments; a struct whose fields all have defaults is read from `{}`.
            return serde_json::from_value(Value::Null)
                .or_else(|_| serde_json::from_value(Value::Object(Map::new())))
                .map_err(fail);
        }
        if let (1, Some(whole)) = (map.len(), map.get(WHOLE)) {
            return T::deserialize(whole).map_err(fail);
        }
        T::deserialize(Fields(map)).map_err(fail)
    }

    /// The arguments without a map of them. `None` where it needs a closer look, because they do not fit.
    fn straight_from_text<T: DeserializeOwned>(&self) -> Option<T> {
        let Form::Text(text, _) = &self.0 else {
            return None;
        };
        if text.contains("\"$\"") {
            serde_json::from_str(text).ok().map(|Whole { value }| value)
        } else {
            serde_json::from_str(text).ok()
        }
    }

    fn map(&self) -> &Map<String, Value> {
        match &self.0 {
            Form::Read(map) => map,
            Form::Text(text, map) => map.get_or_init(|| Box::new(read(text))),
        }
    }

    /// One argument.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.map().get(key)
    }

    /// Sets one argument and returns the former value.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let mut map = match std::mem::take(self).0 {
            Form::Read(map) => map,
            Form::Text(text, map) => map.into_inner().map_or_else(|| read(&text), |it| *it),
        };
        let former = map.insert(key.into(), value.into());
        self.0 = Form::Read(map);
        former
    }

    /// One argument as text: a JSON string as it is, anything else in its JSON form.
    ///
    /// # Errors
    /// [`ArgsError::Missing`] where there is none or it is `null`.
    pub fn get_string(&self, key: &str) -> Result<String, ArgsError> {
        self.try_get_string(key)
            .ok_or_else(|| ArgsError::Missing { key: key.to_owned() })
    }

    /// As [`get_string`](Self::get_string), `None` where there is none.
    #[must_use]
    pub fn try_get_string(&self, key: &str) -> Option<String> {
        match self.get(key)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// As [`get_string`](Self::get_string), `default` where there is none.
    #[must_use]
    pub fn get_or_default_string(&self, key: &str, default: &str) -> String {
        self.try_get_string(key).unwrap_or_else(|| default.to_owned())
    }

    /// One argument as a type.
    ///
    /// # Errors
    /// [`ArgsError::Missing`] where there is none, [`ArgsError::Decode`] where it does not fit.
    pub fn get_job_data<T: DeserializeOwned>(&self, key: &str) -> Result<T, ArgsError> {
        let value = self
            .get(key)
            .ok_or_else(|| ArgsError::Missing { key: key.to_owned() })?;
        T::deserialize(value).map_err(|source| ArgsError::Decode {
            expected: std::any::type_name::<T>(),
            source,
        })
    }

    /// As [`get_job_data`](Self::get_job_data), `None` where it is missing or does not fit.
    #[must_use]
    pub fn try_get_job_data<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        self.get_job_data(key).ok()
    }

    /// As [`get_job_data`](Self::get_job_data), the type's default where it is missing.
    ///
    /// # Errors
    /// [`ArgsError::Decode`] where it is there and does not fit.
    pub fn get_or_default_job_data<T: DeserializeOwned + Default>(&self, key: &str) -> Result<T, ArgsError> {
        match self.get_job_data(key) {
            Err(ArgsError::Missing { .. }) => Ok(T::default()),
            other => other,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map().is_empty()
    }

    /// The names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.map().iter()
    }

    /// The JSON text of the whole object, as stores keep it.
    #[must_use]
    pub fn to_json(&self) -> String {
        match &self.0 {
            Form::Text(text, _) => text.to_string(),
            // Writing to a text fails for no JSON; the other way to the same text cannot fail at all.
            Form::Read(map) => {
                serde_json::to_string(map).unwrap_or_else(|_| Value::Object(map.clone()).to_string())
            }
        }
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// [`ArgsError::Decode`] where the text is no JSON object.
    pub fn from_json(text: impl Into<String>) -> Result<Self, ArgsError> {
        let text = text.into();
        match count_fields(&text) {
            Ok(0) => Ok(Self::default()),
            Ok(_) => Ok(Self(Form::Text(text.into_boxed_str(), OnceLock::new()))),
            Err(source) => Err(ArgsError::Decode {
                expected: "a JSON object",
                source,
            }),
        }
    }
}

impl Default for JobArgs {
    fn default() -> Self {
        Self(Form::Read(Map::new()))
    }
}

impl fmt::Debug for JobArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JobArgs").field(self.map()).finish()
    }
}

/// By what they say, whatever they were made from.
impl PartialEq for JobArgs {
    fn eq(&self, other: &Self) -> bool {
        self.map() == other.map()
    }
}

impl Serialize for JobArgs {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.map().serialize(to)
    }
}

impl<'de> Deserialize<'de> for JobArgs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Map::deserialize(from).map(|it| Self(Form::Read(it)))
    }
}

impl FromIterator<(String, Value)> for JobArgs {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(items: I) -> Self {
        Self(Form::Read(items.into_iter().collect()))
    }
}
