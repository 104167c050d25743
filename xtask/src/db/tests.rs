//! What is required, and what is left out without a server.

use super::Server;
use super::supply::required;

#[test]
fn continuous_integration_requires_every_server() {
    assert_eq!(required(None, Some("true")).unwrap(), Server::ALL);
    assert_eq!(required(Some("postgres"), Some("true")).unwrap(), Server::ALL);
    assert_eq!(required(None, None).unwrap(), []);
    assert_eq!(required(None, Some("false")).unwrap(), []);
}

#[test]
fn required_servers_are_named() {
    assert_eq!(
        required(Some("mysql, postgres"), None).unwrap(),
        [Server::Mysql, Server::Postgres]
    );
    assert_eq!(required(Some(""), None).unwrap(), []);
    let error = required(Some("oracle"), None).unwrap_err();
    assert!(error.to_string().contains("oracle"), "{error}");
}
