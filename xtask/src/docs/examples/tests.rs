//! What an example says that it prints.

use super::{examples, trailer};
use crate::workspace::Workspace;

#[test]
fn the_comment_at_the_end_is_the_output() {
    let text = "//! An example.\nfn main() {}\n\n// Output:\n// one\n//\n//  two\n";
    assert_eq!(trailer(text), Some((4, "one\n\n two\n".to_owned())));
}

#[test]
fn an_example_without_it_says_nothing() {
    assert_eq!(trailer("fn main() {}\n"), None);
    assert_eq!(trailer("// Output:\n"), None);
    assert_eq!(trailer("// Output:\n// one\nfn main() {}\n"), None);
}

#[test]
fn the_examples_of_the_crates_are_found() {
    let found = examples(&Workspace::load().unwrap()).unwrap();
    let names: Vec<&str> = found.iter().map(|it| it.name.as_str()).collect();
    assert!(
        names.contains(&"first_job") && names.contains(&"options"),
        "{names:?}"
    );
}
