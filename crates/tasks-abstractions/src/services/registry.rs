//! The registry that modules fill, and the finished set of services.

use super::{FromScope, Resolver, Scope, ServiceError};
use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::collections::hash_map;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// Always an `Arc<T>` inside the outer `Arc`, so that `T` may be `dyn Trait`.
pub(super) type Erased = Arc<dyn Any + Send + Sync>;
type Factory = Box<dyn Fn(&Resolver<'_>) -> Result<Erased, ServiceError> + Send + Sync>;

/// The inverse of the erasure; `None` only if `it` was stored under another type's id.
pub(super) fn typed<T: ?Sized + Send + Sync + 'static>(it: &Erased) -> Option<Arc<T>> {
    it.downcast_ref::<Arc<T>>().cloned()
}

pub(super) enum Kind {
    Singleton(Erased),
    Scoped {
        build: Factory,
        needs: fn(&mut Vec<Need>),
    },
    PerRun,
}

pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) place: Place,
    pub(super) kind: Kind,
}

/// Where in the source something was registered; shown as `file:line`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(&'static Location<'static>);

impl Place {
    /// The line that calls this.
    #[must_use]
    #[track_caller]
    pub fn here() -> Self {
        Self(Location::caller())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.file(), self.0.line())
    }
}

/// A service that something cannot be built without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Need {
    pub(super) id: TypeId,
    pub(super) name: &'static str,
}

impl Need {
    /// The need for a service of type `T`, which may be a `dyn Trait`.
    #[must_use]
    pub fn of<T: ?Sized + 'static>() -> Self {
        Self {
            id: TypeId::of::<T>(),
            name: type_name::<T>(),
        }
    }

    /// Name of the type, for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

/// Services by type, while modules register them.
///
/// A type is registered once: a second registration is an error that names both places. Two implementations of one
/// trait need two types, for example a newtype or a trait of their own.
#[derive(Default)]
pub struct ServiceRegistry {
    entries: HashMap<TypeId, Entry>,
}

