//! What is found in a source file.

use super::{Member, Sources};

const TEXT: &str = "\
//! A file.

/// Options.
#[derive(Debug)]
pub struct Options {
    /// How long.
    /// Defaults to 1 s.
    #[serde(default)]
    pub wait: Duration,
    // A plain comment belongs to nobody.
    hidden: u8,
    pub bare: Vec<String>,
}

/// How it ended.
pub enum Exit {
    /// 0: well.
    Done,
    Failed,
}

pub struct Unit;
";

fn member(name: &str, type_name: &str, docs: &str) -> Member {
    Member {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        docs: docs.to_owned(),
    }
}

#[test]
fn public_fields_and_variants_are_found_with_their_comments() {
    let mut sources = Sources::default();
    sources.add(TEXT);
    assert_eq!(
        sources.members("Options").unwrap(),
        [
            member("wait", "Duration", "How long. Defaults to 1 s."),
            member("bare", "Vec<String>", "")
        ]
    );
    assert_eq!(
        sources.members("Exit").unwrap(),
        [member("Done", "", "0: well."), member("Failed", "", "")]
    );
}

#[test]
fn a_type_that_is_missing_or_there_twice_is_an_error() {
    let mut sources = Sources::default();
    sources.add(TEXT);
    assert!(sources.members("Unit").is_err());
    sources.add(TEXT);
    let error = sources.members("Exit").unwrap_err().to_string();
    assert_eq!(error, "2 public types are called `Exit`");
}
