//! Several measurements of one figure.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result};

/// One figure of several passes, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(crate) fn all(&self) -> &[f64] {
        &self.0
    }

    /// The middle one; of two, the mean.
    pub(crate) fn median(&self) -> Result<f64> {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle).context("a figure without passes")?;
        Ok(match sorted.len() % 2 {
            0 => (sorted[middle - 1] + upper) / 2.0,
            _ => upper,
        })
    }

    pub(crate) fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn most(&self) -> f64 {
        self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// `median (least–most)` with this many digits after the point.
    pub(crate) fn shown(&self, digits: usize) -> Result<String> {
        let mut text = number(self.median()?, digits);
        if self.0.len() > 1 {
            let (least, most) = (number(self.least(), digits), number(self.most(), digits));
            write!(text, " ({least}–{most})")?;
        }
        Ok(text)
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<T: IntoIterator<Item = f64>>(iter: T) -> Self {
        Self(iter.into_iter().collect())
    }
}

/// A number with commas between thousands.
pub(crate) fn number(value: f64, digits: usize) -> String {
    let plain = format!("{value:.digits$}");
    let (whole, rest) = plain.split_at(plain.find('.').unwrap_or(plain.len()));
    let from = whole.len() % 3;
    let mut text = String::with_capacity(plain.len() + 4);
    for (at, digit) in whole.char_indices() {
        if at > 0 && at % 3 == from && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

/// Jobs a second.
pub(crate) fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(f64::EPSILON)
}

/// The time below which this share of the waits lies, in milliseconds. Sorts them.
pub(crate) fn percentile(waits: &mut [Duration], share: usize) -> Result<f64> {
    waits.sort_unstable();
    let at = (waits.len() * share / 100).min(waits.len().saturating_sub(1));
    Ok(waits.get(at).context("no waits were measured")?.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests;
