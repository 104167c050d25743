//! One node: a whole host, as an application has it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tasks_abstractions::services::Module;
use tasks_abstractions::{BackgroundJobManager, JobEvent, JobRegistration, JobStore};
use tasks_core::{JobRegistry, MaintenanceOptions};
use tasks_host::{Host, HostOptions};
use tasks_store_seaorm::SeaOrmStore;

use super::place::Place;
use crate::drain::Keep;

/// A running host.
pub(crate) struct Node {
    pub(crate) host: Host,
}

/// What a node is made of.
pub(crate) struct Parts<'a> {
    pub(crate) place: &'a Place,
    pub(crate) name: &'static str,
    /// Jobs that run at once; none: the node only enqueues.
    pub(crate) concurrency: usize,
    pub(crate) types: &'a [JobRegistration],
    pub(crate) event: Option<Arc<dyn JobEvent>>,
    pub(crate) module: Option<Box<dyn Module>>,
    /// Whether the system jobs are there, as they are by default. Where all runs are counted they are not.
    pub(crate) maintains: bool,
    /// What is left of what is done.
    pub(crate) keep: Keep,
    /// Time between two heartbeats, where it is not the default.
    pub(crate) heartbeat: Option<Duration>,
}

impl<'a> Parts<'a> {
    /// A node that runs jobs of these types.
    pub(crate) fn new(place: &'a Place, concurrency: usize, types: &'a [JobRegistration]) -> Self {
        Self {
            place,
            name: "bench",
            concurrency,
            types,
            event: None,
            module: None,
            maintains: false,
            keep: Keep::History,
            heartbeat: None,
        }
    }

    /// Starts it, all options but these as they are by default.
    pub(crate) async fn start(self) -> Result<Node> {
        let mut registry = JobRegistry::new();
        for it in self.types {
            registry.add_job(it)?;
        }
        let (concurrency, maintains, heartbeat) = (self.concurrency, self.maintains, self.heartbeat);
        let retention = self.keep.retention();
        let mut host = Host::builder()
            .boxed_module(self.place.module())
            .ignore_environment()
            .registry(registry)
            .node_name(self.name)
            .options(move |it: &mut HostOptions| {
                it.engine.is_execution_enabled = concurrency > 0;
                it.engine.max_concurrency = concurrency.max(1);
                if let Some(heartbeat) = heartbeat {
                    it.engine.heartbeat = heartbeat;
                }
                it.maintenance.cleaning = retention;
                if !maintains {
                    without_maintenance(&mut it.maintenance);
                }
            });
        if let Some(module) = self.module {
            host = host.boxed_module(module);
        }
        if let Some(event) = self.event {
            host = host.event(event);
        }
        let host = host.build().await?;
        host.start().await?;
        Ok(Node { host })
    }
}

fn without_maintenance(options: &mut MaintenanceOptions) {
    options.cleaning.enabled = false;
    options.checking.enabled = false;
}

impl Node {
    pub(crate) fn jobs(&self) -> Arc<dyn BackgroundJobManager> {
        self.host.jobs()
    }

    pub(crate) fn jobs_stored(&self) -> Arc<dyn JobStore> {
        self.host.store()
    }

    /// The store in its database.
    pub(crate) fn database(&self) -> Result<Arc<SeaOrmStore>> {
        Ok(self.host.services().get::<SeaOrmStore>()?)
    }

    /// Lets it take work, or no more.
    pub(crate) fn claims(&self, claims: bool) {
        self.host.engine().set_claiming(claims);
    }

    pub(crate) async fn stop(self) -> Result<()> {
        Ok(self.host.stop().await?)
    }
}
