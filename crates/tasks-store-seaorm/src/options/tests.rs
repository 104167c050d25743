//! Which URLs are understood, and what is said about the others.

#[cfg(feature = "sqlite")]
use std::path::PathBuf;
use std::time::Duration;

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use super::Location;
use super::SeaOrmStoreOptions;

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

#[cfg(feature = "postgres")]
#[test]
fn postgresql_urls_have_two_schemes_and_keep_their_password() {
    for url in ["postgres://u:p@h:5433/d?sslmode=require", "postgresql://h/d"] {
        let mut options = SeaOrmStoreOptions::new(url);
        options.schema = Some("tasks_1".to_owned());
        assert_eq!(options.check().unwrap(), Location::Postgres, "{url}");
    }
    let message = message(&SeaOrmStoreOptions::new("postgres://u:secret@h:no-port/d"));
    assert!(
        message.contains("`url`") && !message.contains("secret"),
        "{message}"
    );
}

#[cfg(feature = "mysql")]
#[test]
fn mysql_urls_have_two_schemes_and_name_a_database() {
    for url in ["mysql://u:p@h:3307/d?ssl-mode=REQUIRED", "mariadb://h/d"] {
        assert_eq!(
            SeaOrmStoreOptions::new(url).check().unwrap(),
            Location::Mysql,
            "{url}"
        );
    }
    assert!(message(&SeaOrmStoreOptions::new("mysql://u:p@h")).contains("names no database"));
}

#[cfg(feature = "postgres")]
#[test]
fn unknown_parameters_of_postgresql_are_named_without_their_value() {
    for url in [
        "postgres://h/d?passwort=secret",
        "postgres://h/d?sslmode=require&passwort=secret#x",
        "postgresql://h/d?sslmode=require&&passwort",
    ] {
        let message = message(&SeaOrmStoreOptions::new(url));
        assert!(
            message.contains("the parameter `passwort`") && message.contains("`password`"),
            "{message}"
        );
        assert!(!message.contains("secret"), "{message}");
    }
    for url in [
        "postgres://h/d?user=u&password=p@x&application_name=a&options[jit]=off&options=-c%20jit=off",
        "postgres://h/d?",
        "postgres://h/d#part",
    ] {
        assert_eq!(
            SeaOrmStoreOptions::new(url).check().unwrap(),
            Location::Postgres,
            "{url}"
        );
    }
}

/// A password in which a `?` or a `&` stands as it is looks like parameters.
#[cfg(feature = "postgres")]
#[test]
fn parts_of_a_password_are_not_told_as_parameters() {
    for url in [
        "postgres://u:123?secret@h/d",
        "postgres://u:123?secret&geheim=1@h/d",
        "postgres://u:123?geheim&secret@h/d",
        "postgres://h/d?secret%20=x",
    ] {
        let message = message(&SeaOrmStoreOptions::new(url));
        assert!(message.contains("a parameter that is not known"), "{message}");
        assert!(
            !message.contains("secret") && !message.contains("geheim"),
            "{message}"
        );
    }
}

/// The driver would ignore it, and connect without encryption.
#[cfg(feature = "mysql")]
#[test]
fn unknown_parameters_of_mysql_are_named_without_their_value() {
    for (url, name) in [
        ("mysql://h/d?ssl_mode=REQUIRED", "ssl_mode"),
        ("mariadb://h/d?ssl-mode=DISABLED&password=secret", "password"),
    ] {
        let message = message(&SeaOrmStoreOptions::new(url));
        assert!(
            message.contains(&format!("the parameter `{name}`")) && message.contains("`ssl-mode`"),
            "{message}"
        );
        assert!(!message.contains("secret"), "{message}");
    }
    let known = "mysql://h/d?ssl-mode=DISABLED&charset=utf8mb4&timezone=%2B00:00&statement-cache-capacity=7";
    assert_eq!(SeaOrmStoreOptions::new(known).check().unwrap(), Location::Mysql);
}

#[cfg(feature = "postgres")]
#[test]
fn a_schema_has_a_plain_name() {
    for schema in ["", "Tasks", "1tasks", "a-b", "a\"b", &"a".repeat(64)] {
        let mut options = SeaOrmStoreOptions::new("postgres://h/d");
        options.schema = Some(schema.to_owned());
        assert!(message(&options).contains("`schema`"), "{schema}");
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn a_file_has_no_schemas() {
    let mut options = SeaOrmStoreOptions::new("sqlite://shop.db");
    options.schema = Some("tasks".to_owned());
    assert!(message(&options).contains("only PostgreSQL has schemas"));
}

#[test]
fn a_database_that_is_not_built_in_names_the_feature() {
    let cases = [
        ("postgres://h/d", "`postgres`", cfg!(feature = "postgres")),
        ("postgresql://h/d", "`postgres`", cfg!(feature = "postgres")),
        ("mysql://h/d", "`mysql`", cfg!(feature = "mysql")),
        ("mariadb://h/d", "`mysql`", cfg!(feature = "mysql")),
        ("sqlite://a.db", "`sqlite`", cfg!(feature = "sqlite")),
    ];
    for (url, feature, is_built_in) in cases {
        let options = SeaOrmStoreOptions::new(url);
        if is_built_in {
            assert!(options.check().is_ok(), "{url}");
            continue;
        }
        let message = message(&options);
        assert!(
            message.contains("cargo feature") && message.contains(feature),
            "{message}"
        );
    }
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
    options.writers = 65;
    options.busy_timeout = Duration::ZERO;
    options.acquire_timeout = Duration::from_secs(7_200);
    options.statement_timeout = Duration::ZERO;
    options.vacuum_after = Some(999);
    let message = message(&options);
    for field in [
        "`url`",
        "`readers`",
        "`writers`",
        "`busy_timeout`",
        "`acquire_timeout`",
        "`statement_timeout`",
        "`vacuum_after`",
    ] {
        assert!(message.contains(field), "{field} in {message}");
    }
}

#[test]
fn passwords_are_not_shown() {
    for (url, shown) in [
        ("postgres://u:secret@host:5432/db", "postgres://host:5432/db"),
        ("mysql://u:secret@host/db?ssl-mode=DISABLED", "mysql://host/db"),
        ("postgres://host/db?user=u&password=secret", "postgres://host/db"),
        ("postgres://u:secret?@/secret@host/db", "postgres://host/db"),
        ("u:secret@host/db", "u://host/db"),
        ("sqlite:///a/a@b.db?mode=rwc", "sqlite:///a/a@b.db"),
        ("sqlite::memory:", "sqlite://:memory:"),
    ] {
        let options = SeaOrmStoreOptions::new(url);
        assert_eq!(options.shown_url(), shown, "{url}");
        let debug = format!("{options:?}");
        assert!(!debug.contains("secret") && debug.contains(shown), "{debug}");
        let problem = options
            .check()
            .err()
            .map_or_else(String::new, |it| it.to_string());
        assert!(!problem.contains("secret"), "{problem}");
    }
}
