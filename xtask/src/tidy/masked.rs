//! Rust source with comments and the insides of literals blanked, so that rules look at code only.

/// Blanks comments, string and character literals; lines and columns stay where they are.
pub(crate) fn masked(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_or_comment(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(
                chars[at..end]
                    .iter()
                    .map(|&it| if it == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        }
    }
    out
}

/// The end of the comment or literal that starts at `at`, or `at` itself when none starts there.
fn literal_or_comment(chars: &[char], at: usize) -> usize {
    match (chars[at], chars.get(at + 1)) {
        ('/', Some('/')) => position(chars, at, |it| it == '\n'),
        ('/', Some('*')) => block_comment(chars, at),
        ('"', _) => string(chars, at),
        ('r', Some('"' | '#')) if !in_identifier(chars, at) => raw_string(chars, at),
        ('\'', Some('\\')) => position(chars, at + 3, |it| it == '\'') + 1,
        ('\'', Some(_)) if chars.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
    .min(chars.len())
}

fn position(chars: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    (from..chars.len())
        .find(|&it| wanted(chars[it]))
        .unwrap_or(chars.len())
}

fn block_comment(chars: &[char], at: usize) -> usize {
    let (mut depth, mut it) = (0_usize, at);
    while it + 1 < chars.len() {
        match (chars[it], chars[it + 1]) {
            ('/', '*') => (depth, it) = (depth + 1, it + 2),
            ('*', '/') if depth == 1 => return it + 2,
            ('*', '/') => (depth, it) = (depth - 1, it + 2),
            _ => it += 1,
        }
    }
    chars.len()
}

fn string(chars: &[char], at: usize) -> usize {
    let mut it = at + 1;
    while it < chars.len() {
        match chars[it] {
            '\\' => it += 2,
            '"' => return it + 1,
            _ => it += 1,
        }
    }
    chars.len()
}

fn raw_string(chars: &[char], at: usize) -> usize {
    let quote = position(chars, at + 1, |it| it != '#');
    if chars.get(quote) != Some(&'"') {
        return at; // a raw identifier
    }
    let hashes = quote - at - 1;
    let closes = |it: &usize| {
        chars[*it] == '"' && chars[it + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
    };
    (quote + 1..chars.len())
        .find(closes)
        .map_or(chars.len(), |it| it + 1 + hashes)
}

/// Whether the `r` at `at` is the end of an identifier. The prefixes of byte and C strings are not one.
fn in_identifier(chars: &[char], at: usize) -> bool {
    let is_word = |it: usize| chars.get(it).is_some_and(|c| c.is_alphanumeric() || *c == '_');
    match at.checked_sub(1) {
        Some(before) if matches!(chars[before], 'b' | 'c') => before.checked_sub(1).is_some_and(is_word),
        Some(before) => is_word(before),
        None => false,
    }
}

#[cfg(test)]
mod tests;
