//! Tests of the exit codes.

use std::collections::BTreeSet;

use super::HostExit;
use crate::{HostError, Problems};

#[test]
fn every_code_is_its_own() {
    let codes: BTreeSet<u8> = HostExit::ALL.iter().map(|it| it.code()).collect();
    assert_eq!(codes, (0..6).collect());
}

#[test]
fn an_error_knows_its_code() {
    let cannot = HostError::CannotStart(Problems::from_iter(["x".to_owned()]));
    assert_eq!(cannot.exit(), HostExit::CannotStart);
    let left = HostError::DrainIncomplete {
        executing: 1,
        unsettled: 0,
        failures: Problems::default(),
    };
    assert_eq!(left.exit(), HostExit::DrainIncomplete);
    assert_eq!(HostError::EngineEnded.exit(), HostExit::Failed);
}
