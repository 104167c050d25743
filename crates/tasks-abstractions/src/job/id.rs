//! Identifiers: of jobs, of runs, of running instances and of their claims.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tasks_multitenancy::TenantId;
use uuid::Uuid;

use crate::GuidGenerator;

/// Namespace of the version 5 identifiers that come from names.
const NAMES: Uuid = Uuid::from_u128(0x7461_736b_732d_4e61_8d65_732d_6f66_2d6a);

macro_rules! uuid_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps an existing identifier.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// A new identifier from `guids`.
            #[must_use]
            pub fn generate(guids: &dyn GuidGenerator) -> Self {
                Self(guids.create())
            }

            /// The identifier itself.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

uuid_newtype! {
    /// Names one job for all time: 16 bytes in every store, a string on the wire.
    ///
    /// Version 7 when generated, version 5 of (tenant, group, name) for workers, system jobs and [`JobId::from_name`].
    JobId
}

uuid_newtype! {
    /// Names one execution of a job. It is the fencing token: whoever holds another run id than the one in the store
    /// changes nothing.
    RunId
}

uuid_newtype! {
    /// Names one start of a program. Generated at every start, never chosen by a person, so that a restarted program
    /// cannot be mistaken for its predecessor.
    InstanceId
}

uuid_newtype! {
    /// Names one claim request. It is registered in the process before the request is sent, so that runs whose reply
    /// was lost are recognised and given back.
    ClaimId
}

impl JobId {
    /// The identifier of the job called `name` in `group` of `tenant`: the same for ever and on every node.
    #[must_use]
    pub fn from_name(tenant: TenantId, group: &str, name: &str) -> Self {
        // Length prefixes keep ("ab", "c") and ("a", "bc") apart.
        let text = format!(
            "{}:{}:{group}:{}:{name}",
            tenant.as_uuid(),
            group.len(),
            name.len()
        );
        Self(Uuid::new_v5(&NAMES, text.as_bytes()))
    }

    /// The identifier of what follows the run `run` under the label `label`: submitting it twice is harmless.
    #[must_use]
    pub fn from_run(run: RunId, label: &str) -> Self {
        Self(Uuid::new_v5(&run.as_uuid(), label.as_bytes()))
    }
}
