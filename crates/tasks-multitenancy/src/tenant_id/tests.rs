//! Tests of the tenant's identity.

use super::*;

#[test]
fn the_host_is_the_nil_uuid() {
    assert!(TenantId::HOST.is_host());
    assert_eq!(TenantId::HOST.as_uuid(), Uuid::nil());
    assert_eq!(TenantId::new(Uuid::nil()), TenantId::HOST);
    assert!(!TenantId::from_name("acme").is_host());
}

#[test]
fn a_name_always_gives_the_same_id() {
    let acme = TenantId::from_name("acme");
    assert_eq!(acme.as_uuid().get_version_num(), 5);
    assert_eq!(
        acme.to_string(),
        "b30bf333-542f-57ac-91c2-e50e97f02d65",
        "the id of a name must never change"
    );
    assert_eq!(acme, TenantId::from_name(" Acme "));
    assert_ne!(acme, TenantId::from_name("acme2"));
}

#[test]
fn text_goes_round() {
    for id in [TenantId::HOST, TenantId::from_name("acme")] {
        assert_eq!(id.to_string().parse::<TenantId>(), Ok(id));
    }
    assert_eq!(TenantId::HOST.to_string(), "00000000-0000-0000-0000-000000000000");
    assert_eq!(format!("{:?}", TenantId::HOST), "TenantId(HOST)");
}

#[test]
fn text_that_is_no_uuid_is_refused_with_the_text() {
    for text in ["", " ", "acme", "00000000-0000-0000-0000-00000000000"] {
        let err = text.parse::<TenantId>().expect_err(text);
        assert_eq!(err.text(), text);
        assert!(
            err.to_string()
                .starts_with(&format!("`{text}` is not the id of a tenant; give a UUID"))
        );
    }
}

#[test]
fn json_is_a_string() {
    let acme = TenantId::from_name("acme");
    let json = serde_json::to_string(&acme).unwrap();
    assert_eq!(json, format!("\"{acme}\""));
    assert_eq!(serde_json::from_str::<TenantId>(&json).unwrap(), acme);
    assert!(
        serde_json::from_str::<TenantId>("null").is_err(),
        "a missing tenant must not become the host"
    );
    assert!(serde_json::from_str::<TenantId>("\"\"").is_err());
}

#[test]
fn ids_order_by_their_bytes() {
    let (a, b) = (
        TenantId::new(Uuid::from_u128(1)),
        TenantId::new(Uuid::from_u128(1 << 64)),
    );
    assert!(TenantId::HOST < a && a < b);
}
