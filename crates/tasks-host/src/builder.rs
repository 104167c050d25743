//! Puts a host together and checks the whole of it.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tasks_abstractions::services::{Module, ServiceRegistry, check_graph, check_modules};
use tasks_abstractions::{
    AdministratorChannel, BackgroundWorkerRunnable, Clock, JobDefinitionManager, JobDefinitionProvider,
    JobEvent, JobExceptionTypeFinder, JobNotifier, JobScheduler, RunFollowUps, SystemClock,
};
use tasks_core::maintenance::{Checking, Cleaning};
use tasks_core::{
    AdministratorChannels, DefinitionManager, Engine, EngineParts, EngineScheduler, JobRegistry, LogChannel,
    MaintenanceOptions, NotifyAdministrator, Signals,
};
use tasks_multitenancy::TenantStore;
use tokio::runtime::Handle;

use crate::host::State;
use crate::options::{Change, Layers, listed};
use crate::scheduler::SchedulerHandle;
use crate::wiring::{self, Managers};
use crate::{Host, HostError, HostOptions, Problems, registered};

/// Collects what a program is made of. Nothing happens before [`build`](Self::build).
#[must_use = "nothing happens before `build`"]
pub struct HostBuilder {
    modules: Vec<Arc<dyn Module>>,
    config_file: Option<PathBuf>,
    reads_environment: bool,
    changes: Vec<Change>,
    registry: Option<JobRegistry>,
    events: Vec<Arc<dyn JobEvent>>,
    follow_ups: Vec<Arc<dyn RunFollowUps>>,
    channels: Vec<Arc<dyn AdministratorChannel>>,
    definitions: Vec<Arc<dyn JobDefinitionProvider>>,
    exceptions: JobExceptionTypeFinder,
    clock: Arc<dyn Clock>,
    version: String,
}

