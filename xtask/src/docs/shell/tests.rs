//! Which blocks run, and what is said of those that fail.

use super::{run_all, scripts};
use crate::docs::Document;

fn document(text: &str) -> Document {
    Document {
        path: "docs/a.md".to_owned(),
        text: text.to_owned(),
    }
}

fn faults(text: &str) -> Vec<String> {
    let (_, findings) = scripts(&document(text));
    findings.iter().map(ToString::to_string).collect()
}

#[test]
fn shell_blocks_run_unless_they_are_marked() {
    let text = "```sh\none\n```\n```sh,no-run\ntwo\n```\n```toml\nthree\n```\n";
    let (scripts, findings) = scripts(&document(text));
    let codes: Vec<_> = scripts.iter().map(|it| (it.line, it.code.as_str())).collect();
    assert_eq!(codes, [(1, "one\n")]);
    assert!(findings.is_empty(), "{findings:?}");
}

#[test]
fn other_marks_of_shells_are_refused() {
    assert_eq!(
        faults("```bash\na\n```\n"),
        ["docs/a.md:1: `bash` is not run; write `sh`, or `sh,no-run` for what cannot run here"]
    );
    assert_eq!(
        faults("\n```sh,ignore\na\n```\n"),
        ["docs/a.md:2: `sh,ignore` is unknown; write `sh`, or `sh,no-run` for what cannot run here"]
    );
}

#[test]
fn an_output_belongs_to_the_block_before_it() {
    let (scripts, findings) = scripts(&document("```sh\na\n```\n\n```text,output\nb\n```\n"));
    assert_eq!(scripts[0].output.as_deref(), Some("b\n"));
    assert!(findings.is_empty(), "{findings:?}");
    for text in [
        "```text,output\nb\n```\n",
        "```sh,no-run\na\n```\n```text output\nb\n```\n",
        "```sh\na\n```\nwords\n```text,output\nb\n```\n",
    ] {
        assert!(faults(text)[0].contains("right behind"), "{text}");
    }
}

#[test]
fn blocks_of_a_document_share_a_folder() {
    let document =
        document("```sh\necho 1 > file\n```\n```sh\ncat file; pwd\n```\n```text,output\n1\n…\n```\n");
    let (scripts, _) = scripts(&document);
    let findings = run_all(std::path::Path::new("/"), &document, &scripts).unwrap();
    assert_eq!(findings, []);
}

#[test]
fn a_block_that_fails_or_prints_something_else_is_named() {
    let failing = document("```sh\necho seen; false; echo unseen\n```\n```sh\nexit 9\n```\n");
    let (blocks, _) = scripts(&failing);
    let findings = run_all(std::path::Path::new("/"), &failing, &blocks).unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].line, 1);
    assert!(findings[0].message.contains("seen"), "{findings:?}");
    assert!(!findings[0].message.contains("unseen"), "{findings:?}");

    let differing = document("```sh\necho a\n```\n```text,output\nb\n```\n");
    let (blocks, _) = scripts(&differing);
    let findings = run_all(std::path::Path::new("/"), &differing, &blocks).unwrap();
    assert!(findings[0].message.contains("expected:\n    b"), "{findings:?}");
}
