//! Taking URLs apart.

use super::parts;

#[test]
fn a_url_is_taken_apart_at_its_address() {
    assert_eq!(
        parts("postgres://u:p@127.0.0.1:5432/db?sslmode=disable").unwrap(),
        ("postgres://u:p@", "127.0.0.1:5432", "/db?sslmode=disable")
    );
    assert_eq!(
        parts("mysql://localhost:3306/db").unwrap(),
        ("mysql://", "localhost:3306", "/db")
    );
    assert!(parts("postgres://localhost/db").is_err());
    assert!(parts("nowhere").is_err());
}