impl ServiceRegistry {
    /// No services.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers one value that every run shares.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Duplicate`] if `T` is registered already.
    #[track_caller]
    pub fn singleton<T: ?Sized + Send + Sync + 'static>(
        &mut self,
        it: Arc<T>,
    ) -> Result<&mut Self, ServiceError> {
        self.insert::<T>(Kind::Singleton(Arc::new(it)))
    }

    /// Registers a service that is built once in each run, when it is first needed, from a `C`.
    ///
    /// `cast` says how a `C` becomes a `T`; nearly always it is `|it| it`:
    ///
    /// ```
    /// # use tasks_abstractions::{inject, services::{ServiceError, ServiceRegistry}};
    /// trait Orders: Send + Sync {}
    /// inject! { struct SqlOrders; }
    /// impl Orders for SqlOrders {}
    ///
    /// # fn main() -> Result<(), ServiceError> {
    /// let mut registry = ServiceRegistry::new();
    /// registry.scoped::<dyn Orders, SqlOrders>(|it| it)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ServiceError::Duplicate`] if `T` is registered already.
    #[track_caller]
    pub fn scoped<T, C>(&mut self, cast: fn(Arc<C>) -> Arc<T>) -> Result<&mut Self, ServiceError>
    where
        T: ?Sized + Send + Sync + 'static,
        C: FromScope + 'static,
    {
        let build: Factory = Box::new(move |it| {
            let built: Arc<T> = cast(Arc::new(C::from_scope(it)?));
            Ok(Arc::new(built))
        });
        self.insert::<T>(Kind::Scoped {
            build,
            needs: C::needs,
        })
    }

    /// Declares a service that whoever starts a run provides for it with [`Scope::provide`].
    ///
    /// # Errors
    ///
    /// [`ServiceError::Duplicate`] if `T` is registered already.
    #[track_caller]
    pub fn per_run<T: ?Sized + Send + Sync + 'static>(&mut self) -> Result<&mut Self, ServiceError> {
        self.insert::<T>(Kind::PerRun)
    }

    /// Puts a shared value in the place of a service that is registered already, of whatever lifetime.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Missing`] if `T` is not registered: there is nothing to replace, so the name is probably wrong.
    #[track_caller]
    pub fn replace<T: ?Sized + Send + Sync + 'static>(
        &mut self,
        it: Arc<T>,
    ) -> Result<&mut Self, ServiceError> {
        let name = type_name::<T>();
        let Some(entry) = self.entries.get_mut(&TypeId::of::<T>()) else {
            return Err(ServiceError::Missing {
                service: name,
                path: Vec::new(),
            });
        };
        *entry = Entry {
            name,
            place: Place::here(),
            kind: Kind::Singleton(Arc::new(it)),
        };
        Ok(self)
    }

    /// Whether `T` is registered, with whatever lifetime.
    #[must_use]
    pub fn contains<T: ?Sized + 'static>(&self) -> bool {
        self.entries.contains_key(&TypeId::of::<T>())
    }

    /// A shared value registered before, for modules that build on the services of others.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Missing`] if `T` is not registered, [`ServiceError::NeedsScope`] if it is no singleton.
    pub fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<T>, ServiceError> {
        singleton_in(&self.entries)
    }

    /// The finished services.
    #[must_use]
    pub fn finish(self) -> Services {
        Services {
            entries: Arc::new(self.entries),
        }
    }

    #[track_caller]
    fn insert<T: ?Sized + 'static>(&mut self, kind: Kind) -> Result<&mut Self, ServiceError> {
        let (service, place) = (type_name::<T>(), Place::here());
        match self.entries.entry(TypeId::of::<T>()) {
            hash_map::Entry::Occupied(it) => {
                return Err(ServiceError::Duplicate {
                    service,
                    first: it.get().place,
                    second: place,
                });
            }
            hash_map::Entry::Vacant(it) => it.insert(Entry {
                name: service,
                place,
                kind,
            }),
        };
        Ok(self)
    }

    pub(super) fn entry(&self, need: Need) -> Option<&Entry> {
        self.entries.get(&need.id)
    }

    /// All entries in the order of their names, so that messages come in the same order at every start.
    pub(super) fn sorted(&self) -> Vec<(Need, &Entry)> {
        let mut all: Vec<_> = self
            .entries
            .iter()
            .map(|(id, it)| {
                (
                    Need {
                        id: *id,
                        name: it.name,
                    },
                    it,
                )
            })
            .collect();
        all.sort_by_key(|(need, _)| need.name);
        all
    }
}

impl fmt::Debug for ServiceRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_names("ServiceRegistry", &self.entries, f)
    }
}

/// The finished services of a program. Cheap to clone; never changes.
#[derive(Clone, Default)]
pub struct Services {
    entries: Arc<HashMap<TypeId, Entry>>,
}

impl Services {
    /// The services of one run.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::new(self.clone())
    }

    /// A shared service, outside of any run.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Missing`] if `T` is not registered, [`ServiceError::NeedsScope`] if it is no singleton.
    pub fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<T>, ServiceError> {
        singleton_in(&self.entries)
    }

    /// Whether `T` is registered, with whatever lifetime.
    #[must_use]
    pub fn contains<T: ?Sized + 'static>(&self) -> bool {
        self.entries.contains_key(&TypeId::of::<T>())
    }

    pub(super) fn kind(&self, id: TypeId) -> Option<&Kind> {
        self.entries.get(&id).map(|it| &it.kind)
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_names("Services", &self.entries, f)
    }
}

fn singleton_in<T: ?Sized + Send + Sync + 'static>(
    entries: &HashMap<TypeId, Entry>,
) -> Result<Arc<T>, ServiceError> {
    let service = type_name::<T>();
    match entries.get(&TypeId::of::<T>()).map(|it| &it.kind) {
        Some(Kind::Singleton(it)) => typed(it).ok_or(ServiceError::Missing {
            service,
            path: Vec::new(),
        }),
        Some(Kind::Scoped { .. } | Kind::PerRun) => Err(ServiceError::NeedsScope { service }),
        None => Err(ServiceError::Missing {
            service,
            path: Vec::new(),
        }),
    }
}

fn fmt_names(of: &str, entries: &HashMap<TypeId, Entry>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut names: Vec<_> = entries.values().map(|it| it.name).collect();
    names.sort_unstable();
    write!(f, "{of} ")?;
    f.debug_set().entries(names).finish()
}

#[cfg(test)]
mod tests;
