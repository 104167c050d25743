//! Relative links and anchors of the Markdown documents. Links into the web are not followed: a check must not depend
//! on somebody else's server.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::Document;
use super::markdown::{heading, split, without_code};
use crate::tidy::Finding;

/// Every broken link of the documents.
pub(crate) fn check(root: &Path, documents: &[Document]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for document in documents {
        for line in split(&document.text).1 {
            for target in targets(&without_code(line.text)) {
                if let Some(message) = wrong(root, document, &target) {
                    findings.push(Finding::at(&document.path, line.number, message));
                }
            }
        }
    }
    findings
}

/// What the links of a line point to: `[text](target "title")`, `![..](target)` and `[name]: target`.
fn targets(line: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for (at, _) in line.match_indices("](") {
        let rest = &line[at + 2..];
        let mut depth = 1_i32;
        let end = rest.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        targets.extend(end.and_then(|end| rest[..end].split_whitespace().next()));
    }
    if let Some((name, target)) = line
        .trim_start()
        .strip_prefix('[')
        .and_then(|it| it.split_once("]:"))
        && !name.starts_with('^')
        && !name.contains(']')
    {
        targets.extend(target.split_whitespace().next());
    }
    targets
        .into_iter()
        .map(|it| it.trim_start_matches('<').trim_end_matches('>').to_owned())
        .collect()
}

/// Why a link leads nowhere.
fn wrong(root: &Path, document: &Document, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    if path.is_empty() {
        return missing_anchor(&document.text, anchor).map(|it| format!("`{target}`: {it}"));
    }
    let Some(file) = resolved(&document.path, path) else {
        return Some(format!("`{target}` leads out of the project"));
    };
    let file = root.join(file);
    if !file.exists() {
        return Some(format!("`{target}`: there is no such file"));
    }
    if anchor.is_empty() || file.extension().is_none_or(|it| it != "md") {
        return None;
    }
    match fs::read_to_string(&file) {
        Ok(text) => missing_anchor(&text, anchor).map(|it| format!("`{target}`: {it}")),
        Err(error) => Some(format!("`{target}` cannot be read: {error}")),
    }
}

/// The path below the root that a link in a document means; `None` when it leaves the root.
fn resolved(document: &str, link: &str) -> Option<PathBuf> {
    let mut path = match link.strip_prefix('/') {
        Some(_) => PathBuf::new(),
        None => Path::new(document).parent()?.to_path_buf(),
    };
    for part in Path::new(link.trim_start_matches('/')).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => path = path.pop().then_some(path)?,
            _ => {}
        }
    }
    Some(path)
}

fn missing_anchor(text: &str, anchor: &str) -> Option<String> {
    let known = anchors(text);
    (!anchor.is_empty() && !known.iter().any(|it| it == anchor))
        .then(|| format!("there is no heading for #{anchor}"))
}

/// The anchors of a document as code hosts make them: lower case, only letters, digits, `-` and `_`, counted when equal.
fn anchors(text: &str) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut anchors = Vec::new();
    for line in split(text).1 {
        for (at, mark) in ["id=\"", "name=\""]
            .iter()
            .filter_map(|it| Some((line.text.find(it)?, it)))
        {
            anchors.extend(line.text[at + mark.len()..].split('"').next().map(str::to_owned));
        }
        let Some(heading) = heading(line.text) else {
            continue;
        };
        let slug: String = linked_text(heading)
            .to_lowercase()
            .chars()
            .filter(|it| it.is_alphanumeric() || matches!(it, '-' | '_' | ' '))
            .map(|it| if it == ' ' { '-' } else { it })
            .collect();
        let count = seen.entry(slug.clone()).or_default();
        anchors.push(if *count == 0 {
            slug
        } else {
            format!("{slug}-{count}")
        });
        *count += 1;
    }
    anchors
}

/// A heading with links replaced by their text.
fn linked_text(heading: &str) -> String {
    let mut out = String::new();
    let mut rest = heading;
    while let Some((before, after)) = rest.split_once("](") {
        out.push_str(before);
        rest = after.split_once(')').map_or("", |(_, it)| it);
    }
    out + rest
}

#[cfg(test)]
mod tests;
