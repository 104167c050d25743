//! Which tenants there are.

use crate::TenantId;
use crate::tenant_id::normalized;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::error::Error;

/// What the application knows about a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantInfo {
    /// Identity; never [`TenantId::HOST`].
    pub id: TenantId,
    /// Name as people write it; unique, not counting case and surrounding white space.
    pub name: String,
    /// Whether the tenant may be used; requests for an inactive one are refused.
    pub is_active: bool,
}

impl TenantInfo {
    /// An active tenant.
    #[must_use]
    pub fn new(id: TenantId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            is_active: true,
        }
    }
}

/// Knows the tenants of the application. The host is not a tenant and is never in it.
#[async_trait]
pub trait TenantStore: Send + Sync {
    /// The tenant with this id, active or not; `None` if there is none, and always for [`TenantId::HOST`].
    async fn find(&self, id: TenantId) -> Result<Option<TenantInfo>, TenantStoreError>;

    /// The tenant with this name, active or not; case and surrounding white space do not count.
    async fn find_by_name(&self, name: &str) -> Result<Option<TenantInfo>, TenantStoreError>;

    /// All tenants, active or not, in ascending order of their ids.
    async fn list(&self) -> Result<Vec<TenantInfo>, TenantStoreError>;
}

/// A tenant store could not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TenantStoreError {
    /// The place that holds the tenants could not be asked; trying again later may help.
    #[error("the tenants could not be read")]
    Unavailable {
        /// What went wrong underneath.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl TenantStoreError {
    /// Wraps the error of whatever holds the tenants.
    #[must_use]
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable {
            source: source.into(),
        }
    }
}

/// A fixed list of tenants, for programs that know them at start and for tests.
#[derive(Clone, Debug, Default)]
pub struct InMemoryTenantStore {
    by_id: BTreeMap<TenantId, TenantInfo>,
    by_name: BTreeMap<String, TenantId>,
}

impl InMemoryTenantStore {
    /// Holds these tenants.
    ///
    /// # Errors
    ///
    /// If two tenants share an id or a name, if one has the id of the host, or if one has a blank name.
    pub fn new(tenants: impl IntoIterator<Item = TenantInfo>) -> Result<Self, TenantListError> {
        let mut store = Self::default();
        for tenant in tenants {
            store.insert(tenant)?;
        }
        Ok(store)
    }

    /// Adds a tenant.
    ///
    /// # Errors
    ///
    /// If it has the id or the name of one that is in the list, the id of the host, or a blank name. The list stays as it was then.
    pub fn insert(&mut self, tenant: TenantInfo) -> Result<(), TenantListError> {
        let key = normalized(&tenant.name);
        if key.is_empty() {
            return Err(TenantListError::BlankName { id: tenant.id });
        }
        if tenant.id.is_host() {
            return Err(TenantListError::HostId { name: tenant.name });
        }
        if let Some(first) = self.by_id.get(&tenant.id) {
            let first = first.name.clone();
            return Err(TenantListError::DuplicateId {
                id: tenant.id,
                first,
                second: tenant.name,
            });
        }
        if let Some(first) = self.by_name.get(&key) {
            return Err(TenantListError::DuplicateName {
                name: tenant.name,
                first: *first,
                second: tenant.id,
            });
        }
        self.by_name.insert(key, tenant.id);
        self.by_id.insert(tenant.id, tenant);
        Ok(())
    }
}

#[async_trait]
impl TenantStore for InMemoryTenantStore {
    async fn find(&self, id: TenantId) -> Result<Option<TenantInfo>, TenantStoreError> {
        Ok(self.by_id.get(&id).cloned())
    }

    async fn find_by_name(&self, name: &str) -> Result<Option<TenantInfo>, TenantStoreError> {
        Ok(self
            .by_name
            .get(&normalized(name))
            .and_then(|id| self.by_id.get(id))
            .cloned())
    }

    async fn list(&self) -> Result<Vec<TenantInfo>, TenantStoreError> {
        Ok(self.by_id.values().cloned().collect())
    }
}

/// A list of tenants contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TenantListError {
    /// Two tenants have the same id.
    #[error("tenants `{first}` and `{second}` have the same id {id}; give each its own")]
    DuplicateId {
        /// The id they share.
        id: TenantId,
        /// Name of the one that came first.
        first: String,
        /// Name of the one that came second.
        second: String,
    },
    /// Two tenants have the same name, not counting case and surrounding white space.
    #[error("tenants {first} and {second} have the same name `{name}`; give each its own")]
    DuplicateName {
        /// The name, as the second one writes it.
        name: String,
        /// Id of the one that came first.
        first: TenantId,
        /// Id of the one that came second.
        second: TenantId,
    },
    /// A tenant has the id of the host.
    #[error("tenant `{name}` has the nil UUID, which is the host; give it an id of its own")]
    HostId {
        /// Name of the tenant.
        name: String,
    },
    /// A tenant has no name.
    #[error("tenant {id} has a blank name; give it one")]
    BlankName {
        /// Id of the tenant.
        id: TenantId,
    },
}

#[cfg(test)]
mod tests;
