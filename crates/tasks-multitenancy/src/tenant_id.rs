//! The identity of a tenant.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Identity of a tenant, or of the host.
///
/// The host is the nil UUID rather than an absent value, so that a store can keep the column `NOT NULL` and put it
/// in a unique key. There is deliberately no `Default`: code that needs a tenant has to say which one.
///
/// As text, in JSON and in [`Display`](fmt::Display), it is a hyphenated lower-case UUID; the host is all zeros.
/// Ids order by their 16 bytes, which is the order every store uses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(Uuid);

/// Namespace of ids made from names. Changing it would give every such tenant a new identity.
const NAMES: Uuid = Uuid::from_u128(0x8f0d_5c9e_61b7_5a52_9d3a_1c64_e2b8_7f41);

impl TenantId {
    /// The host: the operator of the application, which belongs to no tenant.
    pub const HOST: Self = Self(Uuid::nil());

    /// The tenant with this UUID; the nil UUID is [`TenantId::HOST`].
    #[must_use]
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The id that always belongs to this name: a version 5 UUID, the same in every program and on every machine.
    ///
    /// Names are compared as tenant stores compare them: surrounding white space and case do not count.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        Self(Uuid::new_v5(&NAMES, normalized(name).as_bytes()))
    }

    /// Whether this is the host.
    #[must_use]
    pub const fn is_host(self) -> bool {
        self.0.is_nil()
    }

    /// The UUID that stores keep; nil for the host.
    #[must_use]
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

/// The form in which names of tenants are compared.
pub(crate) fn normalized(name: &str) -> String {
    name.trim().to_lowercase()
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_host() {
            f.write_str("TenantId(HOST)")
        } else {
            write!(f, "TenantId({self})")
        }
    }
}

impl From<Uuid> for TenantId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<TenantId> for Uuid {
    fn from(id: TenantId) -> Self {
        id.0
    }
}

impl FromStr for TenantId {
    type Err = ParseTenantIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Uuid::try_parse(text) {
            Ok(id) => Ok(Self(id)),
            Err(source) => Err(ParseTenantIdError {
                text: text.to_owned(),
                source,
            }),
        }
    }
}

/// A text that should have been the id of a tenant is not a UUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the id of a tenant; give a UUID such as 2f1c6c1e-0b1d-4c3e-9a53-5f0d3f6a7b90")]
pub struct ParseTenantIdError {
    text: String,
    source: uuid::Error,
}

impl ParseTenantIdError {
    /// The text as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests;
