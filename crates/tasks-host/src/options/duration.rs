//! Durations as people write them.

use std::time::Duration;

/// Reads `500ms`, `20s`, `1m30s`, `2h`, `1d`, or a bare whole number of milliseconds. Spaces between the parts are allowed.
///
/// # Errors
/// What is wrong with the text, and what was expected.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let fault = || {
        format!("`{text}` is no duration; expected text such as 500ms, 20s or 1m30s, or whole milliseconds")
    };
    let text = text.trim();
    if let Ok(millis) = text.parse::<u64>() {
        return Ok(Duration::from_millis(millis));
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|it: char| !it.is_ascii_digit()).ok_or_else(fault)?;
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| fault())?;
        let letters = after
            .find(|it: char| !it.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(fault()),
        };
        let part = number.checked_mul(millis).ok_or_else(fault)?;
        total = total.checked_add(Duration::from_millis(part)).ok_or_else(fault)?;
        rest = after.trim_start();
    }
    if text.is_empty() { Err(fault()) } else { Ok(total) }
}

/// A duration as [`parse_duration`] reads it, in its largest units.
pub(super) fn duration_text(it: Duration) -> String {
    let mut rest = it.as_millis();
    let mut text = String::new();
    for (unit, millis) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ] {
        if rest >= millis {
            text.push_str(&format!("{}{unit}", rest / millis));
            rest %= millis;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}
