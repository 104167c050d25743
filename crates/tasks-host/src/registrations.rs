//! What `register_job!` and `register_worker!` collected in this program.

use tasks_abstractions::{JobRegistration, WorkerRegistration};
use tasks_core::{DuplicateName, JobRegistry};

/// Every job and worker that this program registered, and every name that was taken twice.
///
/// The order in which registrations are linked is not specified: they are sorted by name and place, so that messages are the same at
/// every start.
#[must_use]
pub fn registered() -> (JobRegistry, Vec<DuplicateName>) {
    let mut jobs: Vec<&JobRegistration> = inventory::iter::<JobRegistration>.into_iter().collect();
    let mut workers: Vec<&WorkerRegistration> = inventory::iter::<WorkerRegistration>.into_iter().collect();
    jobs.sort_by_key(|it| (it.name, it.at));
    workers.sort_by_key(|it| (it.name, it.at));
    let mut registry = JobRegistry::new();
    let mut duplicates = Vec::new();
    for job in jobs {
        duplicates.extend(registry.add_job(job).err());
    }
    for worker in workers {
        duplicates.extend(registry.add_worker(worker).err());
    }
    (registry, duplicates)
}
