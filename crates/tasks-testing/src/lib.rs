//! Test kit of tasks: store and scheduler suites, manual clock, recorder, test host.
