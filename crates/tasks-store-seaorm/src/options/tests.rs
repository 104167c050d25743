//! Which URLs are understood, and what is said about the others.

use std::path::PathBuf;
use std::time::Duration;

use super::{Location, SeaOrmStoreOptions};

fn message(options: &SeaOrmStoreOptions) -> String {
    options.check().unwrap_err().to_string()
}

#[cfg(feature = "sqlite")]
#[test]
fn sqlite_urls_name_a_file_or_memory() {
    let file = |path: &str| Location::SqliteFile(PathBuf::from(path));
    let cases = [
        ("sqlite://shop.db", file("shop.db")),
        ("sqlite:shop.db", file("shop.db")),
        ("sqlite:///var/lib/shop.db", file("/var/lib/shop.db")),
        ("sqlite://a%20b.db?mode=rwc", file("a b.db")),
        ("sqlite::memory:", Location::SqliteMemory),
        ("sqlite://:memory:", Location::SqliteMemory),
    ];
    for (url, expected) in cases {
        assert_eq!(SeaOrmStoreOptions::new(url).check().unwrap(), expected, "{url}");
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn any_path_comes_back_from_its_url() {
    for path in ["shop.db", "/tmp/100%/what?.db", "/tmp/ä #1/ü.db"] {
        let options = SeaOrmStoreOptions::path(path).unwrap();
        assert_eq!(
            options.check().unwrap(),
            Location::SqliteFile(PathBuf::from(path)),
            "{}",
            options.url
        );
    }
}

#[test]
fn a_database_that_is_not_built_in_names_the_feature() {
    for (url, feature) in [
        ("postgres://h/d", "`postgres`"),
        ("postgresql://h/d", "`postgres`"),
        ("mysql://h/d", "`mysql`"),
    ] {
        let message = message(&SeaOrmStoreOptions::new(url));
        assert!(
            message.contains("cargo feature") && message.contains(feature),
            "{message}"
        );
    }
    #[cfg(not(feature = "sqlite"))]
    assert!(message(&SeaOrmStoreOptions::new("sqlite://a.db")).contains("`sqlite`"));
}

#[test]
fn unknown_and_missing_schemes_say_what_is_expected() {
    for url in ["oracle://x", "shop.db", ""] {
        let message = message(&SeaOrmStoreOptions::new(url));
        assert!(message.contains("sqlite://FILE"), "{message}");
    }
}

#[test]
fn all_faults_are_reported_at_once() {
    let mut options = SeaOrmStoreOptions::new("oracle://x");
    options.readers = 0;
    options.busy_timeout = Duration::ZERO;
    options.acquire_timeout = Duration::from_secs(7_200);
    let message = message(&options);
    for field in ["`url`", "`readers`", "`busy_timeout`", "`acquire_timeout`"] {
        assert!(message.contains(field), "{field} in {message}");
    }
}
