//! Descriptions of the job types of this program.

use std::collections::BTreeMap;
use std::sync::Arc;

use tasks_abstractions::{JobDefinition, JobDefinitionContext, JobDefinitionManager, JobDefinitionProvider};

use crate::registry::JobRegistry;

/// The definitions of all registered types, as far as providers describe them; a type that nobody describes has its name alone.
#[derive(Debug, Clone)]
pub struct DefinitionManager {
    definitions: BTreeMap<String, JobDefinition>,
}

impl DefinitionManager {
    /// Asks the providers in order.
    #[must_use]
    pub fn new(registry: &JobRegistry, providers: &[Arc<dyn JobDefinitionProvider>]) -> Self {
        let mut context = JobDefinitionContext::default();
        for name in registry.names() {
            context.add(JobDefinition::new(name));
        }
        for provider in providers {
            provider.define(&mut context);
        }
        Self {
            definitions: context.into_definitions(),
        }
    }
}

impl JobDefinitionManager for DefinitionManager {
    fn get(&self, name: &str) -> Option<JobDefinition> {
        self.definitions.get(name).cloned()
    }

    fn get_all(&self) -> Vec<JobDefinition> {
        self.definitions.values().cloned().collect()
    }
}
