//! The little of Markdown that the checks need: fenced blocks, headings, and text without code.

/// A fenced code block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Line of the opening fence, counted from one.
    pub(crate) line: usize,
    /// What stands behind the fence, such as `rust,no_run`.
    pub(crate) tags: String,
    pub(crate) code: String,
}

/// One line outside of fenced blocks.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// Counted from one.
    pub(crate) number: usize,
    pub(crate) text: &'a str,
}

/// Splits a document into its fenced blocks and its other lines.
pub(crate) fn split(text: &str) -> (Vec<Block>, Vec<Line<'_>>) {
    let (mut blocks, mut lines) = (Vec::new(), Vec::new());
    let mut open: Option<(Block, &str, usize)> = None;
    for (at, text) in text.lines().enumerate() {
        let trimmed = text.trim_start();
        match open.take() {
            Some((block, fence, _))
                if trimmed.starts_with(fence) && trimmed.trim_matches(['`', '~', ' ']).is_empty() =>
            {
                blocks.push(block);
            }
            Some((mut block, fence, indent)) => {
                let blank = text.len() - trimmed.len();
                block.code.push_str(&text[blank.min(indent)..]);
                block.code.push('\n');
                open = Some((block, fence, indent));
            }
            None => match fence(trimmed) {
                Some(fence) => {
                    let tags = trimmed[fence.len()..].trim().to_owned();
                    open = Some((
                        Block {
                            line: at + 1,
                            tags,
                            code: String::new(),
                        },
                        fence,
                        text.len() - trimmed.len(),
                    ));
                }
                None => lines.push(Line { number: at + 1, text }),
            },
        }
    }
    blocks.extend(open.map(|(block, ..)| block));
    (blocks, lines)
}

/// The run of backticks or tildes that opens a block.
fn fence(line: &str) -> Option<&str> {
    let first = line.chars().next().filter(|it| matches!(it, '`' | '~'))?;
    let length = line.chars().take_while(|it| *it == first).count();
    // A line such as ```` ```a``` ```` is code inside a paragraph.
    (length >= 3 && !line[length..].contains('`')).then(|| &line[..length])
}

/// The line with code spans blanked.
pub(crate) fn without_code(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let ticks = rest[at..].chars().take_while(|it| *it == '`').count();
        let (fence, inside) = rest[at..].split_at(ticks);
        out.push_str(&rest[..at]);
        match inside.find(fence) {
            Some(end) => {
                out.extend(std::iter::repeat_n(' ', end + 2 * ticks));
                rest = &inside[end + ticks..];
            }
            None => {
                out.push_str(fence);
                rest = inside;
            }
        }
    }
    out + rest
}

/// The text of a heading without its marks.
pub(crate) fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' ')).then(|| text.trim().trim_end_matches('#').trim_end())
}

#[cfg(test)]
mod tests;
