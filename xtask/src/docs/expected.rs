//! Comparing what a program printed with what a document says that it prints.

/// Stands for text that differs from run to run: inside a line for any characters, alone on a line for any number of lines.
const ANY: &str = "…";

/// Says how `printed` differs from `expected`, with both texts; `None` where they agree. White space at the ends of lines and of the text does
/// not count.
pub(crate) fn difference(expected: &str, printed: &str) -> Option<String> {
    let (wanted, got) = (lines(expected), lines(printed));
    if agree(&wanted, &got) {
        return None;
    }
    let shown = |lines: &[&str]| lines.iter().map(|it| format!("\n    {it}")).collect::<String>();
    Some(format!(
        "\n  expected:{}\n  printed:{}",
        shown(&wanted),
        shown(&got)
    ))
}

fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    while lines.last().is_some_and(|it| it.is_empty()) {
        lines.pop();
    }
    lines
}

/// Whether the lines fit the pattern. Goes through the printed lines once and keeps every place in the pattern that fits so far.
fn agree(wanted: &[&str], got: &[&str]) -> bool {
    let mut places = after_skips(wanted, vec![0]);
    for line in got {
        let mut next = Vec::new();
        for place in places {
            match wanted.get(place) {
                Some(it) if it.trim() == ANY => next.push(place),
                Some(it) if fits(it, line) => next.push(place + 1),
                _ => {}
            }
        }
        places = after_skips(wanted, next);
    }
    places.contains(&wanted.len())
}

/// The places, and those behind lines that may stand for none.
fn after_skips(wanted: &[&str], mut places: Vec<usize>) -> Vec<usize> {
    let mut at = 0;
    while let Some(place) = places.get(at).copied() {
        if wanted.get(place).is_some_and(|it| it.trim() == ANY) {
            places.push(place + 1);
        }
        at += 1;
    }
    places.sort_unstable();
    places.dedup();
    places
}

/// Whether a line fits a pattern line.
fn fits(wanted: &str, line: &str) -> bool {
    let mut parts = wanted.split(ANY);
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests;
