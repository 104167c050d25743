//! The services of one run, and how things are built from them.

use super::registry::{Erased, Kind, typed};
use super::{Need, ServiceError, Services};
use std::any::{TypeId, type_name};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something that is built from services: a job, a worker, a scoped service.
///
/// [`inject!`](crate::inject) writes it for a struct. An `Arc<T>` is built by looking `T` up, so fields may be
/// services or other structs made by `inject!`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be built from services",
    label = "not built from services",
    note = "declare the struct with `inject!`; its fields are services, such as `Arc<dyn Mailer>`"
)]
pub trait FromScope: Sized {
    /// Builds it.
    ///
    /// # Errors
    ///
    /// What [`Resolver::get`] answers; reasons of its own are [`ServiceError::failed`].
    fn from_scope(it: &Resolver<'_>) -> Result<Self, ServiceError>;

    /// Adds every service that [`from_scope`](Self::from_scope) asks for, so that all can be checked before start.
    fn needs(out: &mut Vec<Need>);
}

impl<T: ?Sized + Send + Sync + 'static> FromScope for Arc<T> {
    fn from_scope(it: &Resolver<'_>) -> Result<Self, ServiceError> {
        it.get()
    }

    fn needs(out: &mut Vec<Need>) {
        out.push(Need::of::<T>());
    }
}

/// The services of one run of a job: shared ones, scoped ones built at most once, and values provided for the run.
pub struct Scope {
    services: Services,
    /// A list and not a map: a run has a handful, and most runs have none.
    built: Mutex<Vec<(TypeId, Erased)>>,
}

impl Scope {
    pub(super) fn new(services: Services) -> Self {
        Self {
            services,
            built: Mutex::new(Vec::new()),
        }
    }

    /// Provides a value that lives as long as this run.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotPerRun`] if `T` was not declared by
    /// [`ServiceRegistry::per_run`](super::ServiceRegistry::per_run), [`ServiceError::AlreadyProvided`] if this run
    /// has one.
    pub fn provide<T: ?Sized + Send + Sync + 'static>(&self, it: Arc<T>) -> Result<(), ServiceError> {
        let (id, service) = (TypeId::of::<T>(), type_name::<T>());
        if !matches!(self.services.kind(id), Some(Kind::PerRun)) {
            return Err(ServiceError::NotPerRun { service });
        }
        let mut built = self.built();
        if built.iter().any(|(other, _)| *other == id) {
            return Err(ServiceError::AlreadyProvided { service });
        }
        built.push((id, Arc::new(it)));
        Ok(())
    }

    /// The service of type `T`. A scoped service is built on the first call; later calls give the same one.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Missing`], [`ServiceError::NotProvided`] or [`ServiceError::Cycle`], for `T` or for
    /// something it is built from.
    pub fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<T>, ServiceError> {
        self.resolver().get()
    }

    /// Builds a new `C` from the services of this run.
    ///
    /// # Errors
    ///
    /// As [`Scope::get`], for any of the services `C` needs.
    pub fn build<C: FromScope + 'static>(&self) -> Result<C, ServiceError> {
        C::from_scope(&self.resolver().inside(Need::of::<C>()))
    }

    /// What looks services up for something that is built from them, such as a registered job.
    #[must_use]
    pub const fn resolver(&self) -> Resolver<'_> {
        Resolver {
            scope: self,
            building: None,
        }
    }

    /// The services this run takes its own from.
    #[must_use]
    pub const fn services(&self) -> &Services {
        &self.services
    }

    fn find(&self, id: TypeId) -> Option<Erased> {
        self.built()
            .iter()
            .find(|(other, _)| *other == id)
            .map(|(_, it)| Arc::clone(it))
    }

    /// Keeps what was built first when two tasks of a run built the same service at the same time.
    fn keep(&self, id: TypeId, new: Erased) -> Erased {
        let mut built = self.built();
        if let Some((_, first)) = built.iter().find(|(other, _)| *other == id) {
            return Arc::clone(first);
        }
        built.push((id, Arc::clone(&new)));
        new
    }

    /// The lock is never held while foreign code runs, so a poisoned list is still whole.
    fn built(&self) -> MutexGuard<'_, Vec<(TypeId, Erased)>> {
        self.built.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("services", &self.services)
            .field("built", &self.built().len())
            .finish()
    }
}

/// Looks services up while something is being built, and remembers what that is.
///
/// The memory is a chain on the stack and not a set in the scope, so that two tasks that build the same service at
/// the same time are not taken for a cycle.
#[derive(Clone, Copy)]
pub struct Resolver<'a> {
    scope: &'a Scope,
    building: Option<(Need, &'a Self)>,
}

impl<'a> Resolver<'a> {
    /// The service of type `T`, which is built now if it is scoped and this run has none.
    ///
    /// # Errors
    ///
    /// As [`Scope::get`]; the error holds the path of what is being built.
    pub fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<T>, ServiceError> {
        let need = Need::of::<T>();
        let found = match self.scope.find(need.id) {
            Some(it) => it,
            None => self.make(need)?,
        };
        typed(&found).ok_or_else(|| self.missing(need))
    }

    fn make(&self, need: Need) -> Result<Erased, ServiceError> {
        let build = match self.scope.services.kind(need.id) {
            None => return Err(self.missing(need)),
            Some(Kind::PerRun) => {
                return Err(ServiceError::NotProvided {
                    service: need.name,
                    path: self.path(),
                });
            }
            Some(Kind::Singleton(it)) => return Ok(Arc::clone(it)),
            Some(Kind::Scoped { build, .. }) => build,
        };
        if let Some(start) = self.chain().iter().position(|it| it.id == need.id) {
            let mut path = self.path().split_off(start);
            path.push(need.name);
            return Err(ServiceError::Cycle { path });
        }
        let built = build(&self.inside(need))?;
        Ok(self.scope.keep(need.id, built))
    }

    fn inside<'b>(&'b self, need: Need) -> Resolver<'b>
    where
        'a: 'b,
    {
        Resolver {
            scope: self.scope,
            building: Some((need, self)),
        }
    }

    fn missing(&self, need: Need) -> ServiceError {
        ServiceError::Missing {
            service: need.name,
            path: self.path(),
        }
    }

    /// What is being built, outermost first.
    fn chain(&self) -> Vec<Need> {
        let mut chain = Vec::new();
        let mut at = self.building;
        while let Some((need, outer)) = at {
            chain.push(need);
            at = outer.building;
        }
        chain.reverse();
        chain
    }

    fn path(&self) -> Vec<&'static str> {
        self.chain().into_iter().map(Need::name).collect()
    }
}

impl fmt::Debug for Resolver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("building", &self.path())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
