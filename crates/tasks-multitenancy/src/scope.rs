//! Whose rows a query may see.

use crate::TenantId;

/// The tenants a management query covers.
///
/// Stores never read [`CurrentTenant`](crate::CurrentTenant): whoever asks says for whom. There is deliberately no
/// `Default`, so that a forgotten scope is a compile error and not a leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TenantScope {
    /// Rows of this tenant only; [`TenantId::HOST`] means rows of the host only, not of all tenants.
    One(TenantId),
    /// Rows of the host and of every tenant: for the engine itself and for operators who may see everything.
    All,
}

impl TenantScope {
    /// Whether a row of `tenant` may be seen.
    #[must_use]
    pub fn allows(self, tenant: TenantId) -> bool {
        match self {
            Self::One(only) => only == tenant,
            Self::All => true,
        }
    }

    /// The one tenant to filter by; `None` for [`TenantScope::All`], which filters nothing.
    #[must_use]
    pub const fn only(self) -> Option<TenantId> {
        match self {
            Self::One(only) => Some(only),
            Self::All => None,
        }
    }
}

#[cfg(test)]
mod tests;
