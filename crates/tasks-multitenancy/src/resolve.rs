//! Finding the tenant of a request from what the request carries.

use crate::{TenantId, TenantStore, TenantStoreError};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// What a request carries that may tell its tenant: values of headers, query parameters, claims.
///
/// Keys are plain text by convention `kind:name`, such as `header:x-tenant`, `query:tenant` or `claim:tenantid`;
/// case does not count in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantHints(BTreeMap<String, String>);

impl TenantHints {
    /// No hints.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one hint; a later value for the same key replaces the earlier one.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0.insert(key.to_ascii_lowercase(), value.into());
        self
    }

    /// The value of this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(&key.to_ascii_lowercase()).map(String::as_str)
    }
}

/// How a contributor names the tenant it found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantAnswer {
    /// By id. [`TenantId::HOST`] is a full answer: the request is the host's, and no later contributor is asked.
    Id(TenantId),
    /// By name.
    Name(String),
}

impl fmt::Display for TenantAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// One way of finding the tenant of a request.
#[async_trait]
pub trait TenantResolveContributor: Send + Sync {
    /// Name for messages.
    fn name(&self) -> &str;

    /// The tenant as this contributor sees it; `None` leaves the question to the next one.
    ///
    /// An error stops the resolution: a request whose tenant is in doubt must not become the host's.
    async fn resolve(
        &self,
        hints: &TenantHints,
    ) -> Result<Option<TenantAnswer>, Box<dyn Error + Send + Sync>>;
}

/// Takes the tenant from one hint: an id if the value is a UUID, else a name. A blank value is no answer.
#[derive(Clone, Debug)]
pub struct HintContributor {
    key: String,
}

impl HintContributor {
    /// Reads the hint with this key, such as `header:x-tenant`.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into() }
    }
}

#[async_trait]
impl TenantResolveContributor for HintContributor {
    fn name(&self) -> &str {
        &self.key
    }

    async fn resolve(
        &self,
        hints: &TenantHints,
    ) -> Result<Option<TenantAnswer>, Box<dyn Error + Send + Sync>> {
        let value = hints.get(&self.key).map(str::trim).filter(|it| !it.is_empty());
        Ok(value.map(|it| match it.parse() {
            Ok(id) => TenantAnswer::Id(id),
            Err(_) => TenantAnswer::Name(it.to_owned()),
        }))
    }
}

/// Asks its contributors in order; the first answer counts.
///
/// The order is a matter of trust: put what the caller cannot forge (claims of a checked token) before what anyone
/// may send (headers, query parameters).
#[derive(Clone)]
pub struct TenantResolver {
    store: Arc<dyn TenantStore>,
    contributors: Vec<Arc<dyn TenantResolveContributor>>,
}

impl TenantResolver {
    /// A resolver without contributors, which answers [`TenantId::HOST`] to everything.
    #[must_use]
    pub fn new(store: Arc<dyn TenantStore>) -> Self {
        Self {
            store,
            contributors: Vec::new(),
        }
    }

    /// Asks `contributor` after those added before.
    #[must_use]
    pub fn contributor(mut self, contributor: Arc<dyn TenantResolveContributor>) -> Self {
        self.contributors.push(contributor);
        self
    }

    /// The tenant of a request with these hints; [`TenantId::HOST`] when no contributor answers.
    ///
    /// # Errors
    ///
    /// If the tenant that was named does not exist or is inactive, or if a contributor or the store fails. Later
    /// contributors are not asked then, since falling back would choose a tenant the request did not mean.
    pub async fn resolve(&self, hints: &TenantHints) -> Result<TenantId, TenantResolveError> {
        for contributor in &self.contributors {
            let answer =
                contributor
                    .resolve(hints)
                    .await
                    .map_err(|source| TenantResolveError::Contributor {
                        contributor: contributor.name().to_owned(),
                        source,
                    })?;
            if let Some(answer) = answer {
                return self.check(contributor.name(), answer).await;
            }
        }
        Ok(TenantId::HOST)
    }

    async fn check(&self, contributor: &str, answer: TenantAnswer) -> Result<TenantId, TenantResolveError> {
        let found = match &answer {
            TenantAnswer::Id(TenantId::HOST) => return Ok(TenantId::HOST),
            TenantAnswer::Id(id) => self.store.find(*id).await?,
            TenantAnswer::Name(name) => self.store.find_by_name(name).await?,
        };
        match found {
            None => Err(TenantResolveError::Unknown {
                tenant: answer,
                contributor: contributor.to_owned(),
            }),
            Some(it) if !it.is_active => Err(TenantResolveError::Inactive {
                id: it.id,
                name: it.name,
            }),
            Some(it) => Ok(it.id),
        }
    }
}

impl fmt::Debug for TenantResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.contributors.iter().map(|it| it.name()).collect();
        f.debug_struct("TenantResolver")
            .field("contributors", &names)
            .finish_non_exhaustive()
    }
}

/// The tenant of a request could not be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TenantResolveError {
    /// The request names a tenant that does not exist.
    #[error("there is no tenant `{tenant}` (given by `{contributor}`)")]
    Unknown {
        /// The tenant as the request names it.
        tenant: TenantAnswer,
        /// The contributor that found it.
        contributor: String,
    },
    /// The request names a tenant that is switched off.
    #[error("tenant `{name}` is not active")]
    Inactive {
        /// Its id.
        id: TenantId,
        /// Its name.
        name: String,
    },
    /// A contributor failed.
    #[error("`{contributor}` could not tell the tenant")]
    Contributor {
        /// Name of the contributor.
        contributor: String,
        /// What went wrong underneath.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The tenant store failed.
    #[error(transparent)]
    Store(#[from] TenantStoreError),
}

#[cfg(test)]
mod tests;
