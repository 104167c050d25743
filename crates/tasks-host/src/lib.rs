//! Host of the tasks engine: modules, start-up check, configuration, signals and shutdown.
