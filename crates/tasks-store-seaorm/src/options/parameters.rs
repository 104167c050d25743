//! Parameters of a server's URL: those that the driver knows, and what is said of others.
//!
//! The driver writes an unknown one of PostgreSQL to the log, with its value, which may be a password under a misspelt name; one of MySQL it ignores, which may have
//! been the one that asks for TLS. So none reaches it.

use tasks_abstractions::FieldFault;

#[cfg(feature = "postgres")]
pub(super) const POSTGRES: &[&str] = &[
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

#[cfg(feature = "mysql")]
pub(super) const MYSQL: &[&str] = &[
    "charset",
    "collation",
    "socket",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "sslca",
    "sslcert",
    "sslkey",
    "sslmode",
    "statement-cache-capacity",
    "time-zone",
    "timezone",
];

/// Refuses a URL with a parameter that is not `known`. The fault tells its name, never a value.
pub(super) fn check(url: &str, known: &[&str]) -> Result<(), FieldFault> {
    let bare = url.split('#').next().unwrap_or(url);
    let Some((_, parameters)) = bare.split_once('?') else {
        return Ok(());
    };
    let names = parameters.split('&').map(|it| it.split('=').next().unwrap_or(it));
    let unknown = names
        .filter(|it| !it.is_empty())
        .find(|it| !known.contains(it) && !is_setting(it, known));
    let Some(name) = unknown else {
        return Ok(());
    };
    let expected = known.join("`, `");
    // With an `@` behind it the `?` was most likely part of a password, and so is what looks like a name.
    let may_be_told = !parameters.contains('@') && !name.is_empty() && name.chars().all(is_of_a_name);
    Err(FieldFault::new(
        "url",
        if may_be_told {
            format!("has the parameter `{name}`, which is not known; expected `{expected}`")
        } else {
            format!(
                "has a parameter that is not known; expected `{expected}`, and `%3F` in place of a `?`, `%26` of a `&` in a password"
            )
        },
    ))
}

/// `options[NAME]`: a setting of PostgreSQL's sessions.
fn is_setting(name: &str, known: &[&str]) -> bool {
    known.contains(&"options") && name.starts_with("options[") && name.ends_with(']')
}

fn is_of_a_name(it: char) -> bool {
    it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.' | '[' | ']')
}
