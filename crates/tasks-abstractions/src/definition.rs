//! Descriptions of job types, for people and forms.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

/// One parameter of a job type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDefinitionParameter {
    /// Key in the job's arguments.
    pub name: String,
    /// Whether it must be given.
    pub required: bool,
    /// For people.
    pub display_name: String,
    /// For people.
    pub description: Option<String>,
}

/// One job type as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobDefinition {
    /// The registered name.
    pub name: String,
    /// For people.
    pub display_name: String,
    /// For people.
    pub description: Option<String>,
    /// Its parameters.
    pub parameters: Vec<JobDefinitionParameter>,
    /// Whether clients may see and create it. Default true.
    pub is_visible_to_clients: bool,
}

impl JobDefinition {
    /// A definition that says no more than the name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            display_name: name.clone(),
            name,
            description: None,
            parameters: Vec::new(),
            is_visible_to_clients: true,
        }
    }
}

/// Collects definitions. A later definition of a name replaces an earlier one.
#[derive(Debug, Default)]
pub struct JobDefinitionContext {
    definitions: BTreeMap<String, JobDefinition>,
}

impl JobDefinitionContext {
    /// Adds or replaces a definition.
    pub fn add(&mut self, definition: JobDefinition) -> &mut Self {
        self.definitions.insert(definition.name.clone(), definition);
        self
    }

    /// A definition, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut JobDefinition> {
        self.definitions.get_mut(name)
    }

    /// All definitions, by name.
    #[must_use]
    pub fn into_definitions(self) -> BTreeMap<String, JobDefinition> {
        self.definitions
    }
}

/// Describes job types of a part of the application.
pub trait JobDefinitionProvider: Send + Sync {
    /// Adds its definitions. Providers are asked in the order of registration.
    fn define(&self, context: &mut JobDefinitionContext);
}

/// Knows the job types of this program.
pub trait JobDefinitionManager: Send + Sync + Debug {
    /// One definition.
    fn get(&self, name: &str) -> Option<JobDefinition>;

    /// All definitions, by name.
    fn get_all(&self) -> Vec<JobDefinition>;
}
