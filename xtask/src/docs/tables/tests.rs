//! How a table is found, made and put back.

use super::{Described, Made, option, plain, renewed, without_default};
use crate::docs::source::Sources;
use crate::workspace::Workspace;

#[test]
fn what_stands_between_the_marks_is_made_anew() {
    let text =
        "before\n<!-- generated: a -->\nold\n<!-- end -->\nbetween\n<!-- generated: b -->\n<!-- end -->\n";
    let new = renewed(text, &|name| Ok(format!("table {name}\n"))).unwrap();
    assert_eq!(
        new,
        "before\n<!-- generated: a -->\ntable a\n<!-- end -->\nbetween\n<!-- generated: b -->\ntable b\n<!-- end -->\n"
    );
    assert_eq!(renewed(&new, &|name| Ok(format!("table {name}\n"))).unwrap(), new);
    assert!(renewed("<!-- generated: a -->\n", &|_| Ok(String::new())).is_err());
    let in_words = "between `<!-- generated: NAME -->` and `<!-- end -->`\n";
    assert_eq!(renewed(in_words, &|_| Ok(String::new())).unwrap(), in_words);
}

#[test]
fn a_line_describes_an_option() {
    assert_eq!(
        option("limits.cron = 50 # TASKS_LIMITS__CRON"),
        Some(Described {
            key: "limits.cron",
            default: Some("50"),
            variable: "TASKS_LIMITS__CRON"
        })
    );
    assert_eq!(
        option("# database = # TASKS_DATABASE").map(|it| (it.key, it.default)),
        Some(("database", None))
    );
    assert_eq!(option("nothing"), None);
}

#[test]
fn comments_become_cells() {
    assert_eq!(without_default("How long. Defaults to 1 s."), "How long.");
    assert_eq!(without_default("A. Defaults to 1 s. B."), "A. B.");
    assert_eq!(
        plain("see [`a`](crate::a), [`b`] or c|d"),
        "see `a`, `b` or c\\|d"
    );
}

#[test]
fn every_table_can_be_made_of_the_code() {
    let made = Made {
        sources: Sources::read(&Workspace::load().unwrap()).unwrap(),
        options: "lease = \"20s\" # TASKS_LEASE\nlimits.name = 100 # TASKS_LIMITS__NAME\n".to_owned(),
    };
    let options = made.table("options").unwrap();
    assert!(
        options.contains("| `lease` | `TASKS_LEASE` | `\"20s\"` | How long a node"),
        "{options}"
    );
    assert!(!options.contains("Defaults"), "{options}");
    assert!(
        options.contains("| `limits.name` | `TASKS_LIMITS__NAME` | `100` | Name."),
        "{options}"
    );
    let codes = made.table("exit codes").unwrap();
    assert!(codes.contains("| 4 | `Forced` | a second signal"), "{codes}");
    assert!(
        made.table("store options")
            .unwrap()
            .contains("| `busy_timeout` |")
    );
    assert!(made.table("other").is_err());
}

#[test]
fn an_option_without_a_field_is_an_error() {
    let made = Made {
        sources: Sources::read(&Workspace::load().unwrap()).unwrap(),
        options: "no_such_option = 1 # TASKS_NO_SUCH_OPTION\n".to_owned(),
    };
    let error = made.table("options").unwrap_err().to_string();
    assert!(error.contains("no_such_option"), "{error}");
}
