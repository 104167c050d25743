//! The macro that declares what a struct needs.

/// Declares a struct whose fields are services.
///
/// Writes the struct, its [`FromScope`](crate::services::FromScope) and a `Debug` that shows the name only, so that
/// services need not be `Debug`. Visibility, attributes and doc comments work as on any struct, except
/// `#[derive(Debug)]`, which would be a second one. Fields are `Arc<T>` of a service `T` or other structs made by
/// this macro; services of trait `T` need `Send + Sync` as supertraits of `T`.
///
/// ```
/// use std::sync::Arc;
/// use tasks_abstractions::inject;
///
/// pub trait Carts: Send + Sync {}
///
/// inject! {
///     /// Deletes carts nobody came back to.
///     #[derive(Clone)]
///     pub struct PurgeCarts {
///         /// Where the carts are.
///         pub carts: Arc<dyn Carts>,
///     }
/// }
/// inject! { struct NeedsNothing; }
/// ```
///
/// A struct with unnamed fields is refused:
///
/// ```compile_fail
/// # use std::sync::Arc;
/// tasks_abstractions::inject! { struct Unnamed(Arc<u32>); }
/// ```
#[macro_export]
macro_rules! inject {
    ($(#[$meta:meta])* $vis:vis struct $name:ident;) => {
        $(#[$meta])*
        $vis struct $name;

        $crate::inject!(@nothing $name, Self);
    };

    ($(#[$meta:meta])* $vis:vis struct $name:ident {}) => {
        $(#[$meta])*
        $vis struct $name {}

        $crate::inject!(@nothing $name, Self {});
    };

    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $service:ty),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $service,)+
        }

        impl $crate::services::FromScope for $name {
            fn from_scope(
                it: &$crate::services::Resolver<'_>,
            ) -> ::core::result::Result<Self, $crate::services::ServiceError> {
                ::core::result::Result::Ok(Self {
                    $($field: <$service as $crate::services::FromScope>::from_scope(it)?,)+
                })
            }

            fn needs(out: &mut ::std::vec::Vec<$crate::services::Need>) {
                $(<$service as $crate::services::FromScope>::needs(out);)+
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(::core::stringify!($name)).finish_non_exhaustive()
            }
        }
    };

    ($(#[$meta:meta])* $vis:vis struct $name:ident ($($fields:tt)*);) => {
        ::core::compile_error!("`inject!` needs names for the fields: `struct Job { mailer: Arc<dyn Mailer> }`");
    };

    (@nothing $name:ident, $new:expr) => {
        impl $crate::services::FromScope for $name {
            fn from_scope(
                _: &$crate::services::Resolver<'_>,
            ) -> ::core::result::Result<Self, $crate::services::ServiceError> {
                ::core::result::Result::Ok($new)
            }

            fn needs(_: &mut ::std::vec::Vec<$crate::services::Need>) {}
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(::core::stringify!($name))
            }
        }
    };
}

#[cfg(test)]
mod tests;
