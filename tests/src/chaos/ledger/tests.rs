//! Reading ledgers of processes that died while they wrote.

use std::io::Write as _;

use super::{Line, read_lines, read_more};

fn due(at: i64) -> Line {
    Line::Due {
        run: "r".to_owned(),
        at,
    }
}

fn text(line: &Line) -> String {
    format!("{}\n", serde_json::to_string(line).unwrap())
}

#[test]
fn a_line_that_was_cut_is_left_out_until_it_is_whole() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let (whole, later) = (text(&due(1)), text(&due(2)));
    let (begin, rest) = later.split_at(10);
    write!(file, "{whole}{begin}").unwrap();
    let mut from = 0;
    assert_eq!(read_more::<Line>(file.path(), &mut from).unwrap(), [due(1)]);
    assert_eq!(read_more::<Line>(file.path(), &mut from).unwrap(), []);
    write!(file, "{rest}").unwrap();
    assert_eq!(read_more::<Line>(file.path(), &mut from).unwrap(), [due(2)]);
    assert_eq!(read_lines::<Line>(file.path()).unwrap(), [due(1), due(2)]);
}

#[test]
fn a_file_that_is_not_there_has_no_lines() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read_lines::<Line>(&folder.path().join("none")).unwrap(), []);
}

#[test]
fn a_whole_line_that_means_nothing_is_an_error() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "nonsense").unwrap();
    assert!(read_lines::<Line>(file.path()).is_err());
}
