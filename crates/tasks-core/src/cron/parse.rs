//! An expression taken apart into its fields.

use super::error::CronError;
use super::field::{
    FieldSpec, HOUR, Item, MINUTE, MONTH, QUARTZ_DAY_OF_MONTH, QUARTZ_DAY_OF_WEEK, SECOND, UNIX_DAY_OF_MONTH,
    UNIX_DAY_OF_WEEK, YEAR,
};

/// The items of every field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) second: Part,
    pub(super) minute: Part,
    pub(super) hour: Part,
    pub(super) day_of_month: Part,
    pub(super) month: Part,
    pub(super) day_of_week: Part,
    pub(super) year: Part,
}

/// A field's items and what its numbers mean.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) spec: &'static FieldSpec,
    pub(super) items: Vec<Item>,
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.spec, other.spec) && self.items == other.items
    }
}

impl Eq for Part {}

impl Parts {
    /// Takes an expression apart.
    pub(super) fn parse(expression: &str) -> Result<Self, CronError> {
        let expression = expression.trim();
        if expression.starts_with('@') {
            return Self::parse(shortcut(expression)?);
        }
        let mut fields = [""; 7];
        let mut found = 0;
        for text in expression.split_whitespace() {
            if let Some(field) = fields.get_mut(found) {
                *field = text;
            }
            found += 1;
        }
        let [a, b, c, d, e, f, g] = fields;
        match found {
            5 => Self::unix([a, b, c, d, e]),
            6 => Self::quartz([a, b, c, d, e, f, "*"]),
            7 => Self::quartz([a, b, c, d, e, f, g]),
            found => Err(CronError::FieldCount { found }),
        }
    }

    fn quartz(
        [second, minute, hour, day_of_month, month, day_of_week, year]: [&str; 7],
    ) -> Result<Self, CronError> {
        let parts = Self {
            second: Part::parse(&SECOND, second)?,
            minute: Part::parse(&MINUTE, minute)?,
            hour: Part::parse(&HOUR, hour)?,
            day_of_month: Part::parse(&QUARTZ_DAY_OF_MONTH, day_of_month)?,
            month: Part::parse(&MONTH, month)?,
            day_of_week: Part::parse(&QUARTZ_DAY_OF_WEEK, day_of_week)?,
            year: Part::parse(&YEAR, year)?,
        };
        if parts.day_of_month.restricts() && parts.day_of_week.restricts() {
            return Err(CronError::BothDays {
                day_of_month: day_of_month.to_owned(),
                day_of_week: day_of_week.to_owned(),
            });
        }
        Ok(parts)
    }

    fn unix([minute, hour, day_of_month, month, day_of_week]: [&str; 5]) -> Result<Self, CronError> {
        Ok(Self {
            second: Part {
                spec: &SECOND,
                items: vec![Item::Value(0)],
            },
            minute: Part::parse(&MINUTE, minute)?,
            hour: Part::parse(&HOUR, hour)?,
            day_of_month: Part::parse(&UNIX_DAY_OF_MONTH, day_of_month)?,
            month: Part::parse(&MONTH, month)?,
            day_of_week: Part::parse(&UNIX_DAY_OF_WEEK, day_of_week)?,
            year: Part {
                spec: &YEAR,
                items: vec![Item::Every { step: 1 }],
            },
        })
    }

    /// The hour field is `*`, `*/n` or `a/n`: the schedule means a distance in time, not times of the day.
    pub(super) fn is_interval_like(&self) -> bool {
        matches!(
            self.hour.items.as_slice(),
            [Item::Every { .. } | Item::From { .. }]
        )
    }
}

impl Part {
    fn parse(spec: &'static FieldSpec, text: &str) -> Result<Self, CronError> {
        Ok(Self {
            spec,
            items: spec.parse(text)?,
        })
    }

    /// Anything but `*`, `*/1` and `?`. A step of two or more restricts, as it does in most readers of unix expressions.
    pub(super) fn restricts(&self) -> bool {
        !self
            .items
            .iter()
            .any(|item| matches!(item, Item::Any | Item::Every { step: 1 }))
    }
}

fn shortcut(text: &str) -> Result<&'static str, CronError> {
    match text.to_ascii_lowercase().as_str() {
        "@yearly" | "@annually" => Ok("0 0 0 1 1 ? *"),
        "@monthly" => Ok("0 0 0 1 * ? *"),
        "@weekly" => Ok("0 0 0 ? * SUN *"),
        "@daily" | "@midnight" => Ok("0 0 0 * * ? *"),
        "@hourly" => Ok("0 0 * * * ? *"),
        _ => Err(CronError::Shortcut {
            text: text.to_owned(),
        }),
    }
}