impl HostBuilder {
    pub(crate) fn new() -> Self {
        Self {
            modules: Vec::new(),
            config_file: None,
            reads_environment: true,
            changes: Vec::new(),
            registry: None,
            events: Vec::new(),
            follow_ups: Vec::new(),
            channels: vec![Arc::new(LogChannel)],
            definitions: Vec::new(),
            exceptions: JobExceptionTypeFinder::new(),
            clock: Arc::new(SystemClock),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Adds a module. They are configured and started in the order of addition, and stopped in reverse. Exactly one must provide the
    /// store; add it first.
    pub fn module(self, module: impl Module + 'static) -> Self {
        self.boxed_module(Box::new(module))
    }

    /// Adds a module that was chosen while the program runs. Otherwise as [`module`](Self::module).
    pub fn boxed_module(mut self, module: Box<dyn Module>) -> Self {
        self.modules.push(Arc::from(module));
        self
    }

    /// Changes options. This has the last word: defaults < file < environment < code.
    pub fn options(mut self, change: impl FnOnce(&mut HostOptions) + Send + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// Names this node, to which jobs and workers can be pinned: the last word, as for every option that code sets. Defaults to what file and
    /// environment say, else the machine's name.
    pub fn node_name(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.options(|it| it.engine.node_name = name)
    }

    /// Reads options from this TOML file. A file that is named and missing is an error.
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.config_file = Some(path.into());
        self
    }

    /// Leaves the environment alone: for tests and embedding, where variables `TASKS_…` belong to somebody else.
    pub fn ignore_environment(mut self) -> Self {
        self.reads_environment = false;
        self
    }

    /// Runs these jobs and workers instead of all that the program registered: for tests, where every test of a program would run the
    /// jobs of all.
    pub fn registry(mut self, registry: JobRegistry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Adds a listener to runs.
    pub fn event(mut self, event: Arc<dyn JobEvent>) -> Self {
        self.events.push(event);
        self
    }

    /// Adds a way to the administrator. The log is always one.
    pub fn channel(mut self, channel: Arc<dyn AdministratorChannel>) -> Self {
        self.channels.push(channel);
        self
    }

    /// Adds a source of jobs that follow runs.
    pub fn follow_ups(mut self, source: Arc<dyn RunFollowUps>) -> Self {
        self.follow_ups.push(source);
        self
    }

    /// Adds descriptions of job types.
    pub fn definitions(mut self, provider: Arc<dyn JobDefinitionProvider>) -> Self {
        self.definitions.push(provider);
        self
    }

    /// Says how failures are classed.
    pub fn exceptions(mut self, finder: JobExceptionTypeFinder) -> Self {
        self.exceptions = finder;
        self
    }

    /// Tells the time instead of the machine's clock: for tests.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Version of the program by the rules of semantic versioning, shown with the node and noted with the definitions of workers: a program does not
    /// replace those of a newer one, so that two versions side by side do not turn them to and fro. Give your own, such as
    /// `env!("CARGO_PKG_VERSION")`; versions of another form count as equal. Defaults to the version of this crate.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Reads the options, configures the modules (which connects to the store), and checks the whole program. Must be called inside a tokio
    /// runtime, on which job code will run.
    ///
    /// # Errors
    /// [`HostError::CannotStart`] with everything that is wrong with options, registrations, modules and services, all at once.
    pub async fn build(self) -> Result<Host, HostError> {
        let mut problems = Problems::default();
        let layers = Layers {
            file: self.config_file,
            reads_environment: self.reads_environment,
        };
        let options = layers.read(self.changes, &mut problems);
        let registry = Arc::new(types(self.registry, &options.maintenance, &mut problems));
        let signals = Signals::new();
        let scheduler_handle = Arc::new(SchedulerHandle::default());
        let channels = unique(self.channels, &mut problems);

        let mut services = ServiceRegistry::new();
        let registered = wiring::before_modules(&mut services, self.clock, &signals).and_then(|()| {
            services
                .singleton::<HostOptions>(Arc::new(options.clone()))?
                .singleton::<MaintenanceOptions>(Arc::new(options.maintenance.clone()))?
                .singleton::<AdministratorChannels>(Arc::new(AdministratorChannels(channels.clone())))?
                .singleton::<dyn JobDefinitionManager>(Arc::new(DefinitionManager::new(
                    &registry,
                    &self.definitions,
                )))?
                .singleton::<dyn JobScheduler>(Arc::clone(&scheduler_handle) as _)
                .map(drop)
        });
        if let Err(error) = registered {
            problems.add_error("services of the host", &error);
        }
        let managers = configure(
            &self.modules,
            &mut services,
            &options,
            (&registry, &self.version),
            &mut problems,
        )
        .await;
        if services.contains::<dyn JobNotifier>() {
            match services.get::<dyn JobNotifier>() {
                // These signals are new, so there is no other.
                Ok(notifier) => drop(signals.connect(notifier)),
                Err(error) => problems.add_error("services of the host", &error),
            }
        }
        let services = services.finish();
        let worker_instances = if problems.is_empty() {
            workers(&registry, &services, &mut problems)
        } else {
            Vec::new()
        };
        let Some(managers) = managers.filter(|_| problems.is_empty()) else {
            return Err(HostError::CannotStart(problems));
        };
        if let Err(error) = managers.clock.ask(managers.queue.as_ref()).await {
            tracing::warn!(error = %error, "the store does not tell its time; jobs go by this machine's clock until the node is registered");
        }
        let parts = EngineParts {
            options: options.engine.clone(),
            queue: Arc::clone(&managers.queue),
            store: Arc::clone(&managers.store),
            locks: Arc::clone(&managers.locks),
            clock: Arc::clone(&managers.clock),
            guids: Arc::clone(&managers.guids),
            registry,
            services: services.clone(),
            events: self.events,
            follow_ups: self.follow_ups,
            channels,
            exceptions: Arc::new(self.exceptions),
            signals,
            jobs: Handle::current(),
            version: self.version,
            retention: Arc::new(options.maintenance.cleaning.clone()),
        };
        // The options were checked above, with everything else.
        let engine = Engine::new(parts)
            .map_err(|faults| HostError::CannotStart(Problems::from_iter([faults.to_string()])))?;
        let scheduler = Arc::new(EngineScheduler::new(
            engine.clone(),
            Arc::clone(&managers.management),
            Arc::clone(&managers.queue),
            Arc::clone(&managers.store),
            Arc::clone(&managers.publisher),
            Arc::clone(&managers.clock) as _,
        ));
        scheduler_handle.set(&scheduler);
        Ok(Host {
            options,
            modules: self.modules,
            services,
            managers,
            engine,
            scheduler,
            worker_instances,
            state: Mutex::new(State::default()),
        })
    }
}

/// What the program can run: as given, or as registered; the engine's own jobs are among it.
fn types(
    given: Option<JobRegistry>,
    maintenance: &MaintenanceOptions,
    problems: &mut Problems,
) -> JobRegistry {
    let mut registry = given.unwrap_or_else(|| {
        let (registry, duplicates) = registered();
        for duplicate in duplicates {
            problems.add(duplicate.to_string());
        }
        registry
    });
    let notify = NotifyAdministrator::registration();
    if registry.get(notify.name).is_none()
        && let Err(duplicate) = registry.add_job(&notify)
    {
        problems.add(duplicate.to_string());
    }
    let system = [
        (Cleaning::registration(), maintenance.cleaning.enabled),
        (Checking::registration(), maintenance.checking.enabled),
    ];
    for (worker, _) in system.iter().filter(|(_, is_enabled)| *is_enabled) {
        if registry.get(worker.name).is_none()
            && let Err(duplicate) = registry.add_worker(worker)
        {
            problems.add(duplicate.to_string());
        }
    }
    registry
}

/// Notices name their channel, so each name must be one channel.
fn unique(
    channels: Vec<Arc<dyn AdministratorChannel>>,
    problems: &mut Problems,
) -> Vec<Arc<dyn AdministratorChannel>> {
    for (at, channel) in channels.iter().enumerate() {
        if channels.iter().take(at).any(|it| it.name() == channel.name()) {
            problems.add(format!(
                "administrator channel `{}` was added twice; give each one a name of its own",
                channel.name()
            ));
        }
    }
    channels
}

/// Configures every module, also after one that failed, and checks that together they provide what is needed.
async fn configure(
    modules: &[Arc<dyn Module>],
    services: &mut ServiceRegistry,
    options: &HostOptions,
    (registry, version): (&Arc<JobRegistry>, &str),
    problems: &mut Problems,
) -> Option<Managers> {
    let faults = check_modules(modules).err().unwrap_or_default();
    let mut failed = faults.len();
    for fault in faults {
        problems.add(fault.to_string());
    }
    let mut managers: Option<Managers> = None;
    for module in modules {
        if let Err(error) = module.configure(services).await {
            failed += 1;
            problems.add_error(
                &format!("module `{}` cannot be configured", module.name()),
                &error,
            );
        }
        if managers.is_none() && wiring::has_store(services) {
            match wiring::after_store(services, options, registry, version) {
                Ok(it) => managers = Some(it),
                Err(error) => problems.add_error("services of the host", &error),
            }
        }
    }
    if failed > 0 {
        problems
            .add("the services that jobs and workers need could not be checked before the modules are right");
        return managers;
    }
    if managers.is_none() {
        problems.add(
            "no module provides a store (`dyn JobStore`, `dyn JobQueue` and `dyn JobLockProvider`); \
             add `.module(SeaOrmStoreModule::connect(\"sqlite://FILE\"))` or `.module(MemoryStoreModule)` as the first module",
        );
    }
    if !services.contains::<dyn TenantStore>()
        && let Err(error) = services.singleton::<dyn TenantStore>(Arc::new(listed(&options.tenants).0))
    {
        problems.add_error("services of the host", &error);
    }
    for fault in check_graph(services, &registry.consumers())
        .err()
        .unwrap_or_default()
    {
        problems.add(fault.to_string());
    }
    managers
}

/// The workers, each made once for its schedule and hooks.
fn workers(
    registry: &JobRegistry,
    services: &tasks_abstractions::services::Services,
    problems: &mut Problems,
) -> Vec<Arc<dyn BackgroundWorkerRunnable>> {
    let scope = services.scope();
    let mut workers = Vec::new();
    for (name, it) in registry.types() {
        match it.build_worker(&scope) {
            Ok(worker) => workers.extend(worker),
            Err(error) => problems.add_error(&format!("worker `{name}` ({}) cannot be made", it.at), &error),
        }
    }
    workers
}

impl fmt::Debug for HostBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modules: Vec<&str> = self.modules.iter().map(|it| it.name()).collect();
        f.debug_struct("HostBuilder")
            .field("modules", &modules)
            .field("config_file", &self.config_file)
            .field("events", &self.events.len())
            .field("channels", &self.channels.len())
            .finish_non_exhaustive()
    }
}
