//! What else is in the database while a drain is measured.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::beside::{self, Stray};
use crate::flat;
use crate::frame::backend::Backend;
use crate::frame::node::Node;
use crate::frame::place::Place;
use crate::held::Held;

/// What else there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Around {
    Nothing,
    /// So many due jobs that nobody here may take.
    Strays(Stray, usize),
    /// Jobs that were done before, with their log rows, and jobs of more urgent rank that are due later: in a database that was filled before.
    History,
    /// A transaction that somebody else opened before and holds.
    HeldTransaction,
}

/// What must be ended after the drain.
pub(super) struct Surroundings(Option<Held>);

impl Around {
    /// Where the drain happens.
    pub(super) async fn place(self, backend: Backend) -> Result<Place> {
        match self {
            Self::History => Place::kept(backend, flat::NAME),
            Self::Nothing | Self::Strays(..) | Self::HeldTransaction => Place::empty(backend).await,
        }
    }

    pub(super) async fn make(self, place: &Place, node: &Node) -> Result<Surroundings> {
        match self {
            Self::Nothing | Self::History => {}
            Self::Strays(stray, count) => beside::fill(node, stray, count).await?,
            Self::HeldTransaction => return Ok(Surroundings(Some(Held::open(place).await?))),
        }
        Ok(Surroundings(None))
    }
}

impl Surroundings {
    pub(super) async fn end(self) -> Result<()> {
        match self.0 {
            Some(held) => held.end().await,
            None => Ok(()),
        }
    }
}
